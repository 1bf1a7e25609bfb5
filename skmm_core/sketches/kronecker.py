"""A map for rows e ⊗ φ that never multiplies them out."""

import math
from functools import cached_property

import torch
from torch import Tensor

from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches.base import PHASE, Sketch, row_blocks
from skmm_core.sketches.dense import signs
from skmm_core.sketches.outer import OuterRows, Rows


class KroneckerSketch(Sketch):
    """Γᵀ(e ⊗ φ) = (Γ₁ᵀφ) ∘ (Γ₂ᵀe) / √m with signs Γ₁ (d, m) and Γ₂ (C, m); O((d + C) · m) a row.

    Column j of Γ is b_j ⊗ a_j / √m, with a_j and b_j independent random signs (Sun, Guo, Tropp & Udell 2018; Rakhshan
    & Rabusseau 2020). Write a vector of C · d numbers as a matrix G (C, d), X_j = (b_jᵀG a_j)², so that
    ‖Γᵀg‖² = (1/m) Σ_j X_j.

    Unbiased: E[a aᵀ] = I and E[b bᵀ] = I give E X_j = tr(GᵀG) = ‖g‖². This holds for every g, not only for outer
    products, so also for the difference of two rows.

    Variance: for signs E(aᵀu)⁴ = 3‖u‖⁴ - 2‖u‖₄⁴ <= 3‖u‖⁴. With u = Gᵀb, then E(bᵀMb)² <= tr(M)² + 2‖M‖_F² for
    M = GGᵀ, E X_j² <= 3‖g‖⁴ + 6‖GGᵀ‖_F². The columns of Γ are independent, so
    Var(‖Γᵀg‖²)/‖g‖⁴ <= (2 + 6ρ)/m, ρ = ‖GGᵀ‖_F²/‖G‖_F⁴: at most 8/m for one row (ρ = 1), and down to 2/m, that of a
    Gaussian map, when the energy of G is spread over many singular directions.
    """

    kind = "kronecker"

    def __init__(self, inner: int, outer: int, dim: int, *, seed: int) -> None:
        super().__init__(inner * outer, dim, seed=seed)
        self.inner, self.outer = inner, outer

    def __call__(self, gradients: Rows, *, report: Report = ignore) -> Tensor:
        """Map N outer products to (N, m).

        Raises:
            InputError: the rows are not kept as factors.
        """
        if not isinstance(gradients, OuterRows):
            raise InputError("sketch kronecker needs head gradients (--gradient head); plain features have no factors")
        inner, outer = self._inner.to(gradients.inner), self._outer.to(gradients.outer)
        sketched = gradients.new_zeros(len(gradients), self.dim)
        for rows in row_blocks(len(gradients), max(self.dim, self.inner, self.outer)):
            report(Progress(PHASE, rows.start, len(gradients)))
            torch.mm(gradients.inner[rows], inner, out=sketched[rows])
            sketched[rows] *= gradients.outer[rows] @ outer
        return sketched

    def add(self, sketched: Tensor, part: Tensor, start: int) -> None:
        """Add what some columns of multiplied-out rows contribute."""
        for low in range(0, part.shape[1], self.inner):
            block = part[:, low : low + self.inner]
            sketched.addmm_(block, self.rows(start + low, start + low + block.shape[1]).to(part))

    def rows(self, start: int, stop: int) -> Tensor:
        """(stop - start, m) rows of Γ: row c · d + i is the product of row c of Γ₂ and row i of Γ₁, over √m."""
        places = torch.arange(start, stop)
        found: Tensor = self._outer[places // self.inner] * self._inner[places % self.inner]
        return found

    @cached_property
    def _inner(self) -> Tensor:
        return signs(self.inner, self.dim, self._generator(part=":inner")) / math.sqrt(self.dim)

    @cached_property
    def _outer(self) -> Tensor:
        return signs(self.outer, self.dim, self._generator(part=":outer"))
