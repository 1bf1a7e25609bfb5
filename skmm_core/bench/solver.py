"""Our solver of the relaxation against the research code's way: 10,000 Adam steps with clip-and-renormalise.

Dividing by the sum after clipping breaks the cap 1/n, so Adam's result is projected on the feasible set before it is
compared. Adam gets the best of several learning rates and of all its steps, and the time of one run only. What counts
is the time that ours takes to reach Adam's best objective.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor

from skmm_core.bench.clustered import clustered_features
from skmm_core.bench.machine_facts import machine
from skmm_core.config import SketchParams
from skmm_core.data import Dataset
from skmm_core.errors import InputError
from skmm_core.pool import make_pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import Problem, Relaxed, project_capped_simplex, solve_relaxation

LEARNING_RATES = (1e-4, 1e-5, 1e-6)
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8)
C_S = (1.0, 0.8, 0.6, 0.4)
_REPEATS, _STRETCH, _PATIENCE = 3, 250, 2000
_ITERATION_DIMS, _ITERATION_REPEATS, _ITERATION_TOL = 128, 3, 1e-4


@dataclass(frozen=True)
class SolverOptions:
    """What is measured.

    Attributes:
        budget: n.
        c_s: values of c_S.
        steps: of Adam.
        learning_rates: of Adam; its best counts.
        iteration_rows: N of the problem on which one evaluation is measured; m is 128.
    """

    budget: int = 48
    c_s: tuple[float, ...] = C_S
    steps: int = 10_000
    learning_rates: tuple[float, ...] = LEARNING_RATES
    iteration_rows: int = 500_000


def bench_solver(
    datasets: Sequence[tuple[Dataset, int]], options: SolverOptions, *, report: Report = ignore
) -> dict[str, Any]:
    """Measure every c_S with absolute and relative weights on every (dataset, sketch size), on the CPU.

    Returns:
        JSON-safe: machine, options, problems, and geometric means of the ratios Adam / ours over the problems that
        uniform weights, from which both start, do not solve (they do for c_S = 1).

    Raises:
        InputError: a pool is smaller than the budget, or has fewer dimensions than the sketch.
    """
    rows: list[dict[str, Any]] = []
    count = len(datasets) * len(options.c_s) * 2
    for dataset, dim in datasets:
        if dataset.pool_size < options.budget:
            raise InputError(f"--budget {options.budget} exceeds the {dataset.pool_size} points of {dataset.name}")
        pool = make_pool(dataset, sketch=SketchParams(dim=dim), seed=0, device="cpu")
        squares = pool.moments.coordinates.double().square()
        solve_relaxation(squares, pool.moments.eigenvalues / 0.98, options.budget, max_steps=2)  # loads libraries
        for kind, c_s in product(("absolute", "relative"), options.c_s):
            report(Progress(f"Solving {dataset.name}, m = {dim}, c_S = {c_s:g}, {kind}", len(rows), count))
            found = compare_solvers(squares, pool.moments.eigenvalues, c_s, kind, options, report)
            rows.append({"dataset": dataset.name, "N": pool.size, "m": dim, **found})
    compared = [row for row in rows if not row["start_is_optimal"]]
    ratios = [row["ratio"] for row in compared]
    return {
        "bench": "solver",
        "machine": machine(torch.device("cpu")),
        "options": {"budget": options.budget, "adam_steps": options.steps, "adam_rates": list(options.learning_rates)},
        "compared": len(compared),
        "geometric_mean_ratio": geometric_mean(ratios),
        "geometric_mean_ratio_to_adam_best_step": geometric_mean([row["ratio_to_adam_best_step"] for row in compared]),
        "smallest_ratio": min(ratios, default=None),
        "reached": sum(row["reached"] for row in compared),
        "iteration": iteration_cost(options.iteration_rows, report=report),
        "problems": rows,
    }


def iteration_cost(size: int, *, dims: int = _ITERATION_DIMS, report: Report = ignore) -> dict[str, float]:
    """Seconds of one evaluation of the solver, and of a whole solve per evaluation, beside two plain products.

    The pair of matrix-vector products reads the same (N, m) float32 matrix. The three take turns and get their fastest
    of several runs; the solve, at c_S = 0.8 with relative weights and n = N/50, includes the Newton matrices.
    """
    report(Progress(f"Timing one evaluation, N = {size:,}", 0))
    pool = make_pool(clustered_features(size, dims)[0], sketch=SketchParams(kind="none"), seed=0, device="cpu")
    squares, eigenvalues = pool.moments.coordinates.square(), pool.moments.eigenvalues
    targets, scale, budget = eigenvalues / 0.8, eigenvalues.reciprocal(), max(1, size // 50)
    problem = Problem(squares, targets, budget, scale)
    centre = torch.full((size,), 1 / size)
    multipliers = 2 * problem.shortfall(problem.moments(centre))
    reach = 10 / problem.curvature()
    left, right = torch.rand(size), torch.rand(squares.shape[1])

    def pair() -> tuple[Tensor, Tensor]:
        return squares @ right, left @ squares

    def solve() -> Relaxed:
        return solve_relaxation(squares, targets, budget, column_weights=scale, tol=_ITERATION_TOL)

    evaluations = solve().steps
    runs = {"pair": pair, "evaluation": lambda: problem.evaluate(multipliers, centre, reach), "solve": solve}
    seconds = dict.fromkeys(runs, math.inf)
    for _ in range(_ITERATION_REPEATS):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return {
        "N": size,
        "m": dims,
        **{f"{name}_seconds": value for name, value in seconds.items()},
        "evaluation_ratio": seconds["evaluation"] / seconds["pair"],
        "solve_evaluations": evaluations,
        "solve_ratio": seconds["solve"] / max(1, evaluations) / seconds["pair"],
    }


def compare_solvers(
    squares: Tensor, eigenvalues: Tensor, c_s: float, kind: str, options: SolverOptions, report: Report = ignore
) -> dict[str, Any]:
    """Time both on one problem; ours at the loosest tolerance that reaches Adam's best objective.

    A busy machine slows both down, so each is given its fastest: ours the fastest of several runs, Adam its fastest
    stretch of steps for all of them. Where the uniform weights that both start from are optimal, Adam is not run.
    """
    targets = eigenvalues / c_s
    scale = eigenvalues.reciprocal() if kind == "relative" else torch.ones_like(eigenvalues)

    def ours(tol: float) -> Relaxed:
        return solve_relaxation(squares, targets, options.budget, column_weights=scale, tol=tol)

    tight = ours(TOLERANCES[-1])
    row: dict[str, Any] = {"weights": kind, "c_s": c_s}
    row |= {"smallest_gap": tight.gap, "smallest_objective": tight.objective}
    uniform = torch.full_like(squares[:, 0], 1 / len(squares))
    allowed = TOLERANCES[-1] * float((targets * scale).square().sum())
    if objective(squares, targets, scale, uniform) <= allowed:
        return row | {"start_is_optimal": True}
    runs = [
        adam_reference(
            squares, targets, options.budget, column_weights=scale, steps=options.steps, rate=rate, report=report
        )
        for rate in options.learning_rates
    ]
    adam = min(runs, key=lambda run: run.objective)
    adam_seconds = options.steps * min(run.step_seconds for run in runs)
    for tol in TOLERANCES:
        found, seconds = ours(tol), math.inf
        if objective(squares, targets, scale, found.weights) <= adam.objective:
            break
    for _ in range(_REPEATS):
        began = time.perf_counter()
        found = ours(tol)
        seconds = min(seconds, time.perf_counter() - began)
    value = objective(squares, targets, scale, found.weights)
    return row | {
        "start_is_optimal": False,
        "reached": value <= adam.objective,
        "tol": tol,
        "objective": value,
        "gap": found.gap,
        "converged": found.converged,
        "evaluations": found.steps,
        "seconds": seconds,
        "adam_objective": adam.objective,
        "adam_seconds": adam_seconds,
        "adam_rate": adam.rate,
        "adam_best_step": adam.step,
        "ratio": adam_seconds / seconds,
        "ratio_to_adam_best_step": adam_seconds * adam.step / options.steps / seconds,
    }


@dataclass(frozen=True)
class AdamRun:
    """Adam's best weights, projected on the feasible set, and when it had them.

    Attributes:
        weights: (N,) on the capped simplex.
        objective: F of them.
        step: after which they came; looked at every 250 steps.
        rate: learning rate.
        step_seconds: of a step, in the fastest stretch of 250.
    """

    weights: Tensor
    objective: float
    step: int
    rate: float
    step_seconds: float


def adam_reference(
    squares: Tensor,
    targets: Tensor,
    n: int,
    *,
    column_weights: Tensor,
    steps: int,
    rate: float,
    report: Report = ignore,
) -> AdamRun:
    """Minimise F by Adam with clip-and-renormalise from uniform weights.

    The mean of the gradient is taken off first. All its entries are negative, so Adam, which divides each by its own
    size, would otherwise raise all weights alike; renormalised, they would stay where they were. It is stopped once
    2,000 steps brought nothing better, since what they cost is known by then.
    """
    weights = torch.full((len(squares),), 1 / len(squares), dtype=squares.dtype, requires_grad=True)
    adam = torch.optim.Adam([weights], lr=rate)
    best, fastest, done = AdamRun(weights.detach(), math.inf, 0, rate, math.inf), math.inf, 0
    while done < min(steps, best.step + _PATIENCE):
        report(Progress("Taking Adam steps", done, steps))
        stretch = min(_STRETCH, steps - done)
        began = time.perf_counter()
        for _ in range(stretch):
            loss = ((targets - weights @ squares) * column_weights).clamp_min(0).square().sum()
            (slope,) = torch.autograd.grad(loss, weights)
            weights.grad = slope - slope.mean()
            adam.step()
            with torch.no_grad():
                weights.clamp_(0, 1 / n)
                weights /= weights.sum()
        fastest = min(fastest, (time.perf_counter() - began) / stretch)
        done += stretch
        feasible = project_capped_simplex(weights.detach(), 1 / n)[0]
        value = objective(squares, targets, column_weights, feasible)
        if value < best.objective:
            best = AdamRun(feasible, value, done, rate, fastest)
    return replace(best, step_seconds=fastest)


def objective(squares: Tensor, targets: Tensor, column_weights: Tensor, weights: Tensor) -> float:
    """F(s) = Σ_j w_j² max(0, target_j - a_jᵀs)²."""
    shortfall = ((targets - weights @ squares) * column_weights).clamp_min(0)
    return float(shortfall.square().sum())


def geometric_mean(values: Sequence[float]) -> float | None:
    """Geometric mean, the exponential of the mean logarithm; None for no values."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None
