"""Kernel moment matching on partly whitened gradients.

A few strong directions carry most of the energy of pooled network features, and mostly say how typical a picture is;
what tells neighbouring classes apart lies in fainter ones. Whole whitening makes noise as loud as they are. A power in
between, then unit length, lets the kernel see both, and tames heavy tails.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.methods.kernel_matching import EXCHANGES, SPACE, aim_at_pool, match_mean
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.pool import Pool, matched_rows, principal_rows
from skmm_core.progress import Report
from skmm_core.solvers import GaussianKernel, gaussian_kernel

POWER = "How far strong directions are toned down: 0 not at all, 1 until all vary about equally."
RANK = "Leading principal directions that are compared."
SCALE = "Squared bandwidth as a multiple of the median squared distance; small = local."


class SkmmWhitenedParams(MethodParams):
    """Options of whitened kernel matching."""

    space: Literal["features", "sketch"] = Field("features", description=SPACE)
    power: float = Field(0.3, ge=0, le=1, description=POWER)
    rank: int = Field(256, ge=1, le=2048, description=RANK)
    scale: float = Field(0.05, gt=0, le=100, description=SCALE)
    exchanges: int = Field(2, ge=0, le=1000, description=EXCHANGES)


@register(
    key="skmm_whitened",
    title="SkMM whitened",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that match the pool's moments of all orders, with strong directions toned down.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; partial whitening and exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmWhitenedParams,
    goes_on=True,
    beyond_memory=True,
)
def skmm_whitened(pool: Pool, budget: int, params: SkmmWhitenedParams, *, seed: int, report: Report) -> Picks:
    """Minimise the MMD between chosen points and pool under a Gaussian kernel on partly whitened rows of unit length.

    Rows are centred, turned into their `rank` leading principal directions, scaled by (λ + 0.1 mean λ)^(-power/2) each,
    and brought to unit length. Cost as :func:`skmm_kernel` with `rank` columns, and O(N d²) once. What it
    draws (pairs for the median, reference rows of large pools) does not depend on the seed.
    """
    rows = matched_rows(pool, params.space)
    ones = torch.ones_like(rows[:, 0])
    aim = aim_at_pool(pool, params, lambda: whitened_kernel(rows, params, pool.some_drawn), ones, seed=0, report=report)
    return match_mean(pool, aim, budget, params.exchanges, report)


def whitened_kernel(rows: Tensor, params: SkmmWhitenedParams, drawn: Tensor | None) -> GaussianKernel:
    """Gaussian kernel on (N, r) rows in their leading principal directions, partly whitened, of unit length."""
    # not kept by name, so that they are gone when the kernel has rows of its own
    return gaussian_kernel(
        principal_rows(rows, params.rank, power=params.power, drawn=drawn), normalise=True, scale=params.scale, seed=0
    )
