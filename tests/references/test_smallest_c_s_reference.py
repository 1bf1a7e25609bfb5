"""The smallest feasible c_S against a linear program, and what `c_s="auto"` and `stratify` do with it."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.solvers.smallest_certificate import smallest_c_s


def moments(n, d, seed):
    rows = torch.tensor(np.random.default_rng(seed).standard_t(4, size=(n, d)) * np.linspace(2, 0.5, d))
    return make_pool(rows, sketch=SketchParams(kind="none"), device="cpu").moments


def by_linear_program(squares, eigenvalues, n):
    """Max t with a_jᵀs >= t λ_j over the capped simplex; 1/t."""
    size, k = squares.shape
    cost = np.r_[np.zeros(size), -1.0]
    shortfall = np.c_[-(squares / eigenvalues).T, np.ones(k)]
    solved = linprog(
        cost, A_ub=shortfall, b_ub=np.zeros(k), A_eq=np.r_[np.ones(size), 0.0][None], b_eq=[1.0],
        bounds=[(0, 1 / n)] * size + [(None, None)],
    )  # fmt: skip
    return -1 / solved.fun


@pytest.mark.parametrize(
    ("size", "dims", "n", "seed"), [(60, 4, 6, 0), (200, 8, 20, 1), (100, 3, 1, 2), (50, 5, 50, 3)]
)
def test_it_is_the_linear_programs(size, dims, n, seed):
    found = moments(size, dims, seed)
    squares = found.coordinates.double().square()
    exact = by_linear_program(squares.numpy(), found.eigenvalues.numpy(), n)
    smallest = smallest_c_s(squares, found.eigenvalues, n)
    assert smallest.lower <= exact * (1 + 1e-7)
    assert smallest.value >= exact * (1 - 1e-7)
    assert smallest.value <= smallest.lower * 1.003


def test_auto_reports_what_it_took_and_the_bound():
    rows = torch.tensor(np.random.default_rng(0).normal(size=(150, 6)))
    found = select(rows, "skmm", 15, params={"c_s": "auto"})
    assert found.params["c_s"] == "auto"
    assert 15 / 150 <= found.objective["c_s_lower"] <= found.objective["c_s"] < 1
    assert found.objective["trace_bound"] == pytest.approx(6 * found.objective["c_s"])
    assert found.objective["relaxed"] == 0
    given = select(rows, "skmm", 15, params={"c_s": found.objective["c_s"]})
    assert "c_s" not in given.objective


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("offset", [0, 1, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("include", [(), (3, 7)])
def test_the_weights_of_auto_reach_what_is_promised_of_them(seed, offset, dtype, include):
    draw = np.random.default_rng(seed)
    pool = make_pool(
        torch.tensor(draw.standard_t(4, size=(120, 6)) + offset, dtype=dtype), sketch=SketchParams(kind="none")
    )
    found = select(pool, "skmm", 12, params={"c_s": "auto"}, include=include)
    weights, moments = found.scores.double(), pool.moments
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    assert float(weights.max()) <= 1 / 12 * (1 + 1e-12)
    ratio = moments.eigenvalues / (weights @ moments.coordinates.double().square())
    # sums of 120 positive numbers in float64
    rounding = 1 + 2 * 120 * torch.finfo(torch.float64).eps
    assert found.objective["c_s"] / rounding <= float(ratio.max()) <= found.objective["c_s"] * rounding
    assert float(ratio.sum()) <= found.objective["trace_bound"] * rounding


@pytest.mark.parametrize("rows", [torch.zeros(20, 3), torch.ones(20, 3)])
def test_auto_on_pools_with_nothing_to_gain_is_one(rows):
    assert select(rows, "skmm", 5, params={"c_s": "auto"}).objective["c_s"] == pytest.approx(1.0)


def test_stratified_skmm_keeps_the_classes():
    rows = torch.tensor(np.random.default_rng(0).normal(size=(100, 6)))
    targets = torch.tensor([0] * 61 + [1] * 38 + [2])
    found = select(rows, "skmm", 10, targets=targets, params={"stratify": True})
    assert np.bincount(targets[found.indices], minlength=3).tolist() == [6, 4, 0]
    assert found.scores.shape == (100,)
    assert set(found.objective) == {"relaxed", "gap", "rounded"}


def test_auto_within_classes_is_refused_in_a_line():
    """Each class would have a bound of its own, in a basis of its own; none holds for the pool."""
    rows, targets = torch.randn(30, 3, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 2
    with pytest.raises(InputError, match=r"^skmm: c_s=auto is certified for the pool.*stratify off$"):
        select(rows, "skmm", 6, targets=targets, params={"c_s": "auto", "stratify": True})
