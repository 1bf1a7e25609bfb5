"""Methods that cover the feature space, without labels or a model: herding, k-center."""

from collections.abc import Callable

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, widest, with_more_digits
from skmm_core.methods.registry import Family, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import lowest, rows_about_middle


@register(
    key="herding",
    title="Herding",
    family=Family.GEOMETRIC,
    summary="Adds the point that brings the mean of the chosen points closest to the mean of the pool.",
    paper="Welling 2009, Herding dynamical weights to learn",
    url="https://doi.org/10.1145/1553374.1553517",
    params=NoParams,
    goes_on=True,
    beyond_memory=True,
)
def _herding(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    return Picks(herding(with_more_digits(pool.features), budget, given=pool.given, report=report))


def herding(features: Tensor, budget: int, *, given: Given | None = None, report: Report = ignore) -> Tensor:
    """Greedily keep the mean of the chosen rows close to the mean of all rows.

    Each step takes the row not yet chosen with the least ‖μ - (sum + z)/(t + 1)‖ (Welling, 2009, as used for
    exemplars by Rebuffi et al., 2017). One (N,) product a step: O(budget · N · d), O(N) memory.

    Args:
        features: (N, d) rows, float32 or float64.
        budget: number of rows to pick, 1..N.
        given: rows that are in by hand, which the others balance, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    # Distances from the mean do not change when all rows move, and rows about their middle lose fewer digits.
    rows = rows_about_middle(features)
    squared_norms, mean = rows.square().sum(dim=1), rows.mean(dim=0, dtype=widest(rows.device)).to(rows)
    lengths = squared_norms.sqrt()
    given = given or nothing_given(len(rows), rows.device)
    taken = ~given.free
    total = torch.zeros_like(mean)
    picks = torch.empty(budget, dtype=torch.int64, device=rows.device)
    for t in range(budget):
        # ‖total + z - (t + 1) μ‖² without its constant; the divisor (t + 1)² is the same for all rows.
        behind = total - (t + 1) * mean
        distance = (squared_norms + 2 * (rows @ behind)).masked_fill_(taken, torch.inf)
        size = lengths * (lengths + 2 * behind.norm())
        pick = given.start[t] if t < len(given.start) else lowest(distance, size)
        picks[t], taken[pick] = pick, True
        total += rows[pick]
        report(Progress("Picking points", t + 1, budget))
    return picks


@register(
    key="k_center",
    title="k-center",
    family=Family.GEOMETRIC,
    summary="Adds the point farthest from all chosen ones, so that no point is far from a chosen one.",
    paper="Gonzalez 1985; Sener & Savarese 2018, Active learning for CNNs: a core-set approach",
    url="https://arxiv.org/abs/1708.00489",
    params=NoParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def _k_center(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    first = first_row(pool, generator(seed, "k_center:first"))
    return Picks(k_center(with_more_digits(pool.features), budget, first=first, given=pool.given, report=report))


def first_row(pool: Pool, draw: torch.Generator) -> int:
    """Where greedy covering starts: the first point that is in by hand, else a random one of those not kept out."""
    if len(pool.given.start):
        return int(pool.given.start[0])
    rows = pool.given.free_rows()
    return int(rows[torch.randint(len(rows), (1,), generator=draw)])


def k_center(
    features: Tensor, budget: int, *, first: int, given: Given | None = None, report: Report = ignore
) -> Tensor:
    """Pick points one at a time, each farthest from those already picked.

    Greedy 2-approximation of the k-center problem (Gonzalez, 1985). One running minimum is kept, so memory is O(N), not
    O(N · budget); time is O(budget · N · d).

    Args:
        features: (N, d) rows, float32 or float64.
        budget: number of points to pick, 1..N.
        first: row to start from.
        given: rows that are in by hand, all covered before another is picked, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    # Squared distances as norms and products lose digits far from the origin, so the middle is moved there first.
    rows = rows_about_middle(features)
    squared_norms = rows.square().sum(dim=1)

    def distances(pick: Tensor) -> Tensor:
        return squared_norms - 2 * (rows @ rows[pick]) + squared_norms[pick]

    given = given or nothing_given(len(rows), rows.device)
    return farthest_first(distances, budget, first=first, scale=squared_norms, given=given, report=report)


def farthest_first(
    distances: Callable[[Tensor], Tensor], budget: int, *, first: int, scale: Tensor, given: Given, report: Report
) -> Tensor:
    """Add, one at a time, the row whose nearest chosen row is farthest, by any distance.

    One running minimum is kept: O(N) memory, and one call of `distances` a pick.

    Args:
        distances: gives (N,) distances of all rows to one; rounding may leave them below 0.
        budget: number of rows to pick, 1..N.
        first: row to start from.
        scale: size of the numbers whose difference a distance is, () or (N,) for each row.
        given: rows that are in by hand, picked before any other, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    closed = ~given.free
    nearest = torch.full(closed.shape, torch.inf, dtype=scale.dtype, device=closed.device)
    picks = torch.empty(budget, dtype=torch.int64, device=closed.device)
    pick = torch.tensor(first, device=closed.device)
    for t in range(budget):
        pick = given.start[t] if t < len(given.start) else pick
        # A chosen row never comes back, also when all that is left are its duplicates at distance 0.
        picks[t], closed[pick] = pick, True
        torch.minimum(nearest, distances(pick).clamp_min_(0), out=nearest)
        pick = lowest((-nearest).masked_fill_(closed, torch.inf), scale)
        report(Progress("Picking points", t + 1, budget))
    return picks
