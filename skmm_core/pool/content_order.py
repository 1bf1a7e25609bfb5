"""An order of rows that depends on what they hold and not on where they stand.

Random numbers are drawn by place, ties go to the lower place, and sums round by place. So methods see the rows of a
pool in an order of its own, and the same rows in another file order are the same pool to them.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.device import generator

_BLOCK_ELEMENTS = 1_000_000


def content_order(rows: Tensor, targets: Tensor | None = None) -> Tensor:
    """Sort rows along one fixed random direction, equal ones by target, then by column.

    A direction, not the first column or a hash: last digits of the features then move no row but past a neighbour that
    is as close as they are, and a common factor moves none. O(N d + N log N) time, O(N) memory.

    Args:
        rows: (N, d) float32 or float64.
        targets: (N,) of the rows, which tell apart rows that are equal otherwise.

    Returns:
        (N,) int64 on the CPU: rows in order. Only rows that are equal, targets too, stand as they did before.
    """
    direction = torch.randn(rows.shape[1], generator=generator(0, "pool:order"), dtype=torch.float64).numpy()
    blocks = rows.split(max(1, _BLOCK_ELEMENTS // rows.shape[1]))
    # NumPy adds up every row by itself: a product with a matrix would round by place
    along = np.concatenate([(_numbers(block) * direction).sum(axis=1) for block in blocks])
    order: NDArray[np.int64] = np.argsort(along, kind="stable")
    same = along[order[1:]] == along[order[:-1]]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        members = order[tied]
        held = _numbers(rows[torch.from_numpy(members)])
        keys = list(held[:, (held != held[0]).any(axis=0)].T)
        if targets is not None:
            keys.append(targets.cpu().double().numpy()[members])
        order[tied] = members[np.lexsort([*keys, along[members]])]
    return torch.from_numpy(order)


def _numbers(block: Tensor) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = np.ascontiguousarray(block.cpu().double().numpy())
    return numbers
