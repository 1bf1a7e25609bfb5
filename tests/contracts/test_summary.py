"""The tables of a comparison from made-up scores whose summary is known."""

import math

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison.leagues import STRATIFIED, against_stratified, league_savings
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.summary import SUMMARY_COLUMNS, Verdict, saving_text, summarise, verdict
from skmm_core.probes.metrics import primary_metric

BUDGETS = [10, 20, 40, 80]


def _scores(curves: dict[str, list[float]], seeds: int = 8, noise: float = 0.002) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        ["made", method, budget, seed, "accuracy", value + rng.normal(0, noise), 0.1, "test"]
        for seed in range(seeds)
        for method, values in curves.items()
        for budget, value in zip(BUDGETS, values, strict=False)
    ]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


CURVES = {"uniform": [0.5, 0.6, 0.7, 0.8], "good": [0.6, 0.7, 0.8, 0.9], "same": [0.5, 0.6, 0.7, 0.8]}


def test_better_method_is_significant_and_saves_half_the_data() -> None:
    found = summarise(_scores(CURVES), {"accuracy": 0.95}, "classification")
    good = found.summary.query("method == 'good' and budget == 20").iloc[0]
    assert verdict(good["vs_lo"], good["vs_hi"], good["p_holm"], higher_is_better=True) is Verdict.BETTER
    assert good["wins"] == 8
    assert good["p_holm"] == pytest.approx(2 * 2 / 2**8)
    saving = next(row for row in found.savings if row["method"] == "good" and row["budget"] == 20)
    assert saving["factor"] == pytest.approx(2, rel=0.03)
    assert saving["lo"] < saving["factor"] < saving["hi"]
    assert not saving["tie"]
    assert saving["text"].startswith("20 points reach accuracy 70.")
    assert f"uniform needs about {math.ceil(saving['uniform_budget'])} (" in saving["text"]
    last = next(row for row in found.savings if row["method"] == "good" and row["budget"] == 80)
    assert (last["relation"], last["bound"], last["factor"]) == ("more than", 80, None)
    assert "uniform needs more than 80, the largest budget measured." in last["text"]


def test_scores_at_their_ceiling_tell_no_saving() -> None:
    top = {method: [1.0] * 4 for method in ("uniform", "good", "aware", STRATIFIED)}
    scores = _scores(top, noise=0)
    found = summarise(scores, {"accuracy": 1.0}, "classification", label_aware={"aware", STRATIFIED})
    against = against_stratified(scores, {"aware", STRATIFIED}, "classification")
    for row in (*found.savings, *league_savings(found.savings, against, primary_metric("classification"))):
        others = "uniform within classes" if row.get("reference") == STRATIFIED else "uniform"
        assert row["text"] == (
            f"{row['budget']} points reach accuracy 100.0 %, as {others} does with 10: the scores are saturated, so no "
            "saving can be read."
        )
        assert row["factor"] is row["lo"] is row["hi"] is row["uniform_budget"] is None


def test_equal_method_is_called_a_tie() -> None:
    scores = _scores(CURVES, noise=0.01)
    found = summarise(scores, {}, "classification")
    same = found.summary.query("method == 'same' and budget == 40").iloc[0]
    assert verdict(same["vs_lo"], same["vs_hi"], same["p_holm"], higher_is_better=True) is Verdict.TIE
    saving = next(row for row in found.savings if row["method"] == "same" and row["budget"] == 40)
    assert saving["tie"]
    assert "a tie" in saving["text"]


def test_holm_corrects_within_one_budget_and_metric() -> None:
    alone = summarise(_scores({key: CURVES[key] for key in ("uniform", "good")}), {}, "classification").summary
    both = summarise(_scores(CURVES), {}, "classification").summary
    p = [frame.query("method == 'good' and budget == 20")["p_holm"].iloc[0] for frame in (alone, both)]
    assert p == pytest.approx([2 / 2**8, 2 * 2 / 2**8])


def test_holm_corrects_the_leagues_apart() -> None:
    found = summarise(_scores(CURVES), {}, "classification", label_aware={"same"}).summary
    p = found.query("method == 'good' and budget == 20")["p_holm"].iloc[0]
    assert p == pytest.approx(2 / 2**8), "one label-free method is corrected for itself alone"


@pytest.mark.parametrize(
    ("lo", "hi", "p", "higher", "expected"),
    [
        (0.1, 0.2, 0.01, True, Verdict.BETTER),
        (0.1, 0.2, 0.01, False, Verdict.WORSE),
        (-0.2, -0.1, 0.049, False, Verdict.BETTER),
        (-0.2, -0.1, 0.01, True, Verdict.WORSE),
        (0.1, 0.2, 0.05, True, Verdict.TIE),
        (-0.1, 0.1, 0.01, True, Verdict.TIE),
        (0.0, 0.1, 0.01, True, Verdict.TIE),
        (0.1, 0.2, np.nan, True, Verdict.TIE),
        (np.nan, np.nan, np.nan, True, Verdict.TIE),
    ],
)
def test_verdict(lo: float, hi: float, p: float, higher: bool, expected: Verdict) -> None:
    assert verdict(lo, hi, p, higher_is_better=higher) is expected


def test_a_saving_is_a_tie_where_the_corrected_test_sees_no_difference() -> None:
    found = summarise(_scores(CURVES, seeds=5), {}, "classification")
    row = found.summary.query("method == 'good' and budget == 20").iloc[0]
    assert row["vs_lo"] > 0, "the interval alone would say better"
    assert row["p_holm"] > 0.05, "five seeds give no corrected p below .05"
    saving = next(row for row in found.savings if row["method"] == "good" and row["budget"] == 20)
    assert saving["tie"]


def test_partial_scores_are_summarised_as_far_as_they_go() -> None:
    scores = _scores(CURVES)
    for size in range(0, len(scores), 7):
        found = summarise(scores.iloc[:size], {}, "classification")
        assert list(found.summary.columns) == SUMMARY_COLUMNS
        cells = scores.iloc[:size].groupby(["method", "budget"]).ngroups if size else 0
        assert len(found.summary) == cells
    only_good = summarise(scores[scores["method"] == "good"], {}, "classification")
    assert only_good.savings == []
    assert only_good.summary["vs_uniform"].isna().all()


def test_pairs_use_only_seeds_that_both_have() -> None:
    scores = _scores(CURVES)
    cut = scores[(scores["method"] != "good") | (scores["seed"] < 3)]
    row = summarise(cut, {}, "classification").summary.query("method == 'good' and budget == 10").iloc[0]
    assert row["wins"] == 3
    shared = cut[(cut["budget"] == 10) & (cut["seed"] < 3)].pivot_table(index="seed", columns="method", values="value")
    assert row["vs_uniform"] == pytest.approx((shared["good"] - shared["uniform"]).mean())


def test_order_of_the_rows_does_not_matter() -> None:
    scores = _scores(CURVES)
    first = summarise(scores, {}, "classification").summary.set_index(["method", "budget"]).sort_index()
    mixed = scores.sample(frac=1, random_state=1)
    second = summarise(mixed, {}, "classification").summary.set_index(["method", "budget"]).sort_index()
    pd.testing.assert_frame_equal(first, second)


def test_saving_text_covers_every_kind_of_interval() -> None:
    metric = primary_metric("regression")
    row = {"budget": 20, "score": 3.14159, "relation": "about", "uniform_budget": 50.0, "factor": 2.5, "tie": False}
    start = "20 points reach mean absolute error 3.142; uniform needs about 50 (2.50 times as many"
    assert saving_text(row | {"budget": 1, "lo": None, "hi": None}, metric).startswith("1 point reaches mean")
    assert saving_text(row | {"lo": 2.0, "hi": 3.0}, metric) == f"{start}, 95 % interval 2.00 to 3.00)."
    assert saving_text(row | {"lo": 2.0, "hi": None}, metric) == f"{start}, at least 2.00)."
    assert saving_text(row | {"lo": None, "hi": 3.0}, metric) == f"{start}, at most 3.00)."
    assert saving_text(row | {"lo": None, "hi": None, "tie": True}, metric) == f"{start}; a tie)."
    less = {"budget": 20, "score": 9.0, "relation": "less than", "bound": 20, "tie": False}
    assert saving_text(less, metric).endswith("uniform needs fewer than 20, the smallest budget measured.")
