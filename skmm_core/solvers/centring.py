"""Rows moved so that their mean lies at the origin, with all their digits."""

import torch
from torch import Tensor

from skmm_core.device import widest

_BLOCK_ROWS = 16_384


def centred_rows(rows: Tensor) -> Tensor:
    """(N, d) rows minus their mean, in their own type.

    The difference is taken in float64: a mean rounded to float32 is off by as much as rows far from the origin are, and
    sums of many rows would gather that.
    """
    mean = rows.mean(dim=0, dtype=widest(rows.device))
    return torch.cat([(block.to(mean) - mean).to(rows) for block in rows.split(_BLOCK_ROWS)])
