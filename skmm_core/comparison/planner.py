"""How many points a wanted score takes with each method, and what that saves against random picks.

Read off the mean curves of a comparison, between the budgets that were measured and never beyond them. Nothing here
imports torch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmm_core.comparison.draws import Draws
from skmm_core.comparison.leagues import STRATIFIED, Judged, judged
from skmm_core.comparison.savings import Relation, needed_interval, reach, whole
from skmm_core.comparison.score_table import ScoreTable
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
        lo, hi: 95 % interval of the points, in whole points; None where it leaves the measured range on that side, and
            with fewer than five seeds. The error of reading between measured budgets is in it.
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
        lo, hi: 95 % interval of `saved`; None where it leaves the measured range on that side.
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
    return {method: _need(method, curve, metric, target) for method, curve in _curves(found, metric).items()}


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
    curves = _curves(found, metric)
    tests = judged(found.summary, against, metric.key)
    league = {row["method"] for row in against}
    found_plans = []
    for method in curves:
        reference = STRATIFIED if method in league else REFERENCE
        if method in (REFERENCE, STRATIFIED) or reference not in curves:
            continue
        need, other = (_need(key, curves[key], metric, target) for key in (method, reference))
        relation, saved = _saved(need, other)
        lo, hi = _saved_interval(need, other)
        said = _verdict(need, [row for row in tests if row.method == method], metric)
        found_plans.append(Plan(need, other, relation, saved, lo, hi, said))
    return found_plans


_Curve = tuple[list[int], Draws]  # budgets, and the scores of the seeds that have all of them


def _curves(found: Comparison, metric: Metric) -> dict[str, _Curve]:
    """Scores of every method over the seeds that have all of its budgets."""
    table, curves = ScoreTable(found.scores, metric.key), {}
    for method in dict.fromkeys(map(str, found.scores["method"])):
        budgets = table.budgets_of(method)
        if budgets and len(seeds := table.seeds(method, budgets)):
            curves[method] = budgets, table.curve(method, budgets, seeds)
    return curves


def _need(method: str, curve: _Curve, metric: Metric, target: float) -> Need:
    sign = 1.0 if metric.higher_is_better else -1.0
    budgets, scores = np.array(curve[0], dtype=np.float64), curve[1].times(sign)
    point = reach(budgets, scores.values.mean(axis=0), sign * target)
    lo, hi = (None if end is None else float(whole(end)) for end in needed_interval(budgets, scores, sign * target))
    if not math.isfinite(point):
        relation = Relation.MORE_THAN if point > 0 else Relation.LESS_THAN
        return Need(method, relation, None, int(budgets[-1 if point > 0 else 0]), lo, hi)
    points = int(whole(point))
    lo, hi = None if lo is None else min(lo, points), None if hi is None else max(hi, points)
    return Need(method, Relation.ABOUT, points, None, lo, hi)


def _saved(need: Need, other: Need) -> tuple[Relation | None, int | None]:
    """Points saved, or the least or most that they can be, as far as the measured range tells."""
    mine, theirs = need.points or need.bound, other.points or other.bound
    if mine is None or theirs is None:
        return None, None
    if need.relation is other.relation:
        return (Relation.ABOUT, theirs - mine) if need.relation is Relation.ABOUT else (None, None)
    more = need.relation is Relation.LESS_THAN or other.relation is Relation.MORE_THAN
    return (Relation.MORE_THAN if more else Relation.LESS_THAN), theirs - mine


def _saved_interval(need: Need, other: Need) -> tuple[float | None, float | None]:
    """Interval of the points saved, put together from the two of n.

    Squared distances from the estimates to the ends add up (Zou & Donner 2008), which holds for independent sides; the
    seeds that both share make the difference vary less, not more. Where a side has no estimate, its ends are taken.
    """
    if need.points is None or other.points is None:
        lo = None if other.lo is None or need.hi is None else other.lo - need.hi
        return lo, None if other.hi is None or need.lo is None else other.hi - need.lo
    saved = other.points - need.points

    def end(mine: float | None, theirs: float | None, sign: int) -> float | None:
        if mine is None or theirs is None:
            return None
        return saved + sign * math.hypot(theirs - other.points, mine - need.points)  # type: ignore[operator]

    return end(need.hi, other.lo, -1), end(need.lo, other.hi, 1)


def _verdict(need: Need, tests: Sequence[Judged], metric: Metric) -> Verdict:
    """What the test says at the measured budget nearest to the need, by ratio; a tie where there is no test."""
    place = need.points or need.bound
    if place is None or not tests:
        return Verdict.TIE
    nearest = min(tests, key=lambda row: abs(math.log(row.budget / place)))
    return nearest.verdict(higher_is_better=metric.higher_is_better)
