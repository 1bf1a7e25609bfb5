"""Ties between rows go to the lower row, also when rounding made equal values differ in their last digits."""

import torch
from torch import Tensor


def lowest(cost: Tensor, scale: Tensor | float = 0.0) -> Tensor:
    """Row of the least cost: the first one within 16 ε · max(|least|, scale) of it.

    Products of one vector with equal rows may differ by rounding, depending on where the rows lie in memory; picks must
    not.

    Args:
        cost: (N,); infinite where a row may not be picked.
        scale: size of the numbers whose difference the cost is.

    Returns:
        () int64.
    """
    least = cost.min()
    size = torch.maximum(least.abs(), torch.as_tensor(scale, dtype=cost.dtype, device=cost.device))
    return (cost <= least + 16 * torch.finfo(cost.dtype).eps * size).to(torch.uint8).argmax()
