"""What a comparison makes of scores, seed by seed, from assets/docs/comparisons.md: plain loops over seeds."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats

from tests.audit.cases import Array


class Scores(NamedTuple):
    """One method at one budget.

    Attributes:
        values: (S,) by seed.
        parts: that the pool was cut into; 1 for one pool that all seeds share.
        left: (S, B) without each block of test rows, or None.
    """

    values: Array
    parts: int
    left: Array | None = None


def common_share(parts: int, seeds: list[int]) -> float:
    """Share of rows that two seeds have in common, in the mean over pairs: none within a cut, else one in `parts`."""
    pairs = list(combinations(seeds, 2))
    return sum(a // parts != b // parts for a, b in pairs) / parts / len(pairs) if pairs else 0.0


def jackknife(scores: Array) -> float:
    blocks = len(scores)
    return (blocks - 1) / blocks * float(((scores - scores.mean()) ** 2).sum())


def of_test_rows(left: Array | None) -> float:
    """Variance that the choice of the test rows gives the mean, without the share of single seeds' own noise."""
    if left is None:
        return 0.0
    size = len(left)
    single = sum(map(jackknife, left)) / size
    return max(0.0, (jackknife(left.mean(axis=0)) - single / size) / (1 - 1 / size))


def error_of_mean(scores: Scores, seeds: list[int]) -> float:
    """Standard error of the mean score."""
    size, spread = len(seeds), scores.values.var(ddof=1)
    if scores.parts == 1:
        return float(np.sqrt(spread / size))
    share = common_share(scores.parts, seeds)
    return float(np.sqrt(spread * (1 / size + share / (1 - share)) + of_test_rows(scores.left)))


def error_of_gap(method: Scores, uniform: Scores, seeds: list[int]) -> float:
    """Standard error of the mean difference; on one shared pool what single random draws show counts in full."""
    if method.parts > 1:
        left = None if method.left is None or uniform.left is None else method.left - uniform.left
        return error_of_mean(Scores(method.values - uniform.values, method.parts, left), seeds)
    own, luck, size = method.values.var(ddof=1), uniform.values.var(ddof=1), len(seeds)
    return float(np.sqrt(own / size + max(0.0, luck - own) + luck / size))


def interval(mean: float, error: float, size: int) -> tuple[float, float]:
    """Student's; none below five seeds."""
    half = stats.t.ppf(0.975, size - 1) * error if size >= 5 else np.nan
    return mean - half, mean + half


def p_value(mean: float, error: float, size: int) -> float:
    """Student's, but never below what signs alone can show."""
    if size < 2 or mean == 0:
        return 1.0
    return max(2 * stats.t.sf(abs(mean) / error, size - 1) if error > 0 else 0.0, 2 / 2**size)


def holm(p: list[float]) -> list[float]:
    """The largest Bonferroni p of all sets of hypotheses that hold one: closed testing."""
    found = []
    for i in range(len(p)):
        sets = [s for r in range(1, len(p) + 1) for s in combinations(range(len(p)), r) if i in s]
        found.append(max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets))
    return found


def said(lo: float, hi: float, p: float, *, higher_is_better: bool) -> str:
    if p < 0.05 and lo > 0:
        return "better" if higher_is_better else "worse"
    if p < 0.05 and hi < 0:
        return "worse" if higher_is_better else "better"
    return "tie"
