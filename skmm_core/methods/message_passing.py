"""D2 pruning: difficult points first, on a graph of neighbours along which scores are passed."""

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, row_blocks
from skmm_core.device import generator, widest, with_more_digits
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.score_strata import hardest, left_open
from skmm_core.methods.stratify import ClassPart, class_parts, deal_out
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report
from skmm_core.solvers import lowest, rows_about_middle, unit_rows

_NOISE = 64  # ε of the largest square


class D2Params(MethodParams):
    """Options of D2 pruning."""

    neighbours: int = Field(5, ge=1, le=1_000, description="Nearest points of its class that a point is linked to.")
    forward: float = Field(
        1.0,
        ge=0,
        le=1e6,
        description="How fast, γ_f, the difficulty that a point takes from a neighbour fades with distance.",
    )
    reverse: float = Field(
        0.1,
        ge=0,
        le=1e6,
        description="How fast, γ_r, what a chosen point takes from its neighbours fades with distance.",
    )
    prune: float = Field(
        0.4, ge=0, lt=1, description="Share of the pool, the hardest points, that is left out; many are mislabelled."
    )


@register(
    key="d2",
    title="D2 pruning",
    family=Family.TRAINING,
    summary="Takes points that are hard to learn and whose neighbours are; each lowers the scores of those around it.",
    paper="Maharana, Yadav & Bansal 2024, D2 pruning: message passing for balancing diversity and difficulty (ICLR)",
    url="https://arxiv.org/abs/2310.07931",
    params=D2Params,
    needs=frozenset({Need.CLASSES, Need.DYNAMICS}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def d2(pool: Pool, budget: int, params: D2Params, *, seed: int, report: Report) -> Picks:
    """Graphs within classes, each with its share of the pool, on rows of unit length; difficulty is forgetting events.

    O(Σ N_c² · d) time for the nearest neighbours in classes of N_c rows, a block at a time; O(N · neighbours) memory
    beyond one copy of the rows.
    """
    rows, dynamics = unit_rows(with_more_digits(pool.features)), pool.dynamics
    margin = dynamics.margin.cpu()
    hard = hardest(margin, params.prune)
    ties = torch.rand(pool.size, generator=generator(seed, "d2:ties"), dtype=torch.float64)
    scores = torch.zeros(pool.size, dtype=rows.dtype, device=rows.device)
    parts, found = class_parts(pool, budget, "d2"), []
    for done, part in enumerate(parts):
        report(Progress("Picking points", done, len(parts)))
        of = part.rows.cpu()
        nodes, given = _nodes(part, margin[of], hard[of], ties[of])
        members = part.rows[nodes.to(part.rows.device)]
        graph = neighbour_graph(rows[members], params.neighbours, report)
        passed = pass_forward(dynamics.forgetting[members], graph, params.forward)
        picks = pick_in_turn(passed, graph, part.quota, fade=params.reverse, given=given)
        scores[members] = passed.to(scores)
        found.append(members[picks].cpu())
    return Picks(deal_out(parts, found), scores=scores)


def _nodes(part: ClassPart, margin: Tensor, hard: Tensor, ties: Tensor) -> tuple[Tensor, Given]:
    """Rows of the class that are in its graph, shuffled, as ties go to the lower one; what may be picked of them."""
    given = Given(part.given.start.cpu(), part.given.free.cpu())
    open_rows = left_open(margin, hard, given, part.quota - len(given.start))
    inside = ~hard | open_rows
    inside[given.start] = True
    nodes = ties.argsort()
    nodes = nodes[inside[nodes]]
    place = torch.empty_like(ties, dtype=torch.int64)
    place[nodes] = torch.arange(len(nodes))
    device = part.rows.device
    return nodes, Given(place[given.start].to(device), open_rows[nodes].to(device))


@dataclass(frozen=True)
class Graph:
    """Undirected links of N nodes, each held in both directions, by the node that it starts from.

    Attributes:
        first: (N + 1,) int64 positions at which the links of every node begin, on the CPU.
        sources, ends: (E,) int64 nodes of every link.
        squares: (E,) squared distances, in the widest type.
    """

    first: Tensor
    sources: Tensor
    ends: Tensor
    squares: Tensor


def neighbour_graph(rows: Tensor, neighbours: int, report: Report) -> Graph:
    """Link two rows when one is among the nearest of the other, in Euclidean distance.

    Args:
        rows: (N, d).
        neighbours: how many nearest rows count, fewer where there are no more.
        report: told of the blocks.
    """
    size, device = len(rows), rows.device
    near = nearest(rows_about_middle(rows), min(neighbours, size - 1), report)
    own = torch.arange(size, device=device)[:, None].expand_as(near)
    links = torch.cat([(own * size + near).flatten(), (near * size + own).flatten()]).unique()
    sources, ends = links // size, links % size
    pairs = torch.arange(len(links), device=device)
    squares = [
        (rows[sources[block]].to(widest(device)) - rows[ends[block]]).square().sum(dim=1)
        for block in row_blocks(pairs, rows.shape[1])
    ]
    first = torch.searchsorted(sources, torch.arange(size + 1, device=device))
    none = torch.zeros(0, dtype=widest(device), device=device)
    return Graph(first.cpu(), sources, ends, torch.cat([none, *squares]))


def nearest(rows: Tensor, count: int, report: Report) -> Tensor:
    """(N, count) int64 nearest other rows of each; distances that agree up to rounding count as equal."""
    norms, found = rows.square().sum(dim=1), []
    step = (_NOISE * torch.finfo(rows.dtype).eps * norms.max()).clamp_min(torch.finfo(rows.dtype).tiny)
    done = 0
    for block in row_blocks(rows, max(rows.shape)):
        own = torch.arange(len(block), device=rows.device)
        squares = norms - 2 * (block @ rows.T)  # without the row's own, the same for all others
        squares += norms[done : done + len(block), None]
        squares = squares.div_(step).round_()
        squares[own, own + done] = torch.inf
        found.append(squares.topk(count, dim=1, largest=False).indices)
        done += len(block)
        report(Progress("Comparing neighbours", done, len(rows)))
    return torch.cat(found)


def pass_forward(scores: Tensor, graph: Graph, fade: float) -> Tensor:
    """Every node's score plus those of its neighbours, s_i + Σ_j exp(-γ_f d_ij²) s_j: (N,) in the widest type."""
    exact = scores.to(graph.squares)
    return exact.index_add(0, graph.sources, (-fade * graph.squares).exp() * exact[graph.ends])


def pick_in_turn(scores: Tensor, graph: Graph, budget: int, *, fade: float, given: Given) -> Tensor:
    """Take the node with the largest score, one at a time, and lower its neighbours': s_j - exp(-γ_r d_kj²) s_k.

    Args:
        scores: (N,) passed forward.
        graph: of the nodes.
        budget: nodes to pick.
        fade: γ_r.
        given: nodes that are in by hand, which lower their neighbours first, and nodes that may be picked.

    Returns:
        (budget,) int64 nodes in the order picked; ties go to the lower one.
    """
    left, weights = scores.clone(), (-fade * graph.squares).exp()
    closed, rounding = ~given.free, scores.abs().max()
    picks = torch.empty(budget, dtype=torch.int64, device=scores.device)
    for t in range(budget):
        pick = given.start[t] if t < len(given.start) else lowest((-left).masked_fill(closed, torch.inf), rounding)
        picks[t], closed[pick] = pick, True
        links = slice(*graph.first[int(pick) : int(pick) + 2].tolist())
        left[graph.ends[links]] -= weights[links] * left[pick]
    return picks
