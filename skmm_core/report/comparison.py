"""What the report of a comparison shows."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.comparison import (
    REFERENCE,
    STRATIFIED,
    Judged,
    Verdict,
    claim_of,
    few_seeds,
    judged,
    league_savings,
    read_scores,
    rounds_told,
)
from skmm_core.probes import Metric, best_of, labels_note
from skmm_core.report.figures import curves_figure, time_figure
from skmm_core.report.learners import learner_of, learners_view
from skmm_core.report.methods_text import comparison_methods, in_registry_order, sources, titles
from skmm_core.report.numbers import number, score
from skmm_core.report.series_style import method_styles
from skmm_core.runs import SUMMARY_CSV


def comparison_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template.

    Raises:
        InputError: a file of the run is damaged.
    """
    metric = result["metric"]
    percent = metric["unit"] == "%"
    learner = learner_of(result)
    every = pd.read_csv(folder / SUMMARY_CSV)
    every = every[every["metric"] == metric["key"]]
    every = every if "learner" in every else every.assign(learner=learner)  # as earlier versions wrote it
    summary = every[every["learner"] == learner]
    budgets = sorted(int(budget) for budget in summary["budget"].unique())
    aware = set(result.get("label_aware", ()))
    aware |= {STRATIFIED} if aware else set()
    names = {
        key: f"{title} †" if key in aware else title for key, title in titles(dict.fromkeys(summary["method"])).items()
    }
    against = result.get("against_stratified", ())
    tests = judged(summary, against, metric["key"])
    savings = league_savings(result["savings"], against, Metric(**metric))
    cells = _score_rows(summary, metric, names, aware)
    scores = read_scores(folder, learner=learner)
    last = scores[scores["budget"] == budgets[-1]].drop_duplicates(["method", "seed"])
    seconds = {str(key): float(value) for key, value in last.groupby("method")["seconds"].mean().items()}
    full = result["full"].get(metric["key"])
    styles = method_styles(in_registry_order(names))
    return {
        "title": f"{result['dataset']}: {len(cells)} method{'s' * (len(cells) != 1)} compared{_in_rounds(result)}",
        "headline": _headline(savings, budgets, names, aware, Metric(**metric)),
        "lead": " ".join(
            filter(
                None,
                (
                    f"{result['N']:,} points to pick from.",
                    rounds_told(result),
                    claim_of(scores),
                    few_seeds(result["seeds"]),
                    labels_note(result.get("validation_rows"), result.get("learner")),
                ),
            )
        ),
        "figures": [
            curves_figure(summary, metric, names, full, styles),
            time_figure(seconds, budgets[-1], names, styles),
        ],
        "metric": metric["title"] + (f" ({metric['unit']})" if metric["unit"] else ""),
        "full": score(full, percent),
        "budgets": [f"{budget:,}" for budget in budgets],
        "cells": cells,
        "tests": _test_rows(tests, metric, names, result["seeds"]),
        "leagues": bool(aware),
        "savings": [f"{names.get(row['method'], row['method'])}: {row['text']}" for row in savings],
        "methods": comparison_methods(result),
        "sources": sources(names),
        **learners_view(every, result, Metric(**metric), names, aware),
    }


def _in_rounds(result: Mapping[str, Any]) -> str:
    rounds = result.get("rounds", 1)  # results of earlier versions have none
    return f" in {rounds} rounds" if rounds > 1 else ""


def _headline(
    savings: Sequence[Mapping[str, Any]],
    budgets: Sequence[int],
    names: Mapping[str, str],
    aware: set[str],
    metric: Metric,
) -> str:
    """What the method that scores best at the middle budget saves, those that see labels only where no other runs."""
    budget = budgets[len(budgets) // 2]
    rows = [row for row in savings if row["budget"] == budget and row["method"] not in (REFERENCE, STRATIFIED)]
    rows = [row for row in rows if row["method"] not in aware] or rows
    means = {row["method"]: row["score"] for row in rows if row.get("score") is not None}
    if not means:
        return ""
    best = best_of(means, higher_is_better=metric.higher_is_better)
    text = next(str(row["text"]) for row in rows if row["method"] == best)
    return f"{names.get(best, best)}: {text}"


def _score_rows(
    summary: pd.DataFrame, metric: Mapping[str, Any], names: Mapping[str, str], aware: set[str]
) -> list[dict[str, Any]]:
    """One row a method, one cell a budget; the best mean of each league and budget is marked."""
    table = {
        (method, int(budget)): (mean, sd)
        for method, budget, mean, sd in summary[["method", "budget", "mean", "sd"]].itertuples(index=False)
    }
    budgets = sorted({budget for _, budget in table})
    rows = []
    for method, name in names.items():
        league = summary[summary["method"].isin(aware) == (method in aware)]
        rivals = league.groupby("budget")["mean"].agg("max" if metric["higher_is_better"] else "min")
        best = {int(str(key)): float(value) for key, value in rivals.items()} if league["method"].nunique() > 1 else {}
        cells = [_score_cell(table, method, budget, best, metric["unit"] == "%") for budget in budgets]
        rows.append({"method": name, "cells": cells})
    return rows


def _score_cell(
    table: Mapping[tuple[str, int], tuple[float, float]],
    method: str,
    budget: int,
    best: Mapping[int, float],
    percent: bool,
) -> dict[str, Any]:
    if (method, budget) not in table:
        return {"text": "–", "best": False}
    mean, spread = table[method, budget]
    text = score(mean, percent)
    return {
        "text": text if math.isnan(spread) else f"{text} ± {score(spread, percent)}",
        "best": mean == best.get(budget),
    }


def _test_rows(
    tests: Sequence[Judged], metric: Mapping[str, Any], names: Mapping[str, str], seeds: int
) -> list[list[str]]:
    """Paired differences from random picks: method, points, yardstick, difference, interval, wins, p, verdict."""
    percent, rows = metric["unit"] == "%", []
    for row in tests:
        said = row.verdict(higher_is_better=metric["higher_is_better"])
        interval = f"{score(row.lo, percent)} to {score(row.hi, percent)}" if math.isfinite(row.lo) else "–"
        rows.append([
            names[row.method], number(row.budget), names[row.reference], score(row.difference, percent), interval,
            f"{row.wins} of {seeds}", number(row.p_holm),
            "no clear difference" if said is Verdict.TIE else said.value,
        ])  # fmt: skip
    return rows
