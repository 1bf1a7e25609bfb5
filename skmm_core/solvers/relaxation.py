"""The relaxed moment-matching problem, solved to a certified gap.

    minimise F(s) = Σ_j w_j² max(0, λ_j/c_S - a_jᵀs)²   over 0 <= s <= 1/n, Σs = 1,

where a_ij = (v_jᵀg̃_i)². It is the paper's problem (Dong et al., NeurIPS 2024) with γ eliminated: for fixed s the best
γ_j >= 1/c_S is max(1/c_S, a_jᵀs/λ_j). w_j = 1 is the paper's objective, w_j = 1/λ_j the relative one.

F is convex but badly conditioned (λ_1²/λ_k²), so first-order methods creep. There are only k directions, though, so the
problem is solved by the proximal point method, each step through its k-dimensional dual by semismooth Newton
(Li, Sun & Toh, "A highly efficient semismooth Newton augmented Lagrangian method for Lasso problems", 2018). Every dual
point gives a lower bound on min F, which certifies the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers.dual_curvature import Curvature
from skmm_core.solvers.simplex import project_capped_simplex

_GROWTH = 8.0
_NEWTON_STEPS = 25
_SMALLEST_STEP = 1e-4


@dataclass(frozen=True)
class Relaxed:
    """Solution of the relaxation.

    Attributes:
        weights: (N,) s, in 0..1/n, sum 1: the best point visited.
        objective: F(s).
        gap: objective - lower bound: F(s) is at most this much above the minimum.
        steps: evaluations done, each two passes over the matrix.
        converged: whether the gap fell below the tolerance.
        trace: (proximal steps + 1,) float64 best objective so far.
        trace_gap: (proximal steps + 1,) float64 gap so far.
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
    tol: float = 1e-6,
    report: Report = ignore,
) -> Relaxed:
    """Minimise F by the proximal point method with a semismooth Newton step in the dual.

    Args:
        squares: (N, k) a_ij >= 0, float32 or float64.
        targets: (k,) λ_j/c_S.
        n: budget, which sets the cap 1/n.
        column_weights: (k,) w, or None for ones.
        max_steps: most evaluations, each two passes over the (N, k) matrix.
        tol: stop when the gap is at most tol · F(0), F(0) being the objective of an empty selection.
        report: told of objective and gap at every evaluation.
    """
    problem = Problem(squares, targets, n, column_weights)
    weights = torch.full((len(squares),), 1 / len(squares), dtype=squares.dtype, device=squares.device)
    best, bound, steps = problem.value(problem.moments(weights)), 0.0, 0
    best_weights, multipliers = weights, 2 * problem.shortfall(problem.moments(weights))
    objectives, gaps = [best], [best]
    allowed = tol * problem.scale
    reach = 10 / problem.curvature() if best > allowed else 0.0
    while best - bound > allowed and steps < max_steps:

        def tell(done: int, steps: int = steps, best: float = best, bound: float = bound) -> None:
            values = {"objective": best, "gap": best - bound}
            report(Progress("Solving the relaxation", steps + done, max_steps, values))

        found = _proximal_step(problem, weights, multipliers, reach, max_steps - steps, tell)
        steps += found.evaluations
        bound = max(bound, problem.lower_bound(found.multipliers, found.push))
        value = problem.value(found.moments)
        if value < best:
            best, best_weights = value, found.weights
        # A step that Newton could not finish says the reach is too long for this place; a shorter one is easier.
        if found.solved or value <= best:
            weights, multipliers = found.weights, found.multipliers
        if found.solved and found.newton_steps < _NEWTON_STEPS // 2:
            reach *= _GROWTH
        elif not found.solved:
            reach /= _GROWTH
            weights, multipliers = best_weights, 2 * problem.shortfall(problem.moments(best_weights))
        objectives.append(best)
        gaps.append(max(0.0, best - bound))
    gap = max(0.0, best - bound)
    return Relaxed(
        best_weights,
        best,
        gap,
        steps,
        gap <= allowed,
        torch.tensor(objectives, dtype=torch.float64),
        torch.tensor(gaps, dtype=torch.float64),
    )


@dataclass(frozen=True)
class _Evaluation:
    """The dual of one proximal step at some multipliers y, and the point s(y) it belongs to."""

    multipliers: Tensor
    push: Tensor
    weights: Tensor
    moments: Tensor
    value: float
    slope: Tensor
    evaluations: int = 0
    newton_steps: int = 0
    solved: bool = False


class Problem:
    """F and the duals; everything of size k is float64 on the CPU."""

    def __init__(self, squares: Tensor, targets: Tensor, n: int, column_weights: Tensor | None) -> None:
        self.squares = squares
        self.n = n
        self.cap = 1 / n
        w = torch.ones(len(targets)) if column_weights is None else column_weights
        self.w = w.cpu().double()
        self.targets = targets.cpu().double() * self.w
        self.scale = float(self.targets.square().sum())
        self._curvature = Curvature(squares, self.w)
        self._threshold: float | None = None  # of the last projection: the next one is near

    def moments(self, weights: Tensor) -> Tensor:
        """(k,) w_j a_jᵀs."""
        return (weights @ self.squares).cpu().double() * self.w

    def push(self, multipliers: Tensor) -> Tensor:
        """(N,) Σ_j y_j w_j a_ij: how much each point is wanted."""
        return self.squares @ (self.w * multipliers).to(self.squares)

    def shortfall(self, moments: Tensor) -> Tensor:
        """(k,) what is missing in each direction."""
        return (self.targets - moments).clamp_min(0)

    def value(self, moments: Tensor) -> float:
        """F from the moments."""
        return float(self.shortfall(moments).square().sum())

    def lower_bound(self, multipliers: Tensor, push: Tensor) -> float:
        """Dual value of the problem itself: a lower bound on min F for any y >= 0."""
        top = push.topk(self.n).values.sum(dtype=torch.float64) * self.cap
        return float(multipliers @ self.targets - multipliers.square().sum() / 4 - top.cpu())

    def curvature(self) -> float:
        """Lipschitz constant of ∇F, by power iteration: quick, as the matrix is nonnegative."""
        v, largest, norm = torch.ones_like(self.targets), 0.0, 0.0
        for _ in range(100):
            v = self.moments(self.push(v))
            norm = float(v.norm())
            v /= norm
            if norm <= largest * (1 + 1e-3):
                break
            largest = norm
        return 2 * norm

    def evaluate(self, multipliers: Tensor, centre: Tensor, reach: float) -> _Evaluation:
        """Dual of min F(s) + ‖s - centre‖²/(2·reach), at y; s(y) is the projection of centre + reach · push."""
        push = self.push(multipliers)
        weights, self._threshold = project_capped_simplex(centre + reach * push, self.cap, start=self._threshold)
        moments = self.moments(weights)
        distance = float((weights - centre).double().square().sum()) / (2 * reach)
        value = float(multipliers @ (self.targets - moments) - multipliers.square().sum() / 4) + distance
        return _Evaluation(multipliers, push, weights, moments, value, self.targets - multipliers / 2 - moments)

    def newton_direction(self, point: _Evaluation, free: Tensor, reach: float) -> Tensor:
        """(k,) Newton step of the free multipliers, 0 for the others."""
        between = (point.weights > 0) & (point.weights < self.cap)
        direction = torch.zeros_like(point.multipliers)
        direction[free] = self._curvature.solve(between, free, reach, point.slope[free])
        return direction


def _proximal_step(
    problem: Problem, centre: Tensor, multipliers: Tensor, reach: float, most: int, tell: Callable[[int], None]
) -> _Evaluation:
    """Maximise the dual of one proximal step by semismooth Newton with backtracking, y >= 0 kept by projection."""
    point = problem.evaluate(multipliers, centre, reach)
    evaluations, newton_steps, solved = 1, 0, False
    accuracy = 1e-7 * problem.scale**0.5
    for newton_steps in range(_NEWTON_STEPS):  # noqa: B007 - the count is part of the result
        tell(evaluations)
        free = (point.multipliers > 0) | (point.slope > 0)
        residual = float(point.slope[free].norm()) if bool(free.any()) else 0.0
        if residual <= accuracy:
            solved = True
            break
        if evaluations >= most:
            break
        direction = problem.newton_direction(point, free, reach)
        size, accepted = 1.0, False
        while not accepted and size >= _SMALLEST_STEP and evaluations < most:
            trial = problem.evaluate((point.multipliers + size * direction).clamp_min(0), centre, reach)
            evaluations += 1
            gain = float(point.slope @ (trial.multipliers - point.multipliers))
            accepted = trial.value >= point.value + 1e-4 * gain
            size /= 2
        if not accepted:
            solved = residual <= 1e-4 * problem.scale**0.5
            break
        point = trial
    return replace(point, evaluations=evaluations, newton_steps=newton_steps, solved=solved)
