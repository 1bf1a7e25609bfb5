"""The relaxation's answers against scipy: the gap it reports is true, and its bound never passes the minimum."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from skmm_core.errors import Cancelled
from skmm_core.progress import Progress
from skmm_core.solvers.relaxation import Relaxed, solve_relaxation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """F(s) = Σ_j w_j² max(0, t_j - a_jᵀs)² over the capped simplex."""

    squares: Array
    targets: Array
    n: int
    weights: Array

    @property
    def scale(self) -> float:
        return float(((self.weights * self.targets) ** 2).sum())

    def shortfall(self, s: Array) -> Array:
        return self.weights * np.maximum(0, self.targets - s @ self.squares)

    def value(self, s: Array) -> float:
        return float((self.shortfall(s) ** 2).sum())

    def gradient(self, s: Array) -> Array:
        return -2 * self.squares @ (self.weights * self.shortfall(s))

    def frank_wolfe_gap(self, s: Array) -> float:
        """Max over feasible q of ∇F(s)ᵀ(s - q), an upper bound on F(s) - F*, by linear programming."""
        slope, size = self.gradient(s), len(s)
        largest = float(np.abs(slope).max()) or 1.0  # the LP solver's tolerances are absolute
        lp = scipy.optimize.linprog(slope / largest, A_eq=np.ones((1, size)), b_eq=[1], bounds=(0, 1 / self.n))
        assert lp.status == 0
        return max(0.0, float(slope @ s - lp.fun * largest))

    def minimum(self) -> tuple[float, float]:
        """Bracket of F*: the best of several SLSQP runs on the epigraph QP, less what an LP cannot rule out."""
        best_value, best = np.inf, np.full(len(self.squares), 1 / len(self.squares))
        k = len(self.targets)
        unit = self.weights * self.targets
        unit = np.where(unit > 0, unit, 1.0)
        scaled = self.squares * self.weights / unit  # moments in units of their targets
        for seed in range(2):
            s0 = capped(np.random.default_rng(seed).uniform(size=len(self.squares)), 1 / self.n)
            u0 = np.maximum(0, 1 - s0 @ scaled)
            found = scipy.optimize.minimize(
                lambda z: float(((unit * z[-k:]) ** 2).sum()) / self.scale,
                np.concatenate([s0, u0]),
                jac=lambda z: np.concatenate([np.zeros(len(z) - k), 2 * unit**2 * z[-k:] / self.scale]),
                bounds=[(0, 1 / self.n)] * len(s0) + [(0, None)] * k,
                constraints=[
                    {
                        "type": "eq",
                        "fun": lambda z: z[:-k].sum() - 1,
                        "jac": lambda z: np.concatenate([np.ones(len(z) - k), np.zeros(k)]),
                    },
                    {
                        "type": "ineq",
                        "fun": lambda z: z[-k:] - (self.weights * self.targets / unit - z[:-k] @ scaled),
                        "jac": lambda z: np.hstack([scaled.T, np.eye(k)]),
                    },
                ],
                method="SLSQP",
                options={"ftol": 1e-15, "maxiter": 1000},
            )
            s = capped(found.x[:-k], 1 / self.n)
            if self.value(s) < best_value:
                best_value, best = self.value(s), s
        return best_value - self.frank_wolfe_gap(best), best_value


def capped(x: Array, cap: float) -> Array:
    """Project on the capped simplex by bisection."""
    low, high = x.min() - 1, x.max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(x - middle, 0, cap).sum() > 1 else (low, middle)
    return np.clip(x - low, 0, cap)


def random_problem(
    seed: int, *, size: int = 25, k: int = 5, n: int = 6, c_s: float = 0.7, relative: bool = False, decay: float = 1.0
) -> Problem:
    """Moments of random points in their own eigenbasis, as the method makes them."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_t(4, size=(size, k)) * np.exp(-decay * np.arange(k) / 2)
    eigenvalues, vectors = np.linalg.eigh(rows.T @ rows / size)
    squares = (rows @ vectors) ** 2
    weights = 1 / eigenvalues if relative else np.ones(k)
    return Problem(squares, eigenvalues / c_s, n, weights)


def solve(problem: Problem, dtype: torch.dtype = torch.float64, **options: object) -> Relaxed:
    return solve_relaxation(
        torch.tensor(problem.squares).to(dtype),
        torch.tensor(problem.targets),
        problem.n,
        column_weights=torch.tensor(problem.weights),
        **options,  # type: ignore[arg-type]
    )


def assert_honest(problem: Problem, found: Relaxed, digits: float = 1e-12) -> None:
    """Feasible, and the objective is F of the weights."""
    s = found.weights.double().numpy()
    assert s.shape == (len(problem.squares),)
    assert s.min() >= 0
    assert s.max() <= 1 / problem.n * (1 + 1e-7)
    assert s.sum() == pytest.approx(1, abs=1e-9 if found.weights.dtype == torch.float64 else 1e-6)
    assert found.objective == pytest.approx(problem.value(s), rel=1e-6, abs=digits * problem.scale)
    assert found.gap >= 0
    # The trace ends with the answer, and the best so far never gets worse.
    assert float(found.trace[-1]) == found.objective
    assert float(found.trace_gap[-1]) == found.gap
    assert bool((found.trace.diff() <= 0).all())
    assert bool((found.trace_gap.diff() <= 1e-15 * problem.scale).all())


CASES = [
    pytest.param({"c_s": 0.9}, id="little more than the pool"),
    pytest.param({"c_s": 0.7}, id="more than the pool"),
    pytest.param({"c_s": 0.3}, id="far more than the pool has"),
    pytest.param({"c_s": 0.6, "decay": 4.0}, id="badly conditioned"),
    pytest.param({"c_s": 0.6, "decay": 4.0, "relative": True}, id="badly conditioned, relative"),
    pytest.param({"c_s": 0.7, "relative": True}, id="relative"),
    pytest.param({"n": 1}, id="one point"),
    pytest.param({"n": 24}, id="all points but one"),
    pytest.param({"k": 1}, id="one direction"),
    pytest.param({"k": 12, "size": 15, "n": 5}, id="nearly as many directions as points"),
]


@pytest.mark.parametrize("options", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_the_gap_is_true(seed: int, options: dict[str, float]) -> None:
    problem = random_problem(seed, **options)  # type: ignore[arg-type]
    found = solve(problem)
    low, high = problem.minimum()
    digits = 1e-12 * problem.scale
    assert high - low <= 1e-4 * problem.scale, "the reference itself must be sharp"
    assert_honest(problem, found)
    assert found.converged
    assert found.gap <= 1e-6 * problem.scale
    assert found.objective - found.gap <= high + digits, "the lower bound passes the minimum"
    assert found.objective >= low - digits, "below the minimum"
    assert found.objective <= high + found.gap + digits


@pytest.mark.parametrize("options", CASES)
@pytest.mark.parametrize("max_steps", [1, 2, 3, 5, 9])
def test_an_early_stop_is_said_and_its_gap_is_true(max_steps: int, options: dict[str, float]) -> None:
    problem = random_problem(1, **options)  # type: ignore[arg-type]
    found = solve(problem, max_steps=max_steps, tol=1e-13)
    _, high = problem.minimum()
    assert_honest(problem, found)
    assert found.steps <= max_steps
    assert found.objective - found.gap <= high + 1e-12 * problem.scale
    assert found.converged == (found.gap <= 1e-13 * problem.scale)


def test_one_step_does_not_pretend_to_have_converged() -> None:
    found = solve(random_problem(0, c_s=0.5), max_steps=1, tol=1e-12)
    assert not found.converged
    assert found.gap > 0


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(1, 30),
    k=st.integers(1, 8),
    share=st.floats(0, 1),
    c_s=st.floats(0.05, 1),
    relative=st.booleans(),
)
def test_the_bound_of_any_problem_is_below_every_feasible_point(
    seed: int, size: int, k: int, share: float, c_s: float, relative: bool
) -> None:
    n = max(1, round(share * size))
    rng = np.random.default_rng(seed)
    squares = rng.standard_t(3, size=(size, k)) ** 2
    means = squares.mean(axis=0)
    problem = Problem(squares, means / c_s, n, 1 / means if relative else np.ones(k))
    found = solve(problem)
    assert_honest(problem, found)
    assert found.converged
    bound = found.objective - found.gap
    for _ in range(20):
        other = capped(rng.exponential(size=size) * rng.choice([0.01, 1]), 1 / n)
        assert problem.value(other) >= bound - 1e-9 * problem.scale


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("relative", [False, True])
def test_kkt_conditions_hold_as_well_as_the_gap_says(seed: int, relative: bool) -> None:
    problem = random_problem(seed, size=60, k=6, n=12, c_s=0.5, relative=relative)
    found = solve(problem, tol=1e-11)
    assert found.converged
    s = found.weights.numpy()
    # For an L-smooth F on a set of squared diameter D², F(s) - F* <= h forces the residual below this.
    smoothness = 2 * np.linalg.norm(problem.squares * problem.weights, 2) ** 2
    diameter2 = 2 / problem.n
    allowed = max(np.sqrt(2 * smoothness * diameter2 * found.gap), 2 * found.gap)
    assert problem.frank_wolfe_gap(s) <= allowed + 1e-9 * problem.scale
    slope = problem.gradient(s)
    used, free = slope[s > 0].max(), slope[s < 1 / problem.n].min()
    # Moving weight from the worst used point to the best open one could gain no more than that.
    movable = min(s[s > 0].min(), (1 / problem.n - s[s < 1 / problem.n]).min())
    assert (used - free) * movable <= allowed + 1e-9 * problem.scale


@pytest.mark.parametrize("relative", [False, True])
def test_the_pool_matches_itself(relative: bool) -> None:
    """With c_s = 1 uniform weights are optimal: F* = 0."""
    problem = random_problem(0, c_s=1.0, relative=relative)
    found = solve(problem)
    assert found.objective == pytest.approx(0, abs=1e-20 * problem.scale + 1e-25)
    assert found.converged
    assert_honest(problem, found)


def test_the_whole_pool_leaves_no_choice() -> None:
    problem = random_problem(0, size=20, n=20, c_s=0.5)
    found = solve(problem)
    np.testing.assert_allclose(found.weights, 1 / 20, atol=1e-12)
    assert found.converged
    assert found.objective == pytest.approx(problem.value(np.full(20, 1 / 20)), rel=1e-10)


def test_equal_rows_and_rows_of_zeros_do_no_harm() -> None:
    base = random_problem(2, size=10)
    squares = np.concatenate([np.repeat(base.squares, 3, axis=0), np.zeros((5, 5))])
    problem = Problem(squares, base.targets, 6, base.weights)
    found = solve(problem)
    _, high = problem.minimum()
    assert_honest(problem, found)
    assert found.converged
    assert found.objective <= high + found.gap + 1e-12 * problem.scale
    assert float(found.weights[-5:].sum()) < 1e-3


def test_no_directions_at_all_are_matched_by_anything() -> None:
    found = solve_relaxation(torch.zeros(10, 0), torch.zeros(0, dtype=torch.float64), 3)
    assert (found.objective, found.gap, found.converged) == (0.0, 0.0, True)
    assert float(found.weights.sum()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("options", CASES)
def test_single_precision_reaches_its_gap_and_says_the_truth(options: dict[str, float]) -> None:
    problem = random_problem(0, **options)  # type: ignore[arg-type]
    found = solve(problem, torch.float32)
    exact = solve(problem, tol=1e-11)
    assert found.weights.dtype == torch.float32
    assert_honest(problem, found, digits=1e-6)
    assert found.converged
    assert found.objective - found.gap <= exact.objective + 1e-6 * problem.scale
    assert found.objective >= exact.objective - exact.gap - 1e-6 * problem.scale


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_the_unit_of_the_features_does_not_matter(factor: float) -> None:
    base = random_problem(0)
    found = solve(Problem(base.squares * factor, base.targets * factor, base.n, base.weights))
    assert found.converged
    assert found.objective / factor**2 == pytest.approx(solve(base).objective, rel=1e-4)


def test_weights_of_the_paper_are_ones_when_left_out() -> None:
    problem = random_problem(0)
    left_out = solve_relaxation(torch.tensor(problem.squares), torch.tensor(problem.targets), problem.n)
    assert torch.equal(left_out.weights, solve(problem).weights)


def test_progress_shows_objective_and_gap_and_can_stop_the_solver() -> None:
    problem, reports = random_problem(0, c_s=0.5), []
    solve(problem, report=reports.append)
    assert {progress.phase for progress in reports} == {"Solving the relaxation"}
    assert all(set(progress.values) == {"objective", "gap"} for progress in reports)
    assert all(progress.step <= (progress.total or 0) for progress in reports)

    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        solve(problem, report=stop)
