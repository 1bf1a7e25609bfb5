"""Intervals, tests and savings on simulated data whose answer is known."""

import itertools

import numpy as np
import pytest
from scipy.stats import permutation_test
from sklearn.isotonic import IsotonicRegression

from skmm_core.comparison.savings import Relation, Saving, data_saving, isotonic, mean_saving
from skmm_core.comparison.statistics import bootstrap_interval, holm, paired_difference


def _coverage(size: int, repetitions: int) -> float:
    values = np.random.default_rng(size).normal(1.0, 2.0, (repetitions, size))
    intervals = [bootstrap_interval(row) for row in values]
    return float(np.mean([interval.lo <= 1.0 <= interval.hi for interval in intervals]))


@pytest.mark.statistical
@pytest.mark.parametrize("size", [16, 30])
def test_interval_covers_the_mean_as_often_as_promised(size: int) -> None:
    repetitions = 1500
    binomial_error = np.sqrt(0.95 * 0.05 / repetitions)
    assert abs(_coverage(size, repetitions) - 0.95) < 3.5 * binomial_error


@pytest.mark.statistical
def test_eight_seeds_are_covered_far_better_than_by_the_plain_percentile_bootstrap() -> None:
    repetitions = 1500
    values = np.random.default_rng(8).normal(1.0, 2.0, (repetitions, 8))
    rows = np.random.default_rng(0).integers(0, 8, (1000, 8))
    plain = [np.quantile(row[rows].mean(axis=1), [0.025, 0.975]) for row in values]
    plain_coverage = np.mean([lo <= 1.0 <= hi for lo, hi in plain])
    binomial_error = np.sqrt(0.95 * 0.05 / repetitions)
    assert plain_coverage < 0.95 - 6 * binomial_error
    assert _coverage(8, repetitions) > 0.95 - 4.5 * binomial_error


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_there_is_no_interval_of_fewer_than_five_values(size: int) -> None:
    few = bootstrap_interval([0.4, 0.5, 0.6, 0.7][:size])
    assert few.mean == pytest.approx(np.mean([0.4, 0.5, 0.6, 0.7][:size]))
    assert np.isnan(few.lo)
    assert np.isnan(few.hi)


def test_interval_of_equal_values_has_no_width() -> None:
    same = bootstrap_interval([0.25] * 5)
    assert (same.lo, same.hi) == (0.25, 0.25)


def test_interval_is_seeded() -> None:
    values = [0.1, 0.5, 0.2, 0.7, 0.4]
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


@pytest.mark.parametrize("size", [3, 8, 11])
def test_sign_flip_p_equals_the_exact_permutation_test(size: int) -> None:
    rng = np.random.default_rng(size)
    method, reference = rng.normal(0.5, 1, size), rng.normal(0, 1, size)
    expected = permutation_test(
        (method, reference), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert paired_difference(method, reference, higher_is_better=True).p == pytest.approx(expected)


@pytest.mark.statistical
def test_drawn_sign_flips_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(3)
    differences = rng.normal(0.4, 1, 14)
    signs = np.array(list(itertools.product((1, -1), repeat=14)))
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12).mean()
    drawn = paired_difference(differences, np.zeros(14), higher_is_better=True).p
    assert abs(drawn - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000) + 1 / 20_000


def test_paired_counts_wins_in_the_direction_of_the_score() -> None:
    method, reference = [1.0, 2.0, 3.0], [2.0, 2.0, 1.0]
    assert paired_difference(method, reference, higher_is_better=True).wins == 1
    assert paired_difference(method, reference, higher_is_better=False).wins == 1
    assert paired_difference([3.0, 3.0], [1.0, 1.0], higher_is_better=True).wins == 2
    assert paired_difference([3.0, 3.0], [1.0, 1.0], higher_is_better=False).wins == 0


def test_identical_methods_are_never_significant() -> None:
    pair = paired_difference([0.5] * 6, [0.5] * 6, higher_is_better=True)
    assert pair.p == 1.0
    assert (pair.difference.lo, pair.difference.hi, pair.wins) == (0.0, 0.0, 0)


def _holm_by_definition(p_values: list[float]) -> list[float]:
    """Closed testing with Bonferroni: a hypothesis falls when every set that holds it falls."""
    size = len(p_values)
    adjusted = []
    for i in range(size):
        sets = [s for k in range(1, size + 1) for s in itertools.combinations(range(size), k) if i in s]
        adjusted.append(min(1.0, max(len(s) * min(p_values[j] for j in s) for s in sets)))
    return adjusted


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_closed_testing(seed: int) -> None:
    p_values = np.random.default_rng(seed).uniform(0, 0.3, 6).round(2)
    np.testing.assert_allclose(holm(p_values), _holm_by_definition(list(p_values)))


def test_holm_of_nothing_is_nothing() -> None:
    assert len(holm([])) == 0


def test_isotonic_equals_scikit_learn() -> None:
    curves = np.random.default_rng(0).normal(size=(50, 7))
    expected = [IsotonicRegression().fit_transform(np.arange(7), curve) for curve in curves]
    np.testing.assert_allclose(isotonic(curves), expected, atol=1e-12)


BUDGETS = [10, 20, 40, 80, 160]


def _log_curve(budgets: list[int], seeds: int, slope: float = 0.1) -> np.ndarray:
    return np.repeat(slope * np.log(np.array(budgets, dtype=float))[:, None], seeds, axis=1)


def test_saving_on_a_logarithmic_curve_is_exact() -> None:
    saving = data_saving(20, [20], [[0.1 * np.log(55.0)] * 8], BUDGETS, _log_curve(BUDGETS, 8), higher_is_better=True)
    assert saving.relation is Relation.ABOUT
    assert saving.reference_budget == pytest.approx(55.0)
    assert saving.factor == pytest.approx(55 / 20)
    assert (saving.lo, saving.hi) == (pytest.approx(2.75), pytest.approx(2.75))


def test_saving_works_on_errors_too() -> None:
    saving = data_saving(
        20, [20], [[-0.1 * np.log(55.0)] * 8], BUDGETS, -_log_curve(BUDGETS, 8), higher_is_better=False
    )
    assert saving.factor == pytest.approx(55 / 20)


def test_saving_outside_the_measured_range_is_never_extrapolated() -> None:
    above = data_saving(20, [20], [[0.9] * 4], BUDGETS, _log_curve(BUDGETS, 4), higher_is_better=True)
    assert (above.relation, above.bound, above.factor, above.reference_budget) == (Relation.MORE_THAN, 160, None, None)
    assert (above.lo, above.hi) == (None, None)
    sure = data_saving(20, [20], [[0.9] * 5], BUDGETS, _log_curve(BUDGETS, 5), higher_is_better=True)
    assert (sure.lo, sure.hi) == (pytest.approx(8.0), None), "with five seeds it is known to be more than the bound"
    below = data_saving(20, [20], [[0.01] * 4], BUDGETS, _log_curve(BUDGETS, 4), higher_is_better=True)
    assert (below.relation, below.bound, below.factor, below.reference_budget) == (Relation.LESS_THAN, 10, None, None)


def test_saving_of_uniform_against_itself_is_one() -> None:
    scores = _log_curve(BUDGETS, 6) + np.random.default_rng(0).normal(0, 0.01, (5, 6))
    saving = data_saving(40, BUDGETS, scores, BUDGETS, scores, higher_is_better=True)
    assert saving.factor == pytest.approx(1.0, abs=1e-6)


def _cubic_reach(levels: list[float], k: int, target: float) -> float:
    """Where the monotone cubic between budgets k and k + 1 (all doubling) has the target, from the definition.

    Slopes at inner budgets are the harmonic mean of those on both sides, 0 where one of them is (Fritsch & Butland).
    """
    rises = np.diff(levels)
    slopes = [0.0 if a * b <= 0 else 2 / (1 / a + 1 / b) for a, b in itertools.pairwise(rises)]
    left, right = slopes[k - 1], slopes[k]
    t = np.linspace(0, 1, 1_000_001)
    cubic = (
        levels[k] * (1 + 2 * t) * (1 - t) ** 2
        + left * t * (1 - t) ** 2
        + levels[k + 1] * t**2 * (3 - 2 * t)
        + right * t**2 * (t - 1)
    )
    return float(BUDGETS[k] * 2 ** t[(cubic >= target).argmax()])


def test_saving_reads_both_curves_where_they_are_monotone() -> None:
    reference = np.array([[0.5], [0.62], [0.6], [0.8], [0.9]])  # levels 0.5, 0.61, 0.61, 0.8, 0.9
    method = np.array([[0.72], [0.68], [0.9], [0.9], [0.9]])  # 0.7 and 0.7 at first
    for budget in (10, 20):
        found = data_saving(budget, BUDGETS, method, BUDGETS, reference, higher_is_better=True)
        assert found.reference_budget == pytest.approx(_cubic_reach([0.5, 0.61, 0.61, 0.8, 0.9], 2, 0.7), rel=1e-6)
    alone = data_saving(10, [10], method[:1], BUDGETS, reference, higher_is_better=True)
    assert alone.reference_budget == pytest.approx(_cubic_reach([0.5, 0.61, 0.61, 0.8, 0.9], 2, 0.72), rel=1e-6)
    level = np.array([[0.3], [0.61], [0.61], [0.61], [0.95]])
    needed = [
        data_saving(b, BUDGETS, level, BUDGETS, reference, higher_is_better=True).reference_budget for b in (20, 40, 80)
    ]
    assert needed == pytest.approx([20, 40, 40]), "of the budgets with one score, the nearest"


def test_saturated_scores_are_said_to_be_so() -> None:
    flat = np.ones((5, 4))
    for budget in BUDGETS:
        found = data_saving(budget, [budget], [np.ones(4)], BUDGETS, flat, higher_is_better=True)
        assert found == Saving(Relation.SATURATED, None, 10, None, None, None)
    errors = data_saving(40, [40], [np.zeros(4)], BUDGETS, np.zeros((5, 4)), higher_is_better=False)
    assert errors.relation is Relation.SATURATED
    late = np.vstack([_log_curve(BUDGETS[:2], 4), np.ones((3, 4))])  # all that can be reached, from 40 points on
    assert data_saving(80, [80], [np.ones(4)], BUDGETS, late, higher_is_better=True).bound == 40
    early = data_saving(20, [20], [np.ones(4)], BUDGETS, late, higher_is_better=True)
    assert (early.relation, early.factor) == (Relation.ABOUT, pytest.approx(2.0)), (
        "what uniform has with 40 is read off"
    )
    one_seed_differs = np.array([1, 1, 1, 0.99])
    assert data_saving(80, [80], [one_seed_differs], BUDGETS, late, higher_is_better=True).relation is Relation.ABOUT
    assert data_saving(10, [10], [np.ones(4)], [10], np.ones((1, 4)), higher_is_better=True).relation is Relation.ABOUT


def test_saving_with_one_seed_or_one_budget_claims_nothing_it_cannot_know() -> None:
    one_seed = data_saving(20, [20], [[0.1 * np.log(55.0)]], BUDGETS, _log_curve(BUDGETS, 1), higher_is_better=True)
    assert one_seed.factor == pytest.approx(2.75)
    assert (one_seed.lo, one_seed.hi) == (None, None)
    one_budget = data_saving(20, [20], [[0.5, 0.6]], [20], np.array([[0.4, 0.3]]), higher_is_better=True)
    assert (one_budget.relation, one_budget.bound) == (Relation.MORE_THAN, 20)


@pytest.mark.statistical
@pytest.mark.parametrize("true", [1.5, 2.0])
def test_saving_interval_covers_the_true_factor(true: float) -> None:
    """At a measured budget as often as promised; between two, where the error of reading is in it, at least that."""
    rng, repetitions = np.random.default_rng(1), 400
    clean = 0.1 * np.log(np.array(BUDGETS, dtype=float))
    hits = 0
    for _ in range(repetitions):
        reference = clean[:, None] + rng.normal(0, 0.01, (5, 8))
        method = 0.1 * np.log(40 * true) + rng.normal(0, 0.01, 8)
        saving = data_saving(40, [40], [method], BUDGETS, reference, higher_is_better=True)
        assert saving.lo is not None
        assert saving.hi is not None
        hits += saving.lo <= true <= saving.hi
    off, error = hits / repetitions - 0.95, 3.5 * np.sqrt(0.95 * 0.05 / repetitions)
    assert off > -error
    assert true != 2.0 or off < error


def test_factors_that_are_only_bounded_enter_a_mean_as_bounds_and_are_counted() -> None:
    known = {"budget": 10, "factor": 2.0, "relation": "about", "bound": None}
    above = {"budget": 20, "factor": None, "relation": "more than", "bound": 160}
    below = {"budget": 40, "factor": None, "relation": "less than", "bound": 10}
    nothing = {"budget": 80, "factor": None, "relation": "saturated", "bound": 10}
    assert mean_saving([known]).text == "2.00"
    assert mean_saving([known, above]).text == "at least 4.00 (1 of 2 budgets is a bound)"
    assert mean_saving([below, below]).text == "at most 0.25 (2 of 2 budgets are bounds)"
    both = mean_saving([known, above, below, nothing])
    assert both.factor == pytest.approx((2 * 8 * 0.25) ** (1 / 3))
    assert (both.known, both.above, both.below, both.saturated) == (1, 1, 1, 1)
    assert both.text.startswith("about 1.59 (2 of 3 budgets are bounds)")
    assert mean_saving([nothing]).text == "–"
