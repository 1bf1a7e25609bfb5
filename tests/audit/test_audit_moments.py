"""The paper's problem: relaxation, smallest c_S, rounding, exchanges; and the variance method."""

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import Bounds, linprog, minimize

from skmm_core.methods import Status, select
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import eigenbasis, first_draws, gradients, sketch_rounding, steps_behind

METHOD = "method skmm"


class Problem:
    """F(s) = Σ_j w_j² max(0, λ_j/c - a_jᵀs)² over 0 <= s <= 1/n, Σs = 1."""

    def __init__(self, pool, case, c_s, n, relative=True):
        basis = eigenbasis(gradients(pool, case.exact), case.eps)
        self.squares, self.values, self.n = basis.coordinates**2, basis.values, n
        self.weights = 1 / basis.values if relative else np.ones_like(basis.values)
        self.asked = basis.values / c_s
        self.rounding = sketch_rounding(case, basis)

    def shortfall(self, moments):
        return self.weights * np.maximum(0, self.asked - moments)

    def value(self, s):
        return float((self.shortfall(s @ self.squares) ** 2).sum())

    @property
    def empty(self):
        return self.value(np.zeros(len(self.squares)))

    def gap(self, s):
        """How far F(s) can be above the minimum: F is convex, so its linear part at s bounds every other point."""
        slope = -2 * self.squares @ (self.weights * self.shortfall(s @ self.squares))
        best = np.zeros(len(s))
        best[np.argsort(slope)[: self.n]] = 1 / self.n
        return float(slope @ (s - best))


@on()
@pytest.mark.parametrize("weights", ["relative", "absolute"])
def test_relaxed_weights_are_optimal(case, weights, audit):
    """KKT: the linear part of F at the weights bounds how far they can be above the minimum; F summed in NumPy."""
    n = len(case.rows) // 4
    pool = make_pool(case.rows)
    params = {"weights": weights, "c_s": 0.3, "tol": 1e-8}
    found = select(pool, "skmm", n, params=params)
    problem = Problem(pool, case, 0.3, n, weights == "relative")
    s = found.scores.double().numpy()
    rounding = max(problem.rounding, 1e-6)
    audit.at_most(METHOD, "weights within 0..1/n", max(-s.min(), s.max() * n - 1), within=8 * case.eps)
    audit.same(METHOD, "weights sum to 1", s.sum(), 1.0, within=1e-9)
    audit.same(
        METHOD, "relaxed objective", found.objective["relaxed"], problem.value(s), within=rounding, scale=problem.empty
    )
    # first-order: the bound falls with the root of the gap that the solver certifies
    audit.at_most(METHOD, "distance from the minimum", problem.gap(s) / problem.empty, within=max(1e-3, rounding))
    picked = np.zeros(len(s))
    picked[found.indices.numpy()] = 1 / n
    audit.same(
        METHOD,
        "rounded objective",
        found.objective["rounded"],
        problem.value(picked),
        within=rounding,
        scale=problem.empty,
    )


@on("plain", "wide", "heavy tails", "two labels a class")
def test_relaxation_against_another_solver(case, audit):
    """SciPy's trust-region interior point on the same problem."""
    n = 6
    pool = make_pool(case.rows)
    found = select(pool, "skmm", n, params={"c_s": 0.4, "tol": 1e-8})
    problem = Problem(pool, case, 0.4, n)
    size = len(problem.squares)

    def slope(s):
        return -2 * problem.squares @ (problem.weights * problem.shortfall(s @ problem.squares))

    other = minimize(
        problem.value,
        np.full(size, 1 / size),
        jac=slope,
        bounds=Bounds(0, 1 / n),
        constraints={"type": "eq", "fun": lambda s: s.sum() - 1, "jac": lambda s: np.ones(size)},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    audit.same(METHOD, "minimum against SLSQP", found.objective["relaxed"], other.fun, within=1e-5, scale=problem.empty)


@on(without=("offset 1e4",))
def test_smallest_c_s_is_that_of_a_linear_program(case, audit):
    """Max t with a_jᵀs >= t λ_j by SciPy's HiGHS; c_S = 1/t, reached by the weights that are reported."""
    n = len(case.rows) // 5
    pool = make_pool(case.rows)
    found = select(pool, "skmm", n, params={"c_s": "auto"})
    problem = Problem(pool, case, 1.0, n)
    ratios = problem.squares / problem.values
    size, k = ratios.shape
    answer = linprog(
        np.r_[np.zeros(size), -1.0],
        A_ub=np.c_[-ratios.T, np.ones(k)],
        b_ub=np.zeros(k),
        A_eq=np.r_[np.ones(size), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, 1 / n)] * size + [(None, None)],
    )
    least, rounding = 1 / answer.x[-1], max(problem.rounding, 1e-8)
    told = found.objective
    audit.at_most(METHOD, "c_s auto: above the least, stopped at 0.2 %", told["c_s"] / least - 1, within=2.1e-3)
    audit.at_most(METHOD, "c_s auto: not below the least", 1 - told["c_s"] / least, within=rounding)
    audit.at_most(METHOD, "c_s_lower is a lower bound", told["c_s_lower"] / least - 1, within=rounding)
    reached = found.scores.double().numpy() @ ratios
    audit.at_most(METHOD, "c_s auto: reached by the weights", 1 / reached.min() / told["c_s"] - 1, within=rounding)
    trace = (1 / reached).sum()
    audit.at_most(METHOD, "trace_bound holds", trace / told["trace_bound"] - 1, within=rounding)


@on()
def test_no_exchange_improves_polished_picks(case, audit):
    """All exchanges of one chosen point tried on F; the order greedy on F among the chosen."""
    n = 8
    pool = make_pool(case.rows)
    found = select(pool, "skmm", n, params={"c_s": 0.5})
    problem = Problem(pool, case, 0.5, n)
    picks, squares = found.indices.numpy(), problem.squares
    best, now = np.inf, problem.value(np.bincount(picks, minlength=len(squares)) / n)
    for slot in range(n):
        rest = squares[np.delete(picks, slot)].sum(axis=0)
        values = (problem.shortfall((rest + squares) / n) ** 2).sum(axis=1)
        best = min(best, float(np.delete(values, picks).min()))
    audit.at_most(
        METHOD, "gain of the best exchange left", (now - best) / problem.empty, within=1e-6 + problem.rounding
    )

    def gain(before):
        total = squares[before].sum(axis=0)
        gains = -(problem.shortfall((total + squares) / (len(before) + 1)) ** 2).sum(axis=1)
        gains[np.setdiff1d(np.arange(len(squares)), picks)] = -np.inf
        return gains

    audit.at_most(
        METHOD, "order: gain lost at a pick", steps_behind(picks, gain) / problem.empty, within=problem.rounding
    )


def test_rounding_keeps_the_inclusion_probabilities(audit):
    """1,500 seeds: the cube method includes each row with chance n·s; sampling as in drawing without replacement."""
    rows = torch.tensor(np.random.default_rng(5).normal(size=(10, 2)) * [1, 3])
    pool = make_pool(rows)
    for rounding in ("balanced", "sample"):
        draws, counts, n = 1500, np.zeros(10), 3
        for seed in range(draws):
            params = {"rounding": rounding, "polish": False, "c_s": 0.5}
            found = select(pool, "skmm", n, params=params, seed=seed)
            counts[found.indices.numpy()] += 1
        s = found.scores.numpy()
        chances = n * s if rounding == "balanced" else first_draws(s, n)
        audit.chances(METHOD, f"chance to be picked, rounding {rounding}", counts, draws, chances)


def test_balanced_rounding_keeps_the_moments(audit):
    """The moments of 400 draws against those of the weights: at most k + 1 points are rounded outside the balance."""
    rng = np.random.default_rng(6)
    rows = torch.tensor(rng.normal(size=(400, 4)))
    pool, n, off = make_pool(rows), 100, []
    for seed in range(20):
        found = select(pool, "skmm", n, params={"polish": False, "c_s": 0.8}, seed=seed)
        squares = eigenbasis(rows.numpy(), 2e-16).coordinates ** 2
        # the last points are decided without some moments; each moves a moment by at most max a_ij / n
        allowed = 5 * squares.max(axis=0) / n
        gap = np.abs(squares[found.indices.numpy()].mean(axis=0) - found.scores.numpy() @ squares)
        off.append((gap / allowed).max())
    audit.at_most(METHOD, "moments after balanced rounding, share of k + 1 points", max(off), within=1.0)


@on()
def test_rounding_top_takes_the_largest_weights(case, audit):
    """Every chosen weight is at least as large as every other."""
    found = select(case.rows, "skmm", 7, params={"rounding": "top", "polish": False, "c_s": 0.4})
    s = found.scores.double().numpy()
    rest = np.delete(s, found.indices.numpy())
    audit.at_most(
        METHOD, "rounding top: larger weight left out", (rest.max() - s[found.indices].min()) * 7, within=4 * case.eps
    )


@on()
def test_variance_is_minimised_step_by_step(case, audit):
    """tr(Σ(Σ_S + εI)⁻¹) by inverting the matrix for every candidate; then every exchange tried."""
    n, method = 6, "method skmm_variance"
    pool = make_pool(case.rows)
    basis = eigenbasis(gradients(pool, case.exact), case.eps)
    y = basis.coordinates / np.sqrt(basis.values)
    ridge = np.diag(0.01 * basis.values.mean() / basis.values)
    # up to 256 updates of rank one between two inversions, each as exact as the condition of the matrix allows: no
    # selection has more than N/n times the pool's moments, and where it has none only the ridge is left
    spread = len(ridge) * (len(y) / n + ridge.max()) / ridge.diagonal().min()
    rounding = sketch_rounding(case, basis) + 256 * 2.3e-16 * spread

    def cost(rows):
        return float(np.trace(np.linalg.inv(y[rows].T @ y[rows] / n + ridge)))

    def gain(before):
        left = np.setdiff1d(np.arange(len(y)), before)
        gains = np.full(len(y), -np.inf)
        gains[left] = [-cost([*before, row]) for row in left]
        return gains

    greedy = select(pool, "skmm_variance", n, params={"exchanges": 0})
    empty = cost([])
    audit.at_most(method, "gain lost at a pick", steps_behind(greedy.indices.numpy(), gain) / empty, within=rounding)
    found = select(pool, "skmm_variance", n, params={"exchanges": 50})
    picks, now = found.indices.numpy(), cost(found.indices.numpy())
    audit.same(method, "objective", found.objective["rounded"], now, within=rounding, scale=1.0)
    assert found.status is Status.CONVERGED
    others = np.setdiff1d(np.arange(len(y)), picks)
    best = min(cost([*np.delete(picks, slot), row]) for slot, row in itertools.product(range(n), others))
    audit.at_most(method, "gain of the best exchange left", (now - best) / now, within=1e-9 + rounding)
