"""Greedy choice in blocks picks what greedy choice one at a time does, however good the guesses are."""

import itertools
import math

import numpy as np
import pytest
import torch

from skmm_core.data import make_given
from skmm_core.device import generator
from skmm_core.methods.geometric import herding, k_center
from skmm_core.methods.submodular import graph_cut
from skmm_core.solvers import (
    CosineSimilarity,
    columns_ahead,
    columns_of,
    exchange_mmd,
    facility_location,
    farthest_rows,
    gaussian_kernel,
    greedy_cover,
    greedy_mmd,
    labelled_kernel,
    random_pivoting,
    rough_kernels,
    unit_rows,
)

SIZE, BUDGET = 900, 60


def clustered(columns: int, *, seed: int = 0, size: int = SIZE, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Rows about 12 centres with heavy tails, far from the origin, some of them twice."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(12, columns)) * 2
    rows = centres[draw.integers(12, size=size)] + draw.standard_t(3, size=(size, columns)) * 0.5 + 5
    rows[size // 2 : size // 2 + 20] = rows[:20]
    return torch.tensor(rows).to(dtype)


@pytest.fixture(params=["guesses", "little memory"])
def ahead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have columns guessed in a small pool: with poor guesses, and with hardly any column kept."""
    monkeypatch.setattr("skmm_core.solvers.kernels._KEPT_ROWS", 0)
    monkeypatch.setattr(columns_ahead, "_FEW_ROWS", 0)
    monkeypatch.setattr(columns_ahead, "_CANDIDATES", 40)
    monkeypatch.setattr(columns_ahead, "_NEAR", 3)
    if request.param == "little memory":
        monkeypatch.setattr(columns_ahead, "_KEPT_BYTES", SIZE * 8 * 40)


def slow_mmd(gram: np.ndarray, mean: np.ndarray, budget: int) -> list[int]:
    picks: list[int] = []
    for t in range(budget):
        cost = gram[:, picks].sum(axis=1) - (t + 1) * mean + gram.diagonal() / 2
        cost[picks] = np.inf
        picks.append(int(np.flatnonzero(cost <= cost.min() + 1e-12)[0]))
    return picks


@pytest.mark.parametrize("columns", [20, 200], ids=["short rows", "long rows"])
@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.usefixtures("ahead")
def test_kernel_matching(columns, labelled):
    kernel = gaussian_kernel(clustered(columns), normalise=True, scale=0.1, seed=0)
    if labelled:
        kernel = labelled_kernel(kernel, torch.arange(SIZE) % 3, bandwidth=1)
    assert (rough_kernels.rough_kernel(kernel, seed=0) is not None) == (columns == 200)
    gram = kernel.columns(torch.arange(SIZE)).numpy()
    mean = torch.tensor(gram.mean(axis=1))
    columns_kept = columns_of(kernel)
    picks = greedy_mmd(kernel, mean, BUDGET, columns=columns_kept)
    assert picks.tolist() == slow_mmd(gram, mean.numpy(), BUDGET)
    given = make_given(torch.tensor([5, 700]), picks[:3], SIZE)
    beside = greedy_mmd(kernel, mean, 20, given=given).tolist()
    assert beside[:2] == [5, 700]
    assert not set(picks[:3].tolist()) & set(beside)

    better = exchange_mmd(kernel, mean, picks, sweeps=3, columns=columns_kept)[0]
    assert torch.equal(better, exchange_mmd(kernel, mean, picks, sweeps=3)[0])

    def cost(rows: torch.Tensor) -> float:
        return float(gram[np.ix_(rows, rows)].sum() - 2 * len(rows) * gram.mean(axis=1)[rows].sum())

    assert cost(better) <= cost(picks)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.usefixtures("ahead")
def test_herding_in_either_precision(dtype):
    """The sums of rounded products may only say which rows could be next: rows lie 100 from the origin."""
    rows = (clustered(30) + 100).to(dtype)
    x, picks = rows.double().numpy(), []
    for t in range(BUDGET):
        behind = x[picks].sum(axis=0) - (t + 1) * x.mean(axis=0)
        cost = ((x + behind) ** 2).sum(axis=1)
        cost[picks] = np.inf
        picks.append(int(np.flatnonzero(cost <= cost.min() * (1 + 1e-9))[0]))
    assert herding(rows, BUDGET).tolist() == picks


@pytest.mark.parametrize("redundancy", [0.1, SIZE / (2 * BUDGET)])
@pytest.mark.usefixtures("ahead")
def test_graph_cut(redundancy):
    rows = unit_rows(clustered(30))
    gram = (1 + rows.numpy() @ rows.numpy().T) / 2
    found = graph_cut(CosineSimilarity(rows), torch.tensor(gram.sum(axis=1)), BUDGET, redundancy=redundancy).indices
    picks: list[int] = []
    for _ in range(BUDGET):
        gain = gram.sum(axis=1) - redundancy * (gram.diagonal() + 2 * gram[:, picks].sum(axis=1))
        gain[picks] = -np.inf
        picks.append(int(np.flatnonzero(gain >= gain.max() - 1e-9 * SIZE)[0]))
    assert found.tolist() == picks


def test_columns_handed_out_are_right_whatever_makes_room(monkeypatch):
    monkeypatch.setattr(columns_ahead, "_KEPT_BYTES", 4 * 100 * 8)
    gram = torch.arange(10_000, dtype=torch.float64).reshape(100, 100)
    gram = gram + gram.T
    columns = columns_ahead.ColumnsAhead(
        lambda some, among=None: (gram if among is None else gram[among])[:, some], 100, gram.dtype, gram.device
    )
    assert columns.ahead == 1
    draw = np.random.default_rng(0)
    for row in draw.integers(100, size=300):
        assert torch.equal(columns.block(torch.tensor([int(row)]))[0], gram[row])


def slow_k_center(x: np.ndarray, budget: int, start: list[int], closed: list[int]) -> list[int]:
    picks = list(start)
    between = ((x[:, None] - x[None]) ** 2).sum(axis=2)
    while len(picks) < budget:
        nearest = between[:, picks].min(axis=1)
        nearest[picks + closed] = -1
        picks.append(int(np.flatnonzero(nearest >= nearest.max() - 1e-9)[0]))
    return picks


@pytest.mark.parametrize("candidates", [4, 30, 2000])
def test_k_center_among_the_farthest(candidates, monkeypatch):
    monkeypatch.setattr(farthest_rows, "_CANDIDATES", candidates)
    monkeypatch.setattr(farthest_rows, "_BLOCK_ROWS", 70)
    rows = clustered(10)
    assert k_center(rows, 200, first=3).tolist() == slow_k_center(rows.numpy(), 200, [3], [])
    given = make_given(torch.tensor([8, 9]), torch.tensor([0, 1]), SIZE)
    assert k_center(rows, 50, first=8, given=given).tolist() == slow_k_center(rows.numpy(), 50, [8, 9], [0, 1])
    grid = torch.tensor(list(itertools.product(range(6), repeat=3)), dtype=torch.float64)  # nothing but ties
    assert k_center(grid, 216, first=0).tolist() == slow_k_center(grid.numpy(), 216, [0], [])


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_cover_with_values_kept_or_not(share, monkeypatch):
    rows = unit_rows(clustered(15))
    monkeypatch.setattr(facility_location, "_KEPT_BYTES", int(share * SIZE * 300 * 8))
    reference = torch.arange(0, SIZE, 3)
    found = greedy_cover(CosineSimilarity(rows).to(reference), torch.zeros(300, dtype=torch.float64), SIZE, BUDGET)
    values, covered, picks = (1 + rows.numpy()[::3] @ rows.numpy().T) / 2, np.zeros(300), []
    for _ in range(BUDGET):
        gain = np.maximum(values - covered[:, None], 0).sum(axis=0)
        gain[picks] = -np.inf
        picks.append(int(np.flatnonzero(gain >= gain.max() - 1e-12)[0]))
        covered = np.maximum(covered, values[:, picks[-1]])
    assert found.picks.tolist() == picks
    np.testing.assert_allclose(found.covered, covered, atol=1e-12)


def chances_of_pairs(x: np.ndarray) -> dict[tuple[int, int], float]:
    """Of random pivoting: of each first and second row."""
    energy, found = (x**2).sum(axis=1), {}
    for first in range(len(x)):
        rest = x - np.outer(x @ x[first], x[first]) / energy[first]
        left = (rest**2).sum(axis=1)
        left[first] = 0
        for second in range(len(x)):
            found[first, second] = energy[first] / energy.sum() * left[second] / left.sum()
    return found


@pytest.mark.statistical
@pytest.mark.parametrize("proposals", [2, 64])
def test_proposed_rows_have_the_distribution_of_random_pivoting(proposals, monkeypatch):
    """Rows 0 and 1 nearly agree, so a block that ignores what one says of the other would take both far too often."""
    monkeypatch.setattr(random_pivoting, "_LITTLE", 0)
    monkeypatch.setattr(random_pivoting, "_PROPOSALS", proposals)
    x = np.array([[3.0, 0, 0], [3.0, 0.3, 0], [0, 1, 1], [1, 1, 0], [0, 0, 2]])
    draw, draws = generator(0, "test"), 4000
    pairs = [tuple(random_pivoting.adaptive(torch.tensor(x), 2, generator=draw).tolist()) for _ in range(draws)]
    for pair, chance in chances_of_pairs(x).items():
        assert abs(pairs.count(pair) / draws - chance) <= 5 * math.sqrt(chance * (1 - chance) / draws) + 1e-12


def test_proposed_rows_go_on_beyond_the_rank(monkeypatch):
    monkeypatch.setattr(random_pivoting, "_LITTLE", 0)
    x = torch.tensor(np.random.default_rng(0).normal(size=(60, 4)))
    x[50:] = 0
    found = random_pivoting.adaptive(x, 60, generator=generator(1, "test"))
    assert sorted(found.tolist()) == list(range(60))
    assert set(found[-10:].tolist()) == set(range(50, 60))  # those without energy come last
    for start in range(0, 48, 4):
        assert np.linalg.matrix_rank(x[found[start : start + 4]].numpy()) == 4
    assert torch.equal(random_pivoting.adaptive(x, 7, generator=generator(1, "test")), found[:7])
