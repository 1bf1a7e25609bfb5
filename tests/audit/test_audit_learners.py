"""Selections under several learners: each summarised by itself, and set beside random picks with a linear probe."""

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison import (
    against_linear,
    best_by_learner,
    settled_counts,
    summarise,
    summarise_learners,
    summary_table,
)
from skmm_core.comparison.savings import saving_of
from skmm_core.probes.metrics import METRICS
from tests.audit.seeds import error_of_gap, holm, interval, p_value, said
from tests.audit.test_audit_seeds import _BUDGETS, _EIGHT, _METHODS, _SEEING, curve_of, table

_METRIC = METRICS["classification"][0]


def two_learners(parts, seed):
    """Scores under the linear probe and under auto, which settles on propagate from 20 points on for even seeds."""
    (linear, plain), (auto, better) = table(parts, seed), table(parts, seed + 100)
    settled = np.where((auto["budget"] >= 20) & (auto["seed"] % 2 == 0), "propagate", "linear")
    both = [linear.assign(learner="linear", settled=""), auto.assign(learner="auto", settled=settled)]
    return pd.concat(both, ignore_index=True), plain, better


def curve(scores, learner, method):
    """Scores of a method under a learner."""
    return curve_of(scores.query(f"learner == '{learner}' and method == '{method}' and metric == '{_METRIC.key}'"))


@pytest.mark.parametrize("parts", [1, 2, 8])
def test_picks_and_learner_beside_random_picks_with_a_linear_probe(parts, audit):
    """Differences, corrected p and factors from the scores, each league corrected by itself, uniform in the first."""
    for seed in range(3):
        scores, plain, better = two_learners(parts, seed)
        told = {
            (row["method"], row["budget"]): row
            for row in against_linear(scores, "auto", "classification", label_aware=_SEEING)
        }
        yardstick = curve(scores, "linear", "uniform")
        for budget in _BUDGETS:
            theirs = plain["uniform", budget, _METRIC.key]
            for league in ([key for key in _METHODS if key not in _SEEING], _SEEING):
                tests = []
                for method in league:
                    mine = better[method, budget, _METRIC.key]
                    gap, error = (mine.values - theirs.values).mean(), error_of_gap(mine, theirs, _EIGHT)
                    tests.append([gap, *interval(gap, error, 8), p_value(gap, error, 8)])
                for method, test, p in zip(league, tests, holm([each[3] for each in tests]), strict=True):
                    row = told[method, budget]
                    found = [row[key] for key in ("difference", "difference_lo", "difference_hi", "p_holm")]
                    audit.same(
                        "statistic against_linear",
                        "difference, its interval, corrected p",
                        found,
                        [*test[:3], p],
                        within=1e-9,
                        scale=1,
                    )
                    tie = said(test[1], test[2], p, higher_is_better=True) == "tie"
                    audit.at_most(
                        "statistic against_linear", "ties that differ", float(row["tie"] != tie), within=0, unit="rows"
                    )
                    saving = saving_of(
                        budget, _BUDGETS, curve(scores, "auto", method), _BUDGETS, yardstick, higher_is_better=True
                    )
                    numbers, shown = (
                        [np.nan if each is None else each for each in ends]
                        for ends in ((saving.factor, saving.lo, saving.hi), (row["factor"], row["lo"], row["hi"]))
                    )
                    audit.same(
                        "statistic against_linear", "factor of a saving, its interval", shown, numbers, within=1e-9
                    )


def test_every_learner_is_summarised_by_itself(audit):
    """Rows of a learner beside another are those of the learner alone; the best mean and the settled are counted."""
    scores, _, _ = two_learners(8, 0)
    found = summarise_learners(scores, {}, "classification", label_aware=_SEEING)
    for learner, each in found.by_learner.items():
        alone = summarise(scores[scores["learner"] == learner], {}, "classification", label_aware=_SEEING)
        columns = ["mean", "lo", "hi", "vs_uniform", "p_holm"]
        audit.same(
            "statistic summarise_learners",
            "rows of a learner alone",
            each.summary[columns].fillna(0).to_numpy(),
            alone.summary[columns].fillna(0).to_numpy(),
            within=0,
            scale=1,
        )
    wrong = 0
    for budget in _BUDGETS:
        best = best_by_learner(summary_table(found), _METRIC, budget, _METHODS)
        here = scores[(scores["budget"] == budget) & (scores["metric"] == _METRIC.key)]
        for learner, rows in here.groupby("learner"):
            wrong += best[str(learner)][0] != rows.groupby("method")["value"].mean().idxmax()
    audit.at_most("statistic best_by_learner", "wrong of 6", float(wrong), within=0, unit="cases")
    half, all_ = len(_METHODS) * 4, len(_METHODS) * 8
    wanted = {10: {"linear": all_}, **{budget: {"linear": half, "propagate": half} for budget in (20, 40)}}
    off = sum(settled_counts(scores).get(budget) != counts for budget, counts in wanted.items())
    audit.at_most("statistic settled_counts", "budgets counted wrongly", float(off), within=0, unit="budgets")
