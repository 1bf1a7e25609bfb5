"""ProbCover: balls of one radius that hold as many points of the pool as they can."""

import math

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import with_more_digits
from skmm_core.methods.clusters import k_means
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.methods.submodular import reference_rows
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import rows_about_middle, unit_rows

_BLOCK_ELEMENTS = 4_000_000
_ROUNDING = 32  # ε of a squared distance of unit rows


class ProbCoverParams(MethodParams):
    """Options of ProbCover."""

    purity: float = Field(
        0.95, gt=0, le=1, description="Share of the points whose ball holds points of their own cluster alone."
    )
    clusters: int = Field(
        10, ge=2, le=5_000, description="Clusters that stand for classes; give the number of classes where you know it."
    )
    delta: float | None = Field(
        None, gt=0, le=2, description="Radius of the balls, of directions of points; empty: the largest so pure."
    )


@register(
    key="probcover",
    title="ProbCover",
    family=Family.GEOMETRIC,
    summary="Adds the point whose ball holds the most points that no chosen point's ball holds.",
    paper="Yehuda, Dekel, Hacohen & Weinshall 2022, Active learning through a covering lens (NeurIPS)",
    url="https://arxiv.org/abs/2205.11320",
    params=ProbCoverParams,
    random=True,
    goes_on=True,
)
def _probcover(pool: Pool, budget: int, params: ProbCoverParams, *, seed: int, report: Report) -> Picks:
    rows, reference = unit_rows(with_more_digits(pool.features)), reference_rows(pool)
    delta = params.delta
    if delta is None:
        report(Progress("Clustering", 0, 1))
        clusters = k_means(rows, min(pool.size, params.clusters), seed, "probcover:clusters")
        delta = pure_radius(rows_about_middle(rows), clusters, params.purity, reference=reference, report=report)
    found = cover_by_balls(
        rows_about_middle(rows), budget, delta=delta, reference=reference, given=pool.given, report=report
    )
    return Picks(found.indices, scores=found.scores, objective={**found.objective, "delta": delta})


def pure_radius(rows: Tensor, clusters: Tensor, purity: float, *, reference: Tensor, report: Report = ignore) -> float:
    """Largest δ of 0..2 such that this share of the open balls around reference rows holds rows of one cluster alone.

    A ball is pure as long as δ does not exceed the distance to the nearest row of another cluster, so that δ is an
    order statistic of these distances. O(N · R · d) time, a block at a time.

    Args:
        rows: (N, d) of unit length, moved anywhere.
        clusters: (N,) int64.
        purity: share in 0..1.
        reference: (R,) int64 rows whose balls are looked at.
        report: told of the blocks.
    """
    norms = rows.square().sum(dim=1)
    nearest, done = [], 0
    for block in reference.split(max(1, _BLOCK_ELEMENTS // len(rows))):
        squared = _squared_distances(rows, norms, block)
        squared.masked_fill_(clusters[block][:, None] == clusters, torch.inf)
        nearest.append(squared.amin(dim=1))
        done += len(block)
        report(Progress("Measuring purity", done, len(reference)))
    order = torch.cat(nearest).sort().values
    # 1e-9: 0.05 · 100 rows are 5, although 1 - 0.95 is a little more than 0.05
    most_impure = math.floor((1 - purity) * len(order) + 1e-9)
    return min(2.0, float(order[min(most_impure, len(order) - 1)].clamp_min(0).sqrt()))


def cover_by_balls(
    rows: Tensor,
    budget: int,
    *,
    delta: float,
    reference: Tensor,
    given: Given | None = None,
    report: Report = ignore,
) -> Picks:
    """Greedy maximum coverage: the row with the most reference rows nearer than δ that no chosen row has.

    How many each row would add is kept exact: a reference row, once covered, is taken off every row that has it. When
    no row adds any more, all count as uncovered again. O(N · R · d) time for the first counts, as much again for every
    time that all are covered; O(N + R) memory beyond blocks.

    Args:
        rows: (N, d) of unit length, moved anywhere.
        budget: number of rows to pick, 1..N.
        delta: radius δ > 0; distances within rounding of it do not count as less.
        reference: (R,) int64 rows to cover, ascending.
        given: rows that are in by hand, whose balls are covered first, and rows that may be picked.
        report: told of the blocks and of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are the share of the reference rows in each row's ball, the
        objective is the share in the balls of all picks.
    """
    given = given or nothing_given(len(rows), rows.device)
    norms = rows.square().sum(dim=1)
    limit = delta**2 - _ROUNDING * torch.finfo(rows.dtype).eps
    counts = _counts(rows, norms, reference, limit, report)
    adds, free = counts.clone(), given.free.clone()
    open_, ever = (torch.ones_like(reference, dtype=torch.bool) for _ in range(2))
    picks = torch.empty(budget, dtype=torch.int64, device=rows.device)
    for t in range(budget):
        if t < len(given.start):
            pick = given.start[t]
        else:
            if int(adds[free].max()) <= 0:
                open_.fill_(True)
                adds.copy_(counts)
            pick = adds.masked_fill(~free, -1).argmax()
        picks[t], free[pick] = pick, False
        held = (_squared_distances(rows, norms, pick[None], reference)[0] < limit) | (reference == pick)
        new = held & open_
        open_ &= ~held
        ever &= ~held
        adds -= _counts(rows, norms, reference[new], limit, ignore) if bool(open_.any()) else adds
        report(Progress("Picking points", t + 1, budget))
    return Picks(
        picks,
        scores=(counts.double() / len(reference)).to(rows),
        objective={"coverage": 1 - float(ever.double().mean())},
    )


def _counts(rows: Tensor, norms: Tensor, some: Tensor, limit: float, report: Report) -> Tensor:
    """(N,) int64 how many of some rows lie in every row's ball; each lies in its own."""
    counts = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
    done = 0
    for block in some.split(max(1, _BLOCK_ELEMENTS // len(rows))):
        held = _squared_distances(rows, norms, block) < limit
        held[torch.arange(len(block), device=rows.device), block] = True
        counts += held.sum(dim=0)
        done += len(block)
        report(Progress("Counting neighbours", done, len(some)))
    return counts


def _squared_distances(rows: Tensor, norms: Tensor, some: Tensor, others: Tensor | None = None) -> Tensor:
    """(len(some), N) squared distances of some rows to all, or to `others`."""
    columns, ends = (rows, norms) if others is None else (rows[others], norms[others])
    return (rows[some] @ columns.T).mul_(-2).add_(norms[some][:, None]).add_(ends)
