"""Every method against a slow version written from its definition."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.methods import moment_matching
from skmm_core.methods.geometric import herding, k_center
from skmm_core.methods.registry import Status, select
from skmm_core.methods.sampling import leverage_scores
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool
from skmm_core.solvers import mean_embedding, moment_exchange
from skmm_core.solvers.kernels import GaussianKernel, gaussian_kernel
from skmm_core.solvers.moment_exchange import polish
from skmm_core.solvers.moments import eigenbasis

Array = NDArray[np.float64]
UNSKETCHED = SketchParams(kind="none")


def cloud(n: int, d: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.standard_t(4, size=(n, d)) * np.linspace(2, 0.5, d) + 0.5


def rotation(d: int) -> Array:
    return np.asarray(np.linalg.qr(np.random.default_rng(99).normal(size=(d, d)))[0])


def pool_of(rows: Array) -> Pool:
    return make_pool(torch.tensor(rows), sketch=UNSKETCHED, device="cpu")


# ---- geometric


def slow_herding(rows: Array, budget: int) -> list[int]:
    picks: list[int] = []
    for t in range(budget):
        distance = np.linalg.norm(rows.mean(axis=0) - (rows[picks].sum(axis=0) + rows) / (t + 1), axis=1)
        distance[picks] = np.inf
        picks.append(int(distance.round(9).argmin()))  # equal but for rounding: the lower row
    return picks


def slow_k_center(rows: Array, budget: int, first: int) -> list[int]:
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    picks = [first]
    while len(picks) < budget:
        nearest = distances[:, picks].min(axis=1)
        nearest[picks] = -1
        picks.append(int(nearest.round(9).argmax()))
    return picks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("budget", [1, 2, 15, 60])
def test_herding_is_its_definition(seed: int, budget: int) -> None:
    rows = cloud(60, 4, seed)
    assert herding(torch.tensor(rows), budget).tolist() == slow_herding(rows, budget)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("budget", [1, 2, 15, 60])
def test_k_center_is_its_definition(seed: int, budget: int) -> None:
    rows = cloud(60, 4, seed)
    assert k_center(torch.tensor(rows), budget, first=seed).tolist() == slow_k_center(rows, budget, seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("seed", range(5))
def test_rounding_breaks_no_ties(seed: int, dtype: torch.dtype) -> None:
    """Whole numbers have many equal distances; their mean has digits that rounding cuts, so ties are never exact."""
    rows = np.random.default_rng(seed).integers(-2, 3, size=(25, 3)).astype(float)
    whole = torch.tensor(rows, dtype=dtype)
    assert k_center(whole, 25, first=3).tolist() == slow_k_center(rows, 25, 3)
    assert herding(whole, 12).tolist() == slow_herding(rows, 12)


def test_ties_go_to_the_lower_row() -> None:
    # Symmetric around 0, so all numbers are exact.
    square = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]).repeat(3, 1)
    assert herding(square, 4).tolist() == [0, 1, 2, 3] == slow_herding(square.double().numpy(), 4)
    # All corners are taken first; then only duplicates are left.
    assert k_center(square, 6, first=5).tolist() == slow_k_center(square.double().numpy(), 6, 5) == [5, 0, 2, 3, 1, 4]


def test_herding_is_far_closer_to_the_mean_than_chance() -> None:
    rows = torch.tensor(cloud(400, 4))
    chosen = rows[herding(rows, 20)].mean(dim=0)
    random = torch.stack(
        [rows[torch.randperm(400, generator=torch.Generator().manual_seed(i))[:20]] for i in range(50)]
    )
    assert (chosen - rows.mean(dim=0)).norm() < (random.mean(dim=1) - rows.mean(dim=0)).norm(dim=1).min() / 5


def test_k_center_is_within_twice_the_best_radius() -> None:
    """Gonzalez' guarantee, against all subsets of two of a small pool."""
    rows = cloud(14, 2, 1)
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    best = min(distances[:, [i, j]].min(axis=1).max() for i in range(14) for j in range(i))
    for first in range(14):
        picks = k_center(torch.tensor(rows), 2, first=first).numpy()
        assert distances[:, picks].min(axis=1).max() <= 2 * best + 1e-12


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_far_from_the_origin_single_precision_still_sees_the_shape(offset: float) -> None:
    rows = torch.tensor(cloud(60, 4)).float() + offset
    exact = rows.double().numpy()
    assert k_center(rows, 8, first=0).tolist() == slow_k_center(exact, 8, 0)


# ---- leverage


@pytest.mark.parametrize("shape", [(50, 8), (8, 50), (20, 20), (30, 1), (1, 5)])
@pytest.mark.parametrize("rank", [1, 3, 8, 100])
def test_leverage_is_the_norm_of_left_singular_vectors(shape: tuple[int, int], rank: int) -> None:
    rows = cloud(*shape)
    expected = (np.linalg.svd(rows, full_matrices=False)[0][:, :rank] ** 2).sum(axis=1)
    np.testing.assert_allclose(leverage_scores(torch.tensor(rows), rank), expected, atol=1e-9)


@pytest.mark.parametrize("wide", [False, True])
def test_leverage_counts_no_direction_that_is_not_there(wide: bool) -> None:
    rows = cloud(40, 3) @ cloud(3, 60 if wide else 9, 1)
    expected = (np.linalg.svd(rows)[0][:, :3] ** 2).sum(axis=1)
    found = leverage_scores(torch.tensor(rows), 9)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert float(found.sum()) == pytest.approx(3)
    assert leverage_scores(torch.zeros(5, 3), 2).tolist() == [0.0] * 5


def test_leverage_of_single_precision_and_of_rotated_rows() -> None:
    rows = cloud(50, 8)
    exact = leverage_scores(torch.tensor(rows), 8)
    np.testing.assert_allclose(leverage_scores(torch.tensor(rows).float(), 8), exact, atol=1e-5)
    # All directions together: invariant under every invertible map, not only rotations.
    np.testing.assert_allclose(leverage_scores(torch.tensor(rows @ cloud(8, 8, 3)), 8), exact, atol=1e-8)


def test_leverage_counts_as_many_directions_as_points_unless_told() -> None:
    rows = cloud(50, 8)
    left = np.linalg.svd(rows, full_matrices=False)[0]
    scores = select(torch.tensor(rows), "leverage", 5).scores
    np.testing.assert_allclose(scores, (left[:, :5] ** 2).sum(axis=1), atol=1e-9)
    scores = select(torch.tensor(rows), "leverage", 5, params={"rank": 2}).scores
    np.testing.assert_allclose(scores, (left[:, :2] ** 2).sum(axis=1), atol=1e-9)
    with pytest.raises(InputError, match="rank"):
        select(torch.tensor(rows), "leverage", 5, params={"rank": 0})


# ---- kernel matching


def slow_kernel(rows: Array, bandwidth: float, normalise: bool) -> Array:
    if normalise:
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    squared = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squared / (2 * bandwidth)))


def slow_importance(rows: Array, keep_rare: bool) -> Array:
    if not keep_rare:
        return np.ones(len(rows))
    leverage = (np.linalg.svd(rows, full_matrices=False)[0] ** 2).sum(axis=1)
    return np.maximum(1, leverage / (2 * leverage.mean()))


def slow_mmd(kernel: Array, importance: Array, picks: list[int]) -> float:
    """‖Σ_S φ/n - Σ w φ/Σw‖² as one quadratic form of signed weights."""
    signed = -importance / importance.sum()
    signed[picks] += 1 / len(picks)
    return float(signed @ kernel @ signed)


def slow_matching(kernel: Array, importance: Array, budget: int, sweeps: int) -> list[int]:
    size, picks = len(kernel), []
    for _ in range(budget):
        values = [np.inf if i in picks else slow_mmd(kernel, importance, [*picks, i]) for i in range(size)]
        picks.append(int(np.argmin(values)))
    # What the method takes for rounding, in units of the squared MMD.
    tolerance = 2e-5 * kernel @ importance / importance.sum() / budget
    for _ in range(sweeps):
        before = list(picks)
        for slot in range(budget):
            now = slow_mmd(kernel, importance, picks)
            outside = [i for i in range(size) if i not in picks]
            values = [slow_mmd(kernel, importance, [*picks[:slot], i, *picks[slot + 1 :]]) for i in outside]
            new = outside[int(np.argmin(values))]
            if min(values) < now - max(tolerance[picks[slot]], tolerance[new]):
                picks[slot] = new
        if picks == before:
            break
    return picks


def slow_order(kernel: Array, importance: Array, picks: list[int]) -> list[int]:
    order: list[int] = []
    while len(order) < len(picks):
        left = sorted(set(picks) - set(order))
        order.append(min(left, key=lambda i: slow_mmd(kernel, importance, [*order, i])))
    return order


@pytest.mark.parametrize("keep_rare", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("exchanges", [0, 1, 20])
def test_kernel_matching_is_its_definition(keep_rare: bool, normalise: bool, exchanges: int) -> None:
    rows = cloud(40, 4, 2)
    pool = pool_of(rows)
    params = {"keep_rare": keep_rare, "normalise": normalise, "exchanges": exchanges, "scale": 0.5}
    found = select(pool, "skmm_kernel", 7, params=params)
    bandwidth = gaussian_kernel(pool.features, normalise=normalise, scale=0.5, seed=0).bandwidth
    kernel, importance = slow_kernel(rows, bandwidth, normalise), slow_importance(rows, keep_rare)
    expected = slow_matching(kernel, importance, 7, exchanges)
    assert found.indices.tolist() == slow_order(kernel, importance, expected)
    assert found.objective["rounded"] == pytest.approx(slow_mmd(kernel, importance, expected), abs=1e-12)
    greedy = slow_matching(kernel, importance, 7, 0)
    assert found.objective["greedy"] == pytest.approx(slow_mmd(kernel, importance, greedy), abs=1e-12)
    np.testing.assert_allclose(found.scores, kernel @ importance / importance.sum(), atol=1e-12)
    assert found.status is (Status.MAX_SWEEPS if exchanges == 1 and expected != greedy else Status.CONVERGED)


def test_the_rare_get_a_point_only_when_they_count() -> None:
    """40 points along one axis and one point along another: plain matching passes it over."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.c_[rng.normal(5, 0.1, 80), rng.normal(0, 0.1, 80)], [[0.0, 5.0]]])
    picked = [
        80 in select(pool_of(rows), "skmm_kernel", 4, params={"keep_rare": keep}).indices.tolist()
        for keep in (False, True)
    ]
    assert picked == [False, True]


@pytest.mark.parametrize("normalise", [False, True])
def test_the_bandwidth_is_the_median_distance(normalise: bool) -> None:
    rows = cloud(80, 4)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True) if normalise else rows
    pairs = np.sort(((unit[:, None] - unit[None]) ** 2).sum(axis=2)[np.triu_indices(80, 1)])
    found = gaussian_kernel(torch.tensor(rows), normalise=normalise, scale=3, seed=0).bandwidth / 3
    # 20,000 random pairs: the rank of their median errs by a standard error of 1/(2√20,000); five of them.
    assert abs(np.searchsorted(pairs, found) / len(pairs) - 0.5) < 5 * 0.5 / 20_000**0.5


def test_kernel_columns_and_their_blocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.tensor(cloud(50, 3))
    kernel = gaussian_kernel(rows, normalise=False, scale=0.5, seed=0)
    expected = slow_kernel(rows.numpy(), kernel.bandwidth, False)
    some = torch.tensor([3, 40, 7])
    np.testing.assert_allclose(kernel.columns(some), expected[:, some], atol=1e-12)
    np.testing.assert_allclose(kernel.columns(some, among=some), expected[np.ix_(some, some)], atol=1e-12)
    whole = mean_embedding.kernel_mean(kernel, torch.ones(50), seed=0)
    np.testing.assert_allclose(whole, expected.mean(axis=1), atol=1e-12)
    monkeypatch.setattr(mean_embedding, "_CACHED", 120)
    torch.testing.assert_close(mean_embedding.kernel_mean(kernel, torch.ones(50), seed=0), whole)


def few_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As above 20,000 rows, in a pool of 400."""
    monkeypatch.setattr(mean_embedding, "EXACT_LIMIT", 399)
    monkeypatch.setattr(mean_embedding, "LANDMARKS", 20)
    monkeypatch.setattr(mean_embedding, "OTHERS", 40)


@pytest.mark.statistical
@pytest.mark.parametrize("equal", [True, False])
def test_the_mean_of_large_pools_is_right_on_average_and_nearer_than_plain_averages(
    equal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over 200 draws of landmarks: no bias beyond five standard errors, and half the error of as many random rows."""
    rows, draws = torch.tensor(cloud(400, 3)), 200
    kernel = gaussian_kernel(rows, normalise=False, scale=0.5, seed=0)
    importance = torch.ones(400) if equal else torch.linspace(1, 3, 400)
    exact = mean_embedding.kernel_mean(kernel, importance, seed=0)
    few_landmarks(monkeypatch)
    off = torch.stack([mean_embedding.kernel_mean(kernel, importance, seed=seed) - exact for seed in range(draws)])
    error = off.square().mean().sqrt()
    chosen = torch.stack(
        [torch.randperm(400, generator=torch.Generator().manual_seed(seed))[:80] for seed in range(draws)]
    )
    plain = torch.stack([kernel.columns(some) @ importance[some].double() / importance[some].sum() for some in chosen])
    assert 0 < float(error) < 0.5 * float((plain - exact).square().mean().sqrt())
    # importance is normed over the drawn rows, whose sum is random too: of the order of the error, squared
    assert float(off.mean(dim=0).abs().max()) < 5 * float(off.std(dim=0).max()) / draws**0.5 + float(error) ** 2


def test_rows_that_were_drawn_for_the_mean_are_not_favoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rows are like nothing but themselves the mean is 1/N everywhere, not 1/60 at 60 of them."""
    few_landmarks(monkeypatch)
    kernel = GaussianKernel(100 * torch.eye(400), torch.full((400,), 1e4), bandwidth=1.0)
    found = mean_embedding.kernel_mean(kernel, torch.ones(400), seed=0)
    torch.testing.assert_close(found, torch.full((400,), 1 / 400, dtype=found.dtype), rtol=1e-3, atol=0)


@pytest.mark.parametrize("size", [400, 2_500])
def test_equal_rows_are_no_trouble_to_the_mean_of_large_pools(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    few_landmarks(monkeypatch)
    rows = torch.tensor(cloud(3, 3)).repeat(size // 3 + 1, 1)[:size]
    kernel = gaussian_kernel(rows, normalise=False, scale=0.5, seed=0)
    found = mean_embedding.kernel_mean(kernel, torch.ones(size), seed=0)
    expected = slow_kernel(rows[:3].numpy(), kernel.bandwidth, False) @ np.bincount(np.arange(size) % 3)
    np.testing.assert_allclose(found, expected[np.arange(size) % 3] / size, atol=1e-3)


# ---- moment matching


def slow_objective(squares: Array, targets: Array, weights: Array, picks: list[int]) -> float:
    return float((np.maximum(0, targets - squares[picks].mean(axis=0)) ** 2 * weights**2).sum())


def moment_problem(seed: int, *, relative: bool) -> tuple[Array, Array, Array]:
    moments = eigenbasis(torch.tensor(cloud(40, 5, seed)))
    eigenvalues = moments.eigenvalues.numpy()
    weights = 1 / eigenvalues if relative else np.ones(5)
    return moments.coordinates.numpy() ** 2, eigenvalues / 0.8, weights


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_polish_ends_where_no_exchange_helps(seed: int, relative: bool) -> None:
    squares, targets, weights = moment_problem(seed, relative=relative)
    start = torch.randperm(40, generator=torch.Generator().manual_seed(seed))[:6]
    ended = polish(torch.tensor(squares), torch.tensor(targets), start, column_weights=torch.tensor(weights)).tolist()
    before, after = (slow_objective(squares, targets, weights, list(picks)) for picks in (start, ended))
    assert len(set(ended)) == 6
    assert after < before
    exchanged = [
        slow_objective(squares, targets, weights, [*ended[:slot], new, *ended[slot + 1 :]])
        for slot in range(6)
        for new in set(range(40)) - set(ended)
    ]
    assert min(exchanged) >= after * (1 - 2e-6), "an exchange was missed"


@pytest.mark.parametrize("relative", [False, True])
def test_polish_never_makes_it_worse_when_few_candidates_are_tried(
    relative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    squares, targets, weights = moment_problem(0, relative=relative)
    arguments = torch.tensor(squares), torch.tensor(targets)
    start = torch.arange(6)
    values = []
    for candidates in (1, 3, 4096):
        monkeypatch.setattr(moment_exchange, "_SHORT_LIST", candidates)
        monkeypatch.setattr(moment_exchange, "_WIDE_LIST", candidates)
        ended = polish(*arguments, start, column_weights=torch.tensor(weights))
        values.append(slow_objective(squares, targets, weights, ended.tolist()))
    assert max(values) < slow_objective(squares, targets, weights, start.tolist())
    assert torch.equal(start, torch.arange(6)), "the input was changed"


def exhaustively_exchanged(squares: Array, asked: Array, picks: list[int]) -> float:
    """F after sweeps in which each chosen row gives way to the best of all rows outside, until none gains."""
    inside, now, before = list(picks), 0.0, np.inf
    while now < before:
        now = before = float((np.maximum(0, asked - squares[inside].mean(axis=0)) ** 2).sum())
        for slot in range(len(inside)):
            rest = squares[inside].sum(axis=0) - squares[inside[slot]]
            values = (np.maximum(0, asked - (rest + squares) / len(inside)) ** 2).sum(axis=1)
            values[inside] = np.inf
            if values.min() < now * (1 - 1e-6):
                inside[slot], now = int(values.argmin()), float(values.min())
    return now


@pytest.mark.parametrize("offset", [0.0, 8.0])
def test_polish_from_short_lists_reaches_what_exhaustive_exchanges_reach(offset: float) -> None:
    """More rows than any list holds, far-out ones among them, and moments that no selection has."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(40, 12))[rng.integers(0, 40, 6_000)] + rng.standard_t(4, size=(6_000, 12)) + offset
    eigenvalues, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    squares = (rows @ vectors) ** 2 / eigenvalues
    asked = np.full(12, 1 / (0.6 if offset else 0.15))
    start = rng.choice(len(rows), 50, replace=False)
    expected = exhaustively_exchanged(squares, asked, start.tolist())
    found = polish(*map(torch.tensor, (squares, asked, start)), column_weights=torch.ones(12)).numpy()
    assert len(set(found.tolist())) == 50
    assert expected > 1e-4
    assert float((np.maximum(0, asked - squares[found].mean(axis=0)) ** 2).sum()) <= 1.01 * expected


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_greedy(seed: int, relative: bool) -> None:
    squares, targets, weights = moment_problem(seed, relative=relative)
    picks = np.random.default_rng(seed).choice(40, 9, replace=False).tolist()
    expected: list[int] = []
    while len(expected) < 9:
        left = sorted(set(picks) - set(expected))
        expected.append(min(left, key=lambda i: slow_objective(squares, targets, weights, [*expected, i])))
    found = moment_matching.order_by_prefix(
        torch.tensor(squares), torch.tensor(targets), torch.tensor(picks), column_weights=torch.tensor(weights)
    )
    assert found.tolist() == expected


@pytest.mark.parametrize("weights", ["relative", "absolute"])
@pytest.mark.parametrize("rounding", ["matched", "balanced", "sample", "top"])
@pytest.mark.parametrize("polish", [False, True])
def test_skmm_reports_the_objectives_of_its_answer(weights: str, rounding: str, polish: bool) -> None:
    rows = cloud(80, 6, 1)
    params = {"weights": weights, "rounding": rounding, "polish": polish, "c_s": 0.7}
    found = select(pool_of(rows), "skmm", 10, params=params)
    eigenvalues, vectors = np.linalg.eigh(rows.T @ rows / 80)
    squares, scale = (rows @ vectors) ** 2, 1 / eigenvalues if weights == "relative" else np.ones(6)
    rounded = slow_objective(squares, eigenvalues / 0.7, scale, found.indices.tolist())
    assert found.objective["rounded"] == pytest.approx(rounded, rel=1e-8)
    assert found.scores is not None
    s = found.scores.numpy()
    relaxed = float(((np.maximum(0, eigenvalues / 0.7 - s @ squares) * scale) ** 2).sum())
    assert found.objective["relaxed"] == pytest.approx(relaxed, rel=1e-8)
    assert found.objective["rounded"] >= found.objective["relaxed"] - found.objective["gap"]
    assert float(found.trace["objective"][-1]) == found.objective["relaxed"]
    if rounding == "top" and not polish:
        assert s[found.indices.numpy()].min() >= np.sort(s)[-10] - 1e-15


def test_skmm_says_when_the_solver_was_stopped() -> None:
    rows = torch.tensor(cloud(80, 6, 1))
    stopped = select(rows, "skmm", 10, params={"max_steps": 1, "c_s": 0.15, "tol": 1e-10}, sketch=UNSKETCHED)
    assert stopped.status is Status.MAX_STEPS
    assert len(stopped.indices) == 10
    assert select(rows, "skmm", 10, params={"c_s": 0.15}, sketch=UNSKETCHED).status is Status.CONVERGED


# ---- invariances


def moved(rows: Array) -> Array:
    return np.asarray(rows @ rotation(rows.shape[1]))


@pytest.mark.parametrize("key", ["skmm", "skmm_kernel", "herding", "k_center", "leverage"])
def test_a_rotation_of_the_features_changes_no_pick(key: str) -> None:
    """Where numbers are drawn, they are drawn by the place of a row, so both pools have their rows in one order."""
    rows = cloud(90, 5, 3)
    one, other = (replace(pool_of(each), in_order=True) for each in (rows, moved(rows)))
    assert select(one, key, 12).indices.tolist() == select(other, key, 12).indices.tolist()


@pytest.mark.parametrize("key", ["skmm", "skmm_kernel", "herding", "k_center", "leverage"])
@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_the_unit_of_the_features_changes_no_pick(key: str, factor: float) -> None:
    rows = cloud(90, 5, 3)
    assert select(pool_of(rows), key, 12).indices.tolist() == select(pool_of(rows * factor), key, 12).indices.tolist()


@pytest.mark.parametrize("method", [herding, lambda rows, n: k_center(rows, n, first=int(rows[:, 0].argmax()))])
def test_geometric_picks_follow_their_rows(method: object) -> None:
    rows = torch.tensor(cloud(90, 5, 3))
    order = torch.randperm(90, generator=torch.Generator().manual_seed(0))
    picks: Tensor = method(rows, 12)  # type: ignore[operator]
    assert order[method(rows[order], 12)].tolist() == picks.tolist()  # type: ignore[operator]


@pytest.mark.parametrize("key", ["herding", "k_center"])
def test_a_shift_of_the_features_changes_no_geometric_pick(key: str) -> None:
    rows = cloud(90, 5, 3)
    assert (
        select(torch.tensor(rows), key, 12).indices.tolist()
        == select(torch.tensor(rows + 7.0), key, 12).indices.tolist()
    )
