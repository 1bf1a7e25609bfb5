"""Subsampled randomised Hadamard transform: random signs, a fast Walsh-Hadamard transform, m columns kept."""

import math
from functools import cached_property

import torch
from torch import Tensor

from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches.base import PHASE, Sketch, row_blocks
from skmm_core.sketches.dense import signs
from skmm_core.sketches.outer import Rows, columns

_RADIX = 64  # a transform of this size is one matrix product, faster than six passes over memory


class HadamardSketch(Sketch):
    """Γ = D H S / √m: D signs, H the ±1 Hadamard matrix of order p = 2^⌈log₂ r⌉, S keeps m of p columns.

    The m columns are drawn without replacement. O(p log p) a row instead of O(r · m), and only r signs and m numbers
    are held (Ailon & Chazelle 2006; Tropp 2011).
    """

    kind = "srht"

    @property
    def order(self) -> int:
        """The order of the Hadamard matrix: p, the power of two at or above r."""
        return 1 << (self.r - 1).bit_length()

    def __call__(self, gradients: Rows, *, report: Report = ignore) -> Tensor:
        """Map (N, r) rows to (N, m); a block holds its rows padded to p columns."""
        sketched = gradients.new_zeros(len(gradients), self.dim)
        for rows in row_blocks(len(gradients), self.order):
            report(Progress(PHASE, rows.start, len(gradients)))
            self._accumulate(sketched[rows], columns(gradients, rows, 0, self.r), 0)
        return sketched

    def add(self, sketched: Tensor, part: Tensor, start: int) -> None:
        """Add what some columns contribute: the transform of the rows with zeros elsewhere; fewer parts are faster."""
        for rows in row_blocks(len(part), self.order):
            self._accumulate(sketched[rows], part[rows], start)

    def rows(self, start: int, stop: int) -> Tensor:
        """(stop - start, m) rows of Γ: H_ij = (-1)^(number of ones that i and j share)."""
        shared = torch.arange(start, stop)[:, None] & self._kept
        for shift in (32, 16, 8, 4, 2, 1):
            shared = shared ^ (shared >> shift)
        found: Tensor = self._signs[start:stop, None] * (1 - 2 * (shared & 1)) / math.sqrt(self.dim)
        return found

    @cached_property
    def _signs(self) -> Tensor:
        return signs(self.r, 1, self._generator(part=":signs")).squeeze(1)

    @cached_property
    def _kept(self) -> Tensor:
        return torch.randperm(self.order, generator=self._generator(part=":columns"))[: self.dim].sort().values

    def _accumulate(self, sketched: Tensor, part: Tensor, start: int) -> None:
        padded = part.new_zeros(len(part), self.order)
        stop = start + part.shape[1]
        padded[:, start:stop] = part * self._signs[start:stop].to(part)
        sketched += hadamard(padded)[:, self._kept.to(part.device)] / math.sqrt(self.dim)


def hadamard(rows: Tensor) -> Tensor:
    """Multiply (N, p) rows by the ±1 Hadamard matrix of Sylvester's order, p a power of two; O(p log p) a row.

    H_p is a Kronecker product of small Hadamard matrices, so a few products with those do.
    """
    count, order = rows.shape
    done = 1
    while done < order:
        radix = min(_RADIX, order // done)
        small = _sylvester(radix).to(rows)
        blocks = rows.reshape(-1, radix, done)
        rows = blocks.squeeze(2) @ small if done == 1 else small @ blocks
        rows = rows.reshape(count, order)
        done *= radix
    return rows


def _sylvester(order: int) -> Tensor:
    matrix, double = torch.ones(1, 1), torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    while len(matrix) < order:
        matrix = torch.kron(double, matrix)
    return matrix
