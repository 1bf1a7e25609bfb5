"""Methods that cover the feature space, without labels or a model: herding, k-center."""

from functools import partial

import torch
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, widest, with_more_digits
from skmm_core.methods.registry import Family, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import (
    ColumnsAhead,
    Outlook,
    farthest_first,
    lowest,
    middle,
    rough_products,
    rows_about_middle,
)

_BLOCK_ROWS = 16_384


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
    mean = None if pool.whole is None else pool.whole.mean
    return Picks(herding(with_more_digits(pool.features), budget, mean=mean, given=pool.given, report=report))


def herding(
    features: Tensor,
    budget: int,
    *,
    mean: Tensor | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> Tensor:
    """Greedily keep the mean of the chosen rows close to the mean of all rows.

    Each step takes the row not yet chosen with the least ‖μ - (sum + z)/(t + 1)‖ (Welling, 2009, as used for
    exemplars by Rebuffi et al., 2017). The products of all rows with a chosen one are added up, O(N · d) a pick, see
    :class:`ColumnsAhead`; rows which their rounding leaves in doubt are compared by the distance itself.

    Args:
        features: (N, d) rows, float32 or float64.
        budget: number of rows to pick, 1..N.
        mean: (d,) μ of a pool of which these rows are a part; None takes that of the rows.
        given: rows that are in by hand, which the others balance, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked; ties go to the lower row.
    """
    # Distances from the mean do not change when all rows move, and rows about their middle lose fewer digits.
    rows = rows_about_middle(features)
    wide = widest(rows.device)
    about = rows.mean(dim=0, dtype=wide) if mean is None else mean.to(rows.device, wide) - middle(features)
    costs = _Distances(rows, about)
    columns = ColumnsAhead(costs.products, len(rows), rows.dtype, rows.device, rough_products(rows, seed=0))
    given = given or nothing_given(len(rows), rows.device)
    taken = ~given.free
    picks = torch.empty(budget, dtype=torch.int64, device=rows.device)
    for t in range(budget):
        distance = costs.estimates().masked_fill_(taken, torch.inf)
        pick = given.start[t] if t < len(given.start) else costs.least(distance)
        picks[t], taken[pick] = pick, True
        costs.add(pick, columns.column(pick, partial(Outlook, distance, 2.0, 2 * costs.with_mean)))
        report(Progress("Picking points", t + 1, budget))
    return picks


class _Distances:
    """‖sum of the chosen + z - (t + 1) μ‖² of every row z, without its constant."""

    def __init__(self, rows: Tensor, mean: Tensor) -> None:
        self._rows, self._squared_norms = rows, rows.square().sum(dim=1)
        self._lengths = self._squared_norms.sqrt()
        self._mean = mean
        self.with_mean = torch.cat([block.to(mean) @ mean for block in rows.split(_BLOCK_ROWS)])
        self._behind = -self._mean
        self._along = -self.with_mean
        self._gathered = 0.0  # Σ of the squared lengths of the chosen rows

    def products(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """See :class:`Columns`."""
        rows = self._rows if among is None else self._rows[among]
        return rows @ self._rows[indices].T

    def estimates(self) -> Tensor:
        """(N,) in the widest type, off by the rounding of as many products as rows are chosen."""
        found: Tensor = self._squared_norms + 2 * self._along
        return found

    def least(self, distance: Tensor) -> Tensor:
        """() row of the least distance, of equal ones the first, among estimates that are infinite for some."""
        size = self._lengths * (self._lengths + 2 * float(self._behind.norm()))
        # rounding of the products, each off in either direction, and what counts as equal
        eps = torch.finfo(self._rows.dtype).eps
        doubt = 16 * eps * (size + self._lengths * self._gathered**0.5)
        near = (distance - doubt <= (distance + doubt).min()).nonzero().squeeze(1)
        exact = self._squared_norms[near] + 2 * (self._rows[near] @ self._behind.to(self._rows))
        best: Tensor = near[lowest(exact, size[near])]
        return best

    def add(self, row: Tensor, column: Tensor) -> None:
        """Take a row in, with its products with all rows."""
        self._behind += self._rows[row] - self._mean
        self._along += column
        self._along -= self.with_mean
        self._gathered += float(self._squared_norms[row])


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

    Greedy 2-approximation of the k-center problem (Gonzalez, 1985), O(N · d) a pick, in products of many at a time,
    and O(N) memory; see :func:`farthest_first`.

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

    def distances(chosen: Tensor, among: Tensor | slice) -> Tensor:
        products = rows[among] @ rows[chosen].T
        return products.mul_(-2).add_(squared_norms[among][:, None]).add_(squared_norms[chosen])

    given = given or nothing_given(len(rows), rows.device)
    return farthest_first(distances, budget, first=first, scale=squared_norms, given=given, report=report)
