"""Points that a curve needs for a score: read off between the budgets measured, never beyond, with an interval.

The data-saving factor is the points that random picks need for a method's score over the method's own points. Nothing
here imports torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmm_core.comparison.draws import Array, Draws, draws_of, gap_of, mean_of
from skmm_core.comparison.statistics import LEAST_SEEDS

_STEPS = 32  # places between two budgets at which a score is tested
_ROUND_OFF = 1e-12  # of the largest score: means of equal numbers differ by less


class Relation(StrEnum):
    """How a data-saving factor is known."""

    ABOUT = "about"
    MORE_THAN = "more than"
    LESS_THAN = "less than"
    SATURATED = "saturated"


@dataclass(frozen=True)
class Saving:
    """What the reference needs for the score that a method reaches with `budget` points.

    Attributes:
        relation: ABOUT when the reference's curve reaches the score inside its measured range; MORE_THAN or LESS_THAN
            when the score lies above or below all that was measured. SATURATED when every seed of both sides has one
            and the same score there, and the reference has it at another budget too: such scores say nothing of
            budgets. Nothing is extrapolated.
        reference_budget: points the reference needs; None unless ABOUT.
        bound: the measured budget that MORE_THAN or LESS_THAN refers to, the smallest with the score when SATURATED;
            None when ABOUT.
        factor: reference_budget / budget; None unless ABOUT.
        lo, hi: 95 % interval of the factor; None where it leaves the measured range on that side, and with fewer than
            five seeds. It holds 1 where the method cannot be told from the reference at its own budget.
    """

    relation: Relation
    reference_budget: float | None
    bound: int | None
    factor: float | None
    lo: float | None
    hi: float | None


@dataclass(frozen=True)
class MeanSaving:
    """The geometric mean of factors over budgets, those that are only bounded entering at their bounds.

    Attributes:
        factor: the mean; None where no budget says anything.
        relation: MORE_THAN or LESS_THAN where the bounds are all on that side, so that the mean is a bound too; ABOUT
            where there are none, or some on either side.
        known: budgets whose factor is known.
        above, below: budgets at which the reference needs more than its largest, fewer than its smallest budget.
        saturated: budgets that say nothing.
    """

    factor: float | None
    relation: Relation
    known: int
    above: int
    below: int
    saturated: int

    @property
    def text(self) -> str:
        """In words, with the number of budgets that are only bounds: "at least 2.31 (3 of 4 budgets are bounds)"."""
        if self.factor is None:
            return "–"
        bounds, budgets = self.above + self.below, self.known + self.above + self.below
        if not bounds:
            return f"{self.factor:.2f}"
        start = {Relation.MORE_THAN: "at least ", Relation.LESS_THAN: "at most "}.get(self.relation, "about ")
        counted = "is a bound" if bounds == 1 else "are bounds"
        return f"{start}{self.factor:.2f} ({bounds} of {budgets} budget{'s' * (budgets != 1)} {counted})"


def mean_saving(savings: Sequence[Mapping[str, Any]]) -> MeanSaving:
    """Average the factors of one method over budgets.

    Leaving out budgets without a factor would leave out the best and the worst ones.

    Args:
        savings: rows with budget, factor, relation and bound, as in `Comparison.savings`.
    """
    count = {relation: sum(row["relation"] == relation for row in savings) for relation in Relation}
    above, below = count[Relation.MORE_THAN], count[Relation.LESS_THAN]
    entering = [
        row["factor"] if row["relation"] == Relation.ABOUT else row["bound"] / row["budget"]
        for row in savings
        if row["relation"] != Relation.SATURATED
    ]
    side = Relation.ABOUT
    if bool(above) != bool(below):
        side = Relation.MORE_THAN if above else Relation.LESS_THAN
    mean = float(np.exp(np.log(entering).mean())) if entering else None
    return MeanSaving(mean, side, count[Relation.ABOUT], above, below, count[Relation.SATURATED])


def data_saving(
    budget: int,
    method_budgets: ArrayLike,
    method: ArrayLike,
    reference_budgets: ArrayLike,
    reference: ArrayLike,
    *,
    higher_is_better: bool,
) -> Saving:
    """Points the reference needs for the method's score at `budget`, for seeds that have nothing in common.

    Args:
        budget: points the method used, one of `method_budgets`.
        method_budgets: (M,) ascending budgets of the method.
        method: (M, S) its scores.
        reference_budgets: (K,) ascending budgets of the reference.
        reference: (K, S) scores of the reference, same seeds in the same order.
        higher_is_better: direction of the score.
    """
    own, other = (draws_of(np.asarray(scores, dtype=np.float64).T) for scores in (method, reference))
    return saving_of(budget, method_budgets, own, reference_budgets, other, higher_is_better=higher_is_better)


def saving_of(
    budget: int,
    method_budgets: ArrayLike,
    method: Draws,
    reference_budgets: ArrayLike,
    reference: Draws,
    *,
    higher_is_better: bool,
) -> Saving:
    """Points the reference needs for the mean score that the method reaches at `budget`, divided by `budget`.

    Both mean curves over budgets are made monotone (isotonic regression), the method's is read at `budget`, and the
    reference's is read off by monotone cubic interpolation (Fritsch & Butland 1984) over log(budget). Where the
    reference is level at the score, its budget nearest to `budget` counts. So a curve's factor over itself is 1 at
    every budget.

    The interval holds the budgets at which the reference's score cannot be told from the method's, by the test of the
    paired difference (as in Fieller 1954): steep or flat, it holds the true factor as often as the test keeps its
    level. So it holds 1 wherever the two are a tie by an uncorrected test at `budget`. See :func:`needed_interval`.

    Args:
        budget: points the method used, one of `method_budgets`.
        method_budgets: (M,) ascending budgets of the method.
        method: its scores there.
        reference_budgets: (K,) ascending budgets of the reference.
        reference: its scores there, on the same seeds.
        higher_is_better: direction of the score.
    """
    sign = 1.0 if higher_is_better else -1.0
    own, other = method.times(sign), reference.times(sign)
    budgets = np.asarray(reference_budgets, dtype=np.float64)
    at = int(np.flatnonzero(np.asarray(method_budgets) == budget)[0])
    if (saturated := _saturated(budget, own.values[:, at], budgets, other.values)) is not None:
        return Saving(Relation.SATURATED, None, saturated, None, None, None)
    target = float(isotonic(own.values.mean(axis=0)[None])[0, at])
    needed = reach(budgets, other.values.mean(axis=0), target, near=budget)
    nearest = int(np.abs(np.log(budgets / budget)).argmin())
    lo, hi = needed_interval(budgets, other, own.at([at]), luck=other.at([nearest]))
    relation = Relation.ABOUT
    if not np.isfinite(needed):
        relation = Relation.MORE_THAN if needed > 0 else Relation.LESS_THAN
    bound = {Relation.MORE_THAN: int(budgets[-1]), Relation.LESS_THAN: int(budgets[0])}.get(relation)
    known = float(needed) if np.isfinite(needed) else None
    return Saving(
        relation=relation,
        reference_budget=known,
        bound=bound,
        factor=None if known is None else known / budget,
        lo=None if lo is None else min(lo, needed) / budget,
        hi=None if hi is None else max(hi, needed) / budget,
    )


def _saturated(budget: int, target: Array, budgets: Array, curves: Array) -> int | None:
    """Smallest budget at which every seed of the reference has the one score of the method; None unless saturated."""
    same = np.isclose(curves, target[0], rtol=_ROUND_OFF, atol=0.0).all(axis=0)
    if np.ptp(target) or same.sum() < 2 or not same[budgets == budget].any():
        return None
    return int(budgets[same][0])


def isotonic(curves: Array) -> Array:
    """Nearest non-decreasing curves in the least-squares sense, for (B, K) curves at once.

    Min-max formula (Barlow et al. 1972): f_k = max over i <= k of min over j >= k of mean(y_i .. y_j). O(K²) a curve,
    for the few budgets of a comparison.
    """
    sums = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(curves, axis=1)], axis=1)
    size = curves.shape[1]
    best = np.full(curves.shape, -np.inf)
    for start in range(size):
        lengths = np.arange(1, size - start + 1)
        means = (sums[:, start + 1 :] - sums[:, start : start + 1]) / lengths
        lowest_after = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        best[:, start:] = np.maximum(best[:, start:], lowest_after)
    return best


def reach(budgets: Array, curve: Array, target: float, *, near: float | None = None) -> float:
    """Smallest budget at which a curve, made monotone, reaches a target.

    Args:
        budgets: (K,) ascending.
        curve: (K,) scores, higher is better.
        target: wanted score.
        near: where the curve is level at the target, take the budget of that level nearest to this one instead.

    Returns:
        The budget, between measured ones by monotone cubic interpolation over log(budget); inf where the curve never
        reaches the target, -inf where it lies above it from the start.
    """
    level = isotonic(curve[None])[0]
    same = np.flatnonzero(np.isclose(level, target, rtol=_ROUND_OFF, atol=0.0))
    if len(same):
        first, last = float(budgets[same[0]]), float(budgets[same[-1]])
        return first if near is None else min(max(near, first), last)
    if target < level[0] or target > level[-1]:
        return float("-inf") if target < level[0] else float("inf")
    from scipy.interpolate import PchipInterpolator  # late: reports of selections take names of this room alone
    from scipy.optimize import brentq

    steps = np.log(budgets)
    above = int(np.searchsorted(level, target))
    path = PchipInterpolator(steps, level)
    return float(np.exp(brentq(lambda step: float(path(step)) - target, steps[above - 1], steps[above])))


def needed_interval(
    budgets: Array, curve: Draws, target: Draws | float, *, luck: Draws | None = None
) -> tuple[float | None, float | None]:
    """95 % interval of the budget at which a curve's expected score reaches a target.

    A budget is left out when the score there is told from the target by a two-sided test at 5 %. Between two measured
    budgets the score lies between the straight line (over log budget) through both and the lines through the pairs of
    budgets beside them, if the curve bends one way there; without a neighbour on either side it may be any score
    between the two. A budget counts as too small only where even the upper of these scores is too low, and as too large
    only where even the lower one is too high, so that the error of interpolation is in the interval.

    Args:
        budgets: (K,) ascending.
        curve: its scores there, higher is better.
        target: scores of a method on the same seeds, at one place, or a number.
        luck: random picks of as many points as the method's; see :func:`~skmm_core.comparison.draws.gap_of`.

    Returns:
        Both ends; None on a side where it leaves the measured range. Where every measured budget is too small (or too
        large), the largest (or smallest) is the lower (or upper) end.
    """
    if len(curve.values) < LEAST_SEEDS:
        return None, None
    places, lower, upper = _bounds_between(np.log(budgets), curve.values.mean(axis=0))

    def gap(weights: Array) -> tuple[Array, Array]:
        read = curve.weighed(weights)
        if isinstance(target, Draws):
            found = gap_of(target, read, luck=luck)
            return found.mean, found.reach()
        found = mean_of(read)
        return target - found.mean, found.reach()

    over, width = gap(upper)
    under, other = gap(lower)
    slack = _ROUND_OFF * max(1e-300, float(np.abs(curve.values).max()))
    lo = _first(places, over - width, width, slack)
    return lo, _first(places[::-1], -(under + other)[::-1], other[::-1], slack)


def _first(places: Array, proof: Array, width: Array, slack: float) -> float | None:
    """Where, coming from the outside, a budget is no longer proven wrong (`proof` above 0); None where none ever was.

    A score that is known without error and equal to the target at the first place gives that place.
    """
    wrong = proof > slack
    if wrong.all():
        return float(np.exp(places[-1]))
    at = int((~wrong).argmax())
    if at == 0:
        return float(np.exp(places[0])) if width[0] <= slack and abs(proof[0]) <= slack else None
    share = proof[at - 1] / (proof[at - 1] - proof[at])
    return float(np.exp(places[at - 1] + min(1.0, share) * (places[at] - places[at - 1])))


def _bounds_between(steps: Array, means: Array) -> tuple[Array, Array, Array]:
    """Places over log budget, and the weights of the measured scores in the lower and upper score at each of them."""
    size = len(steps)
    if size == 1:
        return steps, np.eye(1), np.eye(1)
    places, lower, upper = [steps[:1]], [np.eye(size)[:1]], [np.eye(size)[:1]]
    for k in range(size - 1):
        inside = np.linspace(steps[k], steps[k + 1], _STEPS + 1)[1:-1]
        chord = _line(steps, k, inside)
        beside = [_line(steps, near, inside) for near in (k - 1, k + 1) if 0 <= near < size - 1]
        ends = [np.broadcast_to(np.eye(size)[end], chord.shape) for end in (k, k + 1)]
        lower.append(_nearest(chord, beside, ends, means, -1.0))
        upper.append(_nearest(chord, beside, ends, means, 1.0))
        places.append(inside)
        for bounds in (lower, upper):
            bounds.append(np.eye(size)[k + 1 : k + 2])
        places.append(steps[k + 1 : k + 2])
    return np.concatenate(places), np.concatenate(lower), np.concatenate(upper)


def _line(steps: Array, start: int, places: Array) -> Array:
    """(H, K) weights of the line through two neighbouring budgets."""
    share = (places - steps[start]) / (steps[start + 1] - steps[start])
    weights = np.zeros((len(places), len(steps)))
    weights[:, start], weights[:, start + 1] = 1 - share, share
    return weights


def _nearest(chord: Array, beside: Sequence[Array], ends: Sequence[NDArray[Any]], means: Array, sign: float) -> Array:
    """Of the scores that bound the curve on one side (`sign` 1: from above), the one nearest to the straight line."""
    found, best = chord.copy(), np.full(len(chord), np.inf)
    bent = np.full(len(chord), not beside)
    for line in beside:
        bent |= sign * (line - chord) @ means > 0
    for line in [*beside, *ends]:
        room = sign * (line - chord) @ means
        better = bent & (room >= 0) & (room < best)
        found[better], best[better] = line[better], room[better]
    return found


def whole(points: Array | float) -> Array:
    """Points rounded up to what can be picked; exp(log(n)) of a measured n may lie a hair above it."""
    return np.ceil(np.asarray(points) * (1 - 1e-12))
