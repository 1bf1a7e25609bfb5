"""Rows moved so that their middle lies at the origin, with all their digits."""

import torch
from torch import Tensor

from skmm_core.device import widest

_BLOCK_ROWS = 16_384
_SAMPLE = 1_024


def centred_rows(rows: Tensor) -> Tensor:
    """(N, d) rows minus their mean, in their own type.

    The difference is taken in float64: a mean rounded to float32 is off by as much as rows far from the origin are, and
    sums of many rows would gather that.
    """
    return _less(rows, rows.mean(dim=0, dtype=widest(rows.device)))


def rows_about_middle(rows: Tensor) -> Tensor:
    """(N, d) rows minus the median of about 1,024 of them, evenly apart, column by column; in their own type.

    What single rows far out do to a mean, they do not do to this; all others then keep their digits.
    """
    return _less(rows, middle(rows))


def middle(rows: Tensor) -> Tensor:
    """(d,) column medians of about 1,024 rows, evenly apart, in the widest type."""
    some = rows[:: max(1, len(rows) // _SAMPLE)]
    return some.median(dim=0).values.to(widest(rows.device))


def _less(rows: Tensor, centre: Tensor) -> Tensor:
    found = torch.empty_like(rows)
    for block, part in zip(rows.split(_BLOCK_ROWS), found.split(_BLOCK_ROWS), strict=True):
        part.copy_(block.to(centre) - centre)
    return found
