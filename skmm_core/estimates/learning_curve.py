"""How the score grew with the labels, and what the next ones are expected to bring.

Models of the first labels, and of as many at random, are scored on held-out labels. The errors are fitted by an inverse
power law (Cortes, Jackel, Solla, Vapnik & Denker 1993, Learning curves: asymptotic values and rate of convergence), as
far as twice the labels so far and no farther.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from skmm_core.estimates.expected_score import LEAST, ExpectedScore
from skmm_core.estimates.labelled import LabelledRows
from skmm_core.estimates.out_of_fold import deal, held_out_scores
from skmm_core.estimates.row_losses import row_losses
from skmm_core.estimates.working_pool import WorkingPool
from skmm_core.progress import Progress, Report, ignore

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
IN_ORDER, AT_RANDOM = "in the order picked", "at random"
_FOLDS, _PARTS = 5, (0.125, 0.25, 0.5)
_LEAST_SIZE = 4
_POWERS = (0.25, 0.5, 0.75, 1.0, 1.5)
_RESAMPLES = 400
REACH = 2.0  # times the labels so far: beyond, nobody can say


@dataclass(frozen=True)
class CurvePoint:
    """Score of models of some of the labels.

    Attributes:
        order: `IN_ORDER` or `AT_RANDOM`.
        labels: how many trained it.
        value: score of held-out labels, weighing by their part of the pool.
    """

    order: str
    labels: int
    value: float


@dataclass(frozen=True)
class Forecast:
    """What more labels are expected to bring.

    Attributes:
        labels: in all.
        value, lo, hi: expected score and its interval, which holds how little is known of the score now.
        gain, gain_lo, gain_hi: by how much it is better than now, in the unit of the score; never below 0.
    """

    labels: int
    value: float
    lo: float
    hi: float
    gain: float
    gain_lo: float
    gain_hi: float


@dataclass(frozen=True)
class LearningCurve:
    """Scores measured so far, and the errors behind them.

    Attributes:
        points: measured.
        sizes: (S,) labels that trained, ascending, the last those of the cross-validation.
        losses: (S, n) error of every held-out label at each size.
        shares: (n,) what each weighs.
        higher_is_better: of the score: 1 - error for classes, the error itself for numbers.
        most: labels up to which something can be said: `REACH` times those so far, and no more than the pool has rows.
    """

    points: tuple[CurvePoint, ...]
    sizes: Array
    losses: Array
    shares: Array
    higher_is_better: bool
    most: int


def learning_curve(
    pool: WorkingPool,
    rows: LabelledRows,
    learner: str,
    losses: Array,
    shares: Array,
    *,
    seed: int = 0,
    report: Report = ignore,
) -> LearningCurve:
    """Train on an eighth, a quarter and half of the labels: the first batches, and as many at random.

    Args:
        pool: that the rows are in.
        rows: labelled ones.
        learner: that is settled.
        losses: (n,) errors of held-out labels by models of nine tenths of the labels.
        shares: (n,) what each weighs.
        seed: of the deal and the draws.
        report: told of every fit.
    """
    fold = deal(rows, _FOLDS, seed)
    sizes = sorted({round(part * len(rows)) for part in _PARTS if part * len(rows) >= _LEAST_SIZE})
    orders = [AT_RANDOM, *([IN_ORDER] if len(np.unique(rows.batches)) > 1 else [])]
    rng = np.random.default_rng([seed, len(rows)])
    ranks = {AT_RANDOM: rng.permutation(len(rows)), IN_ORDER: _by_batch(rows.batches, rng)}
    better = bool(rows.class_names)
    points, measured = [], []
    for order in orders:
        for step, size in enumerate(sizes):
            report(Progress("Measuring the learning curve", orders.index(order) * len(sizes) + step, len(orders) * 3))
            found = np.empty(len(rows))
            for out in range(int(fold.max()) + 1):
                first = ranks[order][fold[ranks[order]] != out][:size]
                scores = held_out_scores(pool, rows, np.sort(first), fold == out, learner, seed)
                found[fold == out] = row_losses(rows, scores, fold == out)
            points.append(CurvePoint(order, size, _score(found, shares, better)))
            if order == orders[-1]:
                measured.append(found)
    now = round(len(rows) * 0.9)
    points += [CurvePoint(order, now, _score(losses, shares, better)) for order in orders]
    points.sort(key=lambda point: (point.order, point.labels))
    return LearningCurve(
        tuple(points),
        np.array([*sizes, now], dtype=np.float64),
        np.stack([*measured, losses]),
        shares,
        better,
        min(int(REACH * len(rows)), len(pool.part) + len(pool.beside)),
    )


def forecasts(curve: LearningCurve, now: ExpectedScore, more: Sequence[int]) -> list[Forecast]:
    """What the score is expected to be with more labels; none where the labels so far are too few for an interval.

    Args:
        curve: of the labels so far, n.
        now: the score expected with them.
        more: how many more, each; those that lead beyond the most that can be said are left out.
    """
    n = curve.losses.shape[1]
    asked = [each for each in more if n + each <= curve.most]
    if not can_forecast(curve, now) or not asked:
        return []
    rng = np.random.default_rng(n)
    weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)]) * curve.shares
    means = (weights @ curve.losses.T) / weights.sum(axis=1, keepdims=True)
    sizes = np.array([n, *(n + each for each in asked)], dtype=np.float64)
    errors = np.stack([_extended(curve.sizes, mean, sizes) for mean in means])
    gains = (errors[:, :1] - errors[:, 1:]).clip(min=0)
    lo, hi = np.quantile(gains[1:], (0.025, 0.975), axis=0)
    return [
        _forecast(now, n + each, float(gains[0, at]), float(lo[at]), float(hi[at]), better=curve.higher_is_better)
        for at, each in enumerate(asked)
    ]


def can_forecast(curve: LearningCurve, now: ExpectedScore) -> bool:
    """Whether the labels so far are enough to look ahead from."""
    return curve.losses.shape[1] >= LEAST and len(curve.sizes) >= 3 and bool(np.isfinite(now.lo))


def enough_for(curve: LearningCurve, now: ExpectedScore, target: float) -> int | None:
    """Labels in all with which the target is expected; None where more are needed than can be said, or nothing can be.

    Args:
        curve: of the labels so far.
        now: the score expected with them.
        target: wanted score.
    """
    n = int(curve.losses.shape[1])
    sign = 1.0 if curve.higher_is_better else -1.0
    if sign * now.value >= sign * target:
        return n
    steps = np.unique(np.linspace(0, curve.most - n, 101).astype(int))[1:]
    found = forecasts(curve, now, steps.tolist())
    return next((each.labels for each in found if sign * each.value >= sign * target), None)


def _forecast(now: ExpectedScore, labels: int, gain: float, lo: float, hi: float, *, better: bool) -> Forecast:
    lo, hi = min(lo, gain), max(hi, gain)
    ends = (now.value + gain, now.lo + lo, now.hi + hi) if better else (now.value - gain, now.lo - hi, now.hi - lo)
    value, low, high = (max(0.0, min(1.0, end)) if better else max(0.0, end) for end in ends)
    return Forecast(labels, value, low, high, gain, lo, hi)


def _extended(sizes: Array, errors: Array, wanted: Array) -> Array:
    """Errors at other sizes by e∞ + b s^-c, fitted with e∞, b >= 0; later sizes count more, as they are nearer."""
    roots = np.sqrt(sizes / sizes[-1])
    best, found = np.inf, np.full(len(wanted), errors[-1])
    for power in _POWERS:
        columns = np.column_stack([np.ones(len(sizes)), (sizes / sizes[-1]) ** -power])
        coef, left = nnls(roots[:, None] * columns, roots * errors)
        if left < best - 1e-12:
            best, found = left, coef[0] + coef[1] * (wanted / sizes[-1]) ** -power
    return found


def _by_batch(batches: Labels, rng: np.random.Generator) -> Labels:
    """Rows by batch, in random order within one; those without a batch last."""
    shuffled = rng.permutation(len(batches))
    key = np.where(batches > 0, batches, np.iinfo(np.int64).max)[shuffled]
    return shuffled[np.argsort(key, kind="stable")]


def _score(losses: Array, shares: Array, better: bool) -> float:
    error = float(shares @ losses)
    return 1 - error if better else error
