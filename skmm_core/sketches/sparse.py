"""Sparse maps: every gradient coordinate is added, with a random sign, to s of the m sums."""

import math

import torch
from torch import Tensor

from skmm_core.sketches.base import PiecewiseSketch

DEFAULT_NONZEROS = 8


class SparseSketch(PiecewiseSketch):
    """Sparse Johnson-Lindenstrauss transform with s entries ±1/√s in every row of Γ (Kane & Nelson, 2014).

    Their block construction: the m sums form s groups, even up to one, and a coordinate goes to one random sum of each
    group. O(r · s) a row, whatever m. Pieces hold s · r small integers: sum and sign in one, sum + 1 or its negative.
    """

    kind = "sparse"

    def __init__(self, r: int, dim: int, *, seed: int, nonzeros: int = DEFAULT_NONZEROS) -> None:
        super().__init__(r, dim, seed=seed)
        self.nonzeros = nonzeros

    @property
    def _numbers_a_row(self) -> int:  # type: ignore[override]
        return self.nonzeros

    def rows(self, start: int, stop: int) -> Tensor:
        """(stop - start, m) rows of Γ, written out."""
        places = torch.cat([self._part(low, high) for low, high in self._spans(start, stop, self.r)]).long()
        entries = places.sign().float() / self.nonzeros**0.5
        return torch.zeros(stop - start, self.dim).scatter_(1, places.abs() - 1, entries)

    def _draw(self, piece: int, count: int) -> Tensor:
        draw = self._generator(piece)
        edges = torch.arange(self.nonzeros + 1) * self.dim // self.nonzeros
        uniform = torch.rand(count, self.nonzeros, generator=draw, dtype=torch.float64)
        places = edges[:-1] + (uniform * edges.diff()).long().clamp_max(edges.diff() - 1) + 1
        flips = torch.randint(2, places.shape, generator=draw)
        return torch.where(flips.bool(), -places, places).int()

    def _accumulate(self, sketched: Tensor, part: Tensor, drawn: Tensor, *, first: bool) -> None:
        where = torch.device("cpu") if part.device.type == "mps" else part.device  # which has no sparse product
        places, columns = drawn.to(where), torch.arange(len(drawn), device=where)
        targets = torch.stack([places.abs().long().flatten() - 1, columns.repeat_interleave(self.nonzeros)])
        entries = places.sign().to(part.dtype).flatten() / math.sqrt(self.nonzeros)
        matrix = torch.sparse_coo_tensor(targets, entries, (self.dim, len(drawn)), check_invariants=True)
        sketched += torch.sparse.mm(matrix, part.T.to(where).contiguous()).T.to(sketched.device)


class CountSketch(SparseSketch):
    """One entry ±1 in every row of Γ (Charikar, Chen & Farach-Colton 2002): the cheapest map, O(r) a row."""

    kind = "countsketch"

    def __init__(self, r: int, dim: int, *, seed: int) -> None:
        super().__init__(r, dim, seed=seed, nonzeros=1)
