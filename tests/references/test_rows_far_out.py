"""One row far out changes nothing for the others: covering, herding, distances, and columns of a small unit."""

import numpy as np
import pytest
import torch

from skmm_core.diagnostics import diagnose
from skmm_core.methods import select
from skmm_core.pool import make_pool

FAR = 7


def pool_with_one_far(size: int, columns: int, far: float, dtype: str) -> np.ndarray:
    rows = np.random.default_rng(size).normal(size=(size, columns))
    rows[FAR] = far
    return rows.astype(dtype)


def gonzalez(rows: np.ndarray, first: int, budget: int) -> list[int]:
    picks = [first]
    nearest = np.linalg.norm(rows - rows[first], axis=1)
    while len(picks) < budget:
        picks.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(rows - rows[picks[-1]], axis=1))
    return picks


@pytest.mark.parametrize(
    ("size", "columns", "far", "dtype"),
    [
        (40_000, 8, 1e3, "f4"),
        (2_000, 150, 1e3, "f4"),
        (2_000, 150, 1e5, "f4"),
        (300, 5, 1e8, "f8"),
        (300, 5, 1e8, "f4"),
    ],
)
def test_k_center_still_covers_the_others(size, columns, far, dtype):
    """With one margin of rounding for all rows everything near was a tie: a radius of 5.46 for 4.71."""
    rows = pool_with_one_far(size, columns, far, dtype)
    picks = select(rows, "k_center", 30, seed=1).indices.tolist()
    exact = rows.astype(np.float64)
    assert picks == gonzalez(exact, picks[0], 30)


@pytest.mark.parametrize(("far", "dtype"), [(1e3, "f4"), (1e4, "f4"), (1e4, "f8")])
def test_herding_still_finds_the_mean(far, dtype):
    rows = pool_with_one_far(40_000, 8, far, dtype)
    exact = rows.astype(np.float64)
    found = select(rows, "herding", 40).indices.numpy()
    total, slow = np.zeros(8), list[int]()
    for step in range(40):
        gaps = np.linalg.norm((total + exact) / (step + 1) - exact.mean(axis=0), axis=1)
        gaps[slow] = np.inf
        slow.append(int(gaps.argmin()))
        total = total + exact[slow[-1]]
    gap = [np.linalg.norm(exact[picks].mean(axis=0) - exact.mean(axis=0)) for picks in (found, slow)]
    assert gap[0] <= 1.1 * gap[1]


@pytest.mark.parametrize("far", [1e3, 1e5, 1e7])
def test_distances_to_the_nearest_chosen_row_hold(far):
    rows = pool_with_one_far(300, 5, far, "f4")
    found = diagnose(make_pool(torch.tensor(rows)), torch.arange(25))
    exact = rows.astype(np.float64)
    nearest = np.linalg.norm(exact[:, None] - exact[None, :25], axis=2).min(axis=1)
    np.testing.assert_allclose(found.distance, nearest, rtol=1e-3, atol=1e-6)
    assert found.coverage_mean == pytest.approx(nearest.mean(), rel=1e-5)
    assert found.coverage_radius == pytest.approx(nearest.max(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [2_000, 200])
def test_the_fit_on_the_pool_keeps_columns_of_a_small_unit(dtype, size):
    """From eigenvalues of XᵀX the noise was 1.01 for 0.01: a column 10⁶ times larger hid all others."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(size, 40))
    targets = rows[:, 0] + 0.1 * rng.normal(size=size)
    plain, mixed = rows.copy(), rows.copy()
    mixed[:, 1] *= 1e6
    pools = [make_pool(torch.tensor(x).to(dtype), targets=torch.tensor(targets)) for x in (plain, mixed)]
    noise = [pool.fit.noise for pool in pools]
    assert noise[0] == pytest.approx(0.01, rel=0.5)
    assert noise[1] == pytest.approx(noise[0], rel=0.1)


@pytest.mark.parametrize("size", [120, 30])
def test_the_fit_on_the_pool_is_ridge_by_generalised_cross_validation(size):
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(size, 50)), rng.normal(size=size)
    found = make_pool(torch.tensor(rows), targets=torch.tensor(targets)).fit
    wanted, largest = targets - targets.mean(), np.linalg.eigvalsh(rows.T @ rows)[-1]
    best = (np.inf, 0.0, np.zeros(50), 0.0)
    for alpha in largest * np.logspace(-14, 2, 49):
        hat = rows @ np.linalg.solve(rows.T @ rows + alpha * np.eye(50), rows.T)
        left, freedom = ((wanted - hat @ wanted) ** 2).sum(), size - 1 - np.trace(hat)
        if freedom > 1e-9 * size and left / freedom**2 < best[0]:
            coef = np.linalg.solve(rows.T @ rows + alpha * np.eye(50), rows.T @ wanted)
            best = (left / freedom**2, alpha, coef, left / max(freedom, 1))
    np.testing.assert_allclose(found.coef[:, 0], best[2], rtol=1e-5, atol=1e-8)
    assert found.noise == pytest.approx(best[3], rel=1e-5)


def test_whole_numbers_that_float32_would_merge_stay_apart():
    rng = np.random.default_rng(0)
    times = np.c_[1_700_000_000 + rng.permutation(1000), rng.integers(0, 5, 1000)]
    pool = make_pool(torch.tensor(times))
    assert len(pool.features[:, 0].unique()) == 1000
    assert make_pool(torch.tensor(times % 100)).features.dtype == torch.float32


def test_rows_as_given_keep_their_rank_where_no_sketch_is_made():
    rows = np.random.default_rng(0).normal(size=(300, 3)) * 0.5
    rows[:, 0] += 2e6
    pool = make_pool(torch.tensor(rows).float())
    assert pool.sketch.kind == "none"
    assert len(pool.moments.eigenvalues) == len(pool.feature_basis.values) == 3
