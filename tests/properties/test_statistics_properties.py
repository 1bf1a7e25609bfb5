"""What must hold for any numbers."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from skmm_core.comparison.savings import Relation, data_saving, isotonic
from skmm_core.comparison.statistics import bootstrap_interval, holm, paired_difference

scores = hnp.arrays(np.float64, st.integers(5, 9), elements=st.floats(0, 1, width=32))
p_values = hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(0, 1))


@given(scores)
def test_interval_holds_the_mean_and_stays_within_the_values(values: np.ndarray) -> None:
    interval = bootstrap_interval(values)
    assert interval.lo <= interval.mean <= interval.hi
    assert values.min() - 1e-12 <= interval.lo
    assert interval.hi <= values.max() + 1e-12


@given(p_values, st.randoms(use_true_random=False))
def test_holm_only_raises_keeps_order_and_ignores_the_order_given(p: np.ndarray, random: object) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    shuffled = list(range(len(p)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(holm(p[shuffled]), adjusted[shuffled])


@given(scores)
def test_paired_difference_turns_its_sign_with_the_sides(values: np.ndarray) -> None:
    other = values[::-1].copy()
    one = paired_difference(values, other, higher_is_better=True)
    two = paired_difference(other, values, higher_is_better=False)
    assert one.difference.mean == -two.difference.mean
    assert one.wins == two.wins
    assert one.p == two.p


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 7)), elements=st.floats(-1, 1, width=32)))
def test_isotonic_is_monotone_idempotent_and_keeps_the_mean(curves: np.ndarray) -> None:
    fitted = isotonic(curves)
    assert (np.diff(fitted, axis=1) >= -1e-12).all()
    np.testing.assert_allclose(fitted.mean(axis=1), curves.mean(axis=1), atol=1e-9)
    np.testing.assert_allclose(isotonic(fitted), fitted, atol=1e-9)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=st.floats(0, 1, width=32)),
    st.booleans(),
)
def test_a_curve_saves_nothing_over_itself(curve: np.ndarray, higher: bool) -> None:
    budgets = [10 * 2**k for k in range(len(curve))]
    for budget in budgets:
        saving = data_saving(budget, budgets, curve, budgets, curve, higher_is_better=higher)
        if saving.relation is Relation.SATURATED:
            continue
        assert saving.factor == pytest.approx(1)
        assert saving.lo is None or saving.lo <= 1 + 1e-9
        assert saving.hi is None or saving.hi >= 1 - 1e-9


@given(hnp.arrays(np.float64, st.just((4, 6)), elements=st.floats(0, 1, width=32)), st.integers(0, 3))
def test_saving_never_leaves_the_measured_range(curve: np.ndarray, at: int) -> None:
    budgets = [10, 20, 40, 80]
    saving = data_saving(budgets[at], budgets, curve + 0.01, budgets, curve, higher_is_better=True)
    for needed in (saving.factor, saving.lo, saving.hi):
        assert needed is None or 10 - 1e-6 <= needed * budgets[at] <= 80 + 1e-6
    assert (saving.factor is None) == (saving.bound is not None)
