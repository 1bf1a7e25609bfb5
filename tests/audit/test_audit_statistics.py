"""Intervals, tests, ranks, savings and needs: by hand, by enumeration, and on data whose answer is known."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as f_distribution, friedmanchisquare
from sklearn.isotonic import IsotonicRegression

from skmm_core.comparison import bootstrap_interval, holm, needs, paired_difference, plans, summarise, verdict
from skmm_core.comparison.ranks import critical_difference, friedman, ranks
from skmm_core.comparison.statistics import data_saving, isotonic, reach, whole
from skmm_core.comparison.summary import SCORE_COLUMNS
from skmm_core.probes.metrics import METRICS, classification_metrics, regression_metrics

ACCURACY = METRICS["classification"][0]
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
    """Friedman's χ² of SciPy turned into Iman and Davenport's F; q of Nemenyi from Demšar's table 5."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(9, 4)).round(1)
    chi2 = friedmanchisquare(*scores.T).statistic
    expected = 8 * chi2 / (9 * 3 - chi2)
    found = friedman(ranks(scores, higher_is_better=True))
    audit.same("statistic friedman", "F", found.statistic, expected, within=1e-12)
    audit.same("statistic friedman", "p", found.p, f_distribution.sf(expected, 3, 24), within=1e-12)
    counted = [[1 + (row > value).sum() + ((row == value).sum() - 1) / 2 for value in row] for row in scores]
    audit.same("statistic ranks", "ranks with ties", ranks(scores, higher_is_better=True), counted, within=0)
    for methods, q in {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 10: 3.164}.items():
        expected = q * np.sqrt(methods * (methods + 1) / (6 * 14))
        audit.same("statistic critical_difference", "95 %", critical_difference(methods, 14), expected, within=1e-3)


def test_isotonic_and_reach(audit):
    """scikit-learn's isotonic regression; interpolation in log(budget) by a plain loop."""
    rng = np.random.default_rng(5)
    curves, budgets = (
        np.sort(rng.random((30, 6)), axis=1) + 0.2 * rng.random((30, 6)),
        np.array([10.0, 20, 40, 70, 160, 320]),
    )
    expected = np.array([IsotonicRegression().fit_transform(np.arange(6), curve) for curve in curves])
    audit.same("statistic isotonic", "curves", isotonic(curves), expected, within=1e-12)
    targets = rng.uniform(expected[:, 0] - 0.05, expected[:, -1] + 0.05)
    found = reach(budgets, curves, targets)
    by_hand = []
    for curve, target in zip(expected, targets, strict=True):
        if target > curve[-1]:
            by_hand.append(np.inf)
        elif target < curve[0]:
            by_hand.append(-np.inf)
        else:
            k = int(np.argmax(curve >= target))
            share = (target - curve[k - 1]) / (curve[k] - curve[k - 1]) if k else 0.0
            by_hand.append(
                np.exp(np.log(budgets[k - 1]) + share * np.log(budgets[k] / budgets[k - 1])) if k else budgets[0]
            )
    audit.same("statistic reach", "budgets", found, by_hand, within=1e-9)
    audit.same("statistic whole", "rounded up", whole(np.array([3.0, np.exp(np.log(7)), 4.2])), [3, 7, 5], within=0)


def curve(n, gain=1.0):
    """Accuracy that needs exactly `gain` times fewer points."""
    return 0.4 + 0.1 * np.log2(n * gain / 10)


def test_data_saving_on_known_curves(audit):
    """A method that needs half the points has factor 2; identical curves have 1 at every budget and shape."""
    budgets = np.array([10, 20, 40, 80, 160])
    for gain in (1.25, 2.0):
        for budget in budgets[:-1]:
            found = data_saving(
                budget,
                budgets,
                curve(budgets, gain)[:, None].repeat(6, 1),
                budgets,
                curve(budgets)[:, None].repeat(6, 1),
                higher_is_better=True,
            )
            if budget * gain <= budgets[-1]:
                audit.same("statistic data_saving", "factor on a known curve", found.factor, gain, within=1e-9)
    rng, shapes = np.random.default_rng(1), {"steep": curve(budgets), "flat": 0.6 + 0.01 * np.log2(budgets)}
    for name, mean in shapes.items():
        for budget in budgets:
            hits = 0
            for _ in range(60):
                a, b = (mean[:, None] + 0.02 * rng.normal(size=(5, 8)) for _ in range(2))
                found = data_saving(budget, budgets, a, budgets, b, higher_is_better=True)
                # a bound beyond the range leaves that side open
                hits += (found.lo is None or found.lo <= 1 + 1e-9) and (found.hi is None or found.hi >= 1 - 1e-9)
            short = (0.94 - hits / 60) / np.sqrt(0.94 * 0.06 / 60)
            quantity = f"1 outside the interval for equal methods, {name} curve"
            audit.at_most("statistic data_saving", quantity, short, within=3.3, unit="standard errors")


def compared(rng, gains, budgets, seeds=8, noise=0.02, shape=curve):
    rows = [
        ["made", method, int(n), seed, "accuracy", shape(n, gain) + rng.normal(0, noise), 0.1, "test"]
        for method, gain in gains.items()
        for n in budgets
        for seed in range(seeds)
    ]
    return summarise(pd.DataFrame(rows, columns=SCORE_COLUMNS), {}, "classification")


def bent(n, gain=1.0):
    """A curve that is not straight in log(n): between doubling budgets a straight line lies below it."""
    return 0.95 - 1.2 * (n * gain) ** -0.5


@pytest.mark.parametrize(
    ("shape", "noise"), [(curve, 0.02), (bent, 0.02), (bent, 0.005)], ids=["straight", "bent", "steady"]
)
def test_the_planner_covers_the_true_need(shape, noise, audit):
    """150 comparisons at doubling budgets: the interval of the points holds the true number in 94 % or more."""
    rng, truth, need, saved = np.random.default_rng(4), 57, [], []
    for _ in range(150):
        found = compared(rng, {"uniform": 1.0, "good": 1.5}, (10, 20, 40, 80, 160), noise=noise, shape=shape)
        need.append(needs(found, ACCURACY, float(shape(truth)))["uniform"])
        saved.append(plans(found, ACCURACY, float(shape(truth)))[0])
    short = {
        "needs": covers([n.lo for n in need], [n.hi for n in need], truth),
        "plans": covers([p.lo for p in saved], [p.hi for p in saved], truth - truth / 1.5),
    }
    for name, hits in short.items():
        off = (0.94 - hits / 150) / np.sqrt(0.94 * 0.06 / 150)
        audit.at_most(f"statistic {name}", "cover below 94 %", off, within=3.3, unit="standard errors")
    points = np.mean([n.points for n in need if n.points is not None])
    audit.same("statistic needs", "mean of the points told", points, truth, within=0.05)


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
