"""What must hold of the diagnostics of any selection."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from skmm_core.config import SketchParams
from skmm_core.diagnostics.measure import diagnose
from skmm_core.diagnostics.record import Diagnostics
from skmm_core.pool.making import make_pool

SIZE = 40


@st.composite
def selections(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    d = draw(st.integers(1, 60))
    rows = rng.normal(size=(SIZE, d)) * 10.0 ** rng.uniform(-2, 2, d)
    if draw(st.booleans()):
        rows[:, 0] = 1.0
    if draw(st.booleans()):
        rows[SIZE // 2 :] = rows[: SIZE // 2]
    targets = {
        "none": None,
        "numbers": torch.tensor(rng.normal(size=SIZE)),
        "classes": torch.tensor(rng.integers(0, 3, SIZE)),
    }[draw(st.sampled_from(["none", "numbers", "classes"]))]
    chosen = torch.tensor(rng.permutation(SIZE)[: draw(st.integers(1, SIZE))])
    dtype = torch.float64 if draw(st.booleans()) else torch.float32
    return torch.tensor(rows, dtype=dtype), chosen, targets


def _measure(rows: torch.Tensor, chosen: torch.Tensor, targets: torch.Tensor | None) -> Diagnostics:
    return diagnose(make_pool(rows, targets=targets, sketch=SketchParams(kind="none")), chosen)


@settings(max_examples=60, deadline=None)
@given(selections())
def test_ranges_and_shapes(made: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]) -> None:
    rows, chosen, targets = made
    before = rows.clone()
    found = _measure(rows, chosen, targets)
    assert torch.equal(rows, before)
    assert (np.diff(found.bias_curve) <= 1e-9).all()
    assert (np.diff(found.variance_curve) >= 0).all()
    assert 0 <= found.bias_curve.min() <= found.bias_curve.max() <= 1
    assert len(found.ranks) == len(found.bias_curve) == len(found.variance_curve) <= min(len(chosen), rows.shape[1])
    assert found.leverage.shape == found.distance.shape == (SIZE,)
    assert found.leverage.sum() == pytest.approx(found.trace_score_floor, rel=1e-3)
    assert found.coverage_mean <= found.coverage_radius
    assert 0 <= found.duplicates < len(chosen)
    assert found.effective_weights == pytest.approx(len(chosen))
    if targets is not None:
        assert found.ridge_bias2 is not None
        assert found.ridge_variance is not None
        assert min(found.ridge_bias2, found.ridge_variance) >= 0
    if found.class_tv is not None:
        assert 0 <= found.class_tv <= 1


@settings(max_examples=30, deadline=None)
@given(selections(), st.randoms(use_true_random=False))
def test_order_of_the_chosen_does_not_matter(
    made: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None], random: object
) -> None:
    rows, chosen, targets = made
    order = list(range(len(chosen)))
    random.shuffle(order)  # type: ignore[attr-defined]
    first, second = _measure(rows, chosen, targets), _measure(rows, chosen[order], targets)
    assert first.duplicates == second.duplicates
    assert first.coverage_radius == pytest.approx(second.coverage_radius, rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(first.spectrum_selection, second.spectrum_selection, rtol=1e-5, atol=1e-12)
    if not math.isinf(first.c_s) and rows.dtype == torch.float64:
        assert second.c_s == pytest.approx(first.c_s, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(selections())
def test_the_whole_pool_matches_itself(
    made: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None],
) -> None:
    rows, _, targets = made
    found = _measure(rows, torch.arange(SIZE), targets)
    assert found.c_s == pytest.approx(1, abs=1e-2)
    assert found.trace_score == pytest.approx(found.trace_score_floor, rel=1e-2)
    assert found.moment_error == pytest.approx(0, abs=1e-5)
    assert found.coverage_radius == 0
    assert found.class_tv in (None, 0)
    np.testing.assert_allclose(found.variance_curve, found.ranks / SIZE, rtol=1e-4)
