"""The smallest c_S that weights can reach: min c with a_jᵀs >= λ_j/c for every j, 0 <= s <= 1/n, Σs = 1."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.device import widest
from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore
from skmm_core.solvers.relaxation import solve_relaxation

_ROUNDS = 30
_BLOCK_ROWS = 65_536
_SOLVER_TOL = 1e-9
_SOLVER_STEPS = 500


@dataclass(frozen=True)
class SmallestCs:
    """What bisection found; the true minimum lies in lower..value.

    Attributes:
        value: c_S that the weights reach: the largest λ_j/(held_j + share · a_jᵀs).
        lower: no weights reach less.
        weights: (N,) s, in 0..1/n, sum 1.
        converged: whether both ends came as near as asked.
        trace: (rounds + 1,) float64 value so far.
        trace_lower: (rounds + 1,) float64 lower end so far.
    """

    value: float
    lower: float
    weights: Tensor
    converged: bool
    trace: Tensor
    trace_lower: Tensor


def smallest_c_s(
    squares: Tensor,
    eigenvalues: Tensor,
    n: int,
    *,
    held: Tensor | None = None,
    share: float = 1.0,
    size: int | None = None,
    tol: float = 2e-3,
    report: Report = ignore,
) -> SmallestCs:
    """Bisect on c_S; both ends are certified, whatever the accuracy of the solver.

    Any weights s reach c(s) = max_j λ_j/(a_jᵀs), an upper bound. Any y >= 0 with Σy = 1 gives a lower one, since
    min_j a_jᵀs/λ_j <= Σ_j y_j a_jᵀs/λ_j <= the mean of the n largest Σ_j y_j a_ij/λ_j: the dual of the max-min problem.
    Both come from the relaxation at a c_S in between: its weights, and its shortfalls as y.

    Args:
        squares: (N, k) a_ij.
        eigenvalues: (k,) λ, the moments of uniform weights over the pool.
        n: points to weight.
        held: (k,) moments that other points add, whose weight is 1 - share: then held_j + share · a_jᵀs >= λ_j/c.
        share: weight of the n points in the whole selection.
        size: points in the pool; default N.
        tol: stop when value <= lower · (1 + tol).
        report: told by the solver.

    Raises:
        InputError: no weights of these points reach every direction.
    """
    uniform = torch.full((len(squares),), 1 / len(squares), dtype=squares.dtype, device=squares.device)
    if not len(eigenvalues):
        one = torch.ones(1, dtype=torch.float64)
        return SmallestCs(1.0, 1.0, uniform, True, one, one)
    base = torch.zeros_like(eigenvalues) if held is None else held.cpu().double()

    def reached(weights: Tensor) -> Tensor:
        return (base + share * _weighted_sum(weights, squares)) / eigenvalues

    least = float(reached(uniform).min())
    if least <= 0:
        raise InputError(
            "c_s auto: the points that are left over miss a direction of the pool; exclude fewer, or give c_s as a "
            "number"
        )
    value, lower, best = 1 / least, n / share / (size or len(squares)), uniform
    values, lowers = [value], [lower]
    while value > lower * (1 + tol) and len(values) <= _ROUNDS:
        c_s = math.sqrt(value * lower)
        found = solve_relaxation(
            squares,
            ((eigenvalues / c_s - base) / share).clamp_min(0),
            n,
            column_weights=eigenvalues.reciprocal(),
            max_steps=_SOLVER_STEPS,
            tol=_SOLVER_TOL,
            report=report,
        )
        now = reached(found.weights)
        if float(now.min()) > 1 / value:
            value, best = 1 / float(now.min()), found.weights
        shortfall = (1 / c_s - now).clamp_min(0)
        if float(shortfall.sum()) > 0:
            price = shortfall / shortfall.sum() / eigenvalues
            wanted = squares @ price.to(squares)
            most = float(price @ base) + share * float(wanted.topk(n).values.mean(dtype=torch.float64))
            lower = max(lower, 1 / most)
        values.append(value)
        lowers.append(lower)
    trace, trace_lower = (torch.tensor(ends, dtype=torch.float64) for ends in (values, lowers))
    return SmallestCs(value, min(lower, value), best, value <= lower * (1 + tol), trace, trace_lower)


def _weighted_sum(weights: Tensor, squares: Tensor) -> Tensor:
    """(k,) Σ_i s_i a_ij in float64 on the CPU, so that what is promised of the weights holds to the last digits."""
    total = torch.zeros(squares.shape[1], dtype=torch.float64)
    wide = widest(squares.device)
    for part, block in zip(weights.split(_BLOCK_ROWS), squares.split(_BLOCK_ROWS), strict=True):
        total += (part.to(wide) @ block.to(wide)).cpu().double()
    return total
