"""Labels of a few rows spread over the graph of a pool, and a linear fit to what every row then holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skmm_core.solvers.nearest_neighbours import NeighbourGraph

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
SPREAD = 0.9  # share of what a row holds that comes from its neighbours
_TOLERANCE = 1e-6
PENALTY = 0.1  # of the mean squared length of the rows


def spread_labels(graph: NeighbourGraph, labelled: Labels, indicators: Array, *, share: float = SPREAD) -> Array:
    """(N, K) what every row of the pool holds of each class, rows summing to 1; 0 where no label reaches.

    F = (I - αS)⁻¹ Y with S = D^(-1/2) W D^(-1/2) (Zhou et al. 2003, Learning with local and global consistency). Every
    class sends out as much in all, however many rows were labelled: columns of Y sum to 1.

    Args:
        graph: of the pool.
        labelled: (n,) distinct rows of the pool.
        indicators: (n, K) 1 at the class of each, no column empty.
        share: α.
    """
    sent = np.zeros((graph.weights.shape[0], indicators.shape[1]))
    sent[labelled] = indicators / indicators.sum(axis=0)
    held = np.maximum(solve_spread(graph.normalised, sent, share), 0)
    total = held.sum(axis=1, keepdims=True)
    return np.asarray(held / np.where(total > 0, total, 1.0))


def solve_spread(normalised: csr_array, sent: Array, share: float) -> Array:
    """Solve (I - αS) F = Y for all columns at once by Chebyshev's iteration; eigenvalues lie in 1-α..1+α.

    Thirty products with S leave an error of 1e-6 at α = 0.9 (Golub & Van Loan, Matrix computations, 11.2).
    """
    kappa = np.sqrt((1 + share) / (1 - share))
    factor = (kappa - 1) / (kappa + 1)
    steps = int(np.ceil(np.log(_TOLERANCE / 2) / np.log(factor)))
    before, found, omega = np.zeros_like(sent), sent.copy(), 1.0
    for step in range(steps):
        omega = 1 / (1 - share**2 / 2) if step == 0 else 1 / (1 - omega * share**2 / 4)
        # the middle of the spectrum is 1, so a plain step adds the residual Y - F + αSF
        before, found = found, omega * (share * (normalised @ found) + sent - before) + before
    return found


@dataclass(frozen=True)
class SpreadFit:
    """A linear predictor of classes.

    Attributes:
        coef: (p, K).
        intercept: (K,).
    """

    coef: Array
    intercept: Array

    def scores(self, rows: NDArray[np.floating]) -> Array:
        """(M, K) scores of (M, p) rows."""
        scores: Array = rows @ self.coef + self.intercept
        return scores


def fit_spread(rows: NDArray[np.floating], held: Array, labelled: Labels, indicators: Array) -> SpreadFit:
    """Ridge regression on what every row of the pool holds, sure rows counting more.

    A row weighs 1 - entropy / log K of what it holds: one that is held equally by all classes tells nothing. Labelled
    rows hold their label, and weigh 1.

    Args:
        rows: (N, p) of the pool.
        held: (N, K) see :func:`spread_labels`.
        labelled: (n,) rows of the pool.
        indicators: (n, K) of their classes, K >= 2.
    """
    wanted = held.copy()
    wanted[labelled] = indicators
    entropy = -(wanted * np.log(np.where(wanted > 0, wanted, 1.0))).sum(axis=1)
    weights = np.where(wanted.sum(axis=1) > 0, np.clip(1 - entropy / np.log(wanted.shape[1]), 0, 1), 0.0)
    roots = np.sqrt(weights)[:, None]
    centre, mean = weights @ rows / weights.sum(), weights @ wanted / weights.sum()
    centred = roots * (rows - centre)
    penalty = PENALTY * float((rows**2).sum(axis=1).mean())
    gram = centred.T @ centred + (penalty or 1.0) * np.eye(rows.shape[1])
    coef = np.linalg.solve(gram, centred.T @ (roots * (wanted - mean)))
    return SpreadFit(coef, mean - centre @ coef)
