"""Intervals and tests of independent values, ranks and metrics: by hand, by enumeration, and by other libraries."""

import itertools

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from skmm_core.comparison import holm, verdict
from skmm_core.comparison.ranks import critical_difference, friedman, ranks
from skmm_core.comparison.statistics import bootstrap_interval, paired_difference
from skmm_core.probes.metrics import classification_metrics, regression_metrics

_REPEATS = 1500


def covers(low, high, truth):
    return sum((a is None or a <= truth) and (b is None or truth <= b) for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize("seeds", [5, 8, 20])
def test_bootstrap_interval_covers_the_mean(seeds, audit):
    """1,500 samples of a normal distribution: at least 92 % with 5 seeds, 94 % with 8 or more, as documented."""
    rng = np.random.default_rng(seeds)
    found = [bootstrap_interval(rng.normal(3, 2, seeds)) for _ in range(_REPEATS)]
    hits = covers([each.lo for each in found], [each.hi for each in found], 3)
    wanted = 0.92 if seeds == 5 else 0.94
    short = (wanted - hits / _REPEATS) / np.sqrt(wanted * (1 - wanted) / _REPEATS)
    audit.at_most(
        "statistic bootstrap_interval",
        f"cover below what is told, {seeds} seeds",
        short,
        within=3.3,
        unit="standard errors",
    )
    values = rng.normal(size=seeds)
    audit.same(
        "statistic bootstrap_interval", "mean", bootstrap_interval(values).mean, values.mean(), within=1e-14, scale=1
    )


@pytest.mark.parametrize("seeds", [4, 7, 10])
def test_sign_flip_p_by_enumeration(seeds, audit):
    """Every pattern of signs in a plain loop; wins by counting; the p-value is uniform or above under the null."""
    rng = np.random.default_rng(seeds)
    a, b = rng.normal(0.3, 1, seeds), rng.normal(size=seeds)
    differences = a - b
    sums = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=seeds)
    ]
    expected = np.mean([each >= abs(differences.sum()) - 1e-12 for each in sums])
    found = paired_difference(a, b, higher_is_better=True)
    audit.same("statistic paired_difference", "p", found.p, expected, within=1e-12)
    audit.same("statistic paired_difference", "difference", found.difference.mean, differences.mean(), within=1e-12)
    wins = [paired_difference(a, b, higher_is_better=better).wins for better in (True, False)]
    audit.same(
        "statistic paired_difference", "wins", wins, [(differences > 0).sum(), (differences < 0).sum()], within=0
    )
    rejected = np.mean(
        [paired_difference(rng.normal(size=8), rng.normal(size=8), higher_is_better=True).p < 0.05 for _ in range(600)]
    )
    excess = (rejected - 0.05) / np.sqrt(0.05 * 0.95 / 600)
    audit.at_most(
        "statistic paired_difference", "rejections under the null above 5 %", excess, within=3.3, unit="standard errors"
    )


def test_holm_is_closed_testing(audit):
    """P adjusted = the largest Bonferroni p of any set of hypotheses that holds it, over all sets."""
    rng = np.random.default_rng(0)
    for p in (rng.random(5), rng.random(6) ** 4, np.array([0.01, 0.01, 0.04]), np.array([0.5]), np.zeros(0)):
        expected = []
        for i in range(len(p)):
            sets = [s for r in range(1, len(p) + 1) for s in itertools.combinations(range(len(p)), r) if i in s]
            expected.append(max(min(1.0, len(s) * p[list(s)].min()) for s in sets))
        audit.same("statistic holm", "adjusted p", holm(p), expected, within=1e-14, scale=1)


def test_verdict_asks_both_the_interval_and_the_test(audit):
    """A table of all cases, either direction."""
    table = {(0.1, 0.2, 0.01): "better", (0.1, 0.2, 0.05): "tie", (-0.1, 0.2, 0.01): "tie", (-0.2, -0.1, 0.01): "worse"}
    wrong = sum(verdict(*key, higher_is_better=True) != value for key, value in table.items())
    turned = {"better": "worse", "worse": "better", "tie": "tie"}
    wrong += sum(verdict(*key, higher_is_better=False) != turned[value] for key, value in table.items())
    audit.at_most("statistic verdict", "wrong of 8", float(wrong), within=0, unit="cases")


def test_ranks_friedman_and_nemenyi(audit):
    """Friedman's χ² of SciPy turned into Iman and Davenport's F, p by all orders; Nemenyi's q of Demšar's table 5."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(9, 4)).round(1)
    chi2 = friedmanchisquare(*scores.T).statistic
    expected = 8 * chi2 / (9 * 3 - chi2)
    found = friedman(ranks(scores, higher_is_better=True))
    audit.same("statistic friedman", "F", found.statistic, expected, within=1e-12)
    for blocks in (
        np.array([[1, 2, 3], [1, 3, 2], [2, 1, 3]]),
        np.array([[1.5, 1.5, 3], [1, 2, 3], [1, 2, 3], [3, 2, 1]]),
    ):
        orders = [list(itertools.permutations(block)) for block in blocks]
        apart = [((np.sum(rows, axis=0) - np.sum(blocks) / 3) ** 2).sum() for rows in itertools.product(*orders)]
        chance = np.mean(np.array(apart) >= ((blocks.sum(axis=0) - blocks.sum() / 3) ** 2).sum() - 1e-9)
        audit.chances(
            "statistic friedman", "p by shuffling, against all orders", friedman(blocks).p * 10_000, 10_000, chance
        )
    counted = [[1 + (row > value).sum() + ((row == value).sum() - 1) / 2 for value in row] for row in scores]
    audit.same("statistic ranks", "ranks with ties", ranks(scores, higher_is_better=True), counted, within=0)
    for methods, q in {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 10: 3.164}.items():
        expected = q * np.sqrt(methods * (methods + 1) / (6 * 14))
        audit.same("statistic critical_difference", "95 %", critical_difference(methods, 14), expected, within=1e-3)


def test_metrics_are_those_of_scikit_learn(audit):
    """Accuracy, macro F1 over the classes that occur, MAE, RMSE and R²."""
    from sklearn import metrics

    rng = np.random.default_rng(0)
    for _ in range(20):
        truth, guess = rng.integers(0, 6, 40), rng.integers(0, 7, 40)
        found = classification_metrics(truth, guess)
        audit.same("metric accuracy", "value", found["accuracy"], metrics.accuracy_score(truth, guess), within=1e-14)
        audit.same(
            "metric macro_f1", "value", found["macro_f1"], metrics.f1_score(truth, guess, average="macro"), within=1e-14
        )
        y, z = rng.normal(3, 9, 30), rng.normal(3, 9, 30)
        found = regression_metrics(y, z)
        audit.same("metric mae", "value", found["mae"], metrics.mean_absolute_error(y, z), within=1e-14)
        audit.same("metric rmse", "value", found["rmse"], np.sqrt(metrics.mean_squared_error(y, z)), within=1e-14)
        audit.same("metric r2", "value", found["r2"], metrics.r2_score(y, z), within=1e-13)
