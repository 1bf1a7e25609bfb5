"""Methods that rank points by how a head learns them: EL2N, GraNd, forgetting; and influence (leverage × residual²)."""

from functools import partial

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Task, row_blocks
from skmm_core.device import generator
from skmm_core.methods.ranking import best, best_of_classes
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.sampling import draw_rest, leverage_scores
from skmm_core.methods.spec import NoParams
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report

# What the methods that read the dynamics have in common; a registration below says what is its own.
_register = partial(
    register,
    family=Family.TRAINING,
    needs=frozenset({Need.CLASSES, Need.DYNAMICS}),
    uses_labels=True,
    random=True,  # in the heads that training starts from
    goes_on=True,
)


class DynamicsParams(MethodParams):
    """Options of methods that take the hardest points."""

    balanced: bool = Field(True, description="Give each class its share of the pool; off takes the hardest of all.")


def _hardest(pool: Pool, scores: Tensor, budget: int, params: DynamicsParams, method: str) -> Picks:
    balanced = params.balanced
    rows = best_of_classes(pool, scores, budget, method) if balanced else best(scores, budget, pool.given)
    return Picks(rows, scores=scores)


@_register(
    key="el2n",
    title="EL2N",
    summary="Takes the points with the largest error early in training; made for keeping most of a pool, and worse "
    "than random at small budgets.",
    paper="Paul, Ganguli & Dziugaite 2021, Deep learning on a data diet (NeurIPS)",
    url="https://arxiv.org/abs/2107.07075",
    params=DynamicsParams,
)
def el2n(pool: Pool, budget: int, params: DynamicsParams, *, seed: int, report: Report) -> Picks:
    """Largest expected ‖p - y‖ over initial heads and early epochs first. O(N log N) after the training dynamics."""
    return _hardest(pool, pool.dynamics.el2n, budget, params, "el2n")


@_register(
    key="grand",
    title="GraNd",
    summary="Takes the points with the largest loss gradient early in training; made for keeping most of a pool, and "
    "worse than random at small budgets.",
    paper="Paul, Ganguli & Dziugaite 2021, Deep learning on a data diet (NeurIPS)",
    url="https://arxiv.org/abs/2107.07075",
    params=DynamicsParams,
)
def grand(pool: Pool, budget: int, params: DynamicsParams, *, seed: int, report: Report) -> Picks:
    """Largest expected gradient norm of the row's own loss first. O(N log N) after the training dynamics.

    For a linear head the gradient is (p - y)[x; 1]ᵀ and its norm ‖p - y‖ · ‖[x; 1]‖: no per-sample backward pass, and
    no mean over a batch that would scale it.
    """
    return _hardest(pool, pool.dynamics.grand, budget, params, "grand")


@_register(
    key="forgetting",
    title="Forgetting",
    summary="Takes the points that a head in training learns and forgets most often; made for keeping most of a pool, "
    "and worse than random at small budgets.",
    paper="Toneva et al. 2019, An empirical study of example forgetting (ICLR)",
    url="https://arxiv.org/abs/1812.05159",
    params=DynamicsParams,
)
def forgetting(pool: Pool, budget: int, params: DynamicsParams, *, seed: int, report: Report) -> Picks:
    """Most forgetting events first; never learned is the maximum. O(N log N) after the training dynamics."""
    return _hardest(pool, pool.dynamics.forgetting, budget, params, "forgetting")


@register(
    key="influence",
    title="Influence",
    family=Family.TRAINING,
    summary="Draws points in proportion to leverage times squared residual: far out and badly fitted points first.",
    paper="Cook 1977, Detection of influential observation in linear regression; sampled as by Dong et al. 2024",
    url="https://doi.org/10.1080/00401706.1977.10489493",
    params=NoParams,
    needs=frozenset({Need.TARGETS, Need.WARM_UP}),
    uses_labels=True,
    random=True,
    goes_on=True,
)
def influence(pool: Pool, budget: int, params: NoParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement in proportion to leverage × squared residual. O(N d²).

    Residuals: ‖p - y‖² of the warm-up head for classes; for regression those of the ridge fit on all targets of the
    pool. Leverage is that of all directions of the features.
    """
    report(Progress("Scoring points", 0))
    scores = leverage_scores(pool.features, pool.features.shape[1]).double() * squared_residuals(pool).cpu()
    picks = draw_rest(scores, budget, pool.given, generator(seed, "influence"))
    found = {"warm_up_rows": float(len(pool.warm_up.rows))} if pool.task is Task.CLASSIFICATION else {}
    return Picks(picks, scores=scores.to(pool.features.dtype), objective=found)


def squared_residuals(pool: Pool) -> Tensor:
    """(N,) ‖p - y‖² of the warm-up head for classes, (y - ŷ)² of the ridge fit on the pool for numeric targets."""
    if pool.task is Task.CLASSIFICATION or pool.targets is None or pool.fit.coef is None:
        return pool.warm_up.residuals.square().sum(dim=1)
    coef = pool.fit.coef.squeeze(1)
    blocks = row_blocks(pool.fit_rows, pool.fit_rows.shape[1])
    predicted = torch.cat([block.cpu().double() @ coef for block in blocks])
    targets = pool.targets.cpu().double()
    return (targets - targets.mean() - predicted).square()
