"""One penalised softmax fit in the coordinates in which its curvature is nearly round."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_MAX_ITER = 300
_NOISE = 1e-12  # of the largest energy: directions below are rounding


@dataclass(frozen=True)
class Rotated:
    """Rows in an orthonormal basis of their own row space, axis by axis of their second moment.

    Attributes:
        rows: (n, p) coordinates, p <= min(n, d); XV.
        energy: (p,) squared length of each column, descending.
        basis: (d, p) V. X = rows @ basisᵀ.
    """

    rows: Array
    energy: Array
    basis: Array


def rotate(features: Array) -> Rotated:
    """Rotate (n, d) rows, which neither softmax nor an L2 penalty sees: a fit then costs that of min(n, d) columns."""
    n, d = features.shape
    energy, vectors = np.linalg.eigh(features @ features.T if n <= d else features.T @ features)
    kept = energy > _NOISE * max(energy[-1], 0.0)
    energy, vectors = energy[kept][::-1], vectors[:, kept][:, ::-1]
    if n > d:
        return Rotated(features @ vectors, energy, vectors)
    lengths = np.sqrt(energy)
    return Rotated(vectors * lengths, energy, features.T @ (vectors / lengths))


def fit_softmax(
    rows: Array,
    energy: Array,
    targets: Array,
    weights: Array,
    penalty: float,
    *,
    start: Array | None = None,
    tolerance: float = 1e-4,
) -> Array:
    """Minimise Σᵢ wᵢ CE(yᵢ, softmax(xᵢW)) + penalty/2 ‖W‖² by L-BFGS.

    The curvature of the loss along axis j is at most about wⱼ energyⱼ/4; dividing by the root of that plus the penalty
    takes several times fewer steps than plain coordinates.

    Args:
        rows: (n, p) rotated rows.
        energy: (p,) of all rotated rows.
        targets: (n, K) rows that sum to 1.
        weights: (n,) with mean 1.
        penalty: above 0.
        start: (p, K) where to begin; None for 0.
        tolerance: largest entry of the gradient in the coordinates whose curvature is about 1.

    Returns:
        (p, K) coefficients.
    """
    from scipy.optimize import minimize

    shape = rows.shape[1], targets.shape[1]
    scale = 1 / np.sqrt(energy[:, None] / 4 + penalty)
    scaled = rows * scale.T

    column, weighted, shrink = weights[:, None], weights[:, None] * targets, penalty * scale**2

    def loss(flat: Array) -> tuple[float, Array]:
        # thousands of fits of a few rows: written out, since a call of scipy's softmax costs more than its sums
        found = flat.reshape(shape)
        scores = scaled @ found
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        total = shares.sum(axis=1, keepdims=True)
        shares *= column / total
        pull = shrink * found
        value = float(weights @ np.log(total[:, 0]) - np.vdot(weighted, scores) + np.vdot(pull, found) / 2)
        return value, (scaled.T @ (shares - weighted) + pull).ravel()

    begin = np.zeros(shape) if start is None else start / scale
    options = {"maxiter": _MAX_ITER, "gtol": tolerance, "ftol": 0.0}
    found = minimize(loss, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    coefficients: Array = found.x.reshape(shape) * scale
    return coefficients
