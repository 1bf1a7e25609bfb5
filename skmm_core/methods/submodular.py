"""Submodular covering: chosen points are similar to many others, and little to each other. No labels, no model."""

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.device import generator
from skmm_core.kernels import CosineSimilarity, Kernel, unit_rows
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.ties import lowest

REFERENCE_LIMIT = 10_000
_BLOCK_ELEMENTS = 4_000_000
_BLOCK_ROWS = 16_384
_FIRST_LOOK = 32


class FacilityLocationParams(MethodParams):
    """No options."""


@register(
    key="facility_location",
    title="Facility location",
    family=Family.GEOMETRIC,
    summary="Adds the point that most raises how similar every point of the pool is to its nearest chosen one.",
    paper="Wei, Iyer & Bilmes 2015, Submodularity in data subset selection and active learning",
    url="https://proceedings.mlr.press/v37/wei15.html",
    params=FacilityLocationParams,
)
def _facility_location(pool: Pool, budget: int, params: FacilityLocationParams, *, seed: int, report: Report) -> Picks:
    reference = torch.arange(pool.size)
    if pool.size > REFERENCE_LIMIT:
        # One fixed draw for all seeds: the method itself is not random.
        draw = generator(0, "facility_location:reference")
        reference = torch.randperm(pool.size, generator=draw)[:REFERENCE_LIMIT].sort().values
    similarity = CosineSimilarity(unit_rows(pool.features))
    return facility_location(similarity, budget, reference=reference.to(pool.features.device), report=report)


def facility_location(similarity: Kernel, budget: int, *, reference: Tensor, report: Report = ignore) -> Picks:
    """Greedily maximise f(S) = Σ_i max_{j∈S} s_ij, i over the reference rows; s_ij = (1 + cos(x_i, x_j))/2 in 0..1.

    Lazy greedy (Minoux, 1978): gains only fall, so a gain computed earlier is an upper bound, and only rows whose bound
    reaches the best gain are looked at again; the picks are those of plain greedy, within 1 - 1/e of the best f. Once
    O(N · R · d), then far less than that a pick; O(N) memory beyond the rows. The reference is the whole pool up to
    10,000 points, else 10,000 random ones, the same for every seed.

    Args:
        similarity: of the N rows, in 0..1.
        budget: number of rows to pick, 1..N.
        reference: (R,) int64 rows to cover.
        report: told of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are the mean similarity to the reference, the objective is
        f(S)/R.
    """
    size = len(similarity.rows)
    covered = torch.zeros(len(reference), dtype=similarity.rows.dtype, device=similarity.rows.device)
    bounds = torch.empty(size, dtype=torch.float64, device=covered.device)
    rows = torch.arange(size, device=covered.device)
    for block in rows.split(max(1, _BLOCK_ELEMENTS // len(reference))):
        bounds[block] = _gains(similarity, block, reference, covered)
        report(Progress("Comparing points", int(block[-1]) + 1, size))
    scores = (bounds / len(reference)).to(covered)
    picks = torch.empty(budget, dtype=torch.int64, device=covered.device)
    for t in range(budget):
        pick = _best_gain(similarity, bounds, reference, covered, fresh=t == 0)
        picks[t], bounds[pick] = pick, -torch.inf
        torch.maximum(covered, similarity.columns(pick[None], among=reference).squeeze(1), out=covered)
        report(Progress("Picking points", t + 1, budget))
    return Picks(picks, scores=scores, objective={"coverage": float(covered.mean(dtype=torch.float64))})


def _gains(similarity: Kernel, rows: Tensor, reference: Tensor, covered: Tensor) -> Tensor:
    """(len,) float64: what f gains by each of the rows."""
    gains: Tensor = (similarity.columns(rows, among=reference) - covered[:, None]).clamp_min_(0).sum(dim=0).double()
    return gains


def _best_gain(similarity: Kernel, bounds: Tensor, reference: Tensor, covered: Tensor, *, fresh: bool) -> Tensor:
    """The row of the largest gain; bounds of rows that were looked at become their gains. Fresh bounds are gains."""
    slack = 16 * torch.finfo(covered.dtype).eps
    if fresh:
        return _first_near(bounds, float(bounds.max()), slack)
    order = bounds.argsort(descending=True, stable=True)
    most = max(1, _BLOCK_ELEMENTS // len(reference))
    start, width, best = 0, min(_FIRST_LOOK, most), 0.0
    while start < len(order):
        # Nothing gains more than it did before, so bounds of about 0 stay there and need no second look.
        if float(bounds[order[start]]) < max(slack, best - slack * max(best, 1.0)):
            break
        block = order[start : start + width]
        block = block[bounds[block] > slack]
        bounds[block] = _gains(similarity, block, reference, covered)
        best = max(best, float(bounds[block].max()))
        start, width = start + width, min(2 * width, most)
    return _first_near(bounds, best, slack)


def _first_near(bounds: Tensor, best: float, slack: float) -> Tensor:
    """The lowest row within rounding of the best."""
    return (bounds >= best - slack * max(best, 1.0)).to(torch.uint8).argmax()


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
)
def _graph_cut(pool: Pool, budget: int, params: GraphCutParams, *, seed: int, report: Report) -> Picks:
    rows = unit_rows(pool.features)
    total = rows.sum(dim=0, dtype=torch.float64)
    to_all = torch.cat([(block.double() @ total + len(rows)) / 2 for block in rows.split(_BLOCK_ROWS)])
    redundancy = params.redundancy if params.redundancy is not None else len(rows) / (2 * budget)
    return graph_cut(CosineSimilarity(rows), to_all, budget, redundancy=redundancy, report=report)


def graph_cut(similarity: Kernel, to_all: Tensor, budget: int, *, redundancy: float, report: Report = ignore) -> Picks:
    """Greedily maximise f(S) = Σ_{i∈V} Σ_{j∈S} s_ij - λ Σ_{i,j∈S} s_ij, V being the pool; s_ij = (1 + cos)/2.

    A pick costs one column, O(N · d); memory O(N). For λ = N/(2n), f(S) is, up to its sign and a constant, the squared
    distance between the means of the chosen and of all points in the space of s, so that both terms count; a fixed
    small λ leaves only the first where n is far below N, and every pick is then a point near the pool's mean direction.

    Args:
        similarity: s, of the N rows.
        to_all: (N,) float64 Σ_{i∈V} s_ij.
        budget: number of rows to pick, 1..N.
        redundancy: λ.
        report: told of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are the mean similarity to the pool, the objective f(S)/N.
    """
    size = len(to_all)
    rounding = torch.finfo(similarity.rows.dtype).eps / torch.finfo(torch.float64).eps
    gains = to_all - redundancy * similarity.diagonal
    objective = 0.0
    picks = torch.empty(budget, dtype=torch.int64, device=to_all.device)
    for t in range(budget):
        pick = lowest(-gains, redundancy * (t + 1) * rounding)
        objective += float(gains[pick])
        picks[t] = pick
        gains -= (2 * redundancy) * similarity.columns(pick[None]).squeeze(1)
        gains[pick] = -torch.inf
        report(Progress("Picking points", t + 1, budget))
    return Picks(picks, scores=(to_all / size).to(similarity.rows), objective={"cut": objective / size})
