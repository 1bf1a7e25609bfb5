"""The evidence page is what the script makes of the committed scores; its numbers are those of their definitions."""

import itertools
import json
import re

import numpy as np
import pytest

from skmm_core.comparison import ADVICE
from skmm_core.comparison.savings import Relation, data_saving
from skmm_core.comparison.statistics import Interval
from skmm_core.methods.registry import list_methods
from tests.bench import encoder_study, evidence_page
from tests.bench.evidence import ABLATIONS, METHODS
from tests.bench.evidence_answer import AWARE, FREE, LEAGUES, verdicts
from tests.bench.evidence_data import BENCHMARKS
from tests.bench.evidence_encoders import encoders_part
from tests.bench.evidence_figure import rank_figure
from tests.bench.evidence_page import BEGIN, END, PAGE, README, ROOT, SOURCE, files
from tests.bench.evidence_tables import Evidence, Factor
from tests.bench.evidence_words import mean_text, sure_text


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.read(SOURCE)


def test_page_readme_and_figures_are_made_from_the_committed_scores(evidence: Evidence) -> None:
    for path, text in files(evidence).items():
        assert path.read_text(encoding="utf-8") == text, "run `python -m tests.bench.evidence_page`"


def test_every_configuration_parses_and_the_defaults_are_measured(evidence: Evidence) -> None:
    specs = {spec.key: spec for spec in list_methods()}
    for each in (*METHODS, *ABLATIONS):
        specs[each.method].parse(each.params)
    measured = set(evidence.scores["configuration"])
    assert {each.name for each in METHODS} <= measured


def test_the_readme_names_the_defaults_and_links_the_evidence() -> None:
    readme = README.read_text(encoding="utf-8")
    which = readme[readme.index("Which one?") :]
    assert f"`{FREE}`" in which
    assert f"`{AWARE}`" in which
    assert PAGE.relative_to(ROOT).as_posix() in which


def test_the_readme_types_no_number_of_the_evidence_by_hand() -> None:
    readme = README.read_text(encoding="utf-8")
    start = readme.index("Which one?")
    typed = readme[start : readme.index(BEGIN)] + readme[readme.index(END) : readme.index("## The pages")]
    assert not re.findall(r"\d", typed)


def test_what_forms_say_of_the_defaults_was_measured(evidence: Evidence) -> None:
    """Each sentence of `ADVICE` that claims something, read off the scores."""
    label, *training = LEAGUES
    assert "On most sources of data it saves points, on others random picks are as good;" in ADVICE[False]
    found = verdicts(evidence, label)
    assert len(found[1]) > len(found[0]) > 0
    assert not found[-1]
    assert "helps most with few points, for classes and for numbers" in ADVICE[True]
    for league in training:
        datasets = league.datasets(evidence)
        few, many = (
            np.mean([np.log(evidence.factor(d, AWARE, evidence.budgets(d)[k], "uniform").value) for d in datasets])
            for k in (0, -1)
        )
        assert few > many > 0
    assert "where some labels are wrong" in ADVICE[True]
    for dataset in ("cifar_noise", "cars_odd_noise"):
        assert evidence.verdict([dataset], AWARE, "uniform") == 1


def test_the_file_has_the_families_and_halves_of_the_data_sets(evidence: Evidence) -> None:
    for each in BENCHMARKS:
        about = evidence.about["benchmarks"][each.name]
        assert (about["family"], about["half"], about["title"]) == (each.family, each.half, each.title)


def made(
    cells: dict[tuple[str, int], list[float]], metric: str = "accuracy", families: dict[str, str] | None = None
) -> Evidence:
    """The same cells on every data set."""
    families = families or {"toy": "Toy"}
    rows = [
        [name, method, n, seed, value, 0.1]
        for name in families
        for (method, n), values in cells.items()
        for seed, value in enumerate(values)
    ]
    return Evidence(
        {
            "benchmarks": {
                name: {"title": "Toy", "half": "tuning", "family": family, "budgets": [10, 20], "metric": metric}
                for name, family in families.items()
            },
            "label_aware": ["b"],
            "ablations": [],
            "columns": ["dataset", "configuration", "budget", "seed", "value", "seconds"],
            "scores": rows,
        }
    )


def test_ranks_factors_and_verdicts_on_made_scores() -> None:
    base = np.linspace(0, 0.01, 8)
    uniform = {("uniform", n): list(s + base) for n, s in ((10, 0.5), (20, 0.6), (40, 0.7))}
    better = {("a", 10): list(0.65 + base), ("a", 20): list(0.6 + base)}
    found = made(uniform | better)
    assert found.methods(["toy"], aware=False) == ["uniform", "a"]
    standing = found.standings(["toy"], ["uniform", "a"], "uniform")
    assert (standing["a"].rank, standing["uniform"].rank) == (1.25, 1.75)
    assert (standing["a"].better, standing["a"].tied, standing["a"].worse) == (1, 0, 0), "wins at 10, level at 20"
    assert standing["uniform"].p == 1
    own, other = [better["a", n] for n in (10, 20)], [uniform["uniform", n] for n in (10, 20, 40)]
    expected = data_saving(10, [10, 20], own, [10, 20, 40], other, higher_is_better=True).factor
    assert found.mean_factor(["toy"], "uniform", "uniform").value == pytest.approx(1)
    assert found.factor("toy", "a", 10, "uniform").value == pytest.approx(expected)
    assert found.mean_factor(["toy"], "a", "uniform").value == pytest.approx(expected)  # of two, one budget is low
    assert np.isnan(found.mean_factor(["toy"], "a", "uniform").lo), "one family says nothing of others"
    beyond = made(uniform | {("a", 10): [0.9] * 8, ("a", 20): [0.9] * 8}).factor("toy", "a", 10, "uniform")
    assert (beyond.value, beyond.relation) == (4, Relation.MORE_THAN), "uniform has not 0.9 at 40 either"


def test_ties_and_losses_are_told_as_such() -> None:
    rng = np.random.default_rng(0)
    noise = {(name, n): list(rng.normal(size=8)) for name in ("uniform", "a") for n in (10, 20)}
    assert made(noise).verdict(["toy"], "a", "uniform") == 0
    worse = noise | {("a", n): [value - 9 for value in noise["a", n]] for n in (10, 20)}
    assert made(worse).verdict(["toy"], "a", "uniform") == -1
    few = {cell: values[:4] for cell, values in worse.items()}
    assert made(few).verdict(["toy"], "a", "uniform") == 0, "four seeds cannot have p below 0.125"


def test_a_family_counts_once_however_many_data_sets_it_has() -> None:
    families = {"one": "A", "two": "A", "three": "A", "four": "B"}
    found = made({(name, n): [0.5, 0.6] for name in ("uniform", "a") for n in (10, 20)}, families=families)
    mine = found.scores["configuration"] == "a"
    found.scores.loc[mine, "signed"] = np.where(found.scores.loc[mine, "dataset"] == "four", 0.7, 0.4)
    ranked = found.ranked(list(families), ["uniform", "a"])
    assert ranked.index.tolist() == ["A", "B"]
    assert ranked["a"].tolist() == [2, 1]
    assert found.standings(list(families), ["uniform", "a"], "uniform")["a"].rank == 1.5
    assert found.friedman(list(families), ["uniform", "a"])[2] == {"uniform": 1.5, "a": 1.5}


def test_factors_are_averaged_in_families_first_and_bounds_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    families = {"one": "A", "two": "A", "three": "B"}
    found = made({("uniform", n): [0.5, 0.6] for n in (10, 20)}, families=families)
    known = {"one": Factor(2.0, Relation.ABOUT, None, None), "two": Factor(8.0, Relation.MORE_THAN, None, None)}
    known["three"] = Factor(1.0, Relation.ABOUT, None, None)
    monkeypatch.setattr(found, "factor", lambda dataset, *_: known[dataset])
    mean = found.mean_factor(list(families), "uniform", "uniform")
    assert found.family_factors(list(families), "uniform", "uniform") == pytest.approx({"A": 4, "B": 1})
    assert mean.value == pytest.approx(2), "of data sets it would be 2.52"
    assert np.log(mean.hi / 2) == pytest.approx(12.7062047362 * np.log(4) / 2), "t with 1 degree of freedom"
    assert mean_text(mean).startswith("≥ 2.00 [")
    assert mean_text(mean).endswith("; 1 ≥ of 3")


def test_the_halves_of_one_steady_method_come_out_at_one() -> None:
    scores = np.random.default_rng(0).normal(size=(6, 8)) * 1e-6 + np.linspace(0, 1, 6)[:, None]
    found = made({("uniform", n): list(row) for n, row in zip((5, 10, 15, 20, 30, 40), scores, strict=True)})
    assert found.lean().value == pytest.approx(1, abs=1e-4)


def test_claims_are_made_only_where_the_interval_leaves_out_one() -> None:
    said = [sure_text(Interval(2, *ends), "more", "less") for ends in ((1.1, 3), (0.9, 3), (0.2, 0.9))]
    assert said == ["more", "a tie: the interval holds 1", "less"]
    assert "one family" in sure_text(Interval(2, np.nan, np.nan), "more", "less")


def test_the_page_says_where_seeds_are_missing(evidence: Evidence) -> None:
    assert evidence_page._seeds(made({("uniform", n): [0.5] * 4 for n in (10, 20)})) == "4 seeds each"
    fewer = made({("uniform", 10): [0.5] * 4, ("uniform", 20): [0.5] * 3})
    assert evidence_page._seeds(fewer) == "4 seeds each; fewer where a pool is too small (Toy, n = 20: 3)"
    counts = {seeds for (_, name, _), cell in evidence.cells.items() if name == FREE for seeds in [len(cell)]}
    assert (len(counts) == 1) == ("fewer" not in evidence_page._seeds(evidence))


def test_errors_count_the_other_way_round() -> None:
    cells = {("uniform", n): [5.0, 5.1] for n in (10, 20)} | {("a", n): [4.0, 4.1] for n in (10, 20)}
    standing = made(cells, "mae").standings(["toy"], ["uniform", "a"], "uniform")
    assert standing["a"].rank == 1


def test_figures_name_every_method_and_escape_them() -> None:
    drawn = rank_figure({"a < b": 1.5, "c": 2.0}, 0.7)
    assert "a &lt; b" in drawn
    assert drawn.count("<circle") == 2


def test_the_file_says_what_it_was_measured_with() -> None:
    about = json.loads(SOURCE.read_text(encoding="utf-8"))
    assert about["columns"] == ["dataset", "configuration", "budget", "seed", "value", "seconds"]
    assert {"torch", "numpy", "scikit_learn", "drawn"} <= set(about)


def test_the_mean_ranks_that_families_give_are_in_the_page(evidence: Evidence) -> None:
    """Computed the long way, from the scores alone."""
    league, text = LEAGUES[0], PAGE.read_text(encoding="utf-8")
    methods = league.methods(evidence)
    by_family: dict[str, list[float]] = {}
    for dataset, each in evidence.about["benchmarks"].items():
        rows = evidence.scores[evidence.scores["dataset"] == dataset]
        places = []
        for (_, _), cell in rows.groupby(["budget", "seed"]):
            signed = cell.set_index("configuration")["signed"]
            if {*methods} <= {*signed.index} and cell["budget"].iloc[0] in each["budgets"]:
                mine, others = signed[FREE], signed[methods]
                places.append((others > mine).sum() + ((others == mine).sum() + 1) / 2)
        by_family.setdefault(each["family"], []).append(float(np.mean(places)))
    rank = np.mean([np.mean(each) for each in by_family.values()])
    row = next(line for line in text.splitlines() if line.startswith(f"| **{FREE}** | ") and line.count("|") > 6)
    assert f"| {rank:.2f} |" in row
    assert sum(map(len, by_family.values())) == len(set(itertools.chain(evidence.datasets())))


def test_what_features_change_is_told_seed_by_seed_from_the_committed_scores() -> None:
    made = json.loads(encoder_study.SOURCE.read_text(encoding="utf-8"))
    values = {tuple(row[:5]): row[5] for row in made["scores"]}
    source = encoder_study.SOURCES[0]
    first, second = source.features
    gains = [
        100 * (values[source.name, second, FREE, 20, s] - values[source.name, first, FREE, 20, s])
        for s in range(source.seeds)
    ]
    line = next(
        line for line in encoders_part().splitlines() if line.startswith(f"| {source.name}: ") and "| 20 |" in line
    )
    assert f"| {np.mean(gains):+.1f} [" in line
    assert set(values) == {
        (each.name, features, method, budget, seed)
        for each in encoder_study.SOURCES
        for features in each.features
        for method, budgets in [
            *((m, each.budgets) for m in encoder_study.METHODS),
            (encoder_study.WHOLE, (each.rows,)),
        ]
        for budget in budgets
        for seed in range(each.seeds)
    }
