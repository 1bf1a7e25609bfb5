"""Second moments of the pool and of a selection: eigenbasis, the moment objective, certificate, trace score.

Notation: G̃ (N, m) sketched gradients, Σ̃ = G̃ᵀG̃/N = VΛVᵀ, weights s over the pool (sum 1), Σ̃_S = Σ_i s_i g̃_i g̃_iᵀ.
Source: Dong, Phan, Pan, Lei, "Sketchy Moment Matching", NeurIPS 2024.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.device import widest

_BLOCK_ROWS = 8_192
_FEWEST_ROWS = 2_048
# Rounding in ε: of numbers as given, half a unit; of sketched ones, four times, since they are sums. Over all kinds of
# sketch, 300 to 2,400 numbers a row and 32 or 128 sketched ones, pools of known rank stray by 0.1 to 1.2.
_GIVEN, _SKETCHED = 0.5, 4.0


@dataclass(frozen=True)
class Moments:
    """The pool in the eigenbasis of its second moment, without directions that carry no energy.

    Attributes:
        eigenvalues: (k,) float64 λ, descending, > 0, on the CPU; k <= m is the numerical rank.
        eigenvectors: (m, k) float64 V on the CPU.
        coordinates: (R, k) G̃V, of the dtype and on the device of G̃; R is N, or how many rows are held of a pool too
            large for memory.
        size: N.
    """

    eigenvalues: Tensor
    eigenvectors: Tensor
    coordinates: Tensor
    size: int

    @property
    def leverage(self) -> Tensor:
        """(R,) leverage of every point, Σ_j coordinates_ij² / (N λ_j): in 0..1; over all N points its sum is k."""
        scale = (self.eigenvalues * self.size).rsqrt().to(self.coordinates)
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


@dataclass(frozen=True)
class SingularBasis:
    """Rows X = U S Vᵀ without directions that hold rounding alone; of U and V the one with fewer rows.

    Attributes:
        values: (k,) float64 singular values, descending, > 0, on the CPU; k is the numerical rank.
        vectors: (d, k) V, or (N, k) U where N < d; float64 on the CPU.
    """

    values: Tensor
    vectors: Tensor


def singular_basis(rows: Tensor) -> SingularBasis:
    """Decompose (N, d) rows in float64, O(N d min(N, d)) time and O(min(N, d)²) memory.

    The numerical rank is that of the rows as given: see :func:`_above_rounding`.
    """
    values, vectors = _right_singular(rows.T if rows.shape[0] < rows.shape[1] else rows)
    kept = _above_rounding(values, rows.shape, rows.dtype, _GIVEN)
    return SingularBasis(values[kept], vectors[:, kept].contiguous())


def singular_basis_of(moment: Tensor, size: int) -> SingularBasis:
    """Decompose N rows of which only the (d, d) float64 second moment is held, as :func:`singular_basis` does.

    Singular values below √ε of the largest are lost with the rows; for float32 rows they are rounding anyway.
    """
    values, vectors = _of_moment(moment, size)
    kept = _above_rounding(values, (size, len(moment)), torch.float32, _GIVEN)
    return SingularBasis(values[kept], vectors[:, kept].contiguous())


def eigenbasis(sketched: Tensor, *, given: bool = False, whole: tuple[Tensor, int] | None = None) -> Moments:
    """Diagonalise the second moment of (N, m) rows.

    Directions that rounding alone may make are left out, since no selection can match them: see
    :func:`_above_rounding`.

    Args:
        sketched: (N, m) rows.
        given: whether they are as given, and not sums of rounded products, as a sketch makes them.
        whole: (m, m) float64 second moment of all rows, and how many they are, where these are a part of them.
    """
    size = len(sketched) if whole is None else whole[1]
    values, vectors = _right_singular(sketched) if whole is None else _of_moment(*whole)
    shape = size, sketched.shape[1]
    kept = _above_rounding(values, shape, sketched.dtype, _GIVEN if given else _SKETCHED)
    vectors = vectors[:, kept].contiguous()
    turn = vectors.to(sketched.device, widest(sketched.device))
    coordinates = [(block.to(turn) @ turn).to(sketched) for block in sketched.split(_BLOCK_ROWS)]
    return Moments(values[kept].square() / size, vectors, torch.cat(coordinates), size)


def _right_singular(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values, descending, and right singular vectors (d, min(N, d)) of (N, d) rows; float64 on the CPU.

    By QR decompositions of one block after the other (TSQR; Demmel, Grigori, Hoemmen & Langou 2012). The eigenvalues of
    XᵀX are squares, so that they lose every direction fainter than √ε of the strongest: in float32, a spread of 1
    about a mean of some thousands; in float64, columns whose units differ by a factor of 10⁷.
    """
    triangle = torch.empty(0, rows.shape[1], dtype=torch.float64)
    for block in rows.split(max(_FEWEST_ROWS, 2 * rows.shape[1])):
        block = block.cpu().double() if block.device.type == "mps" else block.double()
        triangle = torch.linalg.qr(torch.cat([triangle.to(block), block]), mode="r").R
    _, values, vectors = torch.linalg.svd(triangle.cpu(), full_matrices=False)
    return values, vectors.T


def _of_moment(moment: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Singular values, descending, and right singular vectors of N rows with this second moment."""
    energies, vectors = torch.linalg.eigh(moment)
    return (energies.flip(0).clamp_min(0) * size).sqrt(), vectors.flip(1)


def _above_rounding(values: Tensor, shape: tuple[int, ...], dtype: torch.dtype, rounding: float) -> Tensor:
    """(min(N, d),) mask of the singular values that rounding alone cannot make.

    Numbers off by at most `rounding` · ε of their size, ε being that of the type of the rows, are off by a matrix whose
    largest singular value is at most `rounding` · ε · ‖X‖_F, and no singular value moves by more (Weyl). The
    decomposition itself, in float64, is off by at most max(N, d) · 2.2e-16 of the largest (NumPy's rule for the rank).
    """
    made = rounding * torch.finfo(dtype).eps * values.norm()
    lost = max(shape) * torch.finfo(torch.float64).eps * values[0]
    return values > torch.maximum(made, lost)


def whitened_moment(moments: Moments, chosen: Tensor, weights: Tensor | None = None) -> Tensor:
    """Λ^{-1/2} Vᵀ Σ̃_S V Λ^{-1/2}, (k, k) float64: the identity when the selection matches every second moment.

    From the rows themselves: coordinates in float32 are rounded by more than moments differ where the rows lie far from
    the origin.

    Args:
        moments: of the pool.
        chosen: (n, m) rows of G̃ that were picked.
        weights: (n,) of them, which sum to 1; equal without.
    """
    coordinates = (chosen.cpu().double() @ moments.eigenvectors) * moments.eigenvalues.rsqrt()
    return second_moment(coordinates, None if weights is None else weights.cpu().double())


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
