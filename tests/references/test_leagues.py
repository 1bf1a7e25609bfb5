"""Label-aware methods against class-stratified uniform: the numbers of the paired comparison, from the definition."""

import json

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison.leagues import STRATIFIED, against_stratified, judged, league_savings
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.statistics import holm, paired_difference
from skmm_core.comparison.summary import Verdict, summarise
from skmm_core.probes.metrics import primary_metric
from skmm_core.storage.writing import to_json


def table(cells: dict[tuple[str, int], list[float]], metric: str = "accuracy") -> pd.DataFrame:
    rows = [
        ["toy", method, budget, seed, metric, value, 0.1, "test"]
        for (method, budget), values in cells.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def test_differences_wins_and_holm_are_those_of_the_pairs() -> None:
    rng = np.random.default_rng(0)
    base = {budget: list(0.5 + budget / 1000 + 0.01 * rng.normal(size=8)) for budget in (50, 100, 200)}
    cells = {(STRATIFIED, budget): values for budget, values in base.items()}
    cells |= {("el2n", budget): [v - 0.02 for v in values] for budget, values in base.items()}
    cells |= {
        ("skmm_joint", budget): list(np.array(v) + 0.05 + 0.01 * rng.normal(size=8)) for budget, v in base.items()
    }
    cells |= {("uniform", 50): [0.0] * 8}
    found = {
        (r["method"], r["budget"]): r
        for r in against_stratified(table(cells), ["el2n", "skmm_joint"], "classification")
    }
    assert set(found) == {(method, budget) for method in ("el2n", "skmm_joint") for budget in base}
    for budget, values in base.items():
        mine = np.array(cells[("skmm_joint", budget)])
        row = found[("skmm_joint", budget)]
        assert row["difference"] == pytest.approx(float((mine - values).mean()))
        assert row["wins"] == int((mine > values).sum())
        assert row["pairs"] == 8
        raw = [
            paired_difference(cells[(key, budget)], values, higher_is_better=True).p for key in ("el2n", "skmm_joint")
        ]
        assert [found[(key, budget)]["p_holm"] for key in ("el2n", "skmm_joint")] == pytest.approx(list(holm(raw)))
        assert found[("el2n", budget)]["difference"] == pytest.approx(-0.02)


def test_the_saving_is_the_budget_that_stratified_uniform_needs() -> None:
    """Half-way between 100 and 200 points in score is at 100·√2 points: curves are read on a log scale of budgets."""
    cells = {(STRATIFIED, budget): [0.1 * np.log2(budget / 25)] * 3 for budget in (50, 100, 200)}
    cells |= {("skmm_joint", 50): [0.25] * 3}
    (row,) = against_stratified(table(cells), ["skmm_joint"], "classification")
    assert row["factor"] == pytest.approx(100 * 2**0.5 / 50)
    assert row["relation"] == "about"


def test_only_shared_seeds_are_paired_and_no_yardstick_means_no_rows() -> None:
    cells = {(STRATIFIED, 50): [0.5, 0.6], ("el2n", 50): [0.4, 0.4, 0.4]}
    (row,) = against_stratified(table(cells), ["el2n", STRATIFIED, "craig"], "classification")
    assert row["pairs"] == 2
    assert against_stratified(table({("el2n", 50): [0.4]}), ["el2n"], "classification") == []


def test_a_method_that_sees_labels_is_judged_and_credited_by_its_own_yardstick_alone() -> None:
    """Plain uniform needs 40 points for what 10 of "aware" reach, uniform within classes 20; "free" stays as it was."""
    cells = {
        ("uniform", budget): [score + 0.001 * seed for seed in range(8)] for budget, score in ((10, 0.5), (40, 0.7))
    }
    cells |= {(STRATIFIED, budget): [v + 0.1 for v in cells[("uniform", budget)]] for budget in (10, 40)}
    cells |= {(key, 10): [0.7 + 0.001 * seed for seed in range(8)] for key in ("aware", "free")}
    scores = table(cells)
    found, against = (
        summarise(scores, {}, "classification"),
        against_stratified(scores, ["aware", STRATIFIED], "classification"),
    )
    assert [(row.method, row.reference) for row in judged(found.summary, against, "accuracy") if row.budget == 10] == [
        (STRATIFIED, "uniform"), ("aware", STRATIFIED), ("free", "uniform"),
    ]  # fmt: skip
    savings = {row["method"]: row for row in league_savings(found.savings, against, primary_metric("classification"))}
    assert savings["aware"]["factor"] == pytest.approx(2.0)
    assert "uniform within classes needs about 20 (2.00 times" in savings["aware"]["text"]
    assert savings["free"]["factor"] == pytest.approx(4.0)
    assert "; uniform needs about 40 (4.00 times" in savings["free"]["text"]


def test_one_seed_read_back_from_a_file_is_a_tie() -> None:
    scores = table({("uniform", 10): [0.5], (STRATIFIED, 10): [0.6], ("aware", 10): [0.7]})
    found = summarise(scores, {}, "classification")
    against = json.loads(to_json(against_stratified(scores, ["aware"], "classification")))
    assert against[0]["lo"] is None, "JSON knows no NaN"
    rows = judged(found.summary, against, "accuracy")
    assert {row.verdict(higher_is_better=True) for row in rows} == {Verdict.TIE}
    assert all(row["tie"] for row in league_savings(found.savings, against, primary_metric("classification")))
