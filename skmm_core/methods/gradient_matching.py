"""Methods that match the loss gradients of the pool, taken at the warm-up head: CRAIG, GradMatch, GLISTER.

The gradient of row i in weights and intercept is [x; 1](p - y)ᵀ with x standardised. It is never built: inner products
are ⟨g_i, g_j⟩ = (x_i·x_j + 1)((p - y)_i·(p - y)_j).
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, nothing_given
from skmm_core.methods.ranking import ranked
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.methods.stratify import class_parts, deal_out, rows_without_a_point
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import greedy_cover, lowest, nonnegative_weights

_LEAST_WEIGHT = 0.01
_DISTANCE_ROUNDING = 8  # a distance is the root of a difference, which loses digits where it is small
_BLOCKS = 100
# What the methods of this file have in common; a registration below says what is its own.
_register = partial(
    register,
    family=Family.TRAINING,
    needs=frozenset({Need.CLASSES, Need.WARM_UP}),
    uses_labels=True,
    random=True,  # in the rows that train the head
    goes_on=True,
)


@dataclass(frozen=True)
class Gradients:
    """Gradients of rows, as factors.

    Attributes:
        rows: (N, d) standardised x.
        residuals: (N, K) p - y.
    """

    rows: Tensor
    residuals: Tensor

    @property
    def squared_norms(self) -> Tensor:
        """(N,) ‖g‖²."""
        return (1 + self.rows.square().sum(dim=1)) * self.residuals.square().sum(dim=1)

    def products(self, columns: Tensor, among: Tensor | None = None) -> Tensor:
        """(N, len) inner products of all gradients, or of those of the rows `among`, with those of `columns`."""
        rows, residuals = (self.rows, self.residuals) if among is None else (self.rows[among], self.residuals[among])
        return (rows @ self.rows[columns].T).add_(1).mul_(residuals @ self.residuals[columns].T)

    def total(self, weights: Tensor, of: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Σ_i w_i g_i over all rows, or the rows `of`: (d, K) for the weights of the head, (K,) for its intercept."""
        rows, residuals = (self.rows, self.residuals) if of is None else (self.rows[of], self.residuals[of])
        weighted = residuals * weights[:, None].to(residuals)
        return rows.T @ weighted, weighted.sum(dim=0)

    def along(self, direction: tuple[Tensor, Tensor]) -> Tensor:
        """(N,) inner products of all gradients with one (d, K) and (K,) direction."""
        return ((self.rows @ direction[0] + direction[1]) * self.residuals).sum(dim=1)


def _gradients(pool: Pool, rows: Tensor | None = None) -> Gradients:
    """Gradients of some rows of the pool, in the precision of its features."""
    features, residuals = pool.features, pool.warm_up.residuals
    if rows is not None:
        features, residuals = features[rows], residuals[rows]
    return Gradients(pool.scaler.copy(features), residuals.to(features))


@_register(
    key="craig",
    title="CRAIG",
    summary="Picks, within every class, points whose gradients stand for those around them, weighted by how many.",
    paper="Mirzasoleiman, Bilmes & Leskovec 2020, Coresets for data-efficient training (ICML)",
    url="https://arxiv.org/abs/1906.01827",
    params=NoParams,
)
def craig(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Minimise Σ_i min over chosen j of ‖g_i - g_j‖ within every class; weights are the sizes of the clusters.

    Classes get their share of the budget, as in the authors' code. `mean_distance` is over the rows of classes that get
    a point; where others do not, the number of their rows stands beside it. O(Σ N_c² (d + K)) time; up to 2 GB
    beyond one copy of a class.
    """
    parts = class_parts(pool, budget, "craig")
    chosen, weights, distance = [], [], 0.0
    for part in parts:
        picks, sizes, left = represent(_gradients(pool, part.rows), part.quota, given=part.given, report=report)
        chosen.append(part.rows[picks].cpu())
        weights.append(sizes.cpu())
        distance += left
    found = {"mean_distance": distance / sum(len(part.rows) for part in parts)}
    if without := rows_without_a_point(pool, parts, "craig"):
        found["rows_of_classes_without_points"] = float(sum(len(rows) for rows in without))
    found["warm_up_rows"] = float(len(pool.warm_up.rows))
    return Picks(deal_out(parts, chosen), weights=deal_out(parts, weights), objective=found)


def represent(
    gradients: Gradients, budget: int, *, given: Given | None = None, report: Report = ignore
) -> tuple[Tensor, Tensor, float]:
    """Facility location on distances of gradients, the exact greedy choice; see :func:`greedy_cover`.

    Args:
        gradients: of N rows.
        budget: rows to pick, 1..N.
        given: rows that are in by hand, which stand for those around them, and rows that may be picked.
        report: told of the first gains and of every pick.

    Returns:
        (budget,) int64 rows in the order picked, ties to the lower row; (budget,) float64 sizes of their clusters, each
        chosen row in its own; the sum of distances to the nearest chosen row.
    """
    closeness = _Closeness(gradients)
    size = len(gradients.rows)
    found = greedy_cover(
        closeness,
        torch.zeros_like(closeness.norms) - closeness.farthest,
        size,
        budget,
        unit=_DISTANCE_ROUNDING * closeness.farthest,
        given=given,
        report=report,
    )
    owner = found.owner
    owner[found.picks] = torch.arange(budget, device=owner.device)
    return found.picks, owner.bincount(minlength=budget).double(), -float(found.covered.double().sum())


class _Closeness:
    """Minus the distance between gradients; no two are farther apart than `farthest`, where every row starts."""

    def __init__(self, gradients: Gradients) -> None:
        self._gradients = gradients
        self.norms = gradients.squared_norms
        self.farthest = 2 * float(self.norms.max().sqrt())

    def __call__(self, columns: Tensor, among: Tensor | None = None) -> Tensor:
        norms = self.norms if among is None else self.norms[among]
        squared = self._gradients.products(columns, among).mul_(-2).add_(norms[:, None]).add_(self.norms[columns])
        # a row is at distance 0 from itself and from its duplicates, whatever rounding says
        nothing = 64 * torch.finfo(squared.dtype).eps * torch.minimum(norms[:, None], self.norms[columns])
        return squared.masked_fill_(squared <= nothing, 0).sqrt_().neg_()


class GradMatchParams(MethodParams):
    """Options of GradMatch."""

    ridge: float = Field(
        0.5, gt=0, le=1e6, description="Penalty on squared weights, in units of the mean squared gradient norm."
    )


@_register(
    key="gradmatch",
    title="GradMatch",
    summary="Picks and weights points, within every class, so that their gradients add up to those of the class.",
    paper="Killamsetty et al. 2021, GRAD-MATCH: gradient matching based data subset selection (ICML)",
    url="https://arxiv.org/abs/2103.00123",
    params=GradMatchParams,
)
def gradmatch(pool: Pool, budget: int, params: GradMatchParams, *, seed: int, report: Report) -> Picks:
    """Orthogonal matching pursuit on the sum of the gradients of every class, with nonnegative weights.

    Classes get their share of the budget. A point that the fit gives (almost) no weight keeps 1 % of the mean weight.
    `gradient_error` counts all of the gradient of a class without a point as missed. O(N_c d K) a pick.
    """
    parts = class_parts(pool, budget, "gradmatch")
    chosen, weights, error, energy = [], [], 0.0, 0.0
    for part in parts:
        gradients = _gradients(pool, part.rows)
        picks, amounts = match_sum(gradients, part.quota, ridge=params.ridge, given=part.given, report=report)
        amounts = amounts.clamp_min(_LEAST_WEIGHT * float(amounts.mean()) or 1.0)
        missed, whole = _mismatch(gradients, picks, amounts)
        chosen.append(part.rows[picks].cpu())
        weights.append(amounts.cpu())
        error, energy = error + missed, energy + whole
    for rows in rows_without_a_point(pool, parts, "gradmatch"):
        whole = _energy(_gradients(pool, rows))
        error, energy = error + whole, energy + whole
    found = {
        "gradient_error": math.sqrt(error / energy) if energy else 0.0,
        "warm_up_rows": float(len(pool.warm_up.rows)),
    }
    return Picks(deal_out(parts, chosen), weights=deal_out(parts, weights), objective=found)


def match_sum(
    gradients: Gradients, budget: int, *, ridge: float, given: Given | None = None, report: Report = ignore
) -> tuple[Tensor, Tensor]:
    """Minimise ‖Σ_j w_j g_j - Σ_i g_i‖² + ridge · mean‖g‖² · ‖w‖² over budget rows j and w >= 0, greedily.

    Each step adds the row whose gradient has the largest inner product with what is still missing, then refits all
    weights (Killamsetty et al., 2021, algorithm 2).

    Args:
        gradients: of N rows.
        budget: rows to pick, 1..N.
        ridge: > 0.
        given: rows that are in by hand, taken first, and rows that may be picked.
        report: told of every pick.

    Returns:
        (budget,) int64 rows in the order picked, ties to the lower row; (budget,) float64 weights on the CPU, all 0
        when no gradient can lower the error.
    """
    norms = gradients.squared_norms
    unit = float(norms.mean(dtype=torch.float64)) or 1.0
    target = gradients.total(torch.ones_like(norms))
    wanted = gradients.along(target)
    gram = torch.zeros(budget, budget, dtype=torch.float64)
    aims = torch.zeros(budget, dtype=torch.float64)
    weights = torch.zeros(0, dtype=torch.float64)
    given = given or nothing_given(len(norms), norms.device)
    taken = ~given.free
    picks = torch.empty(budget, dtype=torch.int64, device=norms.device)
    missing = wanted
    scale = wanted.abs().max()
    for t in range(budget):
        forced = t < len(given.start)
        pick = given.start[t] if forced else lowest((-missing).masked_fill(taken, torch.inf), scale)
        picks[t], taken[pick] = pick, True
        before = picks[: t + 1]
        part = Gradients(gradients.rows[before], gradients.residuals[before])
        column = part.products(torch.tensor([t], device=norms.device)).squeeze(1).cpu().double() / unit
        gram[t, : t + 1] = gram[: t + 1, t] = column
        gram[t, t] += ridge
        aims[t] = float(wanted[pick]) / unit
        weights = nonnegative_weights(gram[: t + 1, : t + 1], aims[: t + 1], torch.cat([weights, weights.new_zeros(1)]))
        reached = gradients.total(weights.to(norms.device), of=before)
        missing = gradients.along((target[0] - reached[0], target[1] - reached[1]))
        report(Progress("Matching gradients", t + 1, budget))
    return picks, weights


def _mismatch(gradients: Gradients, picks: Tensor, weights: Tensor) -> tuple[float, float]:
    """Squared norms of Σ_j w_j g_j - Σ_i g_i and of Σ_i g_i."""
    whole = gradients.total(torch.ones_like(gradients.rows[:, 0]))
    reached = gradients.total(weights.to(picks.device), of=picks)
    missed = sum(float((a - b).double().square().sum()) for a, b in zip(whole, reached, strict=True))
    return missed, _energy(gradients)


def _energy(gradients: Gradients) -> float:
    """Squared norm of Σ_i g_i."""
    whole = gradients.total(torch.ones_like(gradients.rows[:, 0]))
    return sum(float(a.double().square().sum()) for a in whole)


class GlisterParams(MethodParams):
    """Options of GLISTER."""

    step: float = Field(
        2.0, gt=0, le=1000, description="Step of the head for each chosen point, in units of 1 / mean ‖[x; 1]‖²."
    )
    block: int | None = Field(
        None, ge=1, description="Points picked before the head moves; empty moves it about 100 times in all."
    )


@_register(
    key="glister",
    title="GLISTER",
    summary="Adds the points whose gradient step lowers the loss on held-out labelled points of the pool most.",
    paper="Killamsetty et al. 2021, GLISTER: generalization based data subset selection (AAAI)",
    url="https://arxiv.org/abs/2012.10630",
    params=GlisterParams,
)
def glister(pool: Pool, budget: int, params: GlisterParams, *, seed: int, report: Report) -> Picks:
    """Greedy on the held-out loss, by Taylor expansion at a head that moves with every pick or block of picks.

    The head starts at the warm-up head. Held out are as many stratified rows of the pool as trained it, not among them.
    O(N d K) a block.
    """
    warm_up = pool.warm_up
    picks, before, after = lower_loss(
        _gradients(pool),
        warm_up.logits[warm_up.held_out],
        warm_up.labels[warm_up.held_out],
        held_out=warm_up.held_out,
        budget=budget,
        step=params.step / (1 + pool.scaler.varying),
        block=params.block or -(-budget // _BLOCKS),
        given=pool.given,
        report=report,
    )
    found = {
        "loss_before": before,
        "loss_after": after,
        "warm_up_rows": float(len(warm_up.rows)),
        "held_out_rows": float(len(warm_up.held_out)),
    }
    return Picks(picks, objective=found)


def lower_loss(
    gradients: Gradients,
    logits: Tensor,
    labels: Tensor,
    *,
    held_out: Tensor,
    budget: int,
    step: float,
    block: int,
    given: Given | None = None,
    report: Report = ignore,
) -> tuple[Tensor, float, float]:
    """Pick rows whose own gradient step lowers the held-out loss L most, to first order: largest g_i · ∇L(θ).

    After every block the head takes the steps of its rows, θ ← θ - step · Σ g_i, and ∇L is computed there; the
    gradients g_i stay those of the first head (Killamsetty et al., 2021, GreedyTaylorApprox).

    Args:
        gradients: of N rows at the first head.
        logits: (v, K) of the held-out rows at the first head.
        labels: (v,) their classes.
        held_out: (v,) int64 which rows they are.
        budget: rows to pick, 1..N.
        step: of the head for each chosen row.
        block: rows picked between two updates, >= 1.
        given: rows that are in by hand, whose steps the head takes first, and rows that may be picked.
        report: told of every block.

    Returns:
        (budget,) int64 rows in the order picked, ties to the lower row; mean held-out loss before and after.
    """
    rows = gradients.rows[held_out]
    truth = torch.nn.functional.one_hot(labels, logits.shape[1]).to(logits)
    given = given or nothing_given(len(gradients.rows))
    left, start = given.free.cpu().clone(), given.start.cpu()
    picks = torch.empty(0, dtype=torch.int64)
    losses = [-float((logits.log_softmax(dim=1) * truth).sum(dim=1).mean())]
    while len(picks) < budget:
        slope = ((logits.softmax(dim=1) - truth) / len(truth)).to(rows)
        gain = gradients.along((rows.T @ slope, slope.sum(dim=0))).cpu()
        order = ranked(gain)
        chosen = order[left[order]][: min(block, budget - len(picks))]
        if len(picks) < len(start):
            chosen = start
        picks, left[chosen] = torch.cat([picks, chosen]), False
        moved = chosen.to(rows.device)
        weights, bias = gradients.total(torch.ones_like(gradients.rows[moved][:, 0]), of=moved)
        logits = logits - step * (rows @ weights + bias).to(logits)
        losses.append(-float((logits.log_softmax(dim=1) * truth).sum(dim=1).mean()))
        report(Progress("Picking points", len(picks), budget, {"loss": losses[-1]}))
    return picks, losses[0], losses[-1]
