"""How well scores tell the classes of rows they were not fitted to: folds, and a loss pooled over all of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_REACH = (-7.0, 7.0)  # logarithms of a scale over the one expected


def content_order(features: Array, targets: NDArray[np.generic]) -> Labels:
    """(n,) positions that sort rows by target, then along one fixed direction: the same list for any order of the rows.

    Only equal rows, which may be exchanged, tie but by chance. Each projection is summed on its own, so that rounding
    does not depend on where a row stands either.
    """
    direction = np.random.default_rng(0).standard_normal(features.shape[1])
    return np.lexsort(((features * direction).sum(axis=1), targets))


def stratified_folds(labels: Labels, folds: int, seed: int) -> Labels:
    """(n,) fold of every row: each class is dealt out evenly, in seeded order, and so are the rows as a whole."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[dealt] = np.arange(len(labels)) % min(folds, len(labels))
    return fold


@dataclass(frozen=True)
class HeldOut:
    """Rows to judge fits by: rows of their own, or the training rows fold by fold.

    Attributes:
        truth: (m,) classes.
        fold: (m,) fold of each training row, -1 for a row that is never held out; empty with rows of their own.
        rows: (m, d) rows of their own, or None.
    """

    truth: Labels
    fold: Labels
    rows: Array | None = None


@dataclass(frozen=True)
class Verdict:
    """What held-out rows say of scores.

    Attributes:
        losses: (m,) log-loss of each row that tells something, after scaling.
        scale: what the scores are multiplied by.
    """

    losses: Array
    scale: float

    @property
    def total(self) -> float:
        """Summed loss; 0 when no row tells anything."""
        return float(self.losses.sum())

    def clearly_beats(self, other: "Verdict", *, errors: float = 1.0) -> bool:
        """Whether the summed loss is smaller by more than so many standard errors of the difference, paired by row."""
        gain = other.losses - self.losses
        if len(gain) < 2:
            return False
        return bool(gain.sum() > errors * np.sqrt(len(gain)) * gain.std(ddof=1))


def judge(scores: Array, truth: Labels, *, smoothing: float, expected: float) -> Verdict:
    """Log-loss of held-out scores, once they are multiplied by the one number that makes it smallest.

    A fit that is too sure of itself, or not sure enough, still predicts the same classes: only what a scale cannot mend
    should count (temperature scaling, Guo et al. 2017). A weak prior, log-normal of spread 1 about `expected`, decides
    where few rows tell. Targets are smoothed as in training, or the scale of faultless scores would be infinite.

    Args:
        scores: (m, K); -∞ for a class that the fit has not seen.
        truth: (m,) classes. A row whose own class was not seen has the same loss by any fit and is left out. So is a
            class that no other row is told of: with all rows of one class against it, the best fit would be the one
            that never predicts it.
        smoothing: share of a target that is spread over all classes seen.
        expected: scale to begin from.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    told = np.isfinite(scores[np.arange(len(truth)), truth])
    seen = np.isfinite(scores[told]) & np.isin(np.arange(scores.shape[1]), truth[told])
    plain = np.where(seen, scores[told], 0.0)
    target = smoothing * seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    target[np.arange(len(target)), truth[told]] += 1 - smoothing

    def losses(log_scale: float) -> Array:
        logs = log_softmax(np.where(seen, plain * (expected * np.exp(log_scale)), -np.inf), axis=1)
        lost: Array = -(target * np.where(seen, logs, 0.0)).sum(axis=1)
        return lost

    best = 0.0
    if told.any():
        best = float(minimize_scalar(lambda at: losses(at).sum() + at * at / 2, bounds=_REACH, method="bounded").x)
    return Verdict(losses(best), expected * float(np.exp(best)))
