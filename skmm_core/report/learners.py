"""What the report of a comparison says of its learners: which picks come first under which, and what they save."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from skmm_core.comparison import OTHERS, best_by_learner, settled_sentence, winners_sentence
from skmm_core.probes import Metric, best_of, in_order, learner_phrase, learner_title
from skmm_core.report.numbers import score


def learner_of(result: Mapping[str, Any]) -> str:
    """The learner that a result speaks of first; results of earlier versions had one and do not name it."""
    tuned = result.get("config", {}).get("job", {}).get("finetune")
    return str(result.get("learner") or ("linear" if tuned is None else "finetune"))


def learners_view(
    summary: pd.DataFrame, result: Mapping[str, Any], metric: Metric, names: Mapping[str, str], aware: set[str]
) -> dict[str, Any]:
    """Values for the template: all empty where there is one learner.

    Args:
        summary: rows of the deciding metric under every learner, with a column learner.
        result: `result.json`.
        metric: the deciding one.
        names: titles by method.
        aware: methods that see labels.
    """
    learners = in_order(set(summary["learner"]))
    budgets = sorted({int(budget) for budget in summary["budget"]})
    budget = budgets[len(budgets) // 2]
    leagues = [[key for key in names if (key in aware) == league] for league in (False, True)]
    said = (
        winners_sentence(best_by_learner(summary, metric, budget, league), names, budget, metric, label_aware=sees)
        for league, sees in zip(leagues, (False, True), strict=True)
    )
    own = result.get("by_learner", {}).get(learner_of(result), {})
    return {
        "learner": learner_title(learner_of(result)),
        "learner_titles": [learner_title(key) for key in learners] if len(learners) > 1 else [],
        "learner_budget": f"{budget:,}",
        "learner_rows": _rows(summary[summary["budget"] == budget], metric, names, learners, leagues),
        "winners": list(filter(None, said)),
        "settled": settled_sentence(result.get("settled", {}), result.get("task", "")),
        "against_linear": [
            f"{names.get(row['method'], row['method'])}: {row['text']}" for row in own.get("against_linear", ())
        ],
        "others": OTHERS,
        "phrase": learner_phrase(learner_of(result)),
    }


def _rows(
    rows: pd.DataFrame, metric: Metric, names: Mapping[str, str], learners: tuple[str, ...], leagues: list[list[str]]
) -> list[dict[str, Any]]:
    """One row a method, one cell a learner; the best mean of each league and learner is marked."""
    means = {
        (method, learner): mean for method, learner, mean in rows[["method", "learner", "mean"]].itertuples(index=False)
    }
    best: set[tuple[str, str]] = set()
    for league in leagues:
        for learner in learners:
            there = {key: means[key, learner] for key in league if (key, learner) in means}
            if len(there) > 1:
                best.add((best_of(there, higher_is_better=metric.higher_is_better), learner))
    return [
        {
            "method": name,
            "cells": [
                {
                    "text": score(means[key, learner], metric.unit == "%") if (key, learner) in means else "–",
                    "best": (key, learner) in best,
                }
                for learner in learners
            ],
        }
        for key, name in names.items()
    ]
