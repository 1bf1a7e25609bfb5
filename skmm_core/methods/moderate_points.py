"""Moderate coreset: in every class the points whose distance to the class mean is nearest to the median one."""

import torch
from torch import Tensor

from skmm_core.data import row_blocks
from skmm_core.device import widest
from skmm_core.methods.ranking import best_of_classes
from skmm_core.methods.registry import Family, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.methods.stratify import class_members
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report

_NOISE = 64  # ε of the largest distance


@register(
    key="moderate",
    title="Moderate coreset",
    family=Family.GEOMETRIC,
    summary="Takes the points of every class that are neither near to its mean nor far from it; made for keeping much "
    "of a pool.",
    paper="Xia et al. 2023, Moderate coreset: a universal method of data selection (ICLR)",
    url="https://openreview.net/forum?id=7D5EECbOaf9",
    params=NoParams,
    needs=frozenset({Need.CLASSES}),
    uses_labels=True,
    goes_on=True,
)
def moderate(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Nearest to the median distance first, each class with its share of the pool. O(N d + N log N)."""
    members = class_members(pool, "moderate")
    scores = torch.zeros(pool.size, dtype=widest(pool.features.device), device=pool.features.device)
    for done, rows in enumerate(members):
        report(Progress("Scoring points", done, len(members)))
        scores[rows] = -off_median(pool.features[rows])
    return Picks(best_of_classes(pool, scores, budget, "moderate"), scores=scores.to(pool.features))


def off_median(rows: Tensor) -> Tensor:
    """How far the distance of every row to the mean lies from the median distance: (N,) in the widest type.

    The median of an even number is the mean of the two in the middle, which are then both as near to it: a tie, which
    rounding must not break, so differences are told apart down to 64 ε of the largest distance.

    Args:
        rows: (N, d) rows of one class, as they are: no scaling.
    """
    wide = widest(rows.device)
    mean = rows.mean(dim=0, dtype=wide)
    distances = torch.cat([(block.to(wide) - mean).norm(dim=1) for block in row_blocks(rows, rows.shape[1])])
    ascending = distances.sort().values
    median = (ascending[(len(rows) - 1) // 2] + ascending[len(rows) // 2]) / 2
    limits = torch.finfo(wide)
    step = (_NOISE * limits.eps * ascending[-1]).clamp_min(limits.tiny)
    off: Tensor = ((distances - median).abs() / step).round() * step
    return off
