"""Covering and matching at once against plain NumPy in float64, written from the definition on whole matrices."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from skmm_core.data.include_exclude import make_given
from skmm_core.methods import submodular
from skmm_core.methods.cover_matching import SCALED_ALIKE
from skmm_core.methods.registry import Status, select
from skmm_core.pool.making import make_pool
from skmm_core.solvers import cover_mmd
from skmm_core.solvers.cover_mmd import CoverAim, exchange_cover_mmd, greedy_cover_mmd
from skmm_core.solvers.kernels import _pairs, gaussian_kernel
from skmm_core.solvers.mean_embedding import kernel_mean
from tests.references.pools import NamedPool, assert_greedy, every_pool, unit

DOUBLE, SINGLE = (float(np.finfo(kind).eps) for kind in (np.float64, np.float32))
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Brute:
    """f(S) = mean_i max_s k(i, s) + 2 mean_s μ(s) - mean k(s, s'), i over the reference rows.

    Attributes:
        kernel: (N, N).
        reference: rows that are covered.
    """

    kernel: Array
    reference: NDArray[np.int64]

    def value(self, picks: list[int]) -> float:
        covered = self.kernel[np.ix_(self.reference, picks)].max(axis=1, initial=0).mean()
        return float(covered + 2 * self.kernel.mean(axis=0)[picks].mean() - self.kernel[np.ix_(picks, picks)].mean())

    def costs(self, before: list[int]) -> Array:
        """(N,) minus f of the rows before and each further one."""
        count, among = len(before) + 1, self.kernel[self.reference]
        covered = np.maximum(among, among[:, before].max(axis=1, initial=0)[:, None]).mean(axis=0)
        mean = self.kernel.mean(axis=0)
        matched = 2 * (mean[before].sum() + mean) / count
        within = self.kernel[np.ix_(before, before)].sum() + 2 * self.kernel[before].sum(axis=0)
        found: Array = (within + self.kernel.diagonal()) / count**2 - covered - matched
        return found

    def best_exchange(self, picks: list[int], start: int = 0, closed: tuple[int, ...] = ()) -> float:
        """The most that one exchange raises f by."""
        most, now = -np.inf, self.value(picks)
        for slot in range(start, len(picks)):
            costs = self.costs(picks[:slot] + picks[slot + 1 :])
            costs[[*picks, *closed]] = np.inf
            most = max(most, -now - float(costs.min()))
        return most


def in_one_unit(x: Array) -> Array:
    """Standard deviations from the mean, at most 3, where the columns of a table hardly share a unit."""
    x = x - x.mean(axis=0)
    spread = x.std(axis=0)
    spread[spread <= DOUBLE * np.abs(x).max(axis=0, initial=0)] = 0
    variance = spread[spread > 0] ** 2 / spread.max() ** 2
    if x.shape[1] > 50 or not len(variance):
        return x
    first, last = np.exp(np.quantile(np.log(variance) / 2, [0.1, 0.9]))
    few = variance.sum() ** 2 / (variance**2).sum() < 3 and variance.min() <= 0.01
    return (x / np.where(spread > 0, spread, np.inf)).clip(-3, 3) if few or last >= 10 * first else x


def principal(x: Array, rank: int = 128, power: float = 0.15) -> Array:
    """Unit rows of the leading principal directions, scaled by (λ + 0.1 mean λ)^(-power / 2)."""
    x = in_one_unit(x)
    x = x - x.mean(axis=0)
    energy, directions = np.linalg.eigh(x.T @ x / len(x))
    energy, directions = energy[::-1].clip(0), directions[:, ::-1]
    if not energy[0] > 0:
        return np.zeros_like(x)
    scaled: Array = (x @ directions[:, :rank]) * (energy[:rank] + 0.1 * energy.mean()) ** (-power / 2)
    return scaled if np.linalg.matrix_rank(x) < 2 else unit(scaled)  # on one line, unit rows would be signs


def squared(rows: Array) -> Array:
    norms = (rows**2).sum(axis=1)
    found: Array = (norms[:, None] + norms - 2 * rows @ rows.T).clip(min=0)
    return found


def bandwidth(distances: Array, scale: float = 0.1) -> float:
    """`scale` times the median squared distance over all pairs, or over the 20,000 that are drawn."""
    first, second = _pairs(len(distances), 0)
    pairs = distances[first.numpy(), second.numpy()]
    median = float(np.sort(pairs)[(len(pairs) - 1) // 2])
    return scale * (median or float(pairs.mean()) or 1.0)


def brute(x: Array, reference: NDArray[np.int64] | None = None, **params: float) -> Brute:
    scale = params.pop("scale", 0.1)
    distances = squared(principal(x, **params))  # type: ignore[arg-type]
    kernel = np.exp(-distances / (2 * bandwidth(distances, scale)))
    return Brute(kernel, np.arange(len(x)) if reference is None else reference)


def rounding_of(pool: NamedPool) -> float:
    """How far a value of f may be off: rows are rounded as they come, and centring them may lose digits in float64."""
    x = pool.exact - pool.exact.mean(axis=0)
    shortest = np.linalg.norm(x, axis=1).min()
    width = bandwidth(squared(principal(pool.exact)))
    lost = np.abs(pool.exact).max() * np.sqrt(x.shape[1]) / shortest
    return 64 * (x.shape[1] + 4) * (DOUBLE * (1 + lost) + pool.epsilon) / width


def assert_finished(made: Brute, picks: list[int], rounding: float, start: int = 0, closed: tuple[int, ...] = ()):
    """No exchange raises f, and the order is greedy among the chosen rows."""
    assert made.best_exchange(picks, start, closed) <= rounding

    def costs(before: list[int]) -> Array:
        found = made.costs(before)
        found[np.setdiff1d(np.arange(len(found)), picks)] = np.inf
        return found

    assert_greedy(picks, costs, lambda before: rounding, start=start)


@every_pool
def test_every_pool(pool: NamedPool):
    """Every pick of greedy, f that it reaches, and what exchanges leave."""
    made, rounding = brute(pool.exact), rounding_of(pool)
    assert rounding < 0.02
    greedy = select(pool.tensor, "skmm_cover", 10, params={"exchanges": 0}, device="cpu")
    assert_greedy(greedy.indices.tolist(), made.costs, lambda before: rounding)
    np.testing.assert_allclose(greedy.scores.double().numpy(), made.kernel.mean(axis=0), rtol=0, atol=rounding)
    assert greedy.objective["greedy"] == pytest.approx(made.value(greedy.indices.tolist()), abs=rounding)
    found = select(pool.tensor, "skmm_cover", 10, params={"exchanges": 100}, device="cpu")
    picks = found.indices.tolist()
    assert found.status is Status.CONVERGED
    assert found.objective["rounded"] == pytest.approx(made.value(picks), abs=rounding)
    assert found.objective["rounded"] >= found.objective["greedy"] - DOUBLE
    assert_finished(made, picks, rounding)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("params", [{}, {"scale": 0.5}, {"power": 0.0, "rank": 3}, {"power": 1.0, "scale": 0.05}])
def test_picks_are_those_of_two_plain_sweeps(seed, params):
    x = np.random.default_rng(seed).normal(size=(70, 6)) * np.linspace(3, 0.5, 6) + 2
    made, budget, picks = brute(x, **params), 9, []

    def best(before):
        costs = made.costs(before)
        costs[before] = np.inf
        return int(costs.argmin()), float(costs.min())

    for _ in range(budget):
        picks.append(best(picks)[0])
    greedy = made.value(picks)
    for _ in range(2):
        for slot in range(budget):
            others = picks[:slot] + picks[slot + 1 :]
            new, cost = best(others)
            picks[slot] = new if cost < -made.value(picks) - 1e-12 else picks[slot]
    found = select(x, "skmm_cover", budget, params=params)
    assert set(found.indices.tolist()) == set(picks)
    assert dict(found.objective) == pytest.approx({"greedy": greedy, "rounded": made.value(picks)}, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_one_row_and_all_rows(size):
    x = np.random.default_rng(size).normal(size=(size, 4))
    made = brute(x)
    one = select(x, "skmm_cover", 1)
    assert one.indices.tolist() == [int(made.costs([]).argmin())]
    whole = select(x, "skmm_cover", size)
    assert sorted(whole.indices.tolist()) == list(range(size))
    assert_greedy(whole.indices.tolist(), made.costs, lambda before: 1e-12)
    assert whole.objective["rounded"] == pytest.approx(made.value(list(range(size))))


def test_a_single_slot_left_is_exchanged():
    """The last slot beside rows in by hand, and the only one: what the others hold decides, or nothing does."""
    x = np.random.default_rng(3).normal(size=(30, 4))
    made = brute(x)
    for include in ([], [4, 9]):
        found = select(x, "skmm_cover", len(include) + 1, include=include)
        costs = made.costs(include)
        costs[include] = np.inf
        assert found.indices.tolist() == [*include, int(costs.argmin())]


@pytest.mark.parametrize("rows", ["zeros", "one far out", "equal", "constant rows"])
def test_degenerate_rows(rows):
    """Equal rows tie, and the lower goes first; no number is made of nothing."""
    x = {
        "zeros": np.zeros((12, 3)),
        "equal": np.ones((12, 3)) * 7,
        "one far out": np.r_[np.zeros((11, 3)), np.ones((1, 3)) * 1e3],
        "constant rows": np.arange(12)[:, None] % 4 * np.ones((12, 3)),
    }[rows]
    for kind in (np.float32, np.float64):
        found = select(torch.tensor(x.astype(kind)), "skmm_cover", 5, device="cpu")
        made = brute(x)
        assert sorted(set(found.indices.tolist())) == sorted(found.indices.tolist())
        assert np.isfinite(list(found.objective.values())).all()
        assert found.objective["rounded"] == pytest.approx(made.value(found.indices.tolist()), abs=1e-5)
        assert_finished(made, found.indices.tolist(), 1e-5)
    if rows in ("zeros", "equal"):
        assert found.indices.tolist() == [0, 1, 2, 3, 4]


def test_equal_chosen_rows_hold_each_others_coverage():
    """One of two equal chosen rows goes: the other still covers, and the gains of all others stay right."""
    x = np.repeat(np.random.default_rng(5).normal(size=(8, 3)), 2, axis=0)
    made = brute(x)
    pool = make_pool(torch.tensor(x), device="cpu")
    kernel = gaussian_kernel(torch.tensor(principal(x)), normalise=False, scale=0.1, seed=0)
    aim = CoverAim(kernel, kernel_mean(kernel, torch.ones(16), seed=0), torch.arange(16))
    assert aim.value(torch.tensor([0, 1, 2, 3])) == pytest.approx(made.value([0, 1, 2, 3]))
    picks, done = exchange_cover_mmd(aim, torch.tensor([0, 1, 2, 3]), sweeps=50)
    assert done
    assert made.best_exchange(picks.tolist()) <= 1e-12
    assert pool.size == 16


@pytest.mark.parametrize("elements", [1, 300, 10**6])
def test_blocks_change_nothing(elements, monkeypatch):
    monkeypatch.setattr(cover_mmd, "_BLOCK_ELEMENTS", elements)
    x = np.random.default_rng(8).normal(size=(60, 5))
    made = brute(x)
    found = select(x, "skmm_cover", 12, params={"exchanges": 100})
    assert_finished(made, found.indices.tolist(), 1e-12)
    assert found.objective["rounded"] == pytest.approx(made.value(found.indices.tolist()))
    monkeypatch.undo()
    assert found.indices.tolist() == select(x, "skmm_cover", 12, params={"exchanges": 100}).indices.tolist()


@pytest.fixture(scope="module")
def large() -> tuple[NDArray[np.float32], Brute]:
    """More rows than have their kernel kept, more numbers than are widened: columns are made in float32 each time."""
    rng = np.random.default_rng(0)
    x = (
        rng.normal(size=(2_100, 130)) * np.linspace(3, 0.3, 130)
        + 4 * rng.normal(size=(30, 130))[rng.integers(0, 30, 2_100)]
    )
    x[1_500:1_560] = x[:60]
    x = x.astype(np.float32)
    return x, brute(x.astype(np.float64))


def test_kernels_in_float32(large):
    x, made = large
    rounding = 4096 * SINGLE
    greedy = select(torch.tensor(x), "skmm_cover", 25, params={"exchanges": 0}, device="cpu")
    assert_greedy(greedy.indices.tolist(), made.costs, lambda before: rounding)
    found = select(torch.tensor(x), "skmm_cover", 25, params={"exchanges": 100}, device="cpu")
    picks = found.indices.tolist()
    assert found.status is Status.CONVERGED
    assert_finished(made, picks, rounding)
    assert found.objective["rounded"] == pytest.approx(made.value(picks), abs=rounding)
    assert found.objective["rounded"] > found.objective["greedy"]


def test_sums_are_kept_right_through_many_exchanges_in_float32(large):
    """From a poor start nearly every slot is exchanged; what candidates add is then as if it were made anew."""
    x, made = large
    kernel = gaussian_kernel(
        torch.tensor(principal(x.astype(np.float64)), dtype=torch.float32), normalise=False, scale=0.1, seed=0
    )
    aim = CoverAim(kernel, kernel_mean(kernel, torch.ones(2_100), seed=0), torch.arange(2_100))
    start = torch.arange(40) * 3
    state = cover_mmd._State(aim, torch.arange(2_100))
    state.begin_with(start, lambda progress: None)
    rng = np.random.default_rng(1)
    for _ in range(60):
        slot = int(rng.integers(40))
        state.remove(slot)
        outside = np.setdiff1d(np.arange(2_100), state.places.numpy())
        state.put(slot, torch.tensor(int(rng.choice(outside))))
    state.remove(7)
    left = state.places.tolist()
    costs = made.costs(left)
    found = state.costs().double().numpy()
    shift = float(np.median(costs - found))  # what all candidates share is left out
    np.testing.assert_allclose(found + shift, costs, rtol=0, atol=1024 * SINGLE)


def test_rows_in_by_hand_come_first_and_rows_kept_out_stay_out():
    x = np.random.default_rng(2).normal(size=(80, 5)) + 1e3
    made = brute(x)
    free = select(x, "skmm_cover", 10).indices.tolist()
    include, exclude = [71, 5, 33], tuple(row for row in free[:3] if row not in (71, 5, 33))
    greedy = select(x, "skmm_cover", 10, include=include, exclude=exclude, params={"exchanges": 0})
    assert greedy.indices.tolist()[:3] == include

    def costs(before):
        found = made.costs(before)
        found[list(exclude)] = np.inf
        return found

    assert_greedy(greedy.indices.tolist(), costs, lambda before: 1e-8, start=3)
    found = select(x, "skmm_cover", 10, include=include, exclude=exclude, params={"exchanges": 100}).indices.tolist()
    assert found[:3] == include
    assert not set(found) & set(exclude)
    assert_finished(made, found, 1e-8, start=3, closed=exclude)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_another_order_of_rows_gives_the_same_points(kind):
    x = (np.random.default_rng(4).normal(size=(90, 6)) + 1e2).astype(kind)
    picked = x[select(torch.tensor(x), "skmm_cover", 12, device="cpu").indices.numpy()]
    for seed in range(3):
        other = x[np.random.default_rng(seed).permutation(90)]
        again = other[select(torch.tensor(other), "skmm_cover", 12, device="cpu", seed=seed).indices.numpy()]
        np.testing.assert_array_equal(again, picked)


def test_every_prefix_is_a_sensible_selection():
    """Greedy order: prefixes lie near what is picked for their own budget, far above random rows."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(20, 8))[rng.integers(0, 20, 300)] * 3 + rng.normal(size=(300, 8))
    made = brute(x)
    order = select(x, "skmm_cover", 40).indices.tolist()
    for count in (1, 3, 10, 20, 30):
        own = made.value(select(x, "skmm_cover", count).indices.tolist())
        random = [made.value(rng.choice(300, count, replace=False).tolist()) for _ in range(200)]
        assert made.value(order[:count]) > np.quantile(random, 0.99)
        assert made.value(order[:count]) > own - (own - np.mean(random)) / 4


def test_pools_above_the_limit_are_covered_through_reference_rows(monkeypatch):
    monkeypatch.setattr(submodular, "REFERENCE_LIMIT", 200)
    x = np.random.default_rng(9).normal(size=(500, 5))
    pool = make_pool(torch.tensor(x), device="cpu").ordered
    exact = pool.features.double().numpy()
    made = brute(exact, submodular.reference_rows(pool).numpy())
    assert len(made.reference) == 200
    found = select(pool, "skmm_cover", 12, params={"exchanges": 100})
    assert_finished(made, found.indices.tolist(), 1e-9)
    assert found.objective["rounded"] == pytest.approx(made.value(found.indices.tolist()))
    assert torch.equal(found.indices, select(pool, "skmm_cover", 12, params={"exchanges": 100}, seed=4).indices)


def test_ten_thousand_reference_rows_of_more():
    """Of 10,100 rows 10,000 are covered: the first picks by sums over these, column by column."""
    x = np.random.default_rng(10).normal(size=(10_100, 2)) * [2, 1]
    pool = make_pool(torch.tensor(x), device="cpu").ordered
    reference = submodular.reference_rows(pool).numpy()
    assert len(reference) == 10_000
    found = select(pool, "skmm_cover", 3, params={"exchanges": 0})
    rows = principal(pool.features.double().numpy())
    first, second = (each.numpy() for each in _pairs(10_100, 0))
    apart = np.sort(((rows[first] - rows[second]) ** 2).sum(axis=1))
    width = 0.1 * apart[(len(apart) - 1) // 2]

    def columns(some):
        return np.exp(-(2 - 2 * rows @ rows[some].T).clip(0) / (2 * width))

    blocks = np.array_split(np.arange(10_100), 40)
    mean = np.concatenate([columns(block).mean(axis=0) for block in blocks])

    def costs(before):
        best = columns(before)[reference].max(axis=1, initial=0)
        gain = np.concatenate([np.maximum(columns(block)[reference], best[:, None]).mean(axis=0) for block in blocks])
        count, beside = len(before) + 1, columns(before)
        within = beside[before].sum() + 2 * beside.sum(axis=1) + 1
        return within / count**2 - gain - 2 * (mean[before].sum() + mean) / count

    np.testing.assert_allclose(found.scores.numpy(), mean, rtol=0, atol=1e-10)
    assert_greedy(found.indices.tolist(), costs, lambda before: 1e-10)


def test_tables_in_mixed_units_are_picked_from_as_if_in_one() -> None:
    """Picks do not depend on the units of columns, and it is said; asked to leave rows as they are, they do."""
    plain = np.random.default_rng(12).normal(size=(120, 5))
    mixed = plain * [1e4, 1.0, 30.0, 1e-3, 2.0]
    found = select(mixed, "skmm_cover", 10)
    again = select(mixed * [1.0, 1e3, 1e-2, 1e5, 1.0] + 7, "skmm_cover", 10)
    assert found.remarks == again.remarks == (SCALED_ALIKE,)
    assert sorted(map(tuple, plain[found.indices])) == sorted(map(tuple, plain[again.indices]))
    left = select(mixed, "skmm_cover", 10, params={"scaling": "none"})
    assert not left.remarks
    assert set(left.indices.tolist()) != set(found.indices.tolist())
    assert not select(plain, "skmm_cover", 10).remarks


def test_picking_among_candidates_alone():
    x = np.random.default_rng(11).normal(size=(50, 4))
    made = brute(x)
    kernel = gaussian_kernel(torch.tensor(principal(x)), normalise=False, scale=0.1, seed=0)
    aim = CoverAim(kernel, kernel_mean(kernel, torch.ones(50), seed=0), torch.arange(50))
    some = torch.arange(1, 50, 3)
    given = make_given(torch.tensor([10, 4]), torch.tensor([7]), 50)
    picks = greedy_cover_mmd(aim, 8, candidates=some, given=given).tolist()
    assert picks[:2] == [10, 4]

    def costs(before):
        found = made.costs(before)
        found[np.setdiff1d(np.arange(50), [row for row in some.tolist() if row != 7])] = np.inf
        return found

    assert_greedy(picks, costs, lambda before: 1e-12, start=2)


def test_rows_of_one_column_are_told_apart_by_their_length() -> None:
    """Of unit length they would be -1 or 1, and two of these four groups beyond reach."""
    rng = np.random.default_rng(0)
    column = np.repeat([-9.0, -3.0, 3.0, 9.0], 25) + rng.uniform(-0.2, 0.2, 100)
    for rows in (column[:, None], column[:, None] * np.array([0.6, -0.8])):
        for method in ("skmm_cover", "skmm_whitened"):
            picks = select(make_pool(torch.from_numpy(rows)), method, 4, seed=0).indices
            assert sorted((picks // 25).tolist()) == [0, 1, 2, 3], method
