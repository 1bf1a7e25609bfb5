"""TypiClust: as many clusters as points to pick, and of each the typical point, in its densest part."""

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given
from skmm_core.device import generator, widest, with_more_digits
from skmm_core.methods.clusters import k_means, take_in_turn
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import unit_rows

_SMALL = 5  # the authors' code leaves smaller clusters out
_REFERENCE_LIMIT, _BLOCK_ELEMENTS = 10_000, 8_000_000


class TypiclustParams(MethodParams):
    """Options of typical clustering."""

    clusters: int = Field(500, ge=1, le=5_000, description="Most clusters; with more points to pick some give several.")
    neighbours: int = Field(
        20, ge=1, le=1_000, description="Nearest points of the cluster whose mean distance tells how typical one is."
    )


@register(
    key="typiclust",
    title="TypiClust",
    family=Family.GEOMETRIC,
    summary="Makes as many clusters as points to pick, and takes the point with the nearest neighbours in each.",
    paper="Hacohen, Dekel & Weinshall 2022, Active learning on a budget",
    url="https://arxiv.org/abs/2202.02794",
    params=TypiclustParams,
    random=True,
    goes_on=True,
)
def _typiclust(pool: Pool, budget: int, params: TypiclustParams, *, seed: int, report: Report) -> Picks:
    rows = unit_rows(with_more_digits(pool.features))
    report(Progress("Clustering", 0, 1))
    clusters = k_means(rows, min(budget, params.clusters), seed, "typiclust:clusters")
    report(Progress("Clustering", 1, 1))
    return Picks(typical_rows(rows, clusters, budget, neighbours=params.neighbours, given=pool.given, report=report))


def typical_rows(
    rows: Tensor,
    clusters: Tensor,
    budget: int,
    *,
    neighbours: int,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Take, one at a time, the most typical free row of the largest cluster among those with the fewest chosen rows.

    Typicality is 1 / mean distance to the `neighbours` nearest other rows of the cluster. Clusters of fewer than five
    rows wait until the others have no free row left.

    Args:
        rows: (N, d).
        clusters: (N,) int64.
        budget: number of rows to pick, 1..N.
        neighbours: how many nearest rows count, fewer in smaller clusters.
        given: rows that are in by hand, which count for their clusters, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower cluster and row.
    """

    def rank(members: Tensor) -> Tensor:
        return members[mean_distances(rows[members], neighbours).argsort(stable=True)]

    return take_in_turn(clusters, budget, rank, smallest=_SMALL, given=given, report=report)


def mean_distances(rows: Tensor, neighbours: int) -> Tensor:
    """(N,) mean distance to the nearest other rows; 0 for a row alone.

    Above 10,000 rows, to the nearest of 10,000 fixed random ones. O(N · min(N, 10,000) · d) time, a block at a time.
    """
    place = torch.arange(len(rows))
    if len(rows) > _REFERENCE_LIMIT:
        place = torch.randperm(len(rows), generator=generator(0, "typiclust:reference"))[:_REFERENCE_LIMIT]
    place = place.to(rows.device)
    count = min(neighbours, len(place) - 1)
    if not count:
        return torch.zeros_like(rows[:, 0])
    rows = rows.to(widest(rows.device))
    reference, found = rows[place], []
    for block in torch.arange(len(rows), device=rows.device).split(max(1, _BLOCK_ELEMENTS // len(place))):
        distances = torch.cdist(rows[block], reference).masked_fill_(block[:, None] == place, torch.inf)
        found.append(distances.topk(count, largest=False).values.mean(dim=1))
    return torch.cat(found)
