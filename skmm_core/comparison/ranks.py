"""Ranks of several methods over many comparisons: mean ranks, Friedman's test, Nemenyi's critical difference.

Source: Demšar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006. Nothing here imports torch.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata, studentized_range

Array = NDArray[np.float64]
_DRAWS, _AT_ONCE = 9_999, 1_000


@dataclass(frozen=True)
class Friedman:
    """Test of "all methods are alike".

    Attributes:
        statistic: Iman and Davenport's F, less conservative than Friedman's χ²; ∞ when all blocks rank alike.
        p: by shuffling the ranks within blocks.
    """

    statistic: float
    p: float


def ranks(scores: ArrayLike, *, higher_is_better: bool) -> Array:
    """(B, M) ranks of M methods within each of B blocks, 1 = best; equal scores share the mean of their ranks."""
    values = np.asarray(scores, dtype=np.float64)
    return np.asarray(rankdata(-values if higher_is_better else values, axis=1), dtype=np.float64)


def friedman(ranked: Array, *, draws: int = _DRAWS) -> Friedman:
    """Test whether M methods differ, from their (B, M) ranks in B independent blocks; B and M at least 2.

    Under "all alike" every order of the ranks in a block is as likely. So they are shuffled within blocks, and p is the
    share of these draws, the observed one among them, that differ as much. Tables of F, which the statistic follows
    with many blocks, say "different" too often with three or four. Ties are corrected for.

    Args:
        ranked: (B, M) ranks.
        draws: how often ranks are shuffled, with a fixed seed; p is at least 1 / (draws + 1).
    """
    blocks, methods = ranked.shape
    spread = float(((ranked - (methods + 1) / 2) ** 2).sum()) / (methods - 1)  # B M (M + 1) / 12 without ties
    if spread == 0:
        return Friedman(0.0, 1.0)
    apart = _apart(ranked)
    chi2 = float(apart) / spread
    rest = blocks * (methods - 1) - chi2
    statistic = (blocks - 1) * chi2 / rest if rest > 1e-9 * chi2 else np.inf
    rng = np.random.default_rng([draws, blocks, methods])
    hits = 0
    for start in range(0, draws, _AT_ONCE):
        shape = (min(_AT_ONCE, draws - start), blocks, methods)
        shuffled = rng.permuted(np.broadcast_to(ranked, shape), axis=2)
        hits += int((_apart(shuffled) >= apart * (1 - 1e-12)).sum())
    return Friedman(statistic, (hits + 1) / (draws + 1))


def _apart(ranked: Array) -> Array:
    """Sum over methods of how far, squared, their sums of ranks are from the mean one, for (..., B, M) ranks."""
    blocks, methods = ranked.shape[-2:]
    apart: Array = ((ranked.sum(axis=-2) - blocks * (methods + 1) / 2) ** 2).sum(axis=-1)
    return apart


def critical_difference(methods: int, blocks: int, *, level: float = 0.95) -> float:
    """Mean ranks farther apart than this differ (Nemenyi), with that confidence for all pairs of methods at once."""
    quantile = float(studentized_range.ppf(level, methods, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(methods * (methods + 1) / (6 * blocks))
