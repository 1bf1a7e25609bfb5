"""Kernel moment matching: pick points whose kernel mean equals the pool's, with no relaxation in between.

A Gaussian kernel compares moments of all orders at once, where the paper's problem compares the second moments along m
directions. Beyond the paper; kept as a method of its own.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.device import generator
from skmm_core.methods.registry import Family, MethodParams, Picks, Status, register
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore

EXACT_LIMIT = 20_000
_BLOCK_ELEMENTS = 8_000_000
_MEDIAN_PAIRS = 20_000


class SkmmKernelParams(MethodParams):
    """Options of kernel moment matching."""

    space: Literal["features", "sketch"] = Field(
        "features", description="Compare full gradients (features) or sketched ones (less memory and time)."
    )
    normalise: bool = Field(True, description="Scale rows to unit length first: directions matter, not lengths.")
    scale: float = Field(
        0.1, gt=0, le=100, description="Squared bandwidth as a multiple of the median squared distance; small = local."
    )
    keep_rare: bool = Field(
        True, description="Points with over twice the average leverage count by it, so rare directions get a point."
    )
    exchanges: int = Field(
        2, ge=0, le=1000, description="Most sweeps that try to exchange each chosen point for a better one."
    )


@register(
    key="skmm_kernel",
    title="SkMM kernel",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that match the pool's moments of all orders, by greedy choice and exchange on a kernel.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmKernelParams,
    random=True,
)
def skmm_kernel(pool: Pool, budget: int, params: SkmmKernelParams, *, seed: int, report: Report) -> Picks:
    """Minimise the maximum mean discrepancy (MMD) between the chosen points and the pool.

    With `keep_rare` the pool's kernel mean is weighted by :func:`rarity`. Plain matching gives a cluster of fewer than
    N/n points no point at all; a linear model then knows nothing of that direction, and its bias explodes. O(N · d)
    time a pick and O(N) memory beyond the rows; the kernel mean costs O(N · min(N, 20,000) · d) once. The median of
    distances and, above 20,000 points, the reference rows of the mean are drawn from the seed.
    """
    rows = pool.gradients if params.space == "features" else pool.sketched
    kernel = gaussian_kernel(rows, normalise=params.normalise, scale=params.scale, seed=seed)
    importance = rarity(pool.moments.leverage) if params.keep_rare else torch.ones_like(rows[:, 0])
    mean = kernel_mean(kernel, importance, seed=seed, report=report)
    constant = float((importance.double() @ mean.double()) / importance.sum(dtype=torch.float64))
    picks = greedy_mmd(kernel, mean, budget, report=report)
    greedy = squared_mmd(kernel, mean, picks, constant)
    picks, converged = exchange_mmd(kernel, mean, picks, sweeps=params.exchanges, report=report)
    return Picks(
        order_by_prefix(kernel, mean, picks),
        scores=mean,
        status=Status.CONVERGED if converged or params.exchanges == 0 else Status.MAX_SWEEPS,
        objective={"greedy": greedy, "rounded": squared_mmd(kernel, mean, picks, constant)},
    )


@dataclass(frozen=True)
class GaussianKernel:
    """k(x, y) = exp(-‖x - y‖² / (2 h²)) over the rows of a pool, one column at a time.

    Attributes:
        rows: (N, d), centred (distances do not change, digits are saved).
        squared_norms: (N,).
        bandwidth: h² in squared units of the rows; > 0.
    """

    rows: Tensor
    squared_norms: Tensor
    bandwidth: float

    def columns(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """Kernel of all rows, or of the rows `among`, with the rows `indices`: (N, len) or (len(among), len)."""
        rows, norms = (
            (self.rows, self.squared_norms) if among is None else (self.rows[among], self.squared_norms[among])
        )
        squared = torch.addmm(norms[:, None], rows, self.rows[indices].T, alpha=-2)
        squared += self.squared_norms[indices]
        return squared.clamp_min_(0).mul_(-0.5 / self.bandwidth).exp_()


def gaussian_kernel(rows: Tensor, *, normalise: bool, scale: float, seed: int) -> GaussianKernel:
    """Make the kernel with h² = scale × median squared distance over random pairs of different rows.

    When the median is 0 (most rows are duplicates) the mean takes its place; when all rows are equal, 1.
    """
    if normalise:
        norms = rows.norm(dim=1, keepdim=True)
        rows = rows / torch.where(norms > 0, norms, 1.0)
    rows = rows - rows.mean(dim=0, dtype=torch.float64).to(rows)
    draw = generator(seed, "kernel:median")
    first = torch.randint(len(rows), (_MEDIAN_PAIRS,), generator=draw)
    second = (first + 1 + torch.randint(max(1, len(rows) - 1), (_MEDIAN_PAIRS,), generator=draw)) % len(rows)
    squared = torch.cat(
        [(rows[a] - rows[b]).square().sum(dim=1) for a, b in zip(first.split(1000), second.split(1000), strict=True)]
    )
    median = float(squared.median()) or float(squared.mean()) or 1.0
    return GaussianKernel(rows, rows.square().sum(dim=1), scale * median)


def rarity(leverage: Tensor) -> Tensor:
    """(N,) importance: 1, or leverage over twice its mean where that is more.

    Twice the mean is the classical mark of a high-leverage point (Hoaglin & Welsch, 1978); below it nothing changes.
    """
    return (leverage / (2 * leverage.mean()).clamp_min(torch.finfo(leverage.dtype).tiny)).clamp_min(1.0)


def kernel_mean(kernel: GaussianKernel, importance: Tensor, *, seed: int, report: Report = ignore) -> Tensor:
    """μ_i = Σ_j w_j k(x_i, x_j) / Σ_j w_j over the pool, (N,), w being the importance.

    Exact up to 20,000 rows, else over 20,000 random reference rows; for equal importance that is unbiased with a
    standard error of at most 1/(2·√20,000) = 0.0035 an entry.
    """
    size = len(kernel.rows)
    reference = torch.arange(size)
    if size > EXACT_LIMIT:
        reference = torch.randperm(size, generator=generator(seed, "kernel:reference"))[:EXACT_LIMIT].sort().values
    reference = reference.to(kernel.rows.device)
    total = torch.zeros(size, dtype=torch.float64, device=kernel.rows.device)
    done = 0
    for block in reference.split(max(1, _BLOCK_ELEMENTS // size)):
        total += kernel.columns(block) @ importance[block].to(kernel.rows)
        done += len(block)
        report(Progress("Averaging the kernel", done, len(reference)))
    return (total / importance[reference].sum(dtype=torch.float64)).to(kernel.rows)


def greedy_mmd(kernel: GaussianKernel, mean: Tensor, budget: int, *, report: Report = ignore) -> Tensor:
    """Add, one at a time, the row that leaves the least MMD to the pool: (budget,) int64; ties go to the lower row."""
    taken = torch.zeros(len(mean), dtype=torch.bool, device=mean.device)
    similarity = torch.zeros_like(mean)
    picks = torch.empty(budget, dtype=torch.int64, device=mean.device)
    for t in range(budget):
        pick = (similarity - (t + 1) * mean).masked_fill_(taken, torch.inf).argmin()
        picks[t], taken[pick] = pick, True
        similarity += kernel.columns(pick[None]).squeeze(1)
        report(Progress("Picking points", t + 1, budget))
    return picks


def exchange_mmd(
    kernel: GaussianKernel, mean: Tensor, picks: Tensor, *, sweeps: int, report: Report = ignore
) -> tuple[Tensor, bool]:
    """Exchange each chosen row for the best row outside while that lowers the MMD.

    Returns:
        (n,) int64 rows, and whether a whole sweep found nothing to exchange.
    """
    picks = picks.clone()
    n = len(picks)
    if n == len(mean):
        return picks, True
    taken = torch.zeros(len(mean), dtype=torch.bool, device=mean.device)
    taken[picks] = True
    similarity = torch.zeros_like(mean)
    for block in picks.split(max(1, _BLOCK_ELEMENTS // len(mean))):
        similarity += kernel.columns(block).sum(dim=1)
    # Rounding alone must not look like a gain, or two equal rows would be exchanged for ever.
    tolerance = 1e-5 * n * float(mean.abs().max())
    for sweep in range(sweeps):
        exchanged = False
        for slot in range(n):
            report(Progress("Exchanging points", sweep * n + slot, sweeps * n))
            old = picks[slot]
            without = similarity - kernel.columns(old[None]).squeeze(1)
            cost = without - n * mean
            new = cost.masked_fill(taken, torch.inf).argmin()
            if float(cost[new]) < float(cost[old]) - tolerance:
                picks[slot], taken[old], taken[new] = new, False, True
                similarity = without + kernel.columns(new[None]).squeeze(1)
                exchanged = True
        if not exchanged:
            return picks, True
    return picks, False


def order_by_prefix(kernel: GaussianKernel, mean: Tensor, picks: Tensor) -> Tensor:
    """Put the chosen rows in greedy order, so that each prefix is a good smaller selection."""
    rest = picks.sort().values
    similarity = torch.zeros_like(mean[rest])
    left = torch.ones(len(rest), dtype=torch.bool, device=rest.device)
    order = torch.empty_like(rest)
    for t in range(len(rest)):
        best = (similarity - (t + 1) * mean[rest]).masked_fill_(~left, torch.inf).argmin()
        order[t], left[best] = rest[best], False
        similarity += kernel.columns(rest[best][None], among=rest).squeeze(1)
    return order


def squared_mmd(kernel: GaussianKernel, mean: Tensor, picks: Tensor, constant: float) -> float:
    """‖mean of the chosen - mean of the pool‖² in the kernel's space; `constant` is the squared norm of the latter."""
    n = len(picks)
    within = sum(
        float(kernel.columns(block, among=picks).sum(dtype=torch.float64))
        for block in picks.split(max(1, _BLOCK_ELEMENTS // n))
    )
    cross = float(mean[picks].sum(dtype=torch.float64))
    return max(0.0, constant - 2 * cross / n + within / n**2)
