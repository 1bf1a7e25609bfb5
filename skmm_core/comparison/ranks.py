"""Ranks of several methods over many comparisons: mean ranks, Friedman's test, Nemenyi's critical difference.

Source: Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006. Nothing here imports torch.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f, rankdata, studentized_range

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Friedman:
    """Test of "all methods are alike".

    Attributes:
        statistic: Iman and Davenport's F, less conservative than Friedman's χ²; ∞ when all blocks rank alike.
        p: its p-value.
    """

    statistic: float
    p: float


def ranks(scores: ArrayLike, *, higher_is_better: bool) -> Array:
    """(B, M) ranks of M methods within each of B blocks, 1 = best; equal scores share the mean of their ranks."""
    values = np.asarray(scores, dtype=np.float64)
    return np.asarray(rankdata(-values if higher_is_better else values, axis=1), dtype=np.float64)


def friedman(ranked: Array) -> Friedman:
    """Test whether M methods differ, from their (B, M) ranks in B independent blocks; B and M at least 2.

    Under "all alike" the statistic follows F(M - 1, (M - 1)(B - 1)). Ties are corrected for.
    """
    blocks, methods = ranked.shape
    spread = float(((ranked - (methods + 1) / 2) ** 2).sum()) / (methods - 1)  # B M (M + 1) / 12 without ties
    if spread == 0:
        return Friedman(0.0, 1.0)
    chi2 = float(((ranked.sum(axis=0) - blocks * (methods + 1) / 2) ** 2).sum()) / spread
    rest = blocks * (methods - 1) - chi2
    if rest <= 1e-9 * chi2:
        return Friedman(np.inf, 0.0)
    statistic = (blocks - 1) * chi2 / rest
    return Friedman(statistic, float(f.sf(statistic, methods - 1, (methods - 1) * (blocks - 1))))


def critical_difference(methods: int, blocks: int, *, level: float = 0.95) -> float:
    """Mean ranks farther apart than this differ (Nemenyi), with that confidence for all pairs of methods at once."""
    quantile = float(studentized_range.ppf(level, methods, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(methods * (methods + 1) / (6 * blocks))
