"""Second moments of the pool and of a selection: eigenbasis, the moment objective, certificate, trace score.

Notation: G̃ (N, m) sketched gradients, Σ̃ = G̃ᵀG̃/N = VΛVᵀ, weights s over the pool (sum 1), Σ̃_S = Σ_i s_i g̃_i g̃_iᵀ.
Source: Dong, Phan, Pan, Lei, "Sketchy Moment Matching", NeurIPS 2024.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_BLOCK_ROWS = 65_536


@dataclass(frozen=True)
class Moments:
    """The pool in the eigenbasis of its second moment, without directions that carry no energy.

    Attributes:
        eigenvalues: (k,) float64 λ, descending, > 0, on the CPU; k <= m is the numerical rank.
        eigenvectors: (m, k) float64 V on the CPU.
        coordinates: (N, k) G̃V, of the dtype and on the device of G̃.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor
    coordinates: Tensor

    @property
    def leverage(self) -> Tensor:
        """(N,) leverage of every point, Σ_j coordinates_ij² / (N λ_j): in 0..1, sum k."""
        scale = (self.eigenvalues * len(self.coordinates)).rsqrt().to(self.coordinates)
        return (self.coordinates * scale).square().sum(dim=1)


def second_moment(rows: Tensor, weights: Tensor | None = None) -> Tensor:
    """Σ_i w_i x_i x_iᵀ of (n, m) rows, float64 on the CPU; weights default to 1/n each."""
    moment = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = rows[start : start + _BLOCK_ROWS]
        block = block if block.device.type == "mps" else block.double()
        weighted = block if weights is None else block * weights[start : start + _BLOCK_ROWS, None].to(block)
        moment += (weighted.T @ block).cpu().double()
    return moment / len(rows) if weights is None else moment


def gram_products(rows: Tensor) -> Tensor:
    """XXᵀ of (N, d) rows X, (N, N) float64 on the CPU."""
    return second_moment(rows.T) * rows.shape[1]  # second_moment divides by its number of rows, here d


GramSpectrum = tuple[Tensor, Tensor]


def gram_spectrum(rows: Tensor) -> GramSpectrum:
    """Eigenvalues, descending, and eigenvectors of XᵀX, or of XXᵀ where that is smaller; float64. O(N d min(N, d)).

    Args:
        rows: (N, d) X, float32 or float64.
    """
    wide = rows.shape[0] < rows.shape[1]
    # second_moment divides by its number of rows: N, or d for the transposed
    eigenvalues, vectors = torch.linalg.eigh(second_moment(rows.T if wide else rows))
    return eigenvalues.flip(0) * (rows.shape[1] if wide else rows.shape[0]), vectors.flip(1)


def eigenbasis(sketched: Tensor) -> Moments:
    """Diagonalise the second moment of (N, m) rows.

    Directions whose singular value is at most m · ε times the largest (ε of the input's precision; NumPy's rule for the
    rank) hold rounding alone; no selection can match them, so they are left out. The decomposition itself resolves
    eigenvalues down to m · 2.2e-16 · λ_1.
    """
    eigenvalues, eigenvectors = torch.linalg.eigh(second_moment(sketched))
    eigenvalues, eigenvectors = eigenvalues.flip(0), eigenvectors.flip(1)
    m, largest = len(eigenvalues), eigenvalues[0].clamp_min(0)
    rounding = max((m * torch.finfo(sketched.dtype).eps) ** 2, m * torch.finfo(torch.float64).eps)
    kept = eigenvalues > rounding * largest
    eigenvalues, eigenvectors = eigenvalues[kept], eigenvectors[:, kept].contiguous()
    return Moments(eigenvalues, eigenvectors, sketched @ eigenvectors.to(sketched))


def whitened_moment(moments: Moments, indices: Tensor, weights: Tensor | None = None) -> Tensor:
    """Λ^{-1/2} Vᵀ Σ̃_S V Λ^{-1/2}, (k, k) float64: the identity when the selection matches every second moment."""
    scale = moments.eigenvalues.rsqrt()
    chosen = moments.coordinates[indices.to(moments.coordinates.device)].cpu().double() * scale
    return second_moment(chosen, None if weights is None else weights.cpu().double())


def certificate(whitened: Tensor) -> float:
    """Smallest c with Σ̃ ⪯ c Σ̃_S, from the whitened moment of the selection; ∞ when a direction is unseen.

    The paper's c_S = λ_max(Σ̃_S^{-1/2} Σ̃ Σ̃_S^{-1/2}), which is 1/λ_min of the whitened moment.
    """
    smallest = float(torch.linalg.eigvalsh(whitened)[0]) if len(whitened) else 1.0
    return 1.0 / smallest if smallest > _unseen(whitened) else math.inf


def trace_score(whitened: Tensor) -> float:
    """tr(Σ̃ Σ̃_S⁻¹) from the whitened moment: k when matched exactly, larger = more variance, ∞ when unseen."""
    eigenvalues = torch.linalg.eigvalsh(whitened)
    if len(eigenvalues) and float(eigenvalues[0]) <= _unseen(whitened):
        return math.inf
    return float(eigenvalues.reciprocal().sum())


def moment_error(moments: Moments, whitened: Tensor) -> float:
    """Relative error of the second moment, ‖Σ̃_S - Σ̃‖_F / ‖Σ̃‖_F, from the whitened moment of the selection."""
    scale = moments.eigenvalues.sqrt()
    difference = scale[:, None] * whitened * scale - moments.eigenvalues.diag()
    return float(difference.norm() / moments.eigenvalues.norm())


def _unseen(whitened: Tensor) -> float:
    return 1e-10 * len(whitened)


def shortfall_objective(achieved: Tensor, eigenvalues: Tensor, c_s: float, *, relative: bool = False) -> float:
    """The paper's moment objective with γ eliminated: F = Σ_j max(0, λ_j/c_S - achieved_j)².

    For fixed s the best γ_j >= 1/c_S is max(1/c_S, achieved_j/λ_j), so only a shortfall costs.

    Args:
        achieved: (k,) moments v_jᵀ Σ̃_S v_j of the weighted selection.
        eigenvalues: (k,) λ of the pool.
        c_s: in (0, 1]; smaller asks for more than the pool's own moments.
        relative: divide each term by λ_j, so that small directions count as much as large ones.
    """
    shortfall = (eigenvalues / c_s - achieved.double().cpu()).clamp_min(0)
    return float(((shortfall / eigenvalues) if relative else shortfall).square().sum())
