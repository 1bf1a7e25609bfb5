"""From tidy scores to the tables of a comparison: means, intervals, verdicts of paired tests, data saved.

Nothing here imports torch, so that a page can show the partial results of a running comparison at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.claim import claim_of
from skmm_core.comparison.draws import compared, mean_of
from skmm_core.comparison.savings import Relation, Saving, saving_of, whole
from skmm_core.comparison.score_table import ScoreTable
from skmm_core.comparison.statistics import holm
from skmm_core.probes import METRICS, Metric, primary_metric

REFERENCE = "uniform"
SATURATED = "the scores are saturated, so no saving can be read"
SIGNIFICANT = 0.05  # corrected p-values below it count
SUMMARY_COLUMNS = [
    *("method", "budget", "metric", "mean", "sd", "lo", "hi"),
    *("vs_uniform", "vs_lo", "vs_hi", "wins", "p_holm"),
]


class Verdict(StrEnum):
    """A method against uniform (or class-stratified uniform) at one budget."""

    BETTER = "better"
    WORSE = "worse"
    TIE = "tie"


def verdict(vs_lo: float, vs_hi: float, p_holm: float, *, higher_is_better: bool) -> Verdict:
    """Read the interval of (method - reference) and the corrected p-value of the paired test.

    A tie unless both say that there is a difference: the interval leaves out 0 and p is below 0.05. One seed has
    neither, so it is a tie.
    """
    if not (vs_lo > 0 or vs_hi < 0) or not p_holm < SIGNIFICANT:
        return Verdict.TIE
    return Verdict.BETTER if (vs_lo > 0) == higher_is_better else Verdict.WORSE


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison, or of the part of it that is done.

    Attributes:
        scores: one row a cell and metric, columns SCORE_COLUMNS and DRAW_COLUMNS.
        summary: one row a method, budget and metric, columns SUMMARY_COLUMNS; vs_* is method - uniform (NaN for
            uniform itself), p_holm is corrected over the methods of a league within one budget and metric.
        full: metric -> score of the learner trained on the whole pool.
        savings: one dict a method and budget on the primary metric: method, budget, score, uniform_budget, factor,
            lo, hi, relation ("about", "more than", "less than", "saturated"), bound (the measured budget that relation
            speaks of), tie (the verdict on the scores at this budget), text (the sentence for a person).
        left_out: method -> why it could not run on this dataset.
        fixed: methods whose scores are the same for every seed; their spread is truly zero, not unmeasured.
        claim: what means, intervals and verdicts are about, data like these or this very pool, in one sentence.
        learner: what was trained on every selection; all of the above is under it alone. Empty where it is not told.
        others: the same selections under the other learners, by learner.
    """

    scores: pd.DataFrame
    summary: pd.DataFrame
    full: dict[str, float]
    savings: list[dict[str, Any]]
    left_out: dict[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    claim: str = ""
    learner: str = ""
    others: Mapping[str, "Comparison"] = field(default_factory=dict)

    @property
    def by_learner(self) -> "dict[str, Comparison]":
        """The comparison under every learner, this one first."""
        return {self.learner: self, **self.others}


def summarise(
    scores: pd.DataFrame,
    full: Mapping[str, float],
    task: str,
    *,
    left_out: Mapping[str, str] | None = None,
    label_aware: Collection[str] = (),
) -> Comparison:
    """Summarise whatever cells of one learner are there; a pure function, fast enough to call while cells come in.

    Args:
        scores: tidy rows, all of one learner, columns SCORE_COLUMNS and, unless all seeds share one pool, DRAW_COLUMNS;
            may be empty or lack cells.
        full: metric -> full-data score; may be empty.
        task: "classification" or "regression".
        left_out: methods that could not run, with the reason.
        label_aware: methods that see the pool's labels, the other league; its tests are corrected apart.

    Raises:
        ValueError: scores of several learners; see :func:`~skmm_core.comparison.by_learner.summarise_learners`.
    """
    metrics = {metric.key: metric for metric in METRICS[str(task)]}
    methods = list(dict.fromkeys(scores["method"]))
    tables = {key: ScoreTable(scores, key) for key in metrics}
    rows: list[dict[str, Any]] = []
    for key, table in tables.items():
        for budget in table.budgets:
            rows += _paired(table, methods, budget, metrics[key], label_aware)
    primary = primary_metric(task)
    return Comparison(
        scores=scores,
        summary=pd.DataFrame(rows, columns=SUMMARY_COLUMNS).astype({"wins": "Int64"}),
        full=dict(full),
        savings=_savings(tables[primary.key], methods, primary, _ties(rows, primary)),
        left_out=dict(left_out or {}),
        fixed=tuple(method for method in methods if _is_fixed(scores[scores["method"] == method])),
        claim=claim_of(scores),
        learner=str(scores["learner"].iloc[0]) if "learner" in scores and len(scores) else "",
    )


def _paired(
    table: ScoreTable, methods: list[str], budget: int, metric: Metric, label_aware: Collection[str]
) -> list[dict[str, Any]]:
    """Rows of all methods at one budget, with the tests of each league corrected together."""
    rows: list[dict[str, Any]] = []
    leagues: tuple[dict[int, float], dict[int, float]] = ({}, {})  # label-free, label-aware: row -> p
    reference = table.get(REFERENCE, budget)
    for method in methods:
        mine = table.get(method, budget)
        if mine is None:
            continue
        interval = mean_of(mine).interval()
        row: dict[str, Any] = dict.fromkeys(SUMMARY_COLUMNS, np.nan)
        row |= {"method": method, "budget": budget, "metric": metric.key, "mean": interval.mean}
        row |= {
            "sd": float(np.std(mine.values, ddof=1)) if len(mine.values) > 1 else np.nan,
            "lo": interval.lo,
            "hi": interval.hi,
        }
        if method != REFERENCE and reference is not None and np.isin(mine.seeds, reference.seeds).any():
            pair = compared(mine, reference, higher_is_better=metric.higher_is_better)
            difference = pair.difference
            row |= {"vs_uniform": difference.mean, "vs_lo": difference.lo, "vs_hi": difference.hi, "wins": pair.wins}
            leagues[method in label_aware][len(rows)] = pair.p
        rows.append(row)
    for p_values in leagues:
        for position, adjusted in zip(p_values, holm(list(p_values.values())), strict=True):
            rows[position]["p_holm"] = float(adjusted)
    return rows


def _ties(rows: list[dict[str, Any]], metric: Metric) -> set[tuple[str, int]]:
    """(method, budget) where the score cannot be told from uniform's."""
    return {
        (row["method"], row["budget"])
        for row in rows
        if row["metric"] == metric.key
        and verdict(row["vs_lo"], row["vs_hi"], row["p_holm"], higher_is_better=metric.higher_is_better) is Verdict.TIE
    }


def _savings(
    table: ScoreTable, methods: list[str], metric: Metric, ties: Collection[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Data saved by every method at every budget, over the seeds for which uniform has all of its budgets so far."""
    found = []
    for method in methods:
        for budget in table.budgets_of(method) if method != REFERENCE else ():
            read = read_saving(table, method, budget, REFERENCE, metric)
            if read is None:
                continue
            saving, score = read
            found.append(saving_row(saving, method, budget, score, (method, budget) in ties, metric))
    return found


def read_saving(
    table: ScoreTable, method: str, budget: int, reference: str, metric: Metric
) -> tuple[Saving, float] | None:
    """The saving of a method at a budget, and its mean score there, over seeds that have all budgets of the reference.

    Budgets of the method that lack one of these seeds are left aside. None without scores of the reference or seeds.
    """
    own, budgets = table.get(method, budget), table.budgets_of(reference)
    if own is None or not budgets:
        return None
    seeds = np.intersect1d(own.seeds, table.seeds(reference, budgets))
    if not len(seeds):
        return None
    at = [each for each in table.budgets_of(method) if np.isin(seeds, table.seeds(method, [each])).all()]
    curve, other = table.curve(method, at, seeds), table.curve(reference, budgets, seeds)
    saving = saving_of(budget, at, curve, budgets, other, higher_is_better=metric.higher_is_better)
    return saving, float(curve.values[:, at.index(budget)].mean())


def saving_row(
    saving: Saving, method: str, budget: int, score: float, tie: bool, metric: Metric, *, others: str = REFERENCE
) -> dict[str, Any]:
    """A saving as a row of `Comparison.savings`; `others` is what its sentence calls the reference."""
    row: dict[str, Any] = {
        "method": method,
        "budget": budget,
        "score": score,
        "uniform_budget": saving.reference_budget,
        "factor": saving.factor,
        "lo": saving.lo,
        "hi": saving.hi,
        "relation": saving.relation.value,
        "bound": saving.bound,
        "tie": tie,
    }
    return row | {"text": saving_text(row, metric, others=others)}


def saving_text(saving: Mapping[str, Any], metric: Metric, *, others: str = REFERENCE) -> str:
    """One sentence for a person: "240 points reach accuracy 80.0 %; uniform needs about 410 (1.71 times …)"."""
    value = f"{100 * saving['score']:.1f} %" if metric.unit == "%" else f"{saving['score']:.4g}"
    points = "1 point reaches" if saving["budget"] == 1 else f"{saving['budget']} points reach"
    reached = f"{points} {metric.title[0].lower()}{metric.title[1:]} {value}"
    start = f"{reached}; {others} needs"
    tie = "; a tie" if saving["tie"] else ""
    if saving["relation"] == Relation.MORE_THAN:
        return f"{start} more than {saving['bound']}, the largest budget measured{tie}."
    if saving["relation"] == Relation.LESS_THAN:
        return f"{start} fewer than {saving['bound']}, the smallest budget measured{tie}."
    if saving["relation"] == Relation.SATURATED:
        return f"{reached}, as {others} does with {saving['bound']}: {SATURATED}."
    factor, lo, hi = saving["factor"], saving["lo"], saving["hi"]
    times = f"{factor:.2f} times as many"
    if lo is not None and hi is not None:
        times += f", 95 % interval {lo:.2f} to {hi:.2f}"
    elif lo is not None:
        times += f", at least {lo:.2f}"
    elif hi is not None:
        times += f", at most {hi:.2f}"
    return f"{start} about {int(whole(saving['uniform_budget']))} ({times}{tie})."


def _is_fixed(rows: pd.DataFrame) -> bool:
    groups = rows.groupby(["budget", "metric"])["value"]
    return bool(rows["seed"].nunique() > 1 and (groups.nunique() == 1).all())
