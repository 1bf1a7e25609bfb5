"""Farthest-first choice by any distance: each row picked is the one whose nearest chosen row is farthest.

A row's distance to its nearest chosen row only falls as others are chosen. Among the rows that are farthest now, the
next picks can therefore be settled by the distances between these alone, for as long as the farthest of them is farther
than every other row was to begin with; one product then brings all rows up to date.
"""

from typing import Protocol

import torch
from torch import Tensor

from skmm_core.data import Given
from skmm_core.progress import Progress, Report
from skmm_core.solvers.tie_breaking import TIE, lowest

_CANDIDATES = 512
_MOST_TOGETHER = 128  # picks
_BLOCK_ROWS = 4096  # whose distances to the picks stay in the cache


class Distances(Protocol):
    """Distances between rows; rounding may leave them below 0."""

    def __call__(self, chosen: Tensor, among: Tensor | slice) -> Tensor:
        """(len(among), len(chosen)) of the rows `among` to the rows `chosen`, the caller's own."""
        ...


def farthest_first(
    distances: Distances, budget: int, *, first: int, scale: Tensor, given: Given, report: Report
) -> Tensor:
    """Add, one at a time, the row whose nearest chosen row is farthest, by any distance. O(N) memory.

    Args:
        distances: of the rows.
        budget: number of rows to pick, 1..N.
        first: row to start from.
        scale: size of the numbers whose difference a distance is, () or (N,) for each row.
        given: rows that are in by hand, picked before any other, and rows that may be picked.
        report: told of the picks.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    closed = ~given.free
    scale = scale.expand(closed.shape)
    nearest = torch.full(closed.shape, torch.inf, dtype=scale.dtype, device=closed.device)
    chosen = given.start if len(given.start) else torch.tensor([first], device=closed.device)
    picks = chosen[:0]
    while True:
        # A chosen row never comes back, also when all that is left are its duplicates at distance 0.
        picks, closed[chosen] = torch.cat([picks, chosen]), True
        report(Progress("Picking points", len(picks), budget))
        if len(picks) == budget:
            return picks
        for some in chosen.split(_MOST_TOGETHER):
            _bring_up_to_date(nearest, distances, some)
        chosen = _next(distances, nearest.masked_fill(closed, -torch.inf), scale, budget - len(picks))


def _bring_up_to_date(nearest: Tensor, distances: Distances, chosen: Tensor) -> None:
    for start in range(0, len(nearest), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        torch.minimum(nearest[part], distances(chosen, part).amin(dim=1).clamp_min_(0), out=nearest[part])


def _next(distances: Distances, nearest: Tensor, scale: Tensor, most: int) -> Tensor:
    """The next picks, one at least, of rows whose distances to those chosen are `nearest`, -inf for closed ones."""
    # the most by which a row can be less far than the farthest and yet count as equal
    reach = nearest + TIE * torch.finfo(nearest.dtype).eps * scale
    leading = reach.topk(min(_CANDIDATES + 1, len(reach)))
    beyond = float(leading.values[-1]) if len(reach) > _CANDIDATES else -torch.inf
    candidates = leading.indices[:_CANDIDATES].sort().values  # ties go to the lower row
    near, scale_there = nearest[candidates], scale[candidates]
    between = distances(candidates, candidates).clamp_min_(0) if most > 1 else None
    picked: list[Tensor] = []
    while len(picked) < min(most, _MOST_TOGETHER) and _all_others_nearer(near, scale_there, beyond):
        place = lowest(-near, scale_there)
        picked.append(candidates[place])
        if between is not None:
            near = torch.minimum(near, between[place])
        near[place] = -torch.inf
    # more rows may be equal than there are candidates
    return torch.stack(picked) if picked else lowest(-nearest, scale)[None]


def _all_others_nearer(near: Tensor, scale: Tensor, beyond: float) -> bool:
    """Whether no row outside the candidates, whose reach is at most `beyond`, can be the farthest or equal to it."""
    farthest = near.argmax()
    most = float(near[farthest])
    doubt = TIE * torch.finfo(near.dtype).eps * (most + float(scale[farthest]))
    return most > -torch.inf and most - doubt > beyond
