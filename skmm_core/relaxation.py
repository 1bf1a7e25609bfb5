"""The relaxed moment-matching problem, solved to a certified gap.

    minimise F(s) = Σ_j w_j² max(0, λ_j/c_S - a_jᵀs)²   over 0 <= s <= 1/n, Σs = 1,

where a_ij = (v_jᵀg̃_i)². It is the paper's problem (Dong et al., NeurIPS 2024) with γ eliminated: for fixed s the best
γ_j >= 1/c_S is max(1/c_S, a_jᵀs/λ_j). w_j = 1 is the paper's objective, w_j = 1/λ_j the relative one. F is convex and
smooth, so accelerated projected gradient (Beck & Teboulle 2009) with adaptive restart (O'Donoghue & Candès 2015)
applies, and each gradient gives a lower bound on the minimum for free.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.progress import Progress, Report, ignore
from skmm_core.simplex import project_capped_simplex

_CHECK_EVERY = 10


@dataclass(frozen=True)
class Relaxed:
    """Solution of the relaxation.

    Attributes:
        weights: (N,) s, in 0..1/n, sum 1: the best point visited.
        objective: F(s).
        gap: objective - lower bound: F(s) is at most this much above the minimum.
        steps: iterations done.
        converged: whether the gap fell below the tolerance.
        trace: (checks,) float64 best objective at every tenth step, and `trace_gap` the gap there.
        trace_gap: (checks,) float64.
    """

    weights: Tensor
    objective: float
    gap: float
    steps: int
    converged: bool
    trace: Tensor
    trace_gap: Tensor


def solve_relaxation(
    squares: Tensor,
    targets: Tensor,
    n: int,
    *,
    column_weights: Tensor | None = None,
    max_steps: int = 5000,
    tol: float = 1e-8,
    report: Report = ignore,
) -> Relaxed:
    """Minimise F by accelerated projected gradient; two passes over the (N, k) matrix a step.

    Args:
        squares: (N, k) a_ij >= 0, float32 or float64.
        targets: (k,) λ_j/c_S.
        n: budget, which sets the cap 1/n.
        column_weights: (k,) w, or None for ones.
        max_steps: upper limit of iterations.
        tol: stop when the gap is at most tol · F(0), F(0) being the objective of an empty selection.
        report: told of objective and gap every tenth step.
    """
    problem = _Problem(squares, targets, n, column_weights)
    weights = torch.full((len(squares),), 1 / len(squares), dtype=squares.dtype, device=squares.device)
    moments = problem.moments(weights)
    best, best_weights, bound = problem.value(moments), weights, 0.0
    objectives, gaps = [best], [best]
    ahead, ahead_moments, momentum, tau = weights, moments, 1.0, None
    step, size = 0, 1 / problem.curvature() if best > 0 else 0.0
    while best - bound > tol * problem.scale and step < max_steps:
        step += 1
        slope = problem.slope(ahead_moments)
        if step % _CHECK_EVERY == 1:
            bound = max(bound, problem.lower_bound(ahead_moments, slope))
        following, tau = project_capped_simplex(ahead + size * slope, problem.cap, start=tau)
        following_moments = problem.moments(following)
        value = problem.value(following_moments)
        if value < best:
            best, best_weights = value, following
        moved = following - weights
        # Restart when the step turns against the momentum.
        if float(torch.dot(ahead - following, moved)) > 0:
            momentum, ahead, ahead_moments = 1.0, following, following_moments
        else:
            next_momentum = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            beta = (momentum - 1) / next_momentum
            ahead = following.add(moved, alpha=beta)
            ahead_moments = following_moments + beta * (following_moments - moments)
            momentum = next_momentum
        weights, moments = following, following_moments
        if step % _CHECK_EVERY == 0:
            objectives.append(best)
            gaps.append(best - bound)
            report(Progress("Solving the relaxation", step, max_steps, {"objective": best, "gap": best - bound}))
    return Relaxed(
        best_weights,
        best,
        max(0.0, best - bound),
        step,
        best - bound <= tol * problem.scale,
        torch.tensor(objectives, dtype=torch.float64),
        torch.tensor(gaps, dtype=torch.float64).clamp_min(0),
    )


class _Problem:
    """F, its slope and its dual bound; everything of size k is float64 on the CPU."""

    def __init__(self, squares: Tensor, targets: Tensor, n: int, column_weights: Tensor | None) -> None:
        self.squares = squares
        self.n = n
        self.cap = 1 / n
        self.targets = targets.cpu().double()
        self.w = torch.ones_like(self.targets) if column_weights is None else column_weights.cpu().double()
        self.scale = float((self.w * self.targets).square().sum())

    def moments(self, weights: Tensor) -> Tensor:
        return (weights @ self.squares).cpu().double()

    def _shortfall(self, moments: Tensor) -> Tensor:
        return (self.w * (self.targets - moments)).clamp_min(0)

    def value(self, moments: Tensor) -> float:
        return float(self._shortfall(moments).square().sum())

    def slope(self, moments: Tensor) -> Tensor:
        """-∇F, (N,)."""
        return self.squares @ (2 * self.w * self._shortfall(moments)).to(self.squares)

    def lower_bound(self, moments: Tensor, slope: Tensor) -> float:
        """Lagrange dual value at the multipliers 2·shortfall: a lower bound on min F, whatever the point."""
        shortfall = self._shortfall(moments)
        top = slope.topk(self.n).values.sum(dtype=torch.float64) * self.cap
        return float(2 * (shortfall * self.w * self.targets).sum() - shortfall.square().sum() - float(top))

    def curvature(self) -> float:
        """Lipschitz constant of ∇F, 2 σ_max(A diag(w))², by power iteration: quick, as the matrix is nonnegative."""
        v = torch.ones_like(self.targets)
        largest = 0.0
        for _ in range(100):
            v = self.w * (self.squares.T @ (self.squares @ (self.w * v).to(self.squares))).cpu().double()
            norm = float(v.norm())
            v /= norm
            if norm <= largest * (1 + 1e-4):
                break
            largest = norm
        return 2 * 1.01 * norm
