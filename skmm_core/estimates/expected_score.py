"""The score that a model of all labels so far is expected to have on the rows without one, with an interval.

Labelled rows were chosen, not drawn: a method that fills space picks many odd rows, on which a model does worse than on
most. So the score is not the share of held-out labels that come out right. It is what the model itself expects over the
rows without a label, by its calibrated probabilities, put right by held-out labels, each of which weighs as much as the
part of the pool it is nearest to (the difference estimator: Cassel, Särndal & Wretman 1976, Some results on generalized
difference estimation; with a model's predictions Angelopoulos et al. 2023, Prediction-powered inference).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from skmm_core.probes import Metric

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
LEVEL = 0.95
LEAST = 20  # labels: with fewer, intervals covered too seldom, or said nothing
_LEAST_EFFECTIVE = 8.0


@dataclass(frozen=True)
class ExpectedScore:
    """A score with its interval.

    Attributes:
        metric: what it is.
        value: the estimate; NaN where nothing can be said.
        lo, hi: of 95 %; NaN where no honest interval can be had.
        held_out: the plain score of held-out labels, every one weighing alike.
        effective: number of labels that would tell as much if all stood for equally many rows.
        why_not: a sentence that says why there is no value or no interval; empty where there is one.
    """

    metric: Metric
    value: float
    lo: float
    hi: float
    held_out: float
    effective: float
    why_not: str = ""


def pool_shares(nearest: Labels, labelled: int) -> Array:
    """(n,) share of the pool's rows to which each labelled row is the nearest one; a row is nearest to itself.

    Args:
        nearest: (N,) labelled row, 0..n-1, nearest to each row of the pool.
        labelled: n.
    """
    counts = np.bincount(nearest, minlength=labelled).astype(np.float64)
    return np.asarray(counts / counts.sum())


def effective_size(shares: Array) -> float:
    """(Σw)² / Σw²: how many labels of equal weight vary as much (Kish 1965, Survey sampling)."""
    return float(shares.sum() ** 2 / (shares**2).sum())


def expected_accuracy(
    metric: Metric, correct: Array, confidence: Array, over_pool: float, shares: Array
) -> ExpectedScore:
    """Accuracy on the rows without a label.

    The interval is Wilson's (1927), of the effective number of labels, with Student's quantile for the normal one. It
    holds what held-out labels say alone, too, should the model's probabilities be off.

    Args:
        metric: accuracy.
        correct: (n,) share of deals in which the held-out label came out right.
        confidence: (n,) probability that the model gave what it said of the held-out row.
        over_pool: mean of the same over the rows without a label.
        shares: (n,) see :func:`pool_shares`.
    """
    effective = effective_size(shares)
    value = float(np.clip(over_pool + shares @ (correct - confidence), 0.0, 1.0))
    held_out = float(correct.mean())
    why_not = too_few(len(correct), effective)
    if why_not:
        return ExpectedScore(metric, value, np.nan, np.nan, held_out, effective, why_not)
    z = float(student.ppf((1 + LEVEL) / 2, effective - 1))
    middle = (value + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * math.sqrt(value * (1 - value) / effective + z**2 / (4 * effective**2))
    alone = float(shares @ correct)
    lo, hi = min(value, alone, middle - half), max(value, alone, middle + half)
    return ExpectedScore(metric, value, max(0.0, lo), min(1.0, hi), held_out, effective)


def expected_error(metric: Metric, errors: Array, shares: Array) -> ExpectedScore:
    """Mean absolute error on the rows without a label: held-out errors, weighing as much as their part of the pool.

    The interval is Student's on the logarithm (the delta method), so that it stays above 0. It holds the plain
    mean of held-out errors, too.

    Args:
        metric: mean absolute error.
        errors: (n,) absolute errors of held-out rows.
        shares: (n,) see :func:`pool_shares`.
    """
    effective = effective_size(shares)
    value, held_out = float(shares @ errors), float(errors.mean())
    why_not = too_few(len(errors), effective)
    if not why_not and not value > 0:
        why_not = "Every label was met exactly, which does not say how far off others may be."
    if why_not:
        return ExpectedScore(metric, value, np.nan, np.nan, held_out, effective, why_not)
    spread = float(np.sqrt((shares**2 * (errors - value) ** 2).sum() * effective / (effective - 1)))
    ratio = float(np.exp(student.ppf((1 + LEVEL) / 2, effective - 1) * spread / value))
    lo, hi = min(held_out, value / ratio), max(held_out, value * ratio)
    return ExpectedScore(metric, value, lo, hi, held_out, effective)


def too_few(labels: int, effective: float) -> str:
    """Why there is no interval; empty where there is one."""
    if labels < LEAST:
        return f"{labels} labels are too few to say how far off this may be; from {LEAST} on there is an interval."
    if effective < _LEAST_EFFECTIVE:
        return "A few of the labels stand for most of the pool, too few to say how far off this may be; label more."
    return ""
