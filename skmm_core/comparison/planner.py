"""How many points a wanted score takes with each method, and what that saves against random picks.

Read off the mean curves of a comparison, between the budgets that were measured and never beyond them. Nothing here
imports torch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.leagues import STRATIFIED, Judged, judged
from skmm_core.comparison.statistics import Array, Relation, expanded_tail, reach, resamples, whole
from skmm_core.comparison.summary import REFERENCE, Comparison, Verdict
from skmm_core.probes import Metric


@dataclass(frozen=True)
class Need:
    """Points that a method needs for a wanted score.

    Attributes:
        method: registry key.
        relation: ABOUT; MORE_THAN when the score is not reached within the budgets measured; LESS_THAN when the
            smallest budget measured has it already.
        points: the smallest whole number of points whose mean reaches the score; None unless ABOUT.
        bound: the measured budget that MORE_THAN or LESS_THAN refers to; None when ABOUT.
        lo, hi: 95 % interval of the points; None where it leaves the measured range on that side, or with one seed.
    """

    method: str
    relation: Relation
    points: int | None
    bound: int | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class Plan:
    """A method set beside random picks for the same score.

    Attributes:
        need: of the method.
        reference: of uniform, or of class-stratified uniform for a method that sees labels.
        relation: how `saved` is known; None when nothing can be said: neither side, or both, beyond what was measured.
        saved: points that the reference needs more; negative when it needs fewer.
        lo, hi: 95 % interval of `saved` over paired seeds; None where it leaves the measured range on that side.
        verdict: of the paired test at the measured budget nearest to the need; a tie proves no saving.
    """

    need: Need
    reference: Need
    relation: Relation | None
    saved: int | None
    lo: float | None
    hi: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Costs:
    """What a point costs.

    Attributes:
        per_label: money for the label of one point.
        hours_per_thousand: hours that 1,000 points take, to label or to train on.
        currency: sign of the money.
    """

    per_label: float = 0.0
    hours_per_thousand: float = 0.0
    currency: str = "€"

    def money(self, points: float) -> float:
        """Cost of the labels of so many points."""
        return self.per_label * points

    def hours(self, points: float) -> float:
        """Hours for so many points."""
        return self.hours_per_thousand * points / 1000


def needs(found: Comparison, metric: Metric, target: float) -> dict[str, Need]:
    """Points that every method of a comparison needs for a score, by method.

    Args:
        found: of the comparison, finished or not; seeds that lack a budget of a method do not count for it.
        metric: the score.
        target: its wanted value.
    """
    curves = _curves(found.scores, metric)
    return {method: _need(method, curve, metric, target) for method, curve in curves.items()}


def plans(found: Comparison, metric: Metric, target: float, against: Sequence[Mapping[str, Any]] = ()) -> list[Plan]:
    """Set every method beside random picks for the same score.

    Args:
        found: of the comparison.
        metric: the score.
        target: its wanted value.
        against: rows of :func:`~skmm_core.comparison.leagues.against_stratified`; the methods in them are set beside
            class-stratified uniform, all others beside uniform.

    Returns:
        One plan a method that has a reference, in the order of the scores.
    """
    curves = _curves(found.scores, metric)
    tests = judged(found.summary, against, metric.key)
    league = {row["method"] for row in against}
    found_plans = []
    for method, curve in curves.items():
        reference = STRATIFIED if method in league else REFERENCE
        if method in (REFERENCE, STRATIFIED) or reference not in curves:
            continue
        need, other = (_need(key, curves[key], metric, target) for key in (method, reference))
        relation, saved = _saved(need, other)
        lo, hi = _saved_interval(curve, curves[reference], metric, target)
        said = _verdict(need, [row for row in tests if row.method == method], metric)
        found_plans.append(Plan(need, other, relation, saved, lo, hi, said))
    return found_plans


def _curves(scores: pd.DataFrame, metric: Metric) -> dict[str, pd.DataFrame]:
    """Seeds × budgets of every method, over the seeds that have all of its budgets."""
    rows = scores[scores["metric"] == metric.key]
    wide = {
        str(method): part.pivot_table(index="seed", columns="budget", values="value").dropna()
        for method, part in rows.groupby("method", sort=False)
    }
    return {method: curve for method, curve in wide.items() if len(curve)}


def _need(method: str, curve: pd.DataFrame, metric: Metric, target: float) -> Need:
    budgets, scores, wanted = _upwards(curve, metric, target)
    point = float(reach(budgets, scores.mean(axis=0)[None], np.array([wanted]))[0])
    lo, hi = None, None
    if len(scores) > 1:
        drawn = _drawn(budgets, scores, wanted)
        lo, hi = _interval(drawn, drawn, len(scores))
    if not math.isfinite(point):
        relation = Relation.MORE_THAN if point > 0 else Relation.LESS_THAN
        return Need(method, relation, None, int(budgets[-1 if point > 0 else 0]), lo, hi)
    return Need(method, Relation.ABOUT, int(whole(point)), None, lo, hi)


def _upwards(curve: pd.DataFrame, metric: Metric, target: float) -> tuple[Array, Array, float]:
    """Budgets, (S, K) scores and wanted score, turned so that higher is better."""
    sign = 1.0 if metric.higher_is_better else -1.0
    return curve.columns.to_numpy(dtype=np.float64), sign * curve.to_numpy(dtype=np.float64), sign * target


def _drawn(budgets: Array, scores: Array, wanted: float) -> Array:
    """Whole points needed in every bootstrap sample of the seeds."""
    means = scores[resamples(len(scores), 0)].mean(axis=1)
    return whole(reach(budgets, means, np.full(len(means), wanted)))


def _interval(lower: Array, upper: Array, seeds: int) -> tuple[float | None, float | None]:
    """95 % interval of drawn values; infinite ones lie beyond the measured range, where no number is made up."""
    tail = expanded_tail(seeds)
    lo = float(np.quantile(lower, tail, method="nearest"))
    hi = float(np.quantile(upper, 1 - tail, method="nearest"))
    return (lo if math.isfinite(lo) else None), (hi if math.isfinite(hi) else None)


def _saved(need: Need, other: Need) -> tuple[Relation | None, int | None]:
    """Points saved, or the least or most that they can be, as far as the measured range tells."""
    mine, theirs = need.points or need.bound, other.points or other.bound
    if mine is None or theirs is None:
        return None, None
    if need.relation is other.relation:
        return (Relation.ABOUT, theirs - mine) if need.relation is Relation.ABOUT else (None, None)
    more = need.relation is Relation.LESS_THAN or other.relation is Relation.MORE_THAN
    return (Relation.MORE_THAN if more else Relation.LESS_THAN), theirs - mine


def _saved_interval(
    curve: pd.DataFrame, reference: pd.DataFrame, metric: Metric, target: float
) -> tuple[float | None, float | None]:
    """Interval of the points saved, from bootstrap samples of the seeds that both have."""
    seeds = curve.index.intersection(reference.index)
    if len(seeds) < 2:
        return None, None
    mine, theirs = (_drawn(*_upwards(side.loc[seeds], metric, target)) for side in (curve, reference))
    with np.errstate(invalid="ignore"):
        saved = theirs - mine
    unknown = np.isnan(saved)  # both beyond the range, on the same side
    return _interval(np.where(unknown, -np.inf, saved), np.where(unknown, np.inf, saved), len(seeds))


def _verdict(need: Need, tests: Sequence[Judged], metric: Metric) -> Verdict:
    """What the test says at the measured budget nearest to the need, by ratio; a tie where there is no test."""
    place = need.points or need.bound
    if place is None or not tests:
        return Verdict.TIE
    nearest = min(tests, key=lambda row: abs(math.log(row.budget / place)))
    return nearest.verdict(higher_is_better=metric.higher_is_better)
