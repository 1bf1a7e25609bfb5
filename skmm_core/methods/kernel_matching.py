"""Kernel moment matching: pick points whose kernel mean equals the pool's, with no relaxation in between.

A kernel compares many moments at once, where the paper's problem compares the second moments along m directions. Beyond
the paper; kept as methods of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.device import with_more_digits
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, Status, register
from skmm_core.methods.stratify import pick_by_class
from skmm_core.pool import Pool
from skmm_core.progress import Report
from skmm_core.solvers import (
    GaussianKernel,
    Kernel,
    LabelledKernel,
    PolynomialKernel,
    columns_of,
    exchange_mmd,
    gaussian_kernel,
    greedy_mmd,
    kernel_mean,
    labelled_kernel,
    order_by_prefix,
    polynomial_kernel,
    squared_mmd,
)

EXCHANGES = "Most sweeps that try to exchange each chosen point for a better one."
SPACE = "Compare full gradients (features) or sketched ones (less memory and time)."
NORMALISE = "Scale rows to unit length first: directions matter, not lengths."
_SCALE = "Squared bandwidth as a multiple of the median squared distance; small = local."
_KEEP_RARE = "Points with over twice the average leverage count by it, so rare directions get a point."


class SkmmKernelParams(MethodParams):
    """Options of kernel moment matching."""

    space: Literal["features", "sketch"] = Field("features", description=SPACE)
    normalise: bool = Field(True, description=NORMALISE)
    scale: float = Field(0.1, gt=0, le=100, description=_SCALE)
    keep_rare: bool = Field(True, description=_KEEP_RARE)
    exchanges: int = Field(2, ge=0, le=1000, description=EXCHANGES)
    stratify: bool = Field(False, description="Pick within every class, in proportion; reads the class labels.")


@register(
    key="skmm_kernel",
    title="SkMM kernel",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that match the pool's moments of all orders, by greedy choice and exchange on a kernel.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmKernelParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def skmm_kernel(pool: Pool, budget: int, params: SkmmKernelParams, *, seed: int, report: Report) -> Picks:
    """Minimise the maximum mean discrepancy (MMD) between the chosen points and the pool.

    With `keep_rare` the pool's kernel mean is weighted by :func:`rarity`. Plain matching gives a cluster of fewer than
    N/n points no point at all; a linear model then knows nothing of that direction, and its bias explodes. O(N · d)
    time a pick, 64 at a time, and up to 256 MB beyond the rows, see :class:`ColumnsAhead`; the kernel mean costs
    O(N · 10,240 · d) once, or O(N² · d) up to 20,000 points. The median of distances and, above 20,000 points, the rows
    that the mean is made with are drawn from the seed.
    """
    if params.stratify:
        whole = params.model_copy(update={"stratify": False})
        return pick_by_class(
            pool, budget, "skmm_kernel", lambda part, n: skmm_kernel(part, n, whole, seed=seed, report=report)
        )
    rows = with_more_digits(pool.dense_gradients if params.space == "features" else pool.sketched)

    def kernel() -> GaussianKernel:
        return gaussian_kernel(rows, normalise=params.normalise, scale=params.scale, seed=seed)

    importance = rarity(pool.moments.leverage) if params.keep_rare else torch.ones_like(rows[:, 0])
    aim = aim_at_pool(pool, params, kernel, importance, seed=seed, report=report)
    return match_mean(pool, aim, budget, params.exchanges, report)


def rarity(leverage: Tensor) -> Tensor:
    """(N,) importance: 1, or leverage over twice its mean where that is more.

    Twice the mean is the classical mark of a high-leverage point (Hoaglin & Welsch, 1978); below it nothing changes.
    """
    return (leverage / (2 * leverage.mean()).clamp_min(torch.finfo(leverage.dtype).tiny)).clamp_min(1.0)


class SkmmJointParams(MethodParams):
    """Options of joint kernel matching."""

    space: Literal["features", "sketch"] = Field("features", description=SPACE)
    normalise: bool = Field(True, description=NORMALISE)
    scale: float = Field(0.1, gt=0, le=100, description=_SCALE)
    target_scale: float = Field(
        1.0, gt=0, le=100, description="Squared bandwidth on numeric targets, in their variances; classes ignore it."
    )
    keep_rare: bool = Field(False, description=_KEEP_RARE)
    exchanges: int = Field(2, ge=0, le=1000, description=EXCHANGES)


@register(
    key="skmm_joint",
    title="SkMM joint",
    family=Family.MOMENT_MATCHING,
    summary="Matches gradients and targets together, so that every class or range of targets is seen as in the pool.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; on pairs, exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmJointParams,
    needs=frozenset({Need.TARGETS}),
    uses_labels=True,
    goes_on=True,
)
def skmm_joint(pool: Pool, budget: int, params: SkmmJointParams, *, seed: int, report: Report) -> Picks:
    """Minimise the MMD between chosen and all pairs (gradient, target) under the kernel k_h(z, z') · κ(y, y').

    κ is 1[y = y'] for classes, so that classes come about in proportion by themselves, and for a regression
    exp(-(y - y')²/(2 target_scale)) on the standardised target. Cost as :func:`skmm_kernel`. What it draws (pairs for
    the median, reference rows of large pools) does not depend on the seed.
    """
    targets = pool.targets
    if targets is None:
        raise ValueError("select() checks that there are targets")
    rows = with_more_digits(pool.dense_gradients if params.space == "features" else pool.sketched)

    def kernel() -> LabelledKernel:
        inputs = gaussian_kernel(rows, normalise=params.normalise, scale=params.scale, seed=0)
        return labelled_kernel(inputs, targets, bandwidth=params.target_scale)

    importance = rarity(pool.moments.leverage) if params.keep_rare else torch.ones_like(rows[:, 0])
    aim = aim_at_pool(pool, params, kernel, importance, seed=0, report=report)
    return match_mean(pool, aim, budget, params.exchanges, report)


class SkmmDirectParams(MethodParams):
    """Options of direct moment matching."""

    exchanges: int = Field(2, ge=0, le=1000, description=EXCHANGES)


@register(
    key="skmm_direct",
    title="SkMM direct",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that match the mean and the whole second moment of the sketched gradients, one at a time.",
    paper="Chen, Welling & Smola 2010, Super-samples from kernel herding; quadratic kernel, exchange added",
    url="https://arxiv.org/abs/1203.3472",
    params=SkmmDirectParams,
    goes_on=True,
    beyond_memory=True,
)
def skmm_direct(pool: Pool, budget: int, params: SkmmDirectParams, *, seed: int, report: Report) -> Picks:
    """Minimise ‖mean_S ψ - mean ψ‖² for the kernel ψ(z)·ψ(z') = (1 + z·z'/m)² on (N, m) sketched gradients z.

    z are divided by their root mean square entry, so that no unit of the features changes what is picked. The moments
    of the kernel are the mean and the whole matrix of second moments, not only its diagonal as in the paper's problem;
    objectives are 2‖Δ mean‖²/m + ‖Δ second moment‖²/m². The pool's mean is exact and in closed form, O(N · m²) once;
    O(N · m) a pick. In float64, which is a copy of a float32 sketch.
    """
    kernel = polynomial_kernel(pool.sketched, pool.whole_in_sketch)
    mean = kernel.mean()
    aim = Aim(kernel, mean, kernel.squared_norm_of_mean(mean))
    return match_mean(pool, aim, budget, params.exchanges, report)


@dataclass(frozen=True)
class Aim:
    """The kernel mean of a pool, which a selection is to have.

    Attributes:
        kernel: over the rows of the pool.
        mean: (N,) of the kernel, see :func:`kernel_mean`.
        constant: its squared norm.
        seconds_saved: what an earlier selection spent on it, when this one took it over.
    """

    kernel: Kernel
    mean: Tensor
    constant: float
    seconds_saved: float = 0.0

    def squared_mmd(self, picks: Tensor) -> float:
        """Squared distance of the kernel mean of the picks to the pool's."""
        if isinstance(self.kernel, PolynomialKernel):
            return self.kernel.squared_mmd(picks)
        return squared_mmd(self.kernel, self.mean, picks, self.constant)


def aim_at_pool(
    pool: Pool,
    params: MethodParams,
    make: Callable[[], GaussianKernel | LabelledKernel],
    importance: Tensor,
    *,
    seed: int,
    report: Report,
) -> Aim:
    """Make the kernel and its mean, or take them over from an earlier selection of this pool, at any budget.

    Args:
        pool: which keeps them.
        params: of the method; with the seed they decide the kernel and the importance, whatever exchanges they allow.
        make: makes the kernel.
        importance: (N,) of the rows.
        seed: of what is drawn for the kernel and its mean.
        report: told of the averaging.
    """
    if pool.whole is not None:  # the pool's mean is that of its random rows
        importance = importance * pool.whole.drawn.to(importance)
    key = params.model_copy(update={"exchanges": 0}), seed
    kernel, saved = pool.kept.get(("kernel", key), make)
    mean, saved_too = pool.kept.get(("mean", key), lambda: kernel_mean(kernel, importance, seed=seed, report=report))
    constant = float((importance.double() @ mean.double()) / importance.sum(dtype=torch.float64))
    return Aim(kernel, mean, constant, saved + saved_too)


def match_mean(pool: Pool, aim: Aim, budget: int, exchanges: int, report: Report) -> Picks:
    """Greedy, exchange, then greedy order; both objectives are squared MMDs.

    Greedy goes on from the points that are in by hand, and no exchange touches them.
    """
    given, kernel, mean = pool.given, aim.kernel, aim.mean
    columns = columns_of(kernel)
    picks = greedy_mmd(kernel, mean, budget, columns=columns, given=given, report=report)
    greedy = aim.squared_mmd(picks)
    picks, converged = exchange_mmd(kernel, mean, picks, sweeps=exchanges, columns=columns, given=given, report=report)
    return Picks(
        order_by_prefix(kernel, mean, picks, fixed=len(given.start)),
        scores=mean,
        status=Status.CONVERGED if converged or exchanges == 0 else Status.MAX_SWEEPS,
        objective={"greedy": greedy, "rounded": aim.squared_mmd(picks)},
        seconds_saved=aim.seconds_saved,
    )
