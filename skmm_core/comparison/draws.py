"""Scores of repeated draws, and how far a mean or a difference of means can be off: standard errors, intervals, tests.

Two claims are told apart. *On data like these*: every seed picked from a part of the pool of its own, so a mean says
what to expect of another pool and of other test rows. *This very pool*: all seeds shared the pool, so a mean says
what to expect of another draw from it, scored on the same test rows.

Seeds whose parts have rows in common are correlated. A score is a symmetric function of the rows of its part, so by
Hoeffding's decomposition (1948, "A class of statistics with asymptotically normal distribution") the correlation is
at most the share ρ of common rows. The variance of a mean is then at most E[s²] (1/S + ρ/(1 - ρ)), the correction of
Nadeau & Bengio (2003, "Inference for the generalization error"). Nothing here imports torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from skmm_core.comparison.pool_parts import overlap
from skmm_core.comparison.statistics import LEAST_SEEDS, LEVEL, Interval, Paired

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Draws:
    """Scores of the same seeds in G places, mostly at G budgets.

    Attributes:
        values: (S, G) a score a seed.
        seeds: (S,) their numbers.
        parts: (G,) parts without a common row that the pool was cut into; 1 where all seeds shared the whole pool.
        left_out: (S, B, G) the scores without each of B blocks of test rows, or None where they are not known.
        strata: (S,) which data set a seed was scored on, where the seeds of one comparison share several pools.
    """

    values: Array
    seeds: Rows
    parts: Rows
    left_out: Array | None = None
    strata: Rows | None = None

    @property
    def shared(self) -> NDArray[np.bool_]:
        """(G,) whether all seeds shared one pool."""
        alike: NDArray[np.bool_] = self.parts == 1
        return alike

    def at(self, places: Sequence[int] | Rows) -> "Draws":
        """These places alone."""
        left = None if self.left_out is None else self.left_out[:, :, places]
        return replace(self, values=self.values[:, places], parts=self.parts[places], left_out=left)

    def on(self, seeds: Rows) -> "Draws":
        """These seeds alone, in the order given; all must be there."""
        rows = np.searchsorted(self.seeds, seeds)
        return replace(
            self,
            values=self.values[rows],
            seeds=self.seeds[rows],
            left_out=None if self.left_out is None else self.left_out[rows],
            strata=None if self.strata is None else self.strata[rows],
        )

    def weighed(self, weights: Array) -> "Draws":
        """Sums over places, one a row of the (H, G) weights; a sum has the fewest parts of what it is made of."""
        parts = np.where(weights != 0, self.parts, np.iinfo(np.int64).max).min(axis=1)
        left = None if self.left_out is None else self.left_out @ weights.T
        return replace(self, values=self.values @ weights.T, parts=parts, left_out=left)

    def times(self, factor: float) -> "Draws":
        """All scores multiplied."""
        return replace(
            self, values=factor * self.values, left_out=None if self.left_out is None else factor * self.left_out
        )

    def minus(self, other: "Draws") -> "Draws":
        """Differences on the same seeds; a single place is set beside all places of the other side."""
        left = None if self.left_out is None or other.left_out is None else self.left_out - other.left_out
        return replace(
            self, values=self.values - other.values, parts=np.minimum(self.parts, other.parts), left_out=left
        )


@dataclass(frozen=True)
class Estimate:
    """Means in G places with what they can be off by.

    Attributes:
        mean: (G,) means.
        error: (G,) standard errors; NaN for a single seed.
        seeds: S.
        freedom: degrees of freedom of the errors.
    """

    mean: Array
    error: Array
    seeds: int
    freedom: int

    def reach(self, level: float = LEVEL) -> Array:
        """(G,) half widths of the intervals, by Student's t."""
        quantile = float(stdtrit(self.freedom, (1 + level) / 2)) if self.freedom > 0 else np.nan
        return quantile * self.error

    def interval(self, level: float = LEVEL) -> Interval:
        """The interval of the first place; its bounds are NaN with fewer than five seeds."""
        mean = float(self.mean[0])
        if self.seeds < LEAST_SEEDS:
            return Interval(mean, np.nan, np.nan)
        half = float(self.reach(level)[0])
        return Interval(mean, mean - half, mean + half)

    def p(self) -> float:
        """Two-sided p-value of the first place being 0, by Student's t, but never below 2 / 2^S.

        No test that supposes no more than symmetry can give less over S seeds, and eight seeds cannot show that
        scores are normal far out.
        """
        mean, error = float(self.mean[0]), float(self.error[0])
        if self.seeds < 2 or mean == 0:
            return 1.0
        tail = 2 * float(stdtr(self.freedom, -abs(mean) / error)) if error > 0 else 0.0
        return max(tail, 2.0 ** (1 - self.seeds))


def draws_of(values: ArrayLike) -> Draws:
    """(S, G) scores of independent draws of the data, a row a seed: nothing is shared, test rows are as good as new."""
    table = np.asarray(values, dtype=np.float64)
    return Draws(table, np.arange(len(table)), np.full(table.shape[1], max(len(table), 2)))


def mean_of(found: Draws) -> Estimate:
    """Estimate the mean score: on data like these, or of another draw from this very pool where seeds shared it."""
    size = len(found.values)
    between = _variance(found.values)
    counts, where = np.unique(found.parts, return_inverse=True)
    shares = np.array([overlap(int(count), found.seeds) if count > 1 else 0.0 for count in counts])[where]
    drawn = between * (1 / size + shares / (1 - shares)) + _of_test_rows(found)
    freedom = size - 1
    if found.shared.any():
        within, freedom = _within_strata(found, lambda rows: _variance(found.values[rows]) / rows.sum())
        drawn = np.where(found.shared, within, drawn)
    return Estimate(found.values.mean(axis=0), np.sqrt(drawn), size, freedom)


def gap_of(method: Draws, reference: Draws, *, luck: Draws | None = None, other_luck: Draws | None = None) -> Estimate:
    """Estimate method - reference on the same seeds.

    On data like these the pairs are seeds. On one shared pool, a method that always picks the same has one score, and
    it differs from random picks only where it lies outside what a single random draw gives. So the spread of single
    random draws, as far as the method's own seeds do not show it, counts in full: the prediction interval of Student.

    Args:
        method: at one place or many.
        reference: at as many places.
        luck: random picks of as many points as the method's; None takes the reference.
        other_luck: random picks of as many points as the reference's, where it is not random itself.
    """
    gaps = method.minus(reference)
    found = mean_of(gaps)
    if not gaps.shared.any():
        return found
    sides = ((method, reference if luck is None else luck), (reference, other_luck))

    def variance(rows: NDArray[np.bool_]) -> Array:
        total: Array = np.zeros(gaps.values.shape[1])
        for side, chance in sides:
            own = _variance(side.values[rows])
            total = total + own / rows.sum()
            if chance is not None:
                total = total + np.maximum(0.0, _variance(chance.values[rows]) - own)
        return total

    within, freedom = _within_strata(gaps, variance)
    return replace(found, error=np.where(gaps.shared, np.sqrt(within), found.error), freedom=freedom)


def compared(
    method: Draws,
    reference: Draws,
    *,
    higher_is_better: bool,
    luck: Draws | None = None,
    other_luck: Draws | None = None,
) -> Paired:
    """Compare two methods at one place, over the seeds that both have.

    Args:
        method: at one place.
        reference: at one place, with at least one seed in common.
        higher_is_better: direction of the score, for counting wins.
        luck: random picks of as many points as the method's; see :func:`gap_of`.
        other_luck: random picks of as many points as the reference's, where it is not random itself. Either is left
            aside where it lacks a seed.
    """
    seeds = np.intersect1d(method.seeds, reference.seeds)
    mine, theirs = method.on(seeds), reference.on(seeds)
    chances = [
        None if chance is None or not np.isin(seeds, chance.seeds).all() else chance.on(seeds)
        for chance in (luck, other_luck)
    ]
    found = gap_of(mine, theirs, luck=chances[0], other_luck=chances[1])
    gaps = mine.values[:, 0] - theirs.values[:, 0]
    better = gaps > 0 if higher_is_better else gaps < 0
    return Paired(found.interval(), int(better.sum()), len(seeds), found.p())


def _variance(values: Array) -> Array:
    """Sample variances; what round-off leaves of equal values is 0."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    same = np.ptp(values, axis=0) <= 1e-12 * np.abs(values).max(axis=0)
    return np.asarray(np.where(same, 0.0, values.var(axis=0, ddof=1)))


def _of_test_rows(found: Draws) -> Array:
    """Variance of the mean that comes from the choice of the test rows, which all seeds share.

    The jackknife over blocks of test rows sees it together with the part of the noise of single seeds that is already
    counted between them; that part, known from each seed's own jackknife, is taken off.
    """
    left = found.left_out
    size = len(found.values)
    if left is None or size < 2:
        return np.zeros(found.values.shape[1])
    blocks = left.shape[1]

    def jackknife(scores: Array) -> Array:
        return np.asarray((blocks - 1) * scores.var(axis=-2))

    single = jackknife(left).mean(axis=0) / size
    return np.asarray(np.maximum(0.0, (jackknife(left.mean(axis=0)) - single) / (1 - 1 / size)))


def _within_strata(found: Draws, variance: Callable[[NDArray[np.bool_]], Array]) -> tuple[Array, int]:
    """Variance of the mean over strata, each with its own variance, and its degrees of freedom."""
    strata = np.zeros(len(found.values), dtype=np.int64) if found.strata is None else found.strata
    names = np.unique(strata)
    total: Array = np.zeros(found.values.shape[1])
    for name in names:
        rows = strata == name
        total = total + (rows.sum() / len(strata)) ** 2 * variance(rows)
    return total, len(strata) - len(names)
