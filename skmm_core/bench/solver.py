"""Our solver of the relaxation against the research code's way: 10,000 Adam steps with clip-and-renormalise.

Dividing by the sum after clipping breaks the cap 1/n, so Adam's result is projected on the feasible set before it is
compared. Adam gets the best of several learning rates, and the time of one run only. What counts is the time that ours
takes to reach Adam's best objective.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from skmm_core.bench.machine import machine
from skmm_core.bench.methods import clustered_features
from skmm_core.config import SketchParams
from skmm_core.data.dataset import Dataset
from skmm_core.errors import InputError
from skmm_core.pool import make_pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.relaxation import Problem, Relaxed, solve_relaxation
from skmm_core.simplex import project_capped_simplex

LEARNING_RATES = (1e-3, 1e-4, 1e-5, 1e-6)
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
C_S = (1.0, 0.8, 0.6, 0.4)
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
        JSON-safe: machine, options, problems, and geometric means of the ratios Adam / ours; c_S = 1 is solved by the
        uniform weights both start from, so there is a mean without it too.

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
    below_one = [row["ratio"] for row in rows if row["c_s"] < 1]
    return {
        "bench": "solver",
        "machine": machine(torch.device("cpu")),
        "options": {"budget": options.budget, "adam_steps": options.steps, "adam_rates": list(options.learning_rates)},
        "geometric_mean_ratio": geometric_mean([row["ratio"] for row in rows]),
        "geometric_mean_ratio_c_s_below_1": geometric_mean(below_one),
        "smallest_ratio": min(row["ratio"] for row in rows),
        "reached": sum(row["reached"] for row in rows),
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
    """Time both on one problem, taking turns; ours at the loosest tolerance that reaches Adam's best objective.

    Both get their fastest of several runs: a busy machine slows some down, and Adam's time does not depend on its rate.
    """
    targets = eigenvalues / c_s
    scale = eigenvalues.reciprocal() if kind == "relative" else torch.ones_like(eigenvalues)
    best, best_rate, adam_seconds = math.inf, math.nan, math.inf
    seconds, runs = dict.fromkeys(TOLERANCES, math.inf), {}
    for rate in options.learning_rates:
        for tol in TOLERANCES:
            began = time.perf_counter()
            runs[tol] = solve_relaxation(squares, targets, options.budget, column_weights=scale, tol=tol)
            seconds[tol] = min(seconds[tol], time.perf_counter() - began)
        began = time.perf_counter()
        found = adam_reference(
            squares, targets, options.budget, column_weights=scale, steps=options.steps, rate=rate, report=report
        )
        adam_seconds = min(adam_seconds, time.perf_counter() - began)
        value = objective(squares, targets, scale, found)
        if value < best:
            best, best_rate = value, rate
    values = {tol: objective(squares, targets, scale, run.weights) for tol, run in runs.items()}
    reached = [tol for tol in TOLERANCES if values[tol] <= best]
    tol = reached[0] if reached else TOLERANCES[-1]
    return {
        "weights": kind,
        "c_s": c_s,
        "reached": bool(reached),
        "tol": tol,
        "objective": values[tol],
        "gap": runs[tol].gap,
        "converged": runs[tol].converged,
        "evaluations": runs[tol].steps,
        "seconds": seconds[tol],
        "smallest_gap": runs[TOLERANCES[-1]].gap,
        "adam_objective": best,
        "adam_seconds": adam_seconds,
        "adam_rate": best_rate,
        "ratio": adam_seconds / seconds[tol],
    }


def adam_reference(
    squares: Tensor,
    targets: Tensor,
    n: int,
    *,
    column_weights: Tensor,
    steps: int,
    rate: float,
    report: Report = ignore,
) -> Tensor:
    """Minimise F by Adam with clip-and-renormalise from uniform weights; (N,) projected on the capped simplex."""
    weights = torch.full((len(squares),), 1 / len(squares), dtype=squares.dtype, requires_grad=True)
    adam = torch.optim.Adam([weights], lr=rate)
    for step in range(steps):
        adam.zero_grad()
        ((targets - weights @ squares) * column_weights).clamp_min(0).square().sum().backward()
        adam.step()
        with torch.no_grad():
            weights.clamp_(0, 1 / n)
            weights /= weights.sum()
        if step % 500 == 0:
            report(Progress("Taking Adam steps", step, steps))
    return project_capped_simplex(weights.detach(), 1 / n)[0]


def objective(squares: Tensor, targets: Tensor, column_weights: Tensor, weights: Tensor) -> float:
    """F(s) = Σ_j w_j² max(0, target_j - a_jᵀs)²."""
    shortfall = ((targets - weights @ squares) * column_weights).clamp_min(0)
    return float(shortfall.square().sum())


def geometric_mean(values: Sequence[float]) -> float | None:
    """Geometric mean, the exponential of the mean logarithm; None for no values."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None
