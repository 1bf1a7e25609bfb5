"""Points that a curve needs, what is saved, and the planner: written out, and on curves whose answer is known."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from skmm_core.comparison import mean_saving, needs, plans, summarise, typical_saving, whole
from skmm_core.comparison.draws import draws_of
from skmm_core.comparison.savings import data_saving, isotonic, needed_interval, reach, saving_of
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.splits import split_savings
from skmm_core.probes.metrics import METRICS

ACCURACY = METRICS["classification"][0]


def covers(low, high, truth):
    return sum((a is None or a <= truth) and (b is None or truth <= b) for a, b in zip(low, high, strict=True))


def slopes(x, y):
    """Of a monotone cubic: weighted harmonic means of the slopes of the chords (Fritsch & Butland 1984)."""
    steps, chords = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.repeat(chords, 2)
    inside = []
    for k in range(1, len(x) - 1):
        before, after = chords[k - 1], chords[k]
        a, b = 2 * steps[k] + steps[k - 1], steps[k] + 2 * steps[k - 1]
        inside.append((a + b) / (a / before + b / after) if before * after > 0 else 0.0)

    def end(h, other, near, far):
        slope = ((2 * h + other) * near - h * far) / (h + other)
        if slope * near <= 0:
            return 0.0
        return 3 * near if near * far <= 0 and abs(slope) > 3 * abs(near) else slope

    return np.array([end(*steps[:2], *chords[:2]), *inside, end(*steps[:-3:-1], *chords[:-3:-1])])


def read_off(budgets, level, target):
    """Where a monotone cubic over log(budget) has a score between two measured ones, by bisection."""
    x, k = np.log(budgets), int(np.argmax(level >= target))
    tangents, (lo, hi) = slopes(x, level), (x[k - 1], x[k])
    h = hi - lo

    def score(at):
        s = (at - lo_0) / h
        return (
            level[k - 1] * (1 + 2 * s) * (1 - s) ** 2
            + tangents[k - 1] * h * s * (1 - s) ** 2
            + level[k] * s**2 * (3 - 2 * s)
            + tangents[k] * h * s**2 * (s - 1)
        )

    lo_0 = lo
    for _ in range(100):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if score(middle) < target else (lo, middle)
    return np.exp((lo + hi) / 2)


def test_isotonic_and_reach(audit):
    """scikit-learn's isotonic regression; a monotone cubic over log(budget) written out."""
    rng = np.random.default_rng(5)
    curves, budgets = (
        np.sort(rng.random((60, 6)), axis=1) + 0.2 * rng.random((60, 6)),
        np.array([10.0, 20, 40, 70, 160, 320]),
    )
    expected = np.array([IsotonicRegression().fit_transform(np.arange(6), curve) for curve in curves])
    audit.same("statistic isotonic", "curves", isotonic(curves), expected, within=1e-12)
    for curve, level in zip(curves, expected, strict=True):
        for target in rng.uniform(level[0] - 0.05, level[-1] + 0.05, 4):
            if target > level[-1] or target < level[0]:
                wanted = np.inf if target > level[-1] else -np.inf
            else:
                wanted = read_off(budgets, level, target)
            audit.same("statistic reach", "budget", reach(budgets, curve, target), wanted, within=1e-9)
        for k in range(6):
            same = budgets[np.isclose(level, level[k], rtol=1e-12)]
            audit.same("statistic reach", "first of a level", reach(budgets, curve, level[k]), same[0], within=1e-12)
            near = reach(budgets, curve, level[k], near=45)
            audit.same("statistic reach", "nearest of a level", near, np.clip(45, same[0], same[-1]), within=1e-12)
    audit.same("statistic whole", "rounded up", whole(np.array([3.0, np.exp(np.log(7)), 4.2])), [3, 7, 5], within=0)


def bounds(steps, means, k, at):
    """Weights of the measured scores in the lowest and the highest score between two budgets.

    Lines through the pairs beside them bound a curve that bends one way, and so do the scores at both ends.
    """

    def line(first):
        share = (at - steps[first]) / (steps[first + 1] - steps[first])
        weights = np.zeros(len(steps))
        weights[first], weights[first + 1] = 1 - share, share
        return weights

    chord, found = line(k), []
    beside = [line(first) for first in (k - 1, k + 1) if 0 <= first < len(steps) - 1]
    for sign in (-1, 1):
        bent = not beside or any(sign * (each - chord) @ means > 0 for each in beside)
        outside = [each for each in [*beside, *np.eye(len(steps))[k : k + 2]] if sign * (each - chord) @ means >= 0]
        found.append(min(outside, key=lambda each: abs((each - chord) @ means)) if bent and outside else chord)
    return found


def interval_of_need(budgets, scores, target):
    """Ends of the budgets that a test at 5 % does not rule out, 400 places between two budgets.

    `target` is a number, or (S,) scores of a method on the same seeds.
    """
    steps, means, size = np.log(budgets), scores.mean(axis=0), len(scores)
    places = [(k, at) for k in range(len(steps) - 1) for at in np.linspace(steps[k], steps[k + 1], 401)]
    quantile, open_ends = stats.t.ppf(0.975, size - 1), []
    for side, ordered in ((1, places), (0, places[::-1])):
        end = None
        for number, (k, at) in enumerate(ordered):
            gaps = target - scores @ bounds(steps, means, k, at)[side]
            proof = (gaps.mean() if side else -gaps.mean()) - quantile * stats.sem(gaps)
            if proof <= 0:
                end = None if number == 0 else np.exp(at)
                break
        else:
            end = np.exp(ordered[-1][1])
        open_ends.append(end)
    return open_ends


def ends(pair):
    return [np.nan if each is None else each for each in pair]


def test_intervals_of_needs(audit):
    """Every budget of a fine grid tried, with the scores that a bent curve may have there; within one step."""
    rng, budgets = np.random.default_rng(6), np.array([10.0, 20, 40, 80, 160])
    step = np.log(2) / 32
    for _ in range(40):
        means = np.sort(rng.random(5))
        scores = means + rng.choice([0.01, 0.05, 0.2]) * rng.normal(size=(8, 5))
        own = rng.uniform(-0.1, 1.1) + 0.05 * rng.normal(size=8)
        for target in (own.mean(), own):
            kept = target if isinstance(target, float) else draws_of(target[:, None])
            found = ends(needed_interval(budgets, draws_of(scores), kept))
            wanted = ends(interval_of_need(budgets, scores, target))
            log = [np.log(each) for each in (found, wanted)]
            audit.same("statistic needed_interval", "ends, in logarithms", *log, within=step, scale=1)


def test_savings_of_made_curves(audit):
    """Factor and interval of a method's scores, read off the curve of another by hand."""
    rng, budgets = np.random.default_rng(7), np.array([10, 20, 40, 80, 160])
    for _ in range(8):
        noise = rng.choice([0.01, 0.1])
        method, other = (np.sort(rng.random(5)) + noise * rng.normal(size=(8, 5)) for _ in range(2))
        level, own = (IsotonicRegression().fit_transform(np.arange(5), each.mean(axis=0)) for each in (other, method))
        for at, budget in enumerate(budgets):
            for better in (True, False):
                sign = 1 if better else -1
                found = saving_of(
                    int(budget),
                    budgets,
                    draws_of(sign * method),
                    budgets,
                    draws_of(sign * other),
                    higher_is_better=better,
                )
                again = data_saving(
                    int(budget), budgets, sign * method.T, budgets, sign * other.T, higher_is_better=better
                )
                audit.at_most(
                    "statistic data_saving", "differs from saving_of", float(found != again), within=0, unit="cases"
                )
                above, below = own[at] > level[-1], own[at] < level[0]
                wanted = "more than" if above else "less than" if below else "about"
                bound = int(budgets[-1]) if above else int(budgets[0]) if below else None
                wrong = float(found.relation != wanted or found.bound != bound)
                audit.at_most("statistic saving_of", "relation and bound", wrong, within=0, unit="cases")
                needed = np.nan
                if wanted == "about":
                    needed = read_off(budgets, level, own[at]) if own[at] > level[0] else budgets[0]
                    audit.same("statistic saving_of", "factor", found.factor, needed / budget, within=1e-9)
                lo, hi = ends(interval_of_need(budgets.astype(float), other, method[:, at]))
                told = np.log(ends((found.lo, found.hi)))
                lo, hi = (lo, hi) if np.isnan(needed) else (min(lo, needed), max(hi, needed))
                step = np.log(2) / 32
                audit.same(
                    "statistic saving_of",
                    "interval, in logarithms",
                    told,
                    np.log([lo / budget, hi / budget]),
                    within=step,
                    scale=1,
                )


def test_means_of_factors(audit):
    """Geometric means by hand, bounds entering as such; medians of splits, between two the geometric mean."""
    rows = [
        {"relation": "about", "factor": 2.0, "budget": 10, "bound": None},
        {"relation": "about", "factor": 0.5, "budget": 20, "bound": None},
        {"relation": "more than", "factor": None, "budget": 40, "bound": 160},
        {"relation": "saturated", "factor": None, "budget": 80, "bound": 20},
        {"relation": "less than", "factor": None, "budget": 80, "bound": 10},
    ]
    factors = [2.0, 0.5, 160 / 40, None, 10 / 80]
    sides = {(): "about", (2,): "more than", (4,): "less than", (2, 4): "about"}
    for size in range(1, 6):
        for chosen in itertools.combinations(range(5), size):
            found = mean_saving([rows[i] for i in chosen])
            known = [factors[i] for i in chosen if factors[i] is not None]
            wanted = np.prod(known) ** (1 / len(known)) if known else np.nan
            factor = np.nan if found.factor is None else found.factor
            audit.same("statistic mean_saving", "factor", factor, wanted, within=1e-12)
            wrong = float(found.relation != sides[tuple(i for i in chosen if i in (2, 4))])
            audit.at_most("statistic mean_saving", "relation", wrong, within=0, unit="cases")
    at = [{**row, "budget": 40} for row in rows]
    order = [0, 0.5, 1, 2, np.inf]  # less than, 0.5, saturated, 2, more than
    kept = [at[4], at[1], at[3], at[0], at[2]]
    for size in range(1, 6):
        for chosen in itertools.combinations(range(5), size):
            found = typical_saving([kept[i] for i in chosen])
            values = sorted(order[i] for i in chosen)
            lower, upper = values[(size - 1) // 2], values[size // 2]
            wanted = np.sqrt(lower * upper) if np.isfinite(upper) else lower
            factor = {"less than": 0.0, "more than": np.inf}.get(found.relation, found.factor)
            audit.same("statistic typical_saving", "median", factor, wanted, within=1e-12)
            none = sum(value <= 1 for value in values)
            audit.same("statistic typical_saving", "splits that save nothing", found.none, none, within=0)
    made = [{"method": "a", "budget": 5, "factor": 1.0}, {"method": "a", "budget": 9, "factor": 2.0}]
    found = split_savings({4: SimpleNamespace(savings=made), 7: SimpleNamespace(savings=made[:1])}, "a", 9)
    wrong = float(found != [{"split": 4, **made[1]}])
    audit.at_most("statistic split_savings", "rows", wrong, within=0, unit="rows")


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


def ceiling(points):
    return np.ceil(np.asarray(points, dtype=float) * (1 - 1e-12))


def test_plans_of_made_curves(audit):
    """Points by reading off the curve, in whole ones; the interval of what is saved by distances to both ends."""
    rng, budgets = np.random.default_rng(11), np.array([10.0, 20, 40, 80, 160])
    known = 0
    for _ in range(12):
        found = compared(rng, {"uniform": 1.0, "good": 1.4}, budgets.astype(int), noise=0.02)
        here = found.scores.pivot(index="seed", columns=["method", "budget"], values="value")
        target, told, points, open_ends = float(curve(rng.uniform(12, 120))), [], [], []
        for method in ("uniform", "good"):
            scores = here[method].to_numpy()
            level = IsotonicRegression().fit_transform(np.arange(5), scores.mean(axis=0))
            inside = level[0] <= target <= level[-1]
            points.append(float(ceiling(read_off(budgets, level, target))) if inside else np.nan)
            lo, hi = ceiling(ends(interval_of_need(budgets, scores, target)))
            open_ends.append((min(lo, points[-1]), max(hi, points[-1])) if inside else (lo, hi))
            told.append(needs(found, ACCURACY, target)[method])
            audit.same(
                "statistic needs",
                "points",
                np.nan if told[-1].points is None else told[-1].points,
                points[-1],
                within=0,
            )
            # ends are read on a grid, and then rounded up to whole points
            step = np.log(2) / 32 + np.log1p(1 / 10)
            audit.same(
                "statistic needs",
                "interval, in logarithms",
                np.log(ends((told[-1].lo, told[-1].hi))),
                np.log(open_ends[-1]),
                within=step,
                scale=1,
            )
        plan = plans(found, ACCURACY, target)[0]
        if np.isnan(points).any():
            continue
        known += 1
        audit.same("statistic plans", "points saved", plan.saved, points[0] - points[1], within=0)
        (a, b), (c, d) = (ends((need.lo, need.hi)) for need in told)
        saved = points[0] - points[1]
        wanted = [saved - np.hypot(points[0] - a, d - points[1]), saved + np.hypot(b - points[0], points[1] - c)]
        audit.same(
            "statistic plans", "interval from those of both needs", ends((plan.lo, plan.hi)), wanted, within=1e-9
        )
    assert known > 5
