"""The smallest c_S that weights can reach: min c with a_jᵀs >= λ_j/c for every j, 0 <= s <= 1/n, Σs = 1."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore
from skmm_core.solvers.relaxation import solve_relaxation

_ROUNDS = 30
_SOLVER_TOL = 1e-9
_SOLVER_STEPS = 500


@dataclass(frozen=True)
class SmallestCs:
    """What bisection found; the true minimum lies in lower..value.

    Attributes:
        value: c_S that some weights reach.
        lower: no weights reach less.
    """

    value: float
    lower: float


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
    if not len(eigenvalues):
        return SmallestCs(1.0, 1.0)
    base = torch.zeros_like(eigenvalues) if held is None else held.cpu().double()
    value, lower = 1.0, n / share / (size or len(squares))
    if size is not None and size > len(squares):
        uniform = (base + share * squares.mean(dim=0).cpu().double()) / eigenvalues
        if float(uniform.min()) <= 0:
            raise InputError(
                "c_s auto: the points that are left over miss a direction of the pool; exclude fewer, or give c_s as a "
                "number"
            )
        value = float(1 / uniform.min())
    for _ in range(_ROUNDS):
        if value <= lower * (1 + tol):
            break
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
        reached = (base + share * (found.weights @ squares).cpu().double()) / eigenvalues
        value = min(value, float(1 / reached.min())) if bool((reached > 0).all()) else value
        shortfall = (1 / c_s - reached).clamp_min(0)
        if float(shortfall.sum()) > 0:
            price = shortfall / shortfall.sum() / eigenvalues
            wanted = squares @ price.to(squares)
            most = float(price @ base) + share * float(wanted.topk(n).values.mean(dtype=torch.float64))
            lower = max(lower, 1 / most)
    return SmallestCs(value, min(lower, value))
