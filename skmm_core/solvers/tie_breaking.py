"""Ties between rows go to the lower row, also when rounding made equal values differ in their last digits."""

import torch
from torch import Tensor

TIE = 16  # ε of the numbers compared, within which they count as equal


def lowest(cost: Tensor, scale: Tensor | float = 0.0) -> Tensor:
    """Row of the least cost: the first one within 16 ε · max(|least|, scale) of it.

    Products of one vector with equal rows may differ by rounding, depending on where the rows lie in memory; picks must
    not.

    Args:
        cost: (N,); infinite where a row may not be picked.
        scale: size of the numbers whose difference the cost is, of each row (N,) or one for all. One for all would make
            everything a tie where a single row lies far out.

    Returns:
        () int64.
    """
    best = cost.argmin()
    least = cost[best]
    scale = torch.as_tensor(scale, dtype=cost.dtype, device=cost.device)
    size = torch.maximum(least.abs(), scale if scale.ndim == 0 else torch.maximum(scale, scale[best]))
    return (cost <= least + TIE * torch.finfo(cost.dtype).eps * size).to(torch.uint8).argmax()
