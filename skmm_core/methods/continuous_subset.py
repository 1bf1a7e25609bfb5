"""ActiveFT: points on the unit sphere, moved until they stand for the pool and not for each other; then the nearest."""

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize, softplus

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, with_more_digits
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import lowest, unit_rows

_BLOCK_ELEMENTS = 4_000_000


class ActiveFtParams(MethodParams):
    """Options of ActiveFT."""

    temperature: float = Field(0.07, ge=0.001, le=10, description="Divides the cosines; small asks for near points.")
    iterations: int = Field(300, ge=0, le=10_000, description="Steps of Adam.")
    rate: float = Field(0.001, gt=0, le=1, description="Learning rate of Adam.")


@register(
    key="active_ft",
    title="ActiveFT",
    family=Family.GEOMETRIC,
    summary="Moves random points until they are spread as the pool is but apart from each other; takes those nearest.",
    paper="Xie et al. 2023, Active finetuning: exploiting annotation budget (CVPR)",
    url="https://arxiv.org/abs/2303.14382",
    params=ActiveFtParams,
    random=True,
    goes_on=True,
)
def _active_ft(pool: Pool, budget: int, params: ActiveFtParams, *, seed: int, report: Report) -> Picks:
    rows, given = unit_rows(with_more_digits(pool.features)), pool.given
    candidates = given.free_rows()
    order = torch.randperm(len(candidates), generator=generator(seed, "active_ft:first")).to(rows.device)
    first = candidates[order[: budget - len(given.start)]]
    if not len(first):
        return Picks(given.start)
    centres, losses = move_centres(
        rows,
        rows[first],
        fixed=rows[given.start],
        temperature=params.temperature,
        iterations=params.iterations,
        rate=params.rate,
        report=report,
    )
    picks = nearest_rows(rows, centres, given=given, report=report)
    return Picks(picks, objective={"loss": float(losses[-1])}, trace={"loss": losses})


def move_centres(
    rows: Tensor,
    first: Tensor,
    *,
    fixed: Tensor | None = None,
    temperature: float,
    iterations: int,
    rate: float,
    report: Report = ignore,
) -> tuple[Tensor, Tensor]:
    """Minimise mean_i -log(e^{f_i·c/τ} / (e^{f_i·c/τ} + Σ_k e^{c_k·c/τ})), c being the centre nearest to f_i, by Adam.

    As in the authors' code, the sum runs over all centres, c itself too, and its terms move c alone, not c_k. One pass
    over the rows a step, O(N · n · d), in blocks.

    Args:
        rows: (N, d) f, of unit length or zero.
        first: (n, d) where the centres start.
        fixed: (m, d) centres that stay where they are.
        temperature: τ.
        iterations: steps of Adam.
        rate: its learning rate.
        report: told of every step.

    Returns:
        (m + n, d) centres of unit length, the fixed ones first; (iterations + 1,) float64 losses before every step and
        at the end.
    """
    fixed = rows[:0] if fixed is None else fixed
    moved = first.clone().requires_grad_()
    optimiser = torch.optim.Adam([moved], lr=rate)
    losses = torch.zeros(iterations + 1, dtype=torch.float64)
    for step in range(iterations + 1):
        optimiser.zero_grad()
        for block in rows.split(max(1, _BLOCK_ELEMENTS // max(rows.shape[1], len(fixed) + len(first)))):
            loss = _loss(block, torch.cat([fixed, normalize(moved, dim=1)]), temperature) / len(rows)
            losses[step] += float(loss.detach())
            loss.backward()
        if step < iterations:
            optimiser.step()
        report(Progress("Moving centres", step, iterations, {"loss": float(losses[step])}))
    return torch.cat([fixed, normalize(moved.detach(), dim=1)]), losses


def _loss(block: Tensor, centres: Tensor, temperature: float) -> Tensor:
    """Sum over the rows of a block; -log(p / (p + Z)) is softplus(log Z - log p)."""
    with torch.no_grad():
        owner = (block @ centres.T).argmax(dim=1)
    near = (block * centres[owner]).sum(dim=1) / temperature
    others = (centres.detach() @ centres.T / temperature).logsumexp(dim=0)
    return softplus(others[owner] - near).sum()


def nearest_rows(rows: Tensor, centres: Tensor, *, given: Given | None = None, report: Report = ignore) -> Tensor:
    """One row for every centre: the nearest that may be picked and that no centre before took.

    The first centres are those of the rows that are in by hand; of the others, one that more rows are nearest to comes
    first. O(N · n · d), in blocks.

    Args:
        rows: (N, d).
        centres: (n, d).
        given: rows that are in by hand, and rows that may be picked.
        report: told of every pick.

    Returns:
        (n,) int64 rows in the order picked; ties go to the lower row and centre.
    """
    given = given or nothing_given(len(rows), rows.device)
    closed, start = ~given.free, given.start
    blocks = rows.split(max(1, _BLOCK_ELEMENTS // len(centres)))
    owners = torch.cat([(block @ centres.T).argmax(dim=1) for block in blocks])
    sizes = owners.bincount(minlength=len(centres))[len(start) :]
    order = torch.sort(sizes, descending=True, stable=True).indices + len(start)
    picks = torch.empty(len(centres), dtype=torch.int64, device=rows.device)
    picks[: len(start)] = start
    for t, centre in enumerate(order.tolist(), start=len(start)):
        pick = lowest(-(rows @ centres[centre]).masked_fill_(closed, -torch.inf), 1.0)
        picks[t], closed[pick] = pick, True
        report(Progress("Picking points", t + 1, len(centres)))
    return picks
