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
        coef: (d,) float64, or (d, C) for C targets.
        intercept: float, or (C,).
        alpha: penalty on ‖coef‖² beside the sum of squared residuals; ∞ for the constant predictor.
        loo_error: mean (weighted) squared leave-one-out error at this alpha, summed over targets; NaN for one row.
    """

    coef: Array
    intercept: Array | float
    alpha: float
    loo_error: float

    def predict(self, features: Array) -> Array:
        """(M,) or (M, C) predictions for (M, d) rows."""
        prediction: Array = features @ self.coef + self.intercept
        return prediction


def fit_ridge(features: Array, targets: Array) -> Ridge:
    """Fit ridge with an unpenalised intercept; α is the one with the smallest leave-one-out error.

    With centred X = U D Vᵀ the hat matrix is H = 11ᵀ/n + U D²/(D² + α) Uᵀ, and leaving row i out gives the residual
    r_i / (1 - H_ii) exactly, so no refit is needed (Allen's PRESS, 1974). O(n d min(n, d)) for the whole grid.

    Args:
        features: (n, d) float64 rows, columns on comparable scales.
        targets: (n,) float64, or (n, C): all share one α.

    Returns:
        The fit; for one row, or rows without variance, the constant predictor.
    """
    return RidgeProblem(features, targets).solve()


class RidgeProblem:
    """Rows, targets and weights, taken apart once; then every α and every fold is cheap."""

    def __init__(
        self, features: Array, targets: Array, weights: Array | None = None, *, origin: float | None = None
    ) -> None:
        """Keep (n, d) rows, (n,) or (n, C) targets, and (n,) weights of the rows, all alike without.

        `origin` is what every target is known to be where all columns are 0; without it that is fitted, unpenalised.
        """
        n = len(features)
        self._weights = np.ones(n) if weights is None else weights * (n / weights.sum())
        self._roots = np.sqrt(self._weights)
        self._centre, self._mean = (np.average(each, axis=0, weights=self._weights) for each in (features, targets))
        self._fitted_mean = self._weights / n  # of the hat matrix
        if origin is not None:
            self._centre, self._mean = np.zeros_like(self._centre), np.full_like(self._mean, origin)
            self._fitted_mean = np.zeros(n)
        self._residual = _times(self._roots, targets - self._mean)
        self._energy, self._left, self._right = thin_svd(_times(self._roots, features - self._centre))
        self._projected = self._left.T @ self._residual

    def solve(self, counted: NDArray[np.bool_] | None = None) -> Ridge:
        """The fit at the α with the smallest leave-one-out error; of equal ones the largest.

        Args:
            counted: (n,) rows whose errors count, at least one; all without.
        """
        n, shape = len(self._residual), (len(self._centre), *self._residual.shape[1:])
        if n < 2 or not len(self._energy):
            error = np.nan if n < 2 else self._loo_error(np.inf, counted)
            return Ridge(np.zeros(shape), self._mean, np.inf, error)
        alphas = n * STRENGTHS
        errors = np.array([self._loo_error(alpha, counted) for alpha in alphas])
        best = int(len(alphas) - 1 - np.argmin(errors[::-1]))
        coef = self._right @ _times(np.sqrt(self._energy) / (self._energy + alphas[best]), self._projected)
        return Ridge(coef, self._mean - self._centre @ coef, float(alphas[best]), float(errors[best]))

    def held_out(self, alpha: float, fold: NDArray[np.int64]) -> Array:
        """(n,) or (n, C) predictions of every row by the fit with this α on the rows of all other folds.

        Leaving the rows F out gives them the residuals (I - H_FF)⁻¹ r_F, times the roots of their weights. Rows of fold
        -1 are never left out: they get the predictions of the fit to all rows.
        """
        shrink = self._energy / (self._energy + alpha)
        residual = self._residual - self._left @ _times(shrink, self._projected)
        missed = residual.copy()
        for each in range(int(fold.max()) + 1):
            out = fold == each
            left = self._left[out]
            of_mean = np.sqrt(np.outer(self._fitted_mean[out], self._fitted_mean[out]))
            slack = np.eye(len(left)) - of_mean - (left * shrink) @ left.T
            missed[out] = np.linalg.solve(slack, residual[out])
        predictions: Array = self._mean + _times(1 / self._roots, self._residual - missed)
        return predictions

    def _loo_error(self, alpha: float, counted: NDArray[np.bool_] | None) -> float:
        shrink = self._energy / (self._energy + alpha)
        # 1 - h may fall to rounding noise where a row is fitted exactly; its residual is as small, so keep it positive
        slack = np.maximum(1 - self._fitted_mean - self._left**2 @ shrink, 1e-12)
        errors = _times(1 / slack, self._residual - self._left @ _times(shrink, self._projected)) ** 2
        return float((errors if counted is None else errors[counted]).sum() / len(slack))


def _times(factors: Array, rows: Array) -> Array:
    """Multiply row i of a vector or matrix by factor i."""
    product: Array = factors.reshape(-1, *[1] * (rows.ndim - 1)) * rows
    return product


def thin_svd(rows: Array) -> tuple[Array, Array, Array]:
    """(k,) squared singular values, (n, k) left and (d, k) right singular vectors, from the smaller Gram matrix."""
    n, d = rows.shape
    gram = rows @ rows.T if n <= d else rows.T @ rows
    energy, vectors = np.linalg.eigh(gram)
    kept = energy > len(energy) * 1e-14 * max(energy[-1], 0.0)
    energy, vectors = energy[kept][::-1], vectors[:, kept][:, ::-1]
    other = (rows.T if n <= d else rows) @ vectors / np.sqrt(energy)
    return (energy, vectors, other) if n <= d else (energy, other, vectors)
