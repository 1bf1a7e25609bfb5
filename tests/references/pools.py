"""Small pools in the types, units and shapes that people have; the references of all methods run on every one of them.

A pool is rounded to its type first, and a reference is computed from the rounded numbers in float64: a method must be
right for the data it got, whatever was lost before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from skmm_core.pool.content_order import content_order

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NamedPool:
    """Rows to pick from, with targets of both kinds.

    Attributes:
        name: what is special about it, and the type.
        given: (N, d) float32 or float64.
        rank: number of directions that are more than rounding.
    """

    name: str
    given: NDArray[Any]
    rank: int

    @property
    def exact(self) -> Array:
        """(N, d) the same numbers in float64."""
        return self.given.astype(np.float64)

    @property
    def tensor(self) -> torch.Tensor:
        """(N, d) as given."""
        return torch.tensor(self.given)

    @property
    def epsilon(self) -> float:
        """ε of the type."""
        return float(np.finfo(self.given.dtype).eps)

    @property
    def classes(self) -> torch.Tensor:
        """(N,) int64: three classes that the rows tell apart only in part."""
        middle = self.exact - np.median(self.exact, axis=0)
        return torch.tensor((middle[:, 0] > 0).astype(np.int64) + (np.arange(len(middle)) % 3 == 0))

    @property
    def numbers(self) -> torch.Tensor:
        """(N,) float64: a linear function of standardised rows, with noise."""
        x = self.exact - self.exact.mean(axis=0)
        deviation = x.std(axis=0)
        x = x / np.where(deviation > 0, deviation, 1)
        noise = np.random.default_rng(9).normal(size=len(x))
        return torch.tensor(x @ np.linspace(1, -1, x.shape[1]) + 0.3 * noise)


def _plain(size: int = 40, dims: int = 6, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(size, dims)) * np.linspace(2, 0.5, dims) + 0.3


_SHAPES: dict[str, tuple[Array, int]] = {
    "plain": (_plain(), 6),
    "offset 1e4": (_plain() + 1e4, 6),
    "unit 1e-6": (_plain() * 1e-6, 6),
    "unit 1e6": (_plain() * 1e6, 6),
    "unit 1e-30": (_plain() * 1e-30, 6),
    "mixed units": (_plain() * np.array([1e2, 1, 1e-2, 1, 10, 1]), 6),
    "ties": (np.round(_plain(40, 3)), 3),
    "duplicates": (np.repeat(_plain(10, 5), 4, axis=0), 5),
    "rank-deficient": (_plain(40, 3) @ _plain(3, 6, seed=1), 3),
    "a constant column": (np.c_[_plain(40, 4), np.full(40, 7.0)], 5),
    "N < d": (_plain(14, 30), 14),
}


def _in_order(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows in the order in which methods see them, so that draws by place and sums are those of the reference."""
    return np.ascontiguousarray(rows[content_order(torch.tensor(rows)).numpy()])


POOLS = [
    NamedPool(f"{name}, {kind}", _in_order(x.astype(kind)), rank)
    for name, (x, rank) in _SHAPES.items()
    for kind in ("float32", "float64")
]
every_pool = pytest.mark.parametrize("pool", POOLS, ids=[pool.name for pool in POOLS])


def assert_greedy(
    picks: Sequence[int],
    costs: Callable[[list[int]], Array],
    tolerance: Callable[[list[int]], float],
    *,
    start: int = 0,
) -> None:
    """Every pick costs least of all rows left, or as little up to rounding.

    Args:
        picks: in the order picked, distinct.
        costs: (N,) of adding each row to those before.
        tolerance: how far rounding may move a difference of two costs.
        start: picks that were not chosen by their cost.
    """
    assert len(set(picks)) == len(picks)
    for place in range(start, len(picks)):
        before = list(picks[:place])
        found = costs(before)
        left = np.setdiff1d(np.arange(len(found)), before)
        regret = found[picks[place]] - found[left].min()
        assert regret <= tolerance(before), f"pick {place} costs {regret:.3g} more than the best"


def unit(x: Array) -> Array:
    """Rows of unit length; zero rows stay zero."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1)
