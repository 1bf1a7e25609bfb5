"""A score that is NaN never ranks first: in picks, among means, in a comparison, in the paper's tables."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from dashboard.components.present.story import best_at_middle
from skmm_core.comparison import summarise
from skmm_core.data import nothing_given
from skmm_core.methods.ranking import best, ranked
from skmm_core.paper.table import best_rows, best_variant
from skmm_core.probes import METRICS, best_of

NAN = math.nan


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_without_a_score_come_last(dtype):
    scores = torch.tensor([0.1, NAN, 0.9, -math.inf, NAN, 0.5], dtype=dtype)
    assert ranked(scores).tolist()[:3] == [2, 5, 0]
    assert set(ranked(scores).tolist()[3:]) == {1, 3, 4}
    assert best(scores, 2, nothing_given(6)).tolist() == [2, 5]
    assert scores.isnan().sum() == 2, "the scores that are kept stay as they are"


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("unknown", [NAN, None])
def test_the_best_mean_is_a_known_one(higher, unknown):
    for order in (["a", "b", "c"], ["b", "a", "c"], ["b", "c", "a"]):
        means = {key: {"a": 0.3, "b": unknown, "c": 0.7}[key] for key in order}
        assert best_of(means, higher_is_better=higher) == ("c" if higher else "a")
    assert best_of({"only": unknown}, higher_is_better=higher) == "only"


def test_a_method_whose_score_is_unknown_is_left_out_of_a_comparison():
    random = np.random.default_rng(0)
    scores = pd.DataFrame(
        {
            **{"method": method, "budget": budget, "seed": seed, "metric": "mae"},
            "value": NAN if method == "herding" and (budget, seed) != (10, 0) else budget**-0.5 + random.normal() / 50,
        }
        for method in ("herding", "uniform", "skmm")
        for budget in (10, 20, 40)
        for seed in range(5)
    )
    found = summarise(scores, {"mae": 0.1}, "regression")
    assert set(found.summary["method"]) == {"uniform", "skmm"}, "four of five draws say nothing of the fifth"
    assert found.summary["mean"].notna().all()
    assert {row["method"] for row in found.savings} == {"skmm"}


@pytest.mark.parametrize("unknown", [NAN, None])
def test_stories_and_tables_name_a_method_with_a_score(unknown):
    savings = [{"method": key, "budget": 10, "score": score} for key, score in (("a", unknown), ("b", 0.4), ("c", 0.3))]
    told = {"budgets": [10], "savings": savings, "metric": {"higher_is_better": True}}
    assert best_at_middle(told) == ("b", 10)
    metric = METRICS["classification"][0]
    table = [{"row": row["method"], "budget": 10, "metric": metric.key, "mean": row["score"]} for row in savings]
    rows = [{"key": key, "title": key.upper(), "label_aware": False, "skmm": True} for key in "abc"]
    result = {"budgets": [10], "table": table, "rows": rows}
    assert best_rows(result, metric) == {(10, False): "b"}
    assert best_variant(result, metric) == "B"
