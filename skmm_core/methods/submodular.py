"""Facility location and graph cut, label-free: chosen points close to many others and not to each other."""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, with_more_digits
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.methods.stratify import pick_by_class
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import CosineSimilarity, Kernel, Outlook, columns_of, greedy_cover, lowest, unit_rows

REFERENCE_LIMIT = 10_000
_BLOCK_ROWS = 16_384


class FacilityLocationParams(MethodParams):
    """Options of facility location."""

    stratify: bool = Field(
        False, description="Cover every class by its own points, in proportion; reads the class labels."
    )


@register(
    key="facility_location",
    title="Facility location",
    family=Family.GEOMETRIC,
    summary="Adds the point that most raises how similar every point of the pool is to its nearest chosen one.",
    paper="Wei, Iyer & Bilmes 2015, Submodularity in data subset selection and active learning",
    url="https://proceedings.mlr.press/v37/wei15.html",
    params=FacilityLocationParams,
    goes_on=True,
    beyond_memory=True,
)
def _facility_location(pool: Pool, budget: int, params: FacilityLocationParams, *, seed: int, report: Report) -> Picks:
    if params.stratify:
        whole = params.model_copy(update={"stratify": False})
        return pick_by_class(
            pool,
            budget,
            "facility_location",
            lambda part, n: _facility_location(part, n, whole, seed=seed, report=report),
        )
    similarity = CosineSimilarity(unit_rows(with_more_digits(pool.features)))
    return facility_location(similarity, budget, reference=reference_rows(pool), given=pool.given, report=report)


def reference_rows(pool: Pool) -> Tensor:
    """(R,) int64 rows that stand for the pool in sums: all up to 10,000, else 10,000 random ones, ascending."""
    reference = pool.drawn
    if len(reference) > REFERENCE_LIMIT:
        # One fixed draw for all seeds: a method that is not random otherwise is not random through this.
        draw = generator(0, "facility_location:reference")
        some = torch.randperm(len(reference), generator=draw)[:REFERENCE_LIMIT].sort().values
        reference = reference[some.to(reference.device)]
    return reference


def facility_location(
    similarity: CosineSimilarity,
    budget: int,
    *,
    reference: Tensor,
    given: Given | None = None,
    report: Report = ignore,
) -> Picks:
    """Greedily maximise f(S) = Σ_i max_{j∈S} s_ij, i over the reference rows; s_ij = (1 + cos(x_i, x_j))/2 in 0..1.

    The picks are those of plain greedy, within 1 - 1/e of the best f; see :func:`greedy_cover`. Once O(N · R · d), then
    far less than that a pick; up to 2 GB beyond the rows. The reference is the whole pool up to 10,000 points, else
    10,000 random ones, the same for every seed.

    Args:
        similarity: of the N rows, in 0..1.
        budget: number of rows to pick, 1..N.
        reference: (R,) int64 rows to cover, ascending.
        given: rows that are in by hand, whose cover the others add to, and rows that may be picked.
        report: told of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are the mean similarity to the reference, the objective is
        f(S)/R.
    """
    rows = similarity.rows
    start = torch.zeros(len(reference), dtype=rows.dtype, device=rows.device)
    found = greedy_cover(similarity.to(reference), start, len(rows), budget, given=given, report=report)
    return Picks(
        found.picks,
        scores=(found.first_gains / len(reference)).to(rows),
        objective={"coverage": float(found.covered.mean(dtype=torch.float64))},
    )


class GraphCutParams(MethodParams):
    """Options of graph cut."""

    redundancy: float | None = Field(
        None,
        ge=0,
        le=1e9,
        description="Price λ of similarity among the chosen; empty: N/(2n); small stays at the centre.",
    )


@register(
    key="graph_cut",
    title="Graph cut",
    family=Family.GEOMETRIC,
    summary="Adds the point most similar to the whole pool and least to the chosen ones.",
    paper="Iyer, Khargonkar, Bilmes & Asnani 2021, Submodular combinatorial information measures",
    url="https://arxiv.org/abs/2006.15412",
    params=GraphCutParams,
    goes_on=True,
)
def _graph_cut(pool: Pool, budget: int, params: GraphCutParams, *, seed: int, report: Report) -> Picks:
    rows = unit_rows(with_more_digits(pool.features))
    total = rows.sum(dim=0, dtype=torch.float64)
    to_all = torch.cat([(block.double() @ total + len(rows)) / 2 for block in rows.split(_BLOCK_ROWS)])
    redundancy = params.redundancy if params.redundancy is not None else len(rows) / (2 * budget)
    similarity = CosineSimilarity(rows)
    return graph_cut(similarity, to_all, budget, redundancy=redundancy, given=pool.given, report=report)


def graph_cut(
    similarity: Kernel,
    to_all: Tensor,
    budget: int,
    *,
    redundancy: float,
    given: Given | None = None,
    report: Report = ignore,
) -> Picks:
    """Greedily maximise f(S) = Σ_{i∈V} Σ_{j∈S} s_ij - λ Σ_{i,j∈S} s_ij, V being the pool; s_ij = (1 + cos)/2.

    A pick costs one column, O(N · d), see :class:`ColumnsAhead`. For λ = N/(2n), f(S) is, up to its sign and a
    constant, the squared distance between the means of the chosen and of all points in the space of s, so that both
    terms count; a fixed small λ leaves only the first where n is far below N, and every pick is then a point near the
    pool's mean direction.

    Args:
        similarity: s, of the N rows.
        to_all: (N,) float64 Σ_{i∈V} s_ij.
        budget: number of rows to pick, 1..N.
        redundancy: λ.
        given: rows that are in by hand, which the others avoid, and rows that may be picked.
        report: told of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are the mean similarity to the pool, the objective f(S)/N.
    """
    size = len(to_all)
    # Each column is off by about ε of the rows, in either direction: a wider margin would call near ties equal.
    rounding = torch.finfo(similarity.rows.dtype).eps / torch.finfo(torch.float64).eps / 4
    gains = to_all - redundancy * similarity.diagonal
    given = given or nothing_given(size, to_all.device)
    closed = ~given.free
    columns = columns_of(similarity)
    objective = 0.0
    picks = torch.empty(budget, dtype=torch.int64, device=to_all.device)
    for t in range(budget):
        chosen = t < len(given.start)
        costs = (-gains).masked_fill_(closed, torch.inf)
        pick = given.start[t] if chosen else lowest(costs, redundancy * (t + 1) ** 0.5 * rounding)
        objective += float(gains[pick])
        picks[t] = pick
        gains -= (2 * redundancy) * columns.column(pick, partial(Outlook, costs, 2 * redundancy))
        gains[pick] = -torch.inf
        report(Progress("Picking points", t + 1, budget))
    return Picks(picks, scores=(to_all / size).to(similarity.rows), objective={"cut": objective / size})
