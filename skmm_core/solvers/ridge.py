"""Ridge regression tuned by exact leave-one-out, from one eigendecomposition."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# α / n, three a decade: from (nearly) no shrinkage to (nearly) the constant predictor on standardised columns
STRENGTHS: Array = np.logspace(-6, 4, 31)


@dataclass(frozen=True)
class Ridge:
    """A fitted linear predictor.

    Attributes:
        coef: (d,) float64.
        intercept: float.
        alpha: penalty on ‖coef‖² beside the sum of squared residuals; ∞ for the constant predictor.
        loo_error: mean squared leave-one-out error at this alpha; NaN for one row.
    """

    coef: Array
    intercept: float
    alpha: float
    loo_error: float

    def predict(self, features: Array) -> Array:
        """(M,) predictions for (M, d) rows."""
        prediction: Array = features @ self.coef + self.intercept
        return prediction


def fit_ridge(features: Array, targets: Array) -> Ridge:
    """Fit ridge with an unpenalised intercept; α is the one with the smallest leave-one-out error.

    With centred X = U D Vᵀ the hat matrix is H = 11ᵀ/n + U D²/(D² + α) Uᵀ, and leaving row i out gives the residual
    r_i / (1 - H_ii) exactly, so no refit is needed (Allen's PRESS, 1974). O(n d min(n, d)) for the whole grid.

    Args:
        features: (n, d) float64 rows, columns on comparable scales.
        targets: (n,) float64.

    Returns:
        The fit; for one row, or rows without variance, the constant predictor.
    """
    n = len(features)
    centre, mean = features.mean(axis=0), float(targets.mean())
    rows, residual = features - centre, targets - mean
    energy, left, right = _thin_svd(rows)
    if n < 2 or not len(energy):
        return Ridge(np.zeros(features.shape[1]), mean, np.inf, np.nan if n < 2 else float(np.var(targets)))
    alphas = n * STRENGTHS
    projected = left.T @ residual
    shrink = energy[:, None] / (energy[:, None] + alphas)
    # 1 - h may fall to rounding noise when a row is fitted exactly; its residual is then as small, so keep it positive
    slack = np.maximum(1 - 1 / n - (left**2) @ shrink, 1e-12)
    errors = (((residual[:, None] - left @ (shrink * projected[:, None])) / slack) ** 2).mean(axis=0)
    best = int(len(alphas) - 1 - np.argmin(errors[::-1]))  # of equal errors the strongest penalty
    coef = right @ (np.sqrt(energy) / (energy + alphas[best]) * projected)
    return Ridge(coef, mean - float(centre @ coef), float(alphas[best]), float(errors[best]))


def _thin_svd(rows: Array) -> tuple[Array, Array, Array]:
    """(k,) squared singular values, (n, k) left and (d, k) right singular vectors, from the smaller Gram matrix."""
    n, d = rows.shape
    gram = rows @ rows.T if n <= d else rows.T @ rows
    energy, vectors = np.linalg.eigh(gram)
    kept = energy > len(energy) * 1e-14 * max(energy[-1], 0.0)
    energy, vectors = energy[kept][::-1], vectors[:, kept][:, ::-1]
    other = (rows.T if n <= d else rows) @ vectors / np.sqrt(energy)
    return (energy, vectors, other) if n <= d else (energy, other, vectors)
