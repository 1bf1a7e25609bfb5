"""The pools that every subject of the audit is tried on: scales, offsets, ties and shapes that users have."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One pool.

    Attributes:
        name: what is special about it.
        rows: (N, d) float32 or float64, as the product gets them.
        classes: (N,) int64, every class at least twice.
        numbers: (N,) of the dtype of the rows.
    """

    name: str
    rows: Tensor
    classes: Tensor
    numbers: Tensor

    @property
    def exact(self) -> Array:
        """The same rows in float64, which is what the expected values are computed from."""
        return self.rows.double().numpy()

    @property
    def eps(self) -> float:
        """Relative rounding of one number."""
        return float(torch.finfo(self.rows.dtype).eps)

    def __str__(self) -> str:
        return f"{self.name}, {str(self.rows.dtype).removeprefix('torch.')}"


def _plain(size: int = 90, d: int = 8, seed: int = 0) -> tuple[Array, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    classes = np.arange(size) % 3
    rng.shuffle(classes)
    centres = 2 * rng.normal(size=(3, d))
    return centres[classes] + rng.normal(size=(size, d)) * np.linspace(2, 0.4, d) + 0.3, classes


def _heavy() -> tuple[Array, NDArray[np.int64]]:
    """Clusters of very unequal size and spread, with Student's t of 1.5 degrees of freedom around them."""
    rng = np.random.default_rng(7)
    classes = np.repeat([0, 1, 2, 3], [60, 20, 6, 4])
    centres = 6 * rng.normal(size=(4, 8))
    return centres[classes] + rng.standard_t(1.5, size=(90, 8)) * np.array([1, 0.3, 2, 0.1])[classes, None], classes


def _pools() -> dict[str, tuple[Array, NDArray[np.int64]]]:
    x, y = _plain()
    rng = np.random.default_rng(3)
    wide, wide_y = _plain(30, 50, seed=4)
    deficient = rng.normal(size=(90, 4)) @ rng.normal(size=(4, 8))
    shuffled = rng.permutation(90)
    constant = x.copy()
    constant[:, 2] = 7.0
    zeros = x.copy()
    zeros[::9] = 0
    return {
        "plain": (x, y),
        "offset 1e4": (x + 1e4, y),
        "units 1e-6": (x * 1e-6, y),
        "units 1e6": (x * 1e6, y),
        "mixed units": (x * np.logspace(-2, 2, 8), y),
        "ties": (np.round(x), y),
        "duplicates": (np.repeat(x[:30], 3, axis=0), np.repeat(y[:30], 3)),
        "rank deficient": (deficient, y),
        "wide": (wide, wide_y),
        "permuted": (x[shuffled], y[shuffled]),
        "constant column": (constant, y),
        "zero rows": (zeros, y),
        "heavy tails": _heavy(),
        "two labels a class": (x[:20], np.arange(20) // 2),
    }


def _case(name: str, rows: Array, classes: NDArray[np.int64], dtype: torch.dtype) -> Case:
    rng = np.random.default_rng(11)
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    numbers = scaled @ rng.normal(size=rows.shape[1]) + 0.3 * rng.normal(size=len(rows)) + 5
    return Case(name, torch.tensor(rows).to(dtype), torch.tensor(classes), torch.tensor(numbers).to(dtype))


CASES = [
    _case(name, rows, classes, dtype)
    for name, (rows, classes) in _pools().items()
    for dtype in (torch.float32, torch.float64)
]


def on(*names: str, without: tuple[str, ...] = ()) -> Any:
    """Parametrise a test by pools: all, or those named."""
    chosen = [case for case in CASES if (case.name in names or not names) and case.name not in without]
    return pytest.mark.parametrize("case", chosen, ids=str)
