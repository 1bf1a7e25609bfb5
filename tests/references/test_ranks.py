"""Mean ranks, Friedman's test and Nemenyi's critical difference against SciPy, published tables and simulation."""

import itertools

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from skmm_core.comparison.ranks import critical_difference, friedman, ranks


def test_ranks_start_at_the_best_and_share_ties():
    assert ranks([[0.9, 0.5, 0.9]], higher_is_better=True).tolist() == [[1.5, 3, 1.5]]
    assert ranks([[3.0, 1.0, 2.0]], higher_is_better=False).tolist() == [[3, 1, 2]]


@pytest.mark.parametrize("ties", [False, True])
def test_friedman_is_iman_and_davenports_of_scipys_statistic(ties):
    scores = np.random.default_rng(0).normal(size=(12, 5)) + np.array([0.5, 0, 0, 0, 0.2])
    scores = scores.round(0) if ties else scores
    chi2 = friedmanchisquare(*scores.T).statistic
    found = friedman(ranks(scores, higher_is_better=True))
    assert found.statistic == pytest.approx(11 * chi2 / (12 * 4 - chi2))


def test_friedman_at_the_ends():
    assert friedman(ranks(np.zeros((6, 4)), higher_is_better=True)).p == 1
    alike = friedman(ranks(np.tile([4.0, 3, 2, 1], (6, 1)), higher_is_better=True))
    assert alike.statistic == np.inf
    assert alike.p == 1e-4, "no shuffled draw is as far apart: one in 24^5 is"


def test_p_of_friedman_is_the_share_of_all_orders():
    ranked = ranks(np.random.default_rng(3).normal(size=(3, 4)) + np.array([1.0, 0.5, 0, 0]), higher_is_better=True)
    orders = list(itertools.permutations(range(4)))
    sums = [ranked[0] + ranked[1][list(a)] + ranked[2][list(b)] for a in orders for b in orders]
    apart = ((np.array(sums) - 7.5) ** 2).sum(axis=1)
    exact = (apart >= ((ranked.sum(axis=0) - 7.5) ** 2).sum() - 1e-9).mean()
    assert 0.01 < exact < 0.99
    assert abs(friedman(ranked).p - exact) < 4 * np.sqrt(exact * (1 - exact) / 10_000)


def test_friedman_keeps_its_size():
    rng = np.random.default_rng(1)
    rejected = sum(
        friedman(ranks(rng.normal(size=(10, 4)), higher_is_better=True), draws=999).p <= 0.05 for _ in range(1000)
    )
    assert abs(rejected - 50) < 4 * np.sqrt(1000 * 0.05 * 0.95)


def test_critical_difference_is_demsars():
    # Demšar 2006, table 5(a): q at 0.05 is 2.569 for 4 and 3.164 for 10 classifiers
    assert critical_difference(4, 14) == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), rel=1e-3)
    assert critical_difference(10, 30) == pytest.approx(3.164 * np.sqrt(10 * 11 / (6 * 30)), rel=1e-3)
