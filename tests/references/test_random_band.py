"""Random draws beside a selection, against slow versions written from their definitions."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from skmm_core.config import SketchParams
from skmm_core.diagnostics import diagnose, measure_band, read_band
from skmm_core.diagnostics.band import JUDGED, make_band
from skmm_core.diagnostics.draw_measures import (
    Draws,
    FitView,
    distances,
    drawn_fits,
    drawn_imbalance,
    drawn_moments,
    reference_rows,
)
from skmm_core.errors import InputError
from skmm_core.pool import Pool, make_pool


def _pool(n: int = 150, d: int = 6, *, scale: float = 1.0, offset: float = 0.0, dtype=torch.float32, **more) -> Pool:
    rows = np.random.default_rng(3).normal(size=(n, d)) * np.linspace(2, 0.4, d) * scale + offset
    return make_pool(torch.tensor(rows, dtype=dtype), sketch=SketchParams(kind="none"), **more)


def _draws(pool: Pool, n: int = 12, fixed: tuple[int, ...] = ()) -> Draws:
    rng = np.random.default_rng(5)
    free = np.setdiff1d(np.arange(pool.size), fixed)
    return Draws(
        pool, [torch.tensor(rng.permutation(free)[:n]) for _ in range(4)], torch.tensor(fixed, dtype=torch.int64)
    )


@pytest.mark.parametrize("fixed", [(), (3, 60, 61)])
@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1.0, 5e4), (1e-12, 0.0), (1e12, 0.0)])
def test_draws_are_measured_as_a_selection_of_the_same_rows_is(scale: float, offset: float, fixed: tuple) -> None:
    pool = _pool(scale=scale, offset=offset, targets=torch.arange(150) % 4)
    draws = _draws(pool, fixed=fixed)
    where = reference_rows(draws, seed=0)
    near, moments, (fits, bounds) = distances(draws, where), drawn_moments(draws), drawn_fits(draws)
    imbalance = drawn_imbalance(draws)
    assert len(where) == pool.size
    for at, picked in enumerate(draws.picked):
        found = diagnose(pool, torch.cat([draws.fixed, picked]))
        np.testing.assert_allclose(near[at], found.distance, rtol=1e-5, atol=1e-6 * scale)
        assert moments.error[at] == pytest.approx(found.moment_error, rel=1e-9)
        np.testing.assert_allclose(moments.spectrum[at], found.spectrum_selection, rtol=1e-9)
        assert moments.c_s[at] == pytest.approx(found.c_s, rel=1e-6)
        assert imbalance[at] == pytest.approx(found.class_tv)
        assert fits[at]["rank"] == found.rank
        for key in ("bias", "variance", "represented"):
            assert fits[at][key] == pytest.approx(getattr(found, key), rel=1e-6, abs=1e-9), key
        total = found.bias_weight * found.bias_curve + found.variance_weight * found.variance_curve
        assert (bounds[0] <= total * (1 + 1e-9)).all()
        assert (bounds[1] >= total * (1 - 1e-9)).all()


def test_many_fixed_rows_are_fitted_as_if_they_stood_there_one_by_one() -> None:
    pool = _pool(d=5)
    draws = _draws(pool, fixed=tuple(range(100, 140)))
    for fit, picked in zip(drawn_fits(draws)[0], draws.picked, strict=True):
        found = diagnose(pool, torch.cat([draws.fixed, picked]))
        assert (fit["rank"], fit["bias"]) == (found.rank, pytest.approx(found.bias, rel=1e-5, abs=1e-7))
        assert fit["variance"] == pytest.approx(found.variance, rel=1e-5)


def test_represented_is_the_share_of_the_variance_not_of_the_distance_to_the_origin() -> None:
    pool = _pool(n=80, d=7, offset=30.0, dtype=torch.float64)
    rows, chosen = pool.features.numpy(), np.arange(5)
    found = diagnose(pool, torch.tensor(chosen))
    right = np.linalg.svd(rows[chosen], full_matrices=False)[2][: found.rank]
    centred = rows - rows.mean(axis=0)
    assert found.represented == pytest.approx(((centred @ right.T) ** 2).sum() / (centred**2).sum(), rel=1e-8)
    assert 1 - found.bias > 0.99 > found.represented
    equal = diagnose(make_pool(torch.ones(9, 3), sketch=SketchParams(kind="none")), torch.arange(2))
    assert equal.represented is None


def test_the_verdict_ranks_selection_and_draws_together() -> None:
    rng = np.random.default_rng(0)
    values = {key: rng.normal(size=7).round(1) for key in ("a", "b", "c")}
    values["a"][0] = values["a"][3]
    band = make_band(5, 0, {k: (v[0], v[1:]) for k, v in values.items()}, dict.fromkeys(values, 1.0), 0)

    def rank(row: np.ndarray, at: int) -> float:
        return (row < row[at]).sum() + ((row == row[at]).sum() + 1) / 2

    means = [np.mean([rank(row, at) for row in values.values()]) for at in range(7)]
    beaten = [1.0 if other > means[0] else 0.5 * (other == means[0]) for other in means[1:]]
    assert band.better == pytest.approx(np.mean(beaten))
    for key, row in values.items():
        expected = ((row[1:] > row[0]).sum() + (row[1:] == row[0]).sum() / 2) / 6
        assert band.of(key).worse == pytest.approx(expected)


def test_rounding_infinities_and_what_only_informs_decide_nothing() -> None:
    noise = 1 + 1e-9 * np.arange(5)
    values = {"a": (noise[4], noise[:4]), "b": (math.inf, [math.inf] * 4), "c": (0.0, [9.0] * 4)}
    band = make_band(5, 0, values, {"a": 1.0, "b": 1.0}, 0)
    assert band.better == band.of("a").worse == band.of("b").worse == 0.5
    assert band.of("c").worse is None
    assert read_band(json.loads(json.dumps(band.to_json()))) == band
    assert read_band(None) is None


def test_equal_rows_are_as_good_as_random_ones() -> None:
    rows = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)).repeat(20, 1) + 1e3
    pool = make_pool(rows, targets=torch.arange(80) % 4, sketch=SketchParams(kind="none"))
    same = pool.subset(torch.arange(0, 80, 4))
    found = diagnose(same, torch.arange(6))
    band, _ = measure_band(same, torch.arange(6), found)
    assert band.better == 0.5
    assert found.coverage_mean == 0


def test_given_rows_stay_and_closed_ones_are_never_drawn() -> None:
    pool, fixed, closed = _pool(n=30), (4, 5), tuple(range(10, 24))
    free = [row for row in range(30) if row not in (*fixed, *closed)]
    chosen = torch.tensor([*fixed, *free[:5]])
    seen = []

    def keep(_, make):
        made = make()
        seen.append(made)
        return made, 0.0

    vars(pool)["kept"] = SimpleNamespace(get=keep)
    band, drawn = measure_band(pool, chosen, diagnose(pool, chosen), fixed=fixed, closed=closed)
    assert (band.new, band.fixed, band.draws) == (5, 2, 20)
    touched = (seen[0].distance == 0).sum(axis=0)  # draws in which each row is chosen
    assert (touched[list(fixed)] == 20).all()
    assert (touched[list(closed)] == 0).all()
    assert touched[free].sum() == 20 * 5
    assert drawn.band_distance.shape == (20, 41)
    with pytest.raises(InputError, match="fixed"):
        measure_band(pool, torch.arange(3), diagnose(pool, torch.arange(3)), fixed=(9,))


def test_where_every_draw_would_be_the_same_nothing_is_claimed() -> None:
    pool = _pool(n=8)
    for chosen, fixed, closed in ((range(8), (), ()), (range(3), (0, 1, 2), ()), (range(5), (), (5, 6, 7))):
        indices = torch.tensor(list(chosen))
        band, drawn = measure_band(pool, indices, diagnose(pool, indices), fixed=fixed, closed=closed)
        assert (band.better, band.draws, drawn.band_distance) == (None, 0, None)


def test_order_of_the_file_and_a_second_question_change_nothing() -> None:
    pool = _pool(n=90)
    turn = torch.randperm(90, generator=torch.Generator().manual_seed(2))
    turned = make_pool(pool.features[turn], sketch=SketchParams(kind="none"))
    chosen = torch.arange(9)
    place = torch.argsort(turn)[chosen]
    first = measure_band(pool, chosen, diagnose(pool, chosen))[0]
    assert first == measure_band(pool, chosen, diagnose(pool, chosen))[0]
    second = measure_band(turned, place, diagnose(turned, place))[0]
    for one, other in zip(first.measures, second.measures, strict=True):
        assert one.draws == pytest.approx(other.draws, rel=1e-5)
    assert first.better == second.better
    assert {each.key for each in first.judged} == {*JUDGED} - {"class_tv"}
    assert measure_band(pool, chosen, diagnose(pool, chosen), seed=1)[0] != first


def test_a_sample_of_rows_and_a_sketch_of_columns_keep_the_value_shown_and_come_near_the_whole() -> None:
    rows = torch.randn(3_000, 450, generator=torch.Generator().manual_seed(0)) * torch.linspace(2, 0.2, 450)
    pool = make_pool(rows, sketch=SketchParams(dim=16))
    chosen = torch.arange(420)
    found = diagnose(pool, chosen)
    band, drawn = measure_band(pool, chosen, found)
    assert not FitView(pool, 420).exact
    assert drawn.band_bound is None
    for key, near in (("coverage_mean", 0.02), ("error_bound", 0.1)):
        measure = band.of(key)
        exact = np.mean(
            [
                diagnose(pool, torch.tensor(np.random.default_rng(at).permutation(3_000)[:420])).coverage_mean
                if key == "coverage_mean"
                else _bound(pool, at)
                for at in range(3)
            ]
        )
        assert measure.middle == pytest.approx(exact, rel=near)
    assert band.of("coverage_mean").value == found.coverage_mean


def _bound(pool: Pool, at: int) -> float:
    found = diagnose(pool, torch.tensor(np.random.default_rng(at).permutation(3_000)[:420]))
    return found.bias_weight * found.bias + found.variance_weight * found.variance
