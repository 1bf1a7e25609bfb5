"""Definitions that several subjects share, in plain NumPy."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from skmm_core.device import generator
from skmm_core.pool import Pool
from tests.audit.cases import Array, Case


class Basis(NamedTuple):
    """Second moment GᵀG/N: eigenvalues, descending, (m, k) eigenvectors, and the rows in them."""

    values: Array
    vectors: Array
    coordinates: Array


def gradients(pool: Pool, exact: Array) -> Array:
    """(N, m) rows times the written-out map Γ of the pool."""
    return exact if pool.sketch.kind == "none" else exact @ pool.sketch.rows(0, pool.sketch.r).double().numpy()


def eigenbasis(rows: Array, eps: float) -> Basis:
    """By the singular values of the rows; those of at most m ε of the largest are rounding (NumPy's rule of rank)."""
    _, singular, right = np.linalg.svd(rows, full_matrices=False)
    kept = singular > rows.shape[1] * eps * singular[0]
    vectors = right[kept].T
    return Basis(singular[kept] ** 2 / len(rows), vectors, rows @ vectors)


def condition(basis: Basis) -> float:
    """How much one rounding of the rows is magnified in the faintest direction."""
    return float(np.sqrt(basis.values[0] / basis.values[-1])) if len(basis.values) else 1.0


def sketch_rounding(case: Case, basis: Basis) -> float:
    """Relative error that rounding may leave: ε of the rows, and float64's ε in the faintest eigenvalue.

    The rows are exact as they come, so only results may be rounded to their precision; what is done in between in
    float64 loses the condition squared, as second moments do.
    """
    return 16 * case.rows.shape[1] * (case.eps + 2.3e-16 * condition(basis) ** 2)


def unit(rows: Array) -> Array:
    """Rows of length 1; zero rows stay zero."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)


def standardised(rows: Array, eps: float) -> Array:
    """Columns of mean 0 and deviation 1; one whose deviation is rounding of its mean is 0."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    varies = deviation > 4 * eps * np.abs(mean)
    return (rows - mean) / np.where(varies, deviation, np.inf)


def standard_rounding(case: Case) -> float:
    """What rounding leaves in one standardised number: the mean is taken away in float64, then all is rounded to ε."""
    deviation = case.exact.std(axis=0)
    shift = np.abs(case.exact.mean(axis=0)) / np.where(
        deviation > 4 * case.eps * np.abs(case.exact).max(), deviation, np.inf
    )
    return case.eps + 2.3e-16 * float(shift.max())


def squared_distances(a: Array, b: Array) -> Array:
    """(len(a), len(b)), from differences, not from products."""
    return np.stack([((a - row) ** 2).sum(axis=1) for row in b], axis=1)


def content_order(rows: Array, targets: Array) -> NDArray[np.int64]:
    """Along one fixed direction, equal rows by target, then by the last column that varies, and so on to the first.

    Methods see the rows in this order whatever the file's, so what is drawn by place is drawn by place in it.
    """
    direction = torch.randn(rows.shape[1], generator=generator(0, "pool:order"), dtype=torch.float64).numpy()
    along = (rows * direction).sum(axis=1)
    keys = [(along[i], targets[i], *rows[i, ::-1]) for i in range(len(rows))]
    return np.array(sorted(range(len(rows)), key=lambda i: keys[i]))


def one_hot(classes: NDArray[np.int64]) -> Array:
    """(N, K) indicators of the classes that occur."""
    return (classes[:, None] == np.unique(classes)).astype(np.float64)


def steps_behind(picks: NDArray[np.int64], gain: Callable[[NDArray[np.int64]], Array], start: int = 0) -> float:
    """How far, at worst, a pick's gain lies below the best that was left, in the units of `gain`.

    Args:
        picks: in the order picked.
        gain: (N,) gains of all rows, given the rows picked before.
        start: first step that is checked.
    """
    worst = 0.0
    for t in range(start, len(picks)):
        gains = gain(picks[:t])
        gains[picks[:t]] = -np.inf
        worst = max(worst, float(gains.max() - gains[picks[t]]))
    return worst


def first_draws(chances: Array, n: int) -> Array:
    """(N,) chance of every row to be among n draws without replacement in proportion to `chances`, all orders tried."""
    found = np.zeros(len(chances))

    def draw(taken: list[int], chance: float) -> None:
        if len(taken) == n:
            found[taken] += chance
            return
        left = np.where(np.isin(np.arange(len(chances)), taken), 0.0, chances)
        for row in np.flatnonzero(left):
            draw([*taken, int(row)], chance * left[row] / left.sum())

    draw([], 1.0)
    return found
