"""Methods that draw points at random: uniform, uniform by class, leverage, ridge leverage, adaptive."""

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given
from skmm_core.device import generator, widest
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.spec import NoParams
from skmm_core.methods.stratify import class_parts, deal_out
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report
from skmm_core.solvers import SingularBasis, adaptive, round_sample, singular_basis

_BLOCK_ROWS = 16_384
_PRODUCTS_LIMIT = 2048  # rows of a wide pool whose products, 32 MiB at most, save much time


class UniformParams(MethodParams):
    """Options of uniform sampling."""

    stratify: bool = Field(False, description="Draw within every class, in proportion; reads the class labels.")


@register(
    key="uniform",
    title="Uniform",
    family=Family.SAMPLING,
    summary="Picks points at random, all equally likely: the baseline that every method must beat.",
    paper="Simple random sampling without replacement",
    url="https://en.wikipedia.org/wiki/Simple_random_sample",
    params=UniformParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def uniform(pool: Pool, budget: int, params: UniformParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement, every subset of this size equally likely. O(N).

    Of a pool too large for memory, among the rows that are held at random, so that all its rows are equally likely.
    Stratified, the quotas of the classes add up to the budget exactly (largest remainders).
    """
    order = torch.randperm(pool.size, generator=generator(seed, "uniform"))
    order = order[pool.given.free.cpu()[order]]
    if pool.whole is not None:
        order = order[pool.whole.drawn[order]]
    start = pool.given.start.cpu()
    if not params.stratify:
        return Picks(torch.cat([start, order[: budget - len(start)]]))
    # A class's share of a random order of all rows is a random order of the class.
    labels = torch.full((pool.size,), -1)
    parts = class_parts(pool, budget, "uniform")
    for label, part in enumerate(parts):
        labels[part.rows.cpu()] = label
    drawn = [
        torch.cat([start[labels[start] == label], order[labels[order] == label][: part.quota - len(part.given.start)]])
        for label, part in enumerate(parts)
    ]
    return Picks(deal_out(parts, drawn))


@register(
    key="uniform_stratified",
    title="Uniform by class",
    family=Family.SAMPLING,
    summary="Picks points at random within every class, in proportion: what methods that see labels must beat.",
    paper="Proportionate stratified random sampling",
    url="https://en.wikipedia.org/wiki/Stratified_sampling",
    params=NoParams,
    needs=frozenset({Need.CLASSES}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def uniform_stratified(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """:func:`uniform` with `stratify`, as a method of its own, so that a comparison can hold both. O(N)."""
    return uniform(pool, budget, UniformParams(stratify=True), seed=seed, report=report)


class LeverageParams(MethodParams):
    """Options of leverage-score sampling."""

    rank: int | None = Field(
        None, ge=1, description="Leading directions that count; empty takes min(budget, rank of the features)."
    )


@register(
    key="leverage",
    title="Leverage",
    family=Family.SAMPLING,
    summary="Draws points in proportion to how much of the leading directions only they carry.",
    paper="Mahoney & Drineas 2009, CUR matrix decompositions for improved data analysis",
    url="https://doi.org/10.1073/pnas.0803205106",
    params=LeverageParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def leverage(pool: Pool, budget: int, params: LeverageParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement in proportion to rank-k leverage scores. O(N d²).

    Of a pool too large for memory, held rows in proportion to their score over their chance to be held.

    A rank above the numerical rank of the features takes that rank.
    """
    scores = leverage_scores(pool.features, params.rank or budget, basis=pool.feature_basis)
    return Picks(_drawn(pool, scores, budget, generator(seed, "leverage")), scores=scores)


def _drawn(pool: Pool, scores: Tensor, budget: int, draw: torch.Generator) -> Tensor:
    """Rows drawn in proportion to their scores, those of a large pool as if all its rows took part."""
    chances = scores if pool.whole is None else scores / pool.whole.chance.to(scores)
    return draw_rest(chances, budget, pool.given, draw)


def draw_rest(scores: Tensor, budget: int, given: Given, draw: torch.Generator) -> Tensor:
    """The rows that are in by hand, then others that may be picked, drawn in proportion to their scores: (budget,)."""
    rows, start = given.free_rows().to(scores.device), given.start.to(scores.device)
    if budget == len(start):
        return start
    return torch.cat([start, rows[round_sample(scores[rows], budget - len(start), generator=draw)]])


def leverage_scores(rows: Tensor, rank: int, *, basis: SingularBasis | None = None) -> Tensor:
    """Rank-k leverage: squared row norms of the leading left singular vectors, (N,) in 0..1, sum min(rank, true rank).

    Not the squared row norms of X, which some public code calls leverage.

    Args:
        rows: (N, d) float32 or float64.
        rank: leading directions that count.
        basis: of the rows, where it was computed before.
    """
    return _weighted_energies(rows, basis, lambda energies: (torch.arange(len(energies)) < rank).double())


def _weighted_energies(rows: Tensor, basis: SingularBasis | None, weigh: Callable[[Tensor], Tensor]) -> Tensor:
    """Σ_j w_j u_ij² for the left singular vectors u_j of X, (N,) in 0..1 and of the dtype of the rows.

    Args:
        rows: (N, d) X.
        basis: of X, where it was computed before.
        weigh: gives w, in 0..1, for the squared singular values of X, float64, descending.
    """
    basis = basis or singular_basis(rows)
    weights = weigh(basis.values.square())
    if rows.shape[0] < rows.shape[1]:
        energy: Tensor = basis.vectors.square() @ weights
        return energy.clamp(max=1.0).to(rows)
    kept = (weights > 0).nonzero().squeeze(1)
    # far from the origin a row's part in a faint direction is a small difference of large numbers
    scaled = (basis.vectors[:, kept] * (weights[kept].sqrt() / basis.values[kept])).to(rows.device, widest(rows.device))
    energies = [(block.to(scaled) @ scaled).square().sum(dim=1) for block in rows.split(_BLOCK_ROWS)]
    return torch.cat(energies).clamp(max=1.0).to(rows)


class RidgeLeverageParams(MethodParams):
    """Options of ridge-leverage sampling."""

    rank: int | None = Field(
        None,
        ge=1,
        description="Sets the ridge: the mean energy of the directions beyond this rank; empty takes the budget.",
    )
    ridge: float | None = Field(
        None, ge=0, description="Ridge α itself, in squared units of the features; empty derives it from the rank."
    )


@register(
    key="ridge_leverage",
    title="Ridge leverage",
    family=Family.SAMPLING,
    summary="Draws points by how much of the directions only they carry, faint directions fading out smoothly.",
    paper="Cohen, Musco & Musco 2017, Input sparsity time low-rank approximation via ridge leverage score sampling",
    url="https://arxiv.org/abs/1511.07263",
    params=RidgeLeverageParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def ridge_leverage(pool: Pool, budget: int, params: RidgeLeverageParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement in proportion to the ridge leverage x_iᵀ(XᵀX + αI)⁻¹x_i. O(N d²).

    α = ‖X - X_k‖_F²/k unless it is given (Cohen, Musco & Musco, Definition 3), k being the rank.
    """
    report(Progress("Scoring points", 0, 1))
    scores = ridge_leverage_scores(pool.features, params.rank or budget, ridge=params.ridge, basis=pool.feature_basis)
    return Picks(_drawn(pool, scores, budget, generator(seed, "ridge_leverage")), scores=scores)


def ridge_leverage_scores(
    rows: Tensor, rank: int, *, ridge: float | None = None, basis: SingularBasis | None = None
) -> Tensor:
    """x_iᵀ(XᵀX + αI)⁻¹x_i, (N,) in 0..1, of the dtype of the rows; float64 inside.

    Args:
        rows: (N, d) float32 or float64.
        rank: k of α = ‖X - X_k‖_F²/k; from the true rank on α is 0 and the scores are leverage.
        ridge: α, which overrules the rank.
        basis: of the rows, where it was computed before.
    """

    def weigh(energies: Tensor) -> Tensor:
        alpha = float(energies[rank:].sum()) / rank if ridge is None else ridge
        return energies / (energies + alpha)

    return _weighted_energies(rows, basis, weigh)


class AdaptiveParams(MethodParams):
    """Options of adaptive sampling."""

    block: int = Field(
        1, ge=1, le=4096, description="Points drawn before the residuals are updated; 1 is exact, more is faster."
    )


@register(
    key="adaptive",
    title="Adaptive",
    family=Family.SAMPLING,
    summary="Draws points in proportion to what the chosen ones cannot yet express.",
    paper="Deshpande & Vempala 2006, Adaptive sampling; Chen, Epperly, Tropp & Webber 2025, Randomly pivoted Cholesky",
    url="https://arxiv.org/abs/2207.06503",
    params=AdaptiveParams,
    random=True,
    goes_on=True,
)
def _adaptive(pool: Pool, budget: int, params: AdaptiveParams, *, seed: int, report: Report) -> Picks:
    draw = generator(seed, "adaptive")
    by_products = pool.features.dtype == torch.float32 and pool.size <= min(_PRODUCTS_LIMIT, pool.features.shape[1])
    found = adaptive(
        pool.features,
        budget,
        block=params.block,
        generator=draw,
        products=pool.feature_products if by_products else None,
        given=pool.given,
        report=report,
    )
    return Picks(found)
