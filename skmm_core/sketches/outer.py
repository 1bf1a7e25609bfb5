"""Rows that are outer products, kept as their two factors: (N, C · d) numbers in N (C + d) of them."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class OuterRows:
    """N rows e_i ⊗ φ_i of C · d numbers, in the order of the weight (C, d) of a linear layer.

    Attributes:
        inner: (N, d) φ: the inputs of the layer.
        outer: (N, C) e: the gradients of the loss in its outputs.
    """

    inner: Tensor
    outer: Tensor

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, rows: Tensor | slice) -> "OuterRows":
        return OuterRows(self.inner[rows], self.outer[rows])

    @property
    def shape(self) -> tuple[int, int]:
        """(N, r) with r = C · d."""
        return len(self), self.inner.shape[1] * self.outer.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """Number type of the rows."""
        return self.inner.dtype

    @property
    def device(self) -> torch.device:
        """Where the factors are."""
        return self.inner.device

    def new_zeros(self, *shape: int) -> Tensor:
        """Zeros of the rows' type, on their device."""
        return self.inner.new_zeros(*shape)

    def columns(self, rows: slice, start: int, stop: int) -> Tensor:
        """(B, stop - start) numbers of some rows; only the outer columns they touch are multiplied out."""
        width = self.inner.shape[1]
        first, last = start // width, -(-stop // width)
        block = self.outer[rows, first:last, None] * self.inner[rows, None, :]
        return block.flatten(1)[:, start - first * width : stop - first * width]

    def dense(self) -> Tensor:
        """(N, r) all rows, multiplied out; for small r."""
        return self.columns(slice(None), 0, self.shape[1])


Rows = Tensor | OuterRows


def columns(gradients: Rows, rows: slice, start: int, stop: int) -> Tensor:
    """(B, stop - start) numbers of some rows, dense or multiplied out."""
    if isinstance(gradients, OuterRows):
        return gradients.columns(rows, start, stop)
    return gradients[rows, start:stop]
