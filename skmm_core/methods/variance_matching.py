"""V-optimal design on the sketch: pick the points that minimise the paper's variance term itself."""

import math

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.device import generator, widest
from skmm_core.methods.registry import Family, MethodParams, Picks, Status, register
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import Moments, lowest

EXACT_LIMIT = 20_000
_FEWEST_CANDIDATES = 32
_REFRESH = 256
_SMALLEST_GAIN = 1e-9


class SkmmVarianceParams(MethodParams):
    """Options of variance minimisation."""

    ridge: float = Field(
        1e-2,
        gt=0,
        le=1e6,
        description="ε as a multiple of the pool's mean eigenvalue; larger = unseen directions cost less.",
    )
    exchanges: int = Field(
        1, ge=0, le=1000, description="Most sweeps that try to exchange each chosen point for a better one."
    )
    delta: float = Field(
        0.01, gt=0, lt=1, description="Above 20,000 points: greedy looks at (N/n) · log(1/delta) random points a pick."
    )


@register(
    key="skmm_variance",
    title="SkMM variance",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that keep a linear fit steady; drawn to outliers where features have heavy tails.",
    paper="Allen-Zhu, Li, Singh & Wang 2021, Near-optimal discrete optimization for experimental design; greedy here",
    url="https://arxiv.org/abs/1711.05174",
    params=SkmmVarianceParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def skmm_variance(pool: Pool, budget: int, params: SkmmVarianceParams, *, seed: int, report: Report) -> Picks:
    """Minimise tr(Σ̃(Σ̃_S + εI)⁻¹) by greedy choice with rank-one updates, then by exchange.

    Up to 20,000 points every point is looked at: O(N · m) a pick. Above, stochastic greedy (Mirzasoleiman et al.,
    "Lazier than lazy greedy", 2015) looks at (N/n) log(1/δ) random points a pick: O(N log(1/δ) m²) in all, whatever n.
    An exchanged point takes the place of the one it replaces in the order. Points in by hand are put in first and never
    exchanged; greedy goes on from them.
    """
    moments = pool.moments
    ridge = params.ridge * float(moments.eigenvalues.mean()) if len(moments.eigenvalues) else params.ridge
    design = Design(moments, budget, ridge)
    draw = generator(seed, "skmm_variance:candidates")
    candidates = Candidates(pool.size, budget, params.delta, draw, moments.coordinates.device, pool.given)
    picks = greedy_design(design, candidates, budget, report=report)
    greedy = design.cost
    picks, converged = exchange_design(design, candidates, picks, sweeps=params.exchanges, report=report)
    return Picks(
        picks,
        status=Status.CONVERGED if converged or params.exchanges == 0 else Status.MAX_SWEEPS,
        objective={"greedy": greedy, "rounded": design.cost},
    )


class Design:
    """A = Σ̃_S + εI with rows put in and taken out, in coordinates y where Σ̃ is the identity.

    There the cost tr(Σ̃(Σ̃_S + εI)⁻¹) is tr(A⁻¹) with A = Σ_{i∈S} y_i y_iᵀ/n + ε Λ⁻¹; by Sherman and Morrison, putting y
    in lowers it by ‖A⁻¹y‖²/(n + yᵀA⁻¹y). Both terms are kept for all rows when there are at most 20,000.
    """

    def __init__(self, moments: Moments, n: int, ridge: float) -> None:
        coordinates = moments.coordinates
        self._number = widest(coordinates.device)
        self._scale = moments.eigenvalues.rsqrt().to(coordinates.device, self._number)
        self._rest = (ridge / moments.eigenvalues).to(coordinates.device, self._number)
        self._all = coordinates.to(self._number) * self._scale if len(coordinates) <= EXACT_LIMIT else None
        self._coordinates = coordinates
        self._n = n
        self.rebuild(torch.empty(0, dtype=torch.int64, device=coordinates.device))

    @property
    def cost(self) -> float:
        """tr(Σ̃(Σ̃_S + εI)⁻¹) of the rows that are in."""
        return float(self._inverse.diagonal().sum())

    def rows(self, indices: Tensor) -> Tensor:
        """(len, k) y of some rows."""
        if self._all is not None:
            return self._all[indices]
        return self._coordinates[indices].to(self._number) * self._scale

    def rebuild(self, indices: Tensor) -> None:
        """Start from these rows, without the rounding of earlier updates."""
        self._updates = 0
        rows = self.rows(indices)
        matrix = rows.T @ rows / self._n + self._rest.diag()
        self._inverse = torch.cholesky_inverse(torch.linalg.cholesky(matrix)) if len(matrix) else matrix
        self._terms = None if self._all is None else self._fresh_terms(self._all)

    def gains(self, indices: Tensor | None) -> Tensor:
        """How much putting each of these rows in would lower the cost; None is all N rows, of a small pool."""
        if indices is None and self._terms is not None:
            reach, slope = self._terms
        else:
            reach, slope = self._fresh_terms(
                self.rows(torch.arange(len(self._coordinates)) if indices is None else indices)
            )
        return slope / (self._n + reach)

    def rough_gains(self, indices: Tensor) -> Tensor:
        """Gains of some rows in the precision of the sketch, at half the time: enough to rank candidates."""
        rows = self._coordinates.index_select(0, indices)
        solved = rows @ (self._scale[:, None] * self._inverse).to(rows)
        reach = (rows * solved) @ self._scale.to(rows)
        return solved.square().sum(dim=1) / (self._n + reach)

    def put(self, index: Tensor) -> None:
        """Add a row."""
        self._update(index, 1.0)

    def take(self, index: Tensor) -> None:
        """Remove a row that is in."""
        self._update(index, -1.0)

    def needs_rebuild(self) -> bool:
        """Whether enough updates were made for their rounding to add up."""
        return self._updates >= _REFRESH

    def _fresh_terms(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        solved = rows @ self._inverse
        return (rows * solved).sum(dim=1), solved.square().sum(dim=1)

    def _update(self, index: Tensor, sign: float) -> None:
        row = self.rows(index[None]).squeeze(0)
        u = self._inverse @ row
        beta = sign / (self._n + sign * (row @ u))
        if self._terms is not None and self._all is not None:
            reach, slope = self._terms
            w, x = (self._all @ torch.stack([u, self._inverse @ u], dim=1)).unbind(dim=1)
            slope += beta * w * (beta * (u @ u) * w - 2 * x)
            reach -= beta * w.square()
        self._inverse -= beta * torch.outer(u, u)
        self._updates += 1


class Candidates:
    """The rows that are not chosen, and which of them greedy looks at: all, or a random few of a large pool.

    Attributes:
        start: rows that are in by hand.
        taken: (N,) bool, the rows that are chosen, or kept out by hand.
    """

    def __init__(
        self,
        size: int,
        n: int,
        delta: float,
        draw: torch.Generator,
        device: torch.device,
        given: Given | None = None,
    ) -> None:
        given = given or nothing_given(size, device)
        self.start = given.start
        self.taken = ~given.free
        self._left = int(given.free.sum())
        self._draw = draw
        wanted = max(_FEWEST_CANDIDATES, math.ceil(size / n * math.log(1 / delta)))
        self._wanted = None if size <= EXACT_LIMIT else wanted

    def choose(self, row: Tensor) -> None:
        """Mark a row as chosen."""
        self.taken[row] = True
        self._left -= 1

    def give_back(self, row: Tensor) -> None:
        """Mark a row as not chosen."""
        self.taken[row] = False
        self._left += 1

    def best(self, design: Design) -> tuple[Tensor, float] | None:
        """The row, of those looked at, that lowers the cost most, and by how much; None when all rows are chosen."""
        if not self._left:
            return None
        if self._wanted is None:
            gains = design.gains(None).masked_fill(self.taken, -torch.inf)
            row = lowest(-gains)
            return row, float(gains[row])
        rows = self._some(self._wanted)
        best = rows[lowest(-design.rough_gains(rows))]
        return best, float(design.gains(best[None]))

    def _some(self, wanted: int) -> Tensor:
        """About `wanted` random rows that are not chosen, ascending; all of them when fewer are left."""
        if self._left > wanted:
            draws = math.ceil(wanted * len(self.taken) / self._left)
            rows = torch.randint(len(self.taken), (draws,), generator=self._draw).to(self.taken.device)
            rows = rows[~self.taken[rows]].sort().values
            if len(rows):
                return rows
        return (~self.taken).nonzero().squeeze(1)


def greedy_design(design: Design, candidates: Candidates, budget: int, *, report: Report = ignore) -> Tensor:
    """Put in, one at a time, the row that lowers the cost most: (budget,) int64; ties go to the lower row."""
    picks = torch.empty(budget, dtype=torch.int64, device=candidates.taken.device)
    fixed = len(candidates.start)
    picks[:fixed] = candidates.start
    design.rebuild(candidates.start)
    for t in range(fixed, budget):
        if design.needs_rebuild():
            design.rebuild(picks[:t])
        found = candidates.best(design)
        if found is None:
            raise ValueError(f"budget {budget} exceeds the pool")
        pick, _ = found
        design.put(pick)
        picks[t] = pick
        candidates.choose(pick)
        report(Progress("Picking points", t + 1, budget))
    return picks


def exchange_design(
    design: Design, candidates: Candidates, picks: Tensor, *, sweeps: int, report: Report = ignore
) -> tuple[Tensor, bool]:
    """Exchange each chosen row for the best of the rows looked at while that lowers the cost.

    Returns:
        (n,) int64 rows, and whether a whole sweep found nothing to exchange.
    """
    picks, n, fixed = picks.clone(), len(picks), len(candidates.start)
    for sweep in range(sweeps):
        exchanged = False
        for slot in range(fixed, n):
            report(Progress("Exchanging points", sweep * n + slot, sweeps * n))
            if design.needs_rebuild():
                design.rebuild(picks)
            old = picks[slot].clone()
            design.take(old)
            kept = float(design.gains(old[None]))
            found = candidates.best(design)
            # Rounding alone must not look like a gain.
            if found is not None and found[1] > kept * (1 + _SMALLEST_GAIN):
                candidates.choose(found[0])
                candidates.give_back(old)
                picks[slot], exchanged = found[0], True
            design.put(picks[slot])
        if not exchanged:
            return picks, True
    return picks, False
