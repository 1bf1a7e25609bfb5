"""Maps with independent entries: Gaussian, and random signs."""

import math

import torch
from torch import Tensor

from skmm_core.sketches.base import PiecewiseSketch


class DenseSketch(PiecewiseSketch):
    """Γ with independent entries of mean 0 and variance 1/m; O(r · m) a row."""

    @property
    def _numbers_a_row(self) -> int:  # type: ignore[override]
        return self.dim

    def rows(self, start: int, stop: int) -> Tensor:
        """(stop - start, m) rows of Γ."""
        return torch.cat([self._part(low, high) for low, high in self._spans(start, stop, self.r)])

    def _accumulate(self, sketched: Tensor, part: Tensor, drawn: Tensor, *, first: bool) -> None:
        if first:
            torch.mm(part, drawn.to(part), out=sketched)
        else:
            sketched.addmm_(part, drawn.to(part))


class GaussianSketch(DenseSketch):
    """Entries N(0, 1/m): ‖Γᵀg‖²/‖g‖² is exactly χ²_m/m for every g (Indyk & Motwani, 1998)."""

    kind = "gaussian"

    def _draw(self, piece: int, count: int) -> Tensor:
        drawn = torch.randn(count, self.dim, generator=self._generator(piece), dtype=torch.float32)
        return drawn / math.sqrt(self.dim)


class RademacherSketch(DenseSketch):
    """Entries ±1/√m: every even moment is at most the Gaussian's, hence so is the distortion (Achlioptas, 2003)."""

    kind = "rademacher"

    def _draw(self, piece: int, count: int) -> Tensor:
        return signs(count, self.dim, self._generator(piece)) / math.sqrt(self.dim)


def signs(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    """(rows, columns) float32 ±1, evenly likely."""
    return torch.empty(rows, columns).bernoulli_(0.5, generator=draw).mul_(2).sub_(1)
