"""The evidence under several learners, and one row of it measured anew: numbers are those of their definitions."""

import json

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison.savings import data_saving
from skmm_core.probes.learners import LINEAR, cheap_learners
from tests.bench import learner_study
from tests.bench.evidence_data import BENCHMARKS
from tests.bench.evidence_learners import combined, learner_scores, learners_part, name
from tests.bench.evidence_page import PAGE, SOURCE
from tests.bench.evidence_row import rows_of
from tests.bench.evidence_tables import Evidence
from tests.bench.evidence_words import test_rows_text as rows_text


def made(cells: dict[tuple[str, int], list[float]]) -> Evidence:
    rows = [["toy", method, n, seed, v, 0.1] for (method, n), values in cells.items() for seed, v in enumerate(values)]
    about = {"title": "Toy", "half": "tuning", "family": "Toy", "budgets": [10, 20], "metric": "accuracy", "test": 100}
    columns = ["dataset", "configuration", "budget", "seed", "value", "seconds"]
    kept = {"benchmarks": {"toy": about}, "label_aware": [], "ablations": []}
    return Evidence(kept | {"columns": columns, "scores": rows})


def test_picks_and_learner_together_are_set_beside_random_picks_and_a_linear_probe() -> None:
    base = np.linspace(0, 0.01, 8)
    uniform = {("uniform", n): list(s + base) for n, s in ((10, 0.5), (20, 0.6), (40, 0.7))}
    scores = pd.DataFrame(
        [["toy", "a", "auto", n, seed, 0.65 + base[seed], "propagate"] for n in (10, 20) for seed in range(8)],
        columns=learner_study.COLUMNS,
    )
    found = combined(made(uniform), scores).factor("toy", name("a", "auto"), 10, "uniform")
    own, other = [list(0.65 + base)] * 2, list(uniform.values())
    assert found.value == pytest.approx(
        data_saving(10, [10, 20], own, [10, 20, 40], other, higher_is_better=True).factor
    )


def test_test_rows_alone_make_the_interval_of_a_share() -> None:
    """Of 8 draws with 100 test rows each, half of them right: 1.96 · √(.25 / 800)."""
    assert rows_text(made({("uniform", 10): [0.5] * 8}), "toy", "uniform", 10) == "± 3.5"


def test_a_row_measured_anew_agrees_where_intervals_meet() -> None:
    rng = np.random.default_rng(0)
    cells = {(m, n): list(0.5 + 0.01 * rng.normal(size=8)) for m in ("uniform", "a") for n in (10, 20)}
    moved = {cell: [value + 0.2 for value in values] for cell, values in cells.items()}
    assert [agrees for _, agrees in rows_of(made(cells), made(cells), "toy", "a")] == [True, True]
    lines = rows_of(made(moved), made(cells), "toy", "a")
    assert [agrees for _, agrees in lines] == [False, False]
    assert lines[0][0].endswith("DIFFERS")


def test_every_learner_was_scored_on_the_draws_of_the_evidence() -> None:
    about = json.loads(SOURCE.read_text(encoding="utf-8"))["benchmarks"]
    scores = learner_scores()
    assert set(scores["dataset"]) == set(learner_study.DATASETS)
    for each in (benchmark for benchmark in BENCHMARKS if benchmark.name in learner_study.DATASETS):
        mine = scores[scores["dataset"] == each.name]
        learners = set(cheap_learners("regression" if each.numbers else "classification")) - {LINEAR}
        assert set(mine["learner"]) == learners
        assert set(mine["budget"]) == set(about[each.name]["budgets"])
        seeds = mine.groupby(["method", "learner", "budget"])["seed"].nunique()
        assert (seeds >= 8).all()
        assert set(mine.loc[mine["learner"] == "auto", "settled"]) <= learners | {LINEAR}


def test_the_page_has_the_part_on_learners() -> None:
    assert learners_part(Evidence.read(SOURCE)) in PAGE.read_text(encoding="utf-8")
