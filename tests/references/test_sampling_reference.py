"""Sampling methods against plain NumPy, written from the definitions."""

import math

import numpy as np
import pytest
import torch

from skmm_core.data.include_exclude import make_given
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.methods.registry import select
from skmm_core.methods.sampling import leverage_scores, ridge_leverage_scores
from skmm_core.solvers.moments import gram_products
from skmm_core.solvers.random_pivoting import adaptive


def rows(n=40, d=6, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(2, 0.5, d) + 0.3


POOLS = [
    rows(),
    rows(12, 30),
    np.repeat(rows(8, 5), 5, axis=0),
    np.c_[rows(40, 3), np.full(40, 7.0)],
    np.r_[np.zeros((30, 4)), rows(10, 4)],
    np.zeros((12, 3)),
]
NAMES = ["tall", "wide", "duplicates", "a constant column", "mostly zero rows", "only zeros"]
pools = pytest.mark.parametrize("x", POOLS, ids=NAMES)


@pools
@pytest.mark.parametrize("rank", [1, 3, 100])
def test_leverage_is_that_of_the_singular_vectors(x, rank):
    left, singular, _ = np.linalg.svd(x, full_matrices=False)
    k = min(rank, int((singular > 1e-10 * max(singular[0], 1e-300)).sum()))
    assert np.allclose(leverage_scores(torch.tensor(x), rank), (left[:, :k] ** 2).sum(axis=1), atol=1e-8)


@pools
@pytest.mark.parametrize("rank", [1, 3])
def test_ridge_leverage_is_its_definition(x, rank):
    tail = np.linalg.svd(x, compute_uv=False)[rank:]
    alpha = (tail**2).sum() / rank
    expected = np.einsum("ij,ij->i", x @ np.linalg.pinv(x.T @ x + alpha * np.eye(x.shape[1])), x)
    assert np.allclose(ridge_leverage_scores(torch.tensor(x), rank), expected, atol=1e-8)
    given = np.einsum("ij,ij->i", x @ np.linalg.inv(x.T @ x + 0.7 * np.eye(x.shape[1])), x)
    assert np.allclose(ridge_leverage_scores(torch.tensor(x), rank, ridge=0.7), given, atol=1e-8)


def test_leverage_in_float32_sees_directions_fainter_than_the_mean():
    """64 columns of spread 1 about a mean of 10, ten rows far out in one of them: nothing may count but the rank."""
    x = (np.random.default_rng(0).normal(size=(5000, 64)) + 10).astype("f4")
    x[:10, 0] += 20
    scores = select(x, "leverage", 64, device="cpu").scores.double()
    # each score is rounded to float32 once
    assert float(scores.sum()) == pytest.approx(64, abs=64 * torch.finfo(torch.float32).eps)
    assert float(scores[:10].mean()) == pytest.approx(0.0564, abs=5e-5)
    assert float(scores[10:].mean()) == pytest.approx(0.0127, abs=5e-5)


def test_ridge_leverage_beyond_the_rank_is_leverage():
    x = torch.tensor(rows())
    assert torch.allclose(ridge_leverage_scores(x, 6), leverage_scores(x, 6))
    found = select(x, "ridge_leverage", 5)
    assert torch.allclose(found.scores, ridge_leverage_scores(x, 5))


@pytest.mark.statistical
def test_ridge_leverage_draws_in_proportion_to_the_scores():
    x = torch.tensor(rows(8, 3))
    draws = 2000
    counts = np.zeros(8)
    for seed in range(draws):
        counts[int(select(x, "ridge_leverage", 1, params={"rank": 2}, seed=seed).indices)] += 1
    chance = ridge_leverage_scores(x, 2).numpy()
    chance = chance / chance.sum()
    # Five standard errors of a binomial share, for eight shares: a false alarm in 10⁵ runs.
    assert (np.abs(counts / draws - chance) <= 5 * np.sqrt(chance * (1 - chance) / draws)).all()


def brute_adaptive(x, budget, block, draw):
    """Residuals by a projection on the complement of the chosen rows, anew each time."""
    picks, spanning = [], []
    energy = (x**2).sum(axis=1)
    while len(picks) < budget:
        basis = np.linalg.qr(x[spanning].T)[0] if spanning else np.zeros((x.shape[1], 0))
        singular = np.linalg.svd(x[spanning], compute_uv=False) if spanning else np.zeros(0)
        if spanning and singular[-1] < 1e-7 * singular[0]:
            basis = np.linalg.svd(x[spanning].T)[0][:, : int((singular > 1e-7 * singular[0]).sum())]
        residual = ((x - x @ basis @ basis.T) ** 2).sum(axis=1)
        residual[residual <= 1e-12 * energy] = 0
        residual[picks] = 0
        if not residual.any():
            spanning, residual = [], energy.copy()
            residual[picks] = 0
        if not residual.any():
            residual = np.ones(len(x))
            residual[picks] = 0
        for _ in range(min(block, budget - len(picks))):
            if not residual.any():
                break
            u = float(torch.rand(1, dtype=torch.float64, generator=draw))
            pick = int(np.searchsorted(residual.cumsum(), u * residual.sum(), side="right"))
            picks.append(pick)
            spanning.append(pick)
            residual[pick] = 0
    return picks


@pools
@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("budget", [1, 3, 12])
@pytest.mark.parametrize("from_products", [False, True])
def test_adaptive_is_random_pivoting(x, budget, block, from_products):
    pool = torch.tensor(x, dtype=torch.float32 if from_products else torch.float64)
    x = pool.double().numpy()
    products = torch.tensor(x @ x.T) if from_products else None
    found = adaptive(pool, budget, block=block, generator=generator(3, "test"), products=products)
    assert found.tolist() == brute_adaptive(x, budget, block, generator(3, "test"))


@pytest.mark.parametrize("size", [60, 200])
def test_products_of_float32_rows_tell_when_all_is_expressed(size):
    """A pool of rank 45: after 45 draws no residual is left but rounding, and a new round begins."""
    x = torch.tensor(rows(size, 45, seed=4) @ rows(45, 210, seed=5)).float()
    found = select(x, "adaptive", size, seed=1).indices
    assert sorted(found.tolist()) == list(range(size))
    for start in range(0, size - 44, 45):
        assert np.linalg.matrix_rank(x[found[start : start + 45]].double().numpy(), rtol=1e-6) == 45
    draws = [select(x, "adaptive", budget, seed=1).indices for budget in (1, 30)]
    assert all(torch.equal(draw, found[: len(draw)]) for draw in draws)


def test_products_of_float32_rows_lose_no_digits():
    """Far from the origin the residuals are what little is left of long rows."""
    x = torch.tensor(rows(90, 120) + 100, dtype=torch.float32)
    found = select(x, "adaptive", 60, seed=2).indices.tolist()
    assert found == select(x.double(), "adaptive", 60, seed=2).indices.tolist()


def test_included_and_excluded_rows_do_the_same_with_products():
    x = torch.tensor(rows(30, 40), dtype=torch.float32)
    given = make_given(torch.tensor([7, 3]), torch.tensor([0, 20]), 30)
    drawn = [
        adaptive(x, 28, generator=generator(5, "test"), given=given, products=products).tolist()
        for products in (None, gram_products(x))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0][:2] == [7, 3]
    assert not {0, 20} & set(drawn[0])


def test_adaptive_never_draws_what_is_already_expressed():
    """Ten copies of each of five directions: the first five picks are five different directions."""
    x = torch.tensor(np.repeat(rows(5, 7), 10, axis=0))
    for seed in range(20):
        assert len({int(row) // 10 for row in select(x, "adaptive", 5, seed=seed).indices}) == 5


@pytest.mark.statistical
def test_the_first_adaptive_draw_is_in_proportion_to_squared_norms():
    x = torch.tensor([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 2.0]])
    draws = 3000
    counts = np.bincount([int(select(x, "adaptive", 1, seed=seed).indices) for seed in range(draws)], minlength=4)
    for count, chance in zip(counts, [9 / 15, 1 / 15, 0, 5 / 15], strict=True):
        assert abs(count / draws - chance) <= 5 * math.sqrt(chance * (1 - chance) / draws)


def test_stratified_uniform_meets_quotas_and_budget_exactly():
    targets = torch.tensor([0] * 97 + [2] * 50 + [3])
    for seed in range(3):
        chosen = select(torch.tensor(rows(148)), "uniform", 20, targets=targets, params={"stratify": True}, seed=seed)
        # 20 · (97, 50, 1) / 148 = 13.11, 6.76, 0.14: the one point over goes to the largest remainder.
        assert np.bincount(targets[chosen.indices], minlength=4).tolist() == [13, 0, 7, 0]
        assert len(chosen.indices.unique()) == 20


@pytest.mark.statistical
def test_stratified_uniform_is_uniform_within_a_class():
    targets = torch.tensor([0] * 5 + [1] * 5)
    counts = np.zeros(10)
    for seed in range(2000):
        counts[
            select(torch.tensor(rows(10)), "uniform", 2, targets=targets, params={"stratify": True}, seed=seed).indices
        ] += 1
    assert np.abs(counts / 2000 - 0.2).max() <= 5 * math.sqrt(0.16 / 2000)


@pytest.mark.parametrize("targets", [None, torch.linspace(0, 1, 40)])
def test_stratified_uniform_without_classes_is_refused_in_a_line(targets):
    with pytest.raises(InputError, match="uniform param stratify needs class labels"):
        select(torch.tensor(rows()), "uniform", 5, targets=targets, params={"stratify": True})


def test_uniform_by_class_is_stratified_uniform():
    targets = torch.tensor([0] * 30 + [1] * 9 + [2])
    stratified = select(torch.tensor(rows(40)), "uniform", 12, targets=targets, params={"stratify": True}, seed=3)
    found = select(torch.tensor(rows(40)), "uniform_stratified", 12, targets=targets, seed=3)
    assert torch.equal(found.indices, stratified.indices)
