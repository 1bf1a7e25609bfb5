"""The capped simplex for any numbers: projection against a sort-based reference and a QP, rounding against chance."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import torch
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.solvers import simplex
from skmm_core.solvers.simplex import project_capped_simplex, round_balanced, round_matched, round_sample, round_top

Array = NDArray[np.float64]
Rounding = Callable[..., torch.Tensor]
FALSE_ALARM = 1e-6  # chance that a correct draw fails one statistical test, after Bonferroni over what it compares


def project_by_sorting(x: Array, cap: float) -> Array:
    """Exact: the sum of clip(x - τ, 0, cap) is linear in τ between neighbours of the sorted {x, x - cap}."""
    breaks = np.sort(np.concatenate([x, x - cap]))
    sums = np.array([np.clip(x - tau, 0, cap).sum() for tau in breaks])  # falls from N·cap to 0
    right = int(np.searchsorted(-sums, -1.0))
    if right == 0 or sums[right] == 1.0:
        return np.clip(x - breaks[right], 0, cap)
    share = (sums[right - 1] - 1.0) / (sums[right - 1] - sums[right])
    return np.clip(x - (breaks[right - 1] + share * (breaks[right] - breaks[right - 1])), 0, cap)


@st.composite
def problems(draw: st.DrawFn, width: int = 64) -> tuple[Array, float]:
    size = draw(st.integers(1, 30))
    scale = draw(st.sampled_from([1e-6, 1e-2, 1.0, 100.0]))
    x = draw(hnp.arrays(np.float64, size, elements=st.floats(-1, 1, width=width))) * scale
    cap = 1 / draw(st.integers(1, size))
    return x, cap


@settings(deadline=None)
@given(problems())
def test_projection_equals_the_sorted_one_and_is_feasible(problem: tuple[Array, float]) -> None:
    x, cap = problem
    found, tau = project_capped_simplex(torch.tensor(x), cap)
    weights = found.numpy()
    assert weights.min() >= 0
    assert weights.max() <= cap
    # Digits are lost in x - τ, relative to the largest of them.
    digits = 1e-13 * len(x) * max(1.0, float(np.abs(x).max()))
    assert weights.sum() == pytest.approx(1, abs=digits)
    np.testing.assert_allclose(weights, project_by_sorting(x, cap), atol=digits)
    np.testing.assert_allclose(weights, np.clip(x - tau, 0, cap), atol=digits)


@settings(deadline=None)
@given(problems())
def test_projection_is_idempotent_and_does_not_depend_on_the_start(problem: tuple[Array, float]) -> None:
    x, cap = problem
    once, tau = project_capped_simplex(torch.tensor(x), cap)
    twice, _ = project_capped_simplex(once, cap)
    np.testing.assert_allclose(twice, once, atol=1e-12 * max(1.0, float(np.abs(x).max())))
    for start in (tau, tau + 0.01, tau - 10.0, 1e9, -1e9, float(x.min())):
        again, _ = project_capped_simplex(torch.tensor(x), cap, start=start)
        np.testing.assert_allclose(again, once, atol=1e-12 * max(1.0, float(np.abs(x).max())))


@settings(deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_no_feasible_point_is_nearer(problem: tuple[Array, float], seed: int) -> None:
    """The variational inequality (x - p)ᵀ(q - p) <= 0 for feasible q, which is what makes p the projection."""
    x, cap = problem
    projection = project_capped_simplex(torch.tensor(x), cap)[0].numpy()
    rng = np.random.default_rng(seed)
    for _ in range(5):
        other = project_by_sorting(rng.normal(size=len(x)) * cap, cap)
        assert (x - projection) @ (other - projection) <= 1e-11 * max(1.0, float(np.abs(x).max()))


@pytest.mark.parametrize("seed", range(4))
def test_projection_equals_a_quadratic_programme(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, cap = rng.normal(size=12) * 0.3, 1 / rng.integers(1, 12)
    qp = scipy.optimize.minimize(
        lambda s: 0.5 * ((s - x) ** 2).sum(),
        np.full(12, 1 / 12),
        jac=lambda s: s - x,
        bounds=[(0, cap)] * 12,
        constraints={"type": "eq", "fun": lambda s: s.sum() - 1, "jac": lambda s: np.ones(12)},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(project_capped_simplex(torch.tensor(x), cap)[0], qp.x, atol=1e-6)


@settings(deadline=None)
@given(problems(width=32))
def test_projection_in_single_precision(problem: tuple[Array, float]) -> None:
    x, cap = problem
    single = torch.tensor(x, dtype=torch.float32)
    found, _ = project_capped_simplex(single, cap)
    assert found.dtype == torch.float32
    exact = project_by_sorting(single.double().numpy(), cap)
    # Only the answer is rounded, to half a unit in the last place of numbers up to 1.
    np.testing.assert_allclose(found.double(), exact, atol=torch.finfo(torch.float32).eps)


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100)))
@settings(deadline=None)
def test_a_cap_of_one_nth_leaves_only_uniform_weights(x: Array) -> None:
    found, _ = project_capped_simplex(torch.tensor(x), 1 / len(x))
    np.testing.assert_allclose(found, 1 / len(x), atol=1e-12 * max(1.0, float(np.abs(x).max())))


def test_a_cap_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="1/10"):
        project_capped_simplex(torch.zeros(10), 0.09)


def test_one_draw_has_the_chances_of_the_weights() -> None:
    weights = torch.tensor([0.05, 0.0, 0.15, 0.3, 0.02, 0.48])
    draw, draws = generator(0, "test"), 8000
    counts = np.bincount([int(round_sample(weights, 1, generator=draw)) for _ in range(draws)], minlength=6)
    assert counts[1] == 0
    seen = weights.numpy() > 0
    expected = weights.double().numpy()[seen]
    assert scipy.stats.chisquare(counts[seen], draws * expected / expected.sum()).pvalue > FALSE_ALARM


def test_two_draws_have_the_chances_of_successive_sampling() -> None:
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    draw, draws = generator(1, "test"), 8000
    pairs = [tuple(round_sample(torch.tensor(weights), 2, generator=draw).tolist()) for _ in range(draws)]
    keys = [(i, j) for i in range(4) for j in range(4) if i != j]
    expected = np.array([weights[i] * weights[j] / (1 - weights[i]) for i, j in keys])
    assert scipy.stats.chisquare([pairs.count(key) for key in keys], draws * expected).pvalue > FALSE_ALARM


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1)), st.data())
@settings(deadline=None)
def test_draws_are_distinct_and_weightless_points_come_last(weights: Array, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(weights)))
    picks = round_sample(torch.tensor(weights), n, generator=generator(0, "test")).tolist()
    assert len(set(picks)) == n
    positive = [float(weights[i]) > 1e-250 for i in picks]
    assert positive == sorted(positive, reverse=True)


@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])), st.data())
def test_top_takes_the_largest_and_of_equal_ones_the_first(weights: Array, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, len(weights)))
    expected = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:n]
    assert round_top(torch.tensor(weights), n).tolist() == expected


@st.composite
def feasible(draw: st.DrawFn) -> tuple[Array, int, Array]:
    size = draw(st.integers(1, 25))
    n, k = draw(st.integers(1, size)), draw(st.integers(0, 5))
    raw = draw(hnp.arrays(np.float64, size, elements=st.floats(0, 1)))
    balance = draw(hnp.arrays(np.float64, (size, k), elements=st.sampled_from([0.0, 0.5, 1.0, 3.0])))
    return project_by_sorting(raw / size, 1 / n), n, balance


@pytest.mark.parametrize("rounding", [round_balanced, round_matched])
@settings(deadline=None)
@given(feasible(), st.integers(0, 5))
def test_balanced_draws_are_exactly_n_distinct_points_with_weight(
    rounding: Rounding, problem: tuple[Array, int, Array], seed: int
) -> None:
    weights, n, balance = problem
    picks = rounding(torch.tensor(weights), n, torch.tensor(balance), generator=generator(seed, "test"))
    assert picks.dtype == torch.int64
    assert len(picks.unique()) == len(picks) == n
    assert picks.tolist() == sorted(picks.tolist())
    assume(abs(weights.sum() - 1) < 1e-9)
    chosen = np.isin(np.arange(len(weights)), picks.numpy())
    # of the cube method's chances what is below 2⁻²⁷ is cut off
    assert weights[chosen].min() > 1e-10
    assert chosen[n * weights > 1 - 1e-10].all()


@pytest.mark.parametrize("rounding", [round_balanced, round_matched])
def test_balanced_keeps_weights_that_are_whole_points_already(rounding: Rounding) -> None:
    weights = torch.zeros(20)
    weights[[3, 7, 8, 19]] = 0.25
    picks = rounding(weights, 4, torch.rand(20, 3), generator=generator(0, "test"))
    assert picks.tolist() == [3, 7, 8, 19]


@pytest.mark.statistical
def test_balanced_includes_each_point_as_often_as_its_weight_says() -> None:
    rng = np.random.default_rng(0)
    size, n, draws = 14, 5, 600
    weights = project_by_sorting(rng.uniform(0, 0.4, size), 1 / n)
    assert ((n * weights > 0.01) & (n * weights < 0.99)).sum() > size / 2
    balance, draw = torch.tensor(rng.normal(size=(size, 3)) ** 2), generator(2, "test")
    counts = np.zeros(size, dtype=np.int64)
    for _ in range(draws):
        counts[round_balanced(torch.tensor(weights), n, balance, generator=draw)] += 1
    for count, chance in zip(counts, n * weights, strict=True):
        p = scipy.stats.binomtest(int(count), draws, float(np.clip(chance, 0, 1))).pvalue
        assert p > FALSE_ALARM / size


@pytest.mark.statistical
def test_balanced_draws_are_balanced() -> None:
    """Against the variance of independent draws, which is known: the mean of k squared z-scores is 1 there."""
    rng = np.random.default_rng(1)
    size, n, k, draws = 300, 60, 4, 60
    weights = project_by_sorting(rng.uniform(0, 2 / size, size), 1 / n)
    balance, draw = rng.normal(size=(size, k)) ** 2, generator(3, "test")
    chance = n * weights
    poisson = ((chance * (1 - chance))[:, None] * balance**2).sum(axis=0)

    def error(picks: torch.Tensor) -> float:
        return float(((balance[picks.numpy()].sum(axis=0) - chance @ balance) ** 2 / poisson).mean())

    cube = [
        error(round_balanced(torch.tensor(weights), n, torch.tensor(balance), generator=draw)) for _ in range(draws)
    ]
    independent = [error(round_sample(torch.tensor(weights), n, generator=draw)) for _ in range(draws)]
    matched = [
        error(round_matched(torch.tensor(weights), n, torch.tensor(balance), generator=draw)) for _ in range(draws)
    ]
    # With n·N exchanges to choose from, what is left of k moments is below that of the landing, which errs on k points.
    assert np.mean(matched) < np.mean(cube)
    # Only the landing errs, on about k of the points, so the variance is about k/n of an independent draw's.
    assert np.mean(cube) < 4 * k / n
    assert np.mean(cube) < 0.5 * np.mean(independent)


def test_matched_needs_only_the_next_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pool of more points than are drawn, those that are sure are in, and moments are nearer than by chance."""
    rng = np.random.default_rng(2)
    size, n = 4_000, 60
    weights = np.full(size, 1 / n)
    weights[5:] = (1 - 5 / n) / (size - 5)
    values = torch.tensor(rng.normal(size=(size, 6)) ** 2)
    monkeypatch.setattr(simplex, "_NEXT_DRAWS", 300)

    def error(picks: torch.Tensor) -> float:
        return float((values[picks].mean(dim=0) - torch.tensor(weights) @ values).square().sum())

    for seed in range(4):
        found, drawn = (
            rounding(torch.tensor(weights), n, *more, generator=generator(seed, "test"))
            for rounding, more in ((round_matched, (values,)), (round_sample, ()))
        )
        assert len(found.unique()) == n
        assert found[:5].tolist() == [0, 1, 2, 3, 4]
        assert error(found) < 0.1 * error(drawn)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e9])
def test_weights_of_a_far_point_still_sum_to_one(size: float) -> None:
    """The threshold is then rounded to more than a weight, which must not show in their sum."""
    x = torch.tensor(np.random.default_rng(0).normal(size=200) / 20 + size)
    found, _ = project_capped_simplex(x, 1 / 20)
    assert float(found.sum()) == pytest.approx(1, abs=200 * torch.finfo(torch.float64).eps)
    assert float(found.max()) <= 1 / 20


def noisy(values: Array, noise: float, seed: int = 7) -> torch.Tensor:
    return torch.tensor(values * (1 + noise * np.random.default_rng(seed).uniform(-1, 1, values.shape)))


@pytest.mark.parametrize(("rounding", "noise"), [(round_matched, 1e-7), (round_balanced, 1e-12)])
def test_last_digits_of_weights_and_moments_change_no_draw(rounding: Rounding, noise: float) -> None:
    """A walk of 400 steps in 80 dimensions magnifies a difference by more than 10¹²."""
    rng = np.random.default_rng(5)
    size, n, k = 400, 30, 80
    weights, moments = project_by_sorting(rng.uniform(0, 2 / size, size), 1 / n), rng.normal(size=(size, k)) ** 2
    for seed in range(8):
        one = rounding(torch.tensor(weights), n, torch.tensor(moments), generator=generator(seed, "test"))
        two = rounding(noisy(weights, noise), n, noisy(moments, noise), generator=generator(seed, "test"))
        units = rounding(torch.tensor(weights), n, torch.tensor(moments * 1024), generator=generator(seed, "test"))
        assert one.tolist() == two.tolist() == units.tolist()
