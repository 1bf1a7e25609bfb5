"""Ridge regression for a handful of rows: an average over penalties and scalings, weighted by what the rows say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmm_core.solvers.ridge import thin_svd

Array = NDArray[np.float64]
# α over the summed squares of the centred rows, three a decade: from (nearly) no shrinkage to (nearly) the constant
SHARES: Array = np.logspace(-6, 1, 22)
_TIED = 1e-9  # of the largest likelihood
_EXACT = 1e-20  # of the targets' energy: what a faultless fit is taken to leave, so that its likelihood stays finite


@dataclass(frozen=True)
class AveragedRidge:
    """A linear predictor for one of several scalings of the same columns.

    Attributes:
        coefs: (d,) float64 for each scaling.
        intercept: float.
        alpha: the likeliest penalty on ‖coef‖² beside the sum of squared residuals; ∞ for the constant predictor.
        shares: what each scaling weighs in the average, together 1.
    """

    coefs: tuple[Array, ...]
    intercept: float
    alpha: float
    shares: tuple[float, ...]

    def predict(self, scaled: Sequence[Array]) -> Array:
        """(M,) predictions for (M, d) rows, given in every scaling."""
        parts = [rows @ coef for rows, coef in zip(scaled, self.coefs, strict=True)]
        return np.asarray(sum(parts) + self.intercept)


def average_ridge(scaled: Sequence[Array], targets: Array) -> AveragedRidge:
    """Average ridge fits over a grid of penalties and over scalings, each weighted by its marginal likelihood.

    With five rows no rule picks one penalty well: leave-one-out errors of five rows differ by luck, and a fit that
    follows a lucky pick may be worse than the mean. The average needs no pick, and it is a linear predictor as well.
    A fit with penalty α is the posterior mean for coefficients N(0, τ²) and noise N(0, ατ²). With the mean of the
    targets and the noise integrated out over flat priors (Patterson & Thompson 1971; MacKay 1992), centred rows
    X = U D Vᵀ and p = Uᵀy give it

        log L = -½ Σᵢ log(1 + Dᵢ²/α) - (n-1)/2 log(‖y‖² - Σᵢ pᵢ² Dᵢ²/(Dᵢ² + α))

    and the weights L of a flat prior over the grid. O(n d min(n, d)) for a scaling.

    Args:
        scaled: (n, d) float64 rows in each scaling.
        targets: (n,) float64.

    Returns:
        The fit; for one row, or where neither rows nor targets vary, the constant predictor.
    """
    n, mean = len(targets), float(targets.mean())
    centred = targets - mean
    energy = float(centred @ centred)
    fits = [_Fits(rows, centred) for rows in scaled]
    if n < 2 or not energy > 0 or not any(len(fit.energy) for fit in fits):
        flat = tuple(np.zeros(rows.shape[1]) for rows in scaled)
        return AveragedRidge(flat, mean, np.inf, (1 / len(scaled),) * len(scaled))
    logs = np.array([fit.log_likelihoods(energy) for fit in fits])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    coefs = tuple(fit.average(share) for fit, share in zip(fits, weights, strict=True))
    shift = sum(float(fit.centre @ coef) for fit, coef in zip(fits, coefs, strict=True))
    # of equal ones the strongest: two rows say nothing of α, and rounding should not either
    likeliest = weights >= weights.max() * (1 - _TIED)
    alpha = max(float(fit.alphas[tied].max()) for fit, tied in zip(fits, likeliest, strict=True) if tied.any())
    return AveragedRidge(coefs, mean - shift, alpha, tuple(map(float, weights.sum(axis=1))))


class _Fits:
    """All ridge fits in one scaling."""

    def __init__(self, rows: Array, centred: Array) -> None:
        self.centre = rows.mean(axis=0)
        self.energy, left, self._right = thin_svd(rows - self.centre)
        self._projected, self._n = left.T @ centred, len(centred)
        self.alphas = SHARES * (float(self.energy.sum()) or 1.0)

    def log_likelihoods(self, energy: float) -> Array:
        ratio = self.energy[:, None] / self.alphas
        left_over = energy - self._projected**2 @ (ratio / (1 + ratio))
        found: Array = -np.log1p(ratio).sum(axis=0) / 2 - (self._n - 1) / 2 * np.log(
            np.maximum(left_over, _EXACT * energy)
        )
        return found

    def average(self, weights: Array) -> Array:
        shrunk = (weights / (self.energy[:, None] + self.alphas)).sum(axis=1) * np.sqrt(self.energy)
        coef: Array = self._right @ (shrunk * self._projected)
        return coef
