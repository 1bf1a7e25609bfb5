"""The evidence page is what the script makes of the committed scores; its numbers are those of their definitions."""

import json

import numpy as np
import pytest

from skmm_core.comparison.savings import data_saving
from skmm_core.methods.registry import list_methods
from tests.bench import evidence_page
from tests.bench.evidence import ABLATIONS, METHODS
from tests.bench.evidence_data import long_tail, wrong_labels
from tests.bench.evidence_figure import rank_figure
from tests.bench.evidence_page import AWARE, FREE, PAGE, ROOT, SOURCE, files
from tests.bench.evidence_tables import Evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence.read(SOURCE)


def test_page_and_figures_are_made_from_the_committed_scores(evidence: Evidence) -> None:
    for path, text in files(evidence).items():
        assert path.read_text(encoding="utf-8") == text, "run `python -m tests.bench.evidence_page`"


def test_every_configuration_parses_and_the_defaults_are_measured(evidence: Evidence) -> None:
    specs = {spec.key: spec for spec in list_methods()}
    for each in (*METHODS, *ABLATIONS):
        specs[each.method].parse(each.params)
    measured = set(evidence.scores["configuration"])
    assert {each.name for each in METHODS} <= measured
    assert {FREE, AWARE} <= measured


def test_the_readme_names_the_defaults_and_links_the_evidence() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    which = readme[readme.index("Which one?") :]
    assert f"`{FREE}`" in which
    assert f"`{AWARE}`" in which
    assert PAGE.relative_to(ROOT).as_posix() in which


def made(cells: dict[tuple[str, int], list[float]], metric: str = "accuracy") -> Evidence:
    rows = [["toy", method, n, seed, v, 0.1] for (method, n), values in cells.items() for seed, v in enumerate(values)]
    return Evidence(
        {
            "benchmarks": {"toy": {"title": "Toy", "half": "tuning", "budgets": [10, 20], "metric": metric}},
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
    assert (standing["a"].better, standing["a"].tied, standing["a"].worse) == (1, 1, 0)
    assert standing["uniform"].p == 1
    own, other = [better["a", n] for n in (10, 20)], [uniform["uniform", n] for n in (10, 20, 40)]
    expected = data_saving(10, [10, 20], own, [10, 20, 40], other, higher_is_better=True).factor
    assert expected == pytest.approx(2 * 2**0.25), "0.65 and 0.6 are 0.625 both, where more points are to do no worse"
    assert found.mean_factor(["toy"], "uniform", "uniform").value == pytest.approx(1)
    assert found.factor("toy", "a", 10, "uniform").value == pytest.approx(expected)
    assert found.mean_factor(["toy"], "a", "uniform").value == pytest.approx(expected)  # of two, one budget is low
    assert not made(uniform | {("a", 10): [0.9] * 8, ("a", 20): [0.9] * 8}).factor("toy", "a", 10, "uniform").known


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


def test_long_tails_and_wrong_labels_are_what_they_say() -> None:
    labels = np.repeat(np.arange(5), 200)
    sizes = np.sort(np.bincount(labels[long_tail(labels, 16, np.random.default_rng(0))]))[::-1]
    assert sizes.tolist() == [200, 100, 50, 25, 12]
    wrong = (wrong_labels(labels, 0.1, np.random.default_rng(0)) != labels).mean()
    assert abs(wrong - 0.1) < 0.04


def test_figures_name_every_method_and_escape_them() -> None:
    drawn = rank_figure({"a < b": 1.5, "c": 2.0}, 0.7)
    assert "a &lt; b" in drawn
    assert drawn.count("<circle") == 2


def test_the_file_says_what_it_was_measured_with() -> None:
    about = json.loads(SOURCE.read_text(encoding="utf-8"))
    assert about["columns"] == ["dataset", "configuration", "budget", "seed", "value", "seconds"]
    assert {"torch", "numpy", "scikit_learn"} <= set(about)
