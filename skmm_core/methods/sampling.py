"""Methods that draw points at random, with or without importance."""

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.device import generator
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.moments import second_moment
from skmm_core.pool import Pool
from skmm_core.progress import Report
from skmm_core.simplex import round_sample


class UniformParams(MethodParams):
    """No options."""


@register(
    key="uniform",
    title="Uniform",
    family=Family.SAMPLING,
    summary="Picks points at random, all equally likely: the baseline that every method must beat.",
    paper="Simple random sampling without replacement",
    url="https://en.wikipedia.org/wiki/Simple_random_sample",
    params=UniformParams,
    random=True,
)
def uniform(pool: Pool, budget: int, params: UniformParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement, every subset of this size equally likely. O(N)."""
    return Picks(torch.randperm(pool.size, generator=generator(seed, "uniform"))[:budget])


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
)
def leverage(pool: Pool, budget: int, params: LeverageParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement in proportion to rank-k leverage scores. O(N d²).

    A rank above the numerical rank of the features takes that rank.
    """
    scores = leverage_scores(pool.features, params.rank or budget)
    return Picks(round_sample(scores, budget, generator=generator(seed, "leverage")), scores=scores)


def leverage_scores(rows: Tensor, rank: int) -> Tensor:
    """Rank-k leverage: squared row norms of the leading left singular vectors, (N,) in 0..1, sum min(rank, true rank).

    Taken from the eigenvectors of XᵀX or XXᵀ, whichever is smaller, in float64. Not the squared row norms of X, which
    some public code calls leverage.

    Args:
        rows: (N, d) float32 or float64.
        rank: leading directions that count.
    """
    wide = rows.shape[0] < rows.shape[1]
    gram = second_moment(rows.T if wide else rows)
    eigenvalues, vectors = torch.linalg.eigh(gram)
    floor = max(rows.shape) * torch.finfo(rows.dtype).eps * eigenvalues[-1].clamp_min(0)
    k = min(rank, int((eigenvalues > floor).sum()))
    if k == 0:
        return torch.zeros(len(rows), dtype=rows.dtype, device=rows.device)
    leading = vectors[:, -k:]
    scaled = leading * (eigenvalues[-k:] * len(rows)).rsqrt()
    left: Tensor = leading if wide else (rows @ scaled.to(rows)).cpu()
    return left.double().square().sum(dim=1).clamp(max=1.0).to(rows)
