"""What a linear fit on a selection can get right: the bias/variance curve over the rank, and exact ridge risk.

Both take the gradients as they are (no centring, no scaling, equal weights for the chosen points), since they describe
the linear model of the paper: Dong, Phan, Pan, Lei, "Sketchy Moment Matching", NeurIPS 2024, section 2.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.data import Task
from skmm_core.solvers import SingularBasis, second_moment, singular_basis

# α / (rows · λ_1), three a decade
_STRENGTHS = torch.logspace(-14, 2, 49, dtype=torch.float64)
_BLOCK_ROWS = 8_192
_ROUNDED = 1e-12  # of the second moment: a variance below is what its subtraction leaves


@dataclass(frozen=True)
class PoolFit:
    """The pool as a linear model sees it.

    Attributes:
        moment: (r, r) float64 Σ = GᵀG/N on the CPU.
        coef: (r, q) float64 θ, the ridge fit on all targets minus their mean (one-hot columns for classes); None
            without targets. Taken as the truth that a selection should recover.
        noise: σ², residual variance of that fit with its degrees of freedom taken off, summed over columns.
        signal: variance of the targets, summed over columns.
        mean: (r,) float64 mean of the rows on the CPU; None where nothing is known of it.
    """

    moment: Tensor
    coef: Tensor | None = None
    noise: float | None = None
    signal: float | None = None
    mean: Tensor | None = None


@dataclass(frozen=True)
class Curve:
    """Bias and variance of the rank-k fit on a selection, k = 1..K.

    Attributes:
        ranks: (K,) int64.
        bias: (K,) float64, share of the pool's energy outside the top k directions of the selection, 0..1.
        variance: (K,) float64, mean variance of the predictions on the pool per unit of noise.
    """

    ranks: Tensor
    bias: Tensor
    variance: Tensor


@dataclass(frozen=True)
class RidgeRisk:
    """Exact risk of ridge on a selection against the noise-free targets of the pool, in squared target units."""

    bias2: float
    variance: float
    alpha: float


@dataclass(frozen=True)
class _Basis:
    """Thin SVD of the chosen rows X_S = U D Vᵀ, and the pool's moment in it."""

    energy: Tensor  # (k,) D², descending
    left: Tensor  # (n, k) U
    right: Tensor  # (r, k) V
    moment: Tensor  # (k, k) VᵀΣV


def fit_pool(
    gradients: Tensor, targets: Tensor | None, task: Task, n_classes: int, *, basis: SingularBasis | None = None
) -> PoolFit:
    """Second moment of all rows and, with targets, the ridge fit on them.

    α is the one with the smallest generalised cross-validation error (Golub, Heath & Wahba 1979) on a log grid.
    O(N r min(N, r)). From singular vectors of the rows: those of their second moment lose every column whose unit is
    10⁷ times smaller than that of another.

    Args:
        gradients: (N, r) rows on any device.
        targets: (N,) classes or values, or None.
        task: what the targets are.
        n_classes: number of classes; 0 unless the task is classification.
        basis: of the rows, where it is there already.
    """
    moment = second_moment(gradients)
    centre = torch.stack([block.cpu().double().sum(0) for block in gradients.split(_BLOCK_ROWS)]).sum(0)
    centre = centre / len(gradients)
    if targets is None:
        return PoolFit(moment, mean=centre)
    basis = singular_basis(gradients) if basis is None else basis
    size, wide = len(gradients), gradients.shape[1] > len(gradients)  # where wide, the vectors are those on the left
    parts = targets.split(_BLOCK_ROWS)
    mean = torch.stack([_columns(part, task, n_classes).sum(0) for part in parts]).sum(0) / size
    rows = (basis.vectors if wide else gradients).split(_BLOCK_ROWS)
    cross, total = torch.zeros(rows[0].shape[1], len(mean), dtype=torch.float64), 0.0
    for part, block in zip(parts, rows, strict=True):
        wanted = _columns(part, task, n_classes) - mean
        cross += block.cpu().double().T @ wanted
        total += float(wanted.square().sum())
    explained = cross if wide else (basis.vectors.T @ cross) / basis.values[:, None]  # UᵀY
    energy = basis.values.square()
    unreachable = max(0.0, total - float(explained.square().sum()))
    alphas = _STRENGTHS * (float(energy[0]) if len(energy) else 1.0)
    shrink = energy[:, None] / (energy[:, None] + alphas)
    residual = unreachable + ((1 - shrink).square() * explained.square().sum(1)[:, None]).sum(0)
    freedom = size - 1 - shrink.sum(0)
    # a fit without a degree of freedom left passes through every target and says nothing of its error
    error = torch.where(freedom > 1e-9 * size, residual / freedom.square(), torch.inf)
    best = int(error.argmin())
    shrunk = explained / (energy + alphas[best])[:, None]
    if wide:
        coef = gradients.cpu().double().T @ (basis.vectors @ shrunk)
    else:
        coef = basis.vectors @ (basis.values[:, None] * shrunk)
    return PoolFit(moment, coef, float(residual[best] / freedom[best].clamp_min(1)), total / size, centre)


def _columns(targets: Tensor, task: Task, n_classes: int) -> Tensor:
    """(N, q) float64 targets on the CPU: one column, or one 0/1 column a class."""
    if task is Task.CLASSIFICATION:
        return torch.nn.functional.one_hot(targets.cpu(), n_classes).double()
    return targets.cpu().double()[:, None]


def selection_basis(chosen: Tensor, fit: PoolFit) -> _Basis:
    """Thin SVD of the (n, r) chosen rows, numerically zero directions left out."""
    rows = chosen.cpu().double()
    n, r = rows.shape
    basis = singular_basis(chosen)
    other = (rows.T if n < r else rows) @ basis.vectors / basis.values
    left, right = (basis.vectors, other) if n < r else (other, basis.vectors)
    return _Basis(basis.values.square(), left, right, right.T @ fit.moment @ right)


def risk_curve(basis: _Basis, fit: PoolFit) -> Curve:
    """Bias(k) = tr(Σ P_k^⊥)/tr(Σ) and variance(k) = tr(Σ (P_k Σ_S P_k)⁺)/n for every rank at once.

    P_k projects on the top k right singular directions v_j of the selection, whose moments are D_j²/n, so with
    e_j = v_jᵀΣv_j bias(k) = 1 - Σ_{j<=k} e_j / tr(Σ) and variance(k) = Σ_{j<=k} e_j / D_j². A selection without any
    energy has the single rank 0: bias 1, variance 0.
    """
    total = float(fit.moment.trace())
    seen = basis.moment.diagonal()
    if not len(seen) or total <= 0:
        lost = torch.tensor([1.0 if total > 0 else 0.0], dtype=torch.float64)
        return Curve(torch.zeros(1, dtype=torch.int64), lost, torch.zeros(1, dtype=torch.float64))
    bias = (1 - seen.cumsum(0) / total).clamp(0, 1)
    return Curve(torch.arange(1, len(seen) + 1), bias, (seen / basis.energy).cumsum(0))


def represented(basis: _Basis, fit: PoolFit, rank: int) -> float | None:
    """Share of the pool's variance in the top `rank` directions of the selection: tr(P_k C)/tr(C), C the covariance.

    Unlike 1 - bias it does not count how far the pool lies from the origin.

    Returns:
        0..1; None where all rows are equal, or differ by less than rounding, or their mean is not known.
    """
    if fit.mean is None:
        return None
    along = basis.right[:, :rank].T
    whole = float(fit.moment.trace())
    total = whole - float(fit.mean.square().sum())
    if total <= _ROUNDED * whole:
        return None
    seen = basis.moment.diagonal()[:rank].sum() - (along @ fit.mean).square().sum()
    return min(1.0, max(0.0, float(seen) / total))


def curve_weights(fit: PoolFit) -> tuple[float, float]:
    """Weights (b, v) that bring both terms of the curve to one unit: b · bias(k) + v · variance(k).

    With targets: the paper's bound ‖θ‖² tr(Σ) · bias + σ² · variance, in shares of the targets' variance. Without:
    (1, 1), which supposes as much noise as signal, σ² = ‖θ‖² tr(Σ).
    """
    if fit.coef is None or fit.noise is None or not fit.signal:
        return 1.0, 1.0
    return float(fit.coef.square().sum() * fit.moment.trace()) / fit.signal, fit.noise / fit.signal


def ridge_risk(basis: _Basis, chosen: Tensor, fit: PoolFit) -> RidgeRisk | None:
    """Exact bias² and variance of ridge for the fixed design of the selection, at the best α of a log grid.

    With M = (X_SᵀX_S + αI)⁻¹X_Sᵀ and noise-free targets y* = Xθ: bias² = ‖X M y*_S - y*‖²/N and
    variance = σ² tr(X M Mᵀ Xᵀ)/N; classes are summed over their 0/1 columns. No simulation, no tuning noise: α is the
    one with the smallest sum, what the best-tuned ridge could reach.

    Args:
        basis: of the selection.
        chosen: (n, r) chosen rows.
        fit: of the pool.

    Returns:
        None without targets.
    """
    if fit.coef is None or fit.noise is None:
        return None
    reference = float((fit.coef * (fit.moment @ fit.coef)).sum())  # ‖y*‖²/N
    if not len(basis.energy):
        return RidgeRisk(reference, 0.0, float("inf"))
    projected = basis.left.T @ (chosen.cpu().double() @ fit.coef)  # Uᵀ y*_S
    cross = basis.right.T @ (fit.moment @ fit.coef)
    best: RidgeRisk | None = None
    for alpha in (_STRENGTHS * float(basis.energy[0])).tolist():
        shrink = basis.energy.sqrt() / (basis.energy + alpha)
        coef = shrink[:, None] * projected
        bias2 = float((coef * (basis.moment @ coef)).sum() - 2 * (coef * cross).sum()) + reference
        variance = fit.noise * float((basis.moment.diagonal() * shrink.square()).sum())
        if best is None or max(bias2, 0.0) + variance < best.bias2 + best.variance:
            best = RidgeRisk(max(bias2, 0.0), variance, alpha)
    return best
