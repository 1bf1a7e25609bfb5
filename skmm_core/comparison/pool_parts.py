"""Which rows of the pool each seed picks from, and in which blocks the test rows are: drawn once for a comparison.

Two seeds that pick from one pool say nothing of other pools. So each seed has a part of the pool to itself while the
pool lasts: at a budget n it is cut into as many parts without a common row as hold 2n rows, and no more than there are
seeds. When the parts are used up, the pool is cut anew at random. Nothing here imports torch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
_ROOM = 2  # rows of a part for every point picked from it
_TEST_BLOCKS = 10  # leaving each out in turn shows how much the test rows matter


def parts_at(pool_size: int, budget: int, seeds: int) -> int:
    """Number of parts without a common row at a budget; 1 where all seeds must share the whole pool.

    A part holds at least twice the budget, or, where only half of the pool would, at least the budget.
    """
    most = min(seeds, pool_size // (_ROOM * budget))
    return most if most > 1 else min(seeds, pool_size // budget, 2)


def part_of(pool_size: int, parts: int, seed: int) -> Rows:
    """Ascending positions in the pool that a seed picks from; all of them where there is one part."""
    if parts == 1:
        return np.arange(pool_size)
    cut, place = divmod(seed, parts)
    rows = pool_size // parts
    order = np.random.default_rng([pool_size, parts, cut]).permutation(pool_size)
    return np.sort(order[place * rows : (place + 1) * rows])


def overlap(parts: int, seeds: Sequence[int] | Rows) -> float:
    """Share of their rows that two of these seeds have in common, in the mean over all pairs; 0 for a single seed.

    Parts of one cut have no row in common, parts of two cuts one in `parts` rows in expectation.
    """
    cuts = np.asarray(seeds) // parts
    size = len(cuts)
    if size < 2:
        return 0.0
    alike = int((np.unique(cuts, return_counts=True)[1] ** 2).sum())  # ordered pairs within one cut, each with itself
    return float((size * size - alike) / (size * (size - 1)) / parts)


def test_blocks(rows: int) -> list[Rows]:
    """Cut the positions of the test rows at random into up to ten blocks of nearly one size; none for one row."""
    if rows < 2:
        return []
    order = np.random.default_rng([rows]).permutation(rows)
    return [np.sort(block) for block in np.array_split(order, min(_TEST_BLOCKS, rows))]
