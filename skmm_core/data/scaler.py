"""Columns brought to mean 0 and standard deviation 1, block by block."""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.device import widest

_BLOCK_ELEMENTS = 8_000_000


@dataclass(frozen=True)
class Scaler:
    """Standardises columns with the statistics of the pool.

    Attributes:
        mean: (d,) float64.
        scale: (d,) float64 standard deviations; ∞ for a constant column, which turns it into zeros.
    """

    mean: Tensor
    scale: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """(n, d) standardised rows in float64 (float32 on a device that has no other)."""
        return (rows.to(self.mean) - self.mean) / self.scale

    def copy(self, features: Tensor) -> Tensor:
        """(N, d) standardised rows in the dtype of the features, made block by block."""
        return torch.cat([self(block).to(features) for block in row_blocks(features, features.shape[1])])

    @property
    def varying(self) -> int:
        """Number of columns that are not constant."""
        return int(torch.isfinite(self.scale).sum())


def fit_scaler(features: Tensor, *, blocks: tuple[Tensor, ...] | None = None) -> Scaler:
    """Mean and standard deviation of the columns of (N, d) rows, in two passes.

    A column whose values are neighbours, as one number rounded in two ways is, counts as constant: then its deviation
    is at most half the ε of its type, in units of its mean.

    Args:
        features: (N, d) rows.
        blocks: the same rows in blocks that are held in float64 one at a time; None takes blocks of 64 MB.
    """
    kind = widest(features.device)
    blocks = row_blocks(features, features.shape[1]) if blocks is None else blocks
    origin = features[0].to(kind)  # differences of equal numbers are 0, while a mean of them may be off by rounding
    # One array holds the sums of all blocks: small ones, made between the large blocks, would keep freed memory apart.
    sums = origin.new_empty((len(blocks), len(origin)))
    for block, total in zip(blocks, sums, strict=True):
        torch.sum(block.to(kind) - origin, dim=0, out=total)
    apart = sums.sum(dim=0) / len(features)
    for block, total in zip(blocks, sums, strict=True):
        torch.sum((block.to(kind) - origin).sub_(apart).square_(), dim=0, out=total)
    scale = (sums.sum(dim=0) / len(features)).sqrt()
    mean = origin + apart
    return Scaler(mean, torch.where(scale > torch.finfo(features.dtype).eps / 2 * mean.abs(), scale, torch.inf))


def row_blocks(rows: Tensor, width: int) -> tuple[Tensor, ...]:
    """Split rows so that a block times `width` numbers stays near 64 MB."""
    blocks: tuple[Tensor, ...] = rows.split(max(1, _BLOCK_ELEMENTS // max(1, width)))
    return blocks
