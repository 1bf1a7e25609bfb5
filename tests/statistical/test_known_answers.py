"""Statistics on simulated data whose answer is known; every tolerance is 3.5 standard errors or a derived bound."""

import numpy as np
import pytest

from skmm_core.comparison.savings import data_saving
from skmm_core.comparison.statistics import bootstrap_interval, holm, paired_difference

pytestmark = pytest.mark.statistical
LEVEL, ERRORS = 0.05, 3.5


def binomial_error(rate, repetitions):
    return np.sqrt(rate * (1 - rate) / repetitions)


@pytest.mark.parametrize(("seeds", "promised"), [(5, 0.92), (8, 0.94)])
def test_intervals_of_few_seeds_cover_as_often_as_their_docstring_says(seeds, promised):
    repetitions = 1200
    values = np.random.default_rng(seeds).normal(3.0, 0.5, (repetitions, seeds))
    intervals = [bootstrap_interval(row) for row in values]
    coverage = np.mean([interval.lo <= 3.0 <= interval.hi for interval in intervals])
    rounding = 0.005  # the docstring gives whole per cents
    assert abs(coverage - promised) < rounding + ERRORS * binomial_error(promised, repetitions)


@pytest.mark.parametrize("draw", ["normal", "laplace"])
def test_the_paired_test_has_exactly_its_size_on_symmetric_differences(draw):
    """With 8 pairs there are 128 values of |sum|, all equally likely, so p <= 0.05 has probability 6/128."""
    repetitions, size = 1200, 6 / 128
    random = np.random.default_rng(1)
    differences = getattr(random, draw)(0.0, 1.0, (repetitions, 8))
    p = [paired_difference(row, np.zeros(8), higher_is_better=True).p for row in differences]
    assert abs(np.mean(np.array(p) <= LEVEL) - size) < ERRORS * binomial_error(size, repetitions)


def test_the_paired_test_finds_a_difference_as_often_as_theory_says():
    """A shift of 3 standard deviations: all 8 signs agree with probability Φ(3)^8, and p is then 2/256."""
    repetitions = 400
    differences = np.random.default_rng(2).normal(3.0, 1.0, (repetitions, 8))
    p = [paired_difference(row, np.zeros(8), higher_is_better=True).p for row in differences]
    agree = 0.9986501**8
    assert np.mean(np.array(p) <= 2 / 256 + 1e-12) > agree - ERRORS * binomial_error(agree, repetitions)


def test_holm_makes_a_false_claim_as_seldom_as_promised():
    """Under the global null with M independent p the chance is 1 - (1 - α/M)^M; with dependence at most α."""
    repetitions, methods = 8000, 6
    p = np.random.default_rng(3).uniform(size=(repetitions, methods))
    false = np.mean([holm(row).min() <= LEVEL for row in p])
    expected = 1 - (1 - LEVEL / methods) ** methods
    assert abs(false - expected) < ERRORS * binomial_error(expected, repetitions)


def test_holm_after_paired_tests_against_one_reference_keeps_the_level_beside_real_differences():
    """Two of five methods differ; the three others share the reference's noise, so their p are dependent."""
    repetitions, seeds = 500, 8
    random = np.random.default_rng(4)
    false = found = 0
    for _ in range(repetitions):
        reference = random.normal(size=seeds)
        methods = random.normal(size=(5, seeds)) + np.array([5.0, 5.0, 0.0, 0.0, 0.0])[:, None]
        p = holm([paired_difference(row, reference, higher_is_better=True).p for row in methods])
        false += (p[2:] <= LEVEL).any()
        found += p[0] <= LEVEL
    assert false / repetitions < LEVEL + ERRORS * binomial_error(LEVEL, repetitions)
    assert found / repetitions > 0.9, "or the test could not fail: a corrected test that never claims anything"


@pytest.mark.parametrize("rate", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("factor", [1.3, 2.0, 3.7])
def test_the_saving_on_a_power_law_is_that_of_theory_within_the_error_of_interpolation(rate, factor):
    """Score a - b n^-c at budgets that double; a method as good as f times the points saves f.

    In t = log n the score is g = a - b exp(-ct). A chord over h = log 2 lies below g by at most h²/8 max|g''|; divided
    by the least slope of the piece, an answer read off it is too large by at most c h² exp(ch) / 8 in log n. The
    monotone cubic has an error of a higher order in h: a tenth of that is generous.
    """
    budgets = np.array([20, 40, 80, 160, 320, 640])
    reference = np.repeat((0.9 - 0.8 * budgets**-rate)[:, None], 5, axis=1)
    method = np.repeat(0.9 - 0.8 * (60 * factor) ** -rate, 5)
    saving = data_saving(60, [60], [method], budgets, reference, higher_is_better=True)
    bound = rate * np.log(2) ** 2 * 2**rate / 8
    assert saving.factor is not None
    assert abs(np.log(saving.factor / factor)) <= bound / 10
    assert saving.lo is not None
    assert saving.hi is not None
    assert saving.lo <= factor <= saving.hi, "the error of reading between budgets is in the interval"
    mirrored = data_saving(60, [60], [-method], budgets, -reference, higher_is_better=False)
    assert mirrored.factor == pytest.approx(saving.factor)


def test_a_noisy_reference_does_not_bias_the_saving_beyond_its_standard_error():
    """Linear in log n, so interpolation is exact: the error of log f is that of both means over the slope."""
    random, slope, noise, seeds, repetitions = np.random.default_rng(5), 0.1, 0.004, 8, 300
    budgets = np.array([25, 50, 100, 200, 400])
    logs = []
    for _ in range(repetitions):
        reference = slope * np.log(budgets)[:, None] + random.normal(0, noise, (5, seeds))
        method = slope * np.log(2 * 70) + random.normal(0, noise, seeds)
        factor = data_saving(70, [70], [method], budgets, reference, higher_is_better=True).factor
        logs.append(np.log(factor))
    one = np.sqrt(2 * noise**2 / seeds) / slope  # the reference's own error is less between two budgets
    assert abs(np.mean(logs) - np.log(2)) < ERRORS * one / np.sqrt(repetitions)
    assert np.std(logs) < one * (1 + ERRORS / np.sqrt(2 * repetitions))
