"""Methods no better than random picks by construction: a comparison may claim a difference no more often than promised.

Counts are at most binomial with the level promised, 5 % for "better" and 5 % for "worse"; limits are 3.5 standard
errors above. The same with the digits and 400 repetitions: `python -m tests.bench.null_comparisons`.
"""

import numpy as np
import pytest
import torch

from skmm_core.comparison.draws import Draws, compared, draws_of, mean_of
from skmm_core.comparison.pool_parts import part_of, parts_at, test_blocks as blocks_of
from skmm_core.comparison.savings import data_saving, needed_interval, reach
from skmm_core.comparison.statistics import Paired, holm
from skmm_core.data.dataset import Dataset, Split
from skmm_core.data.task import Task
from skmm_core.probes.metrics import primary_metric
from tests.bench.null_comparisons import comparisons, counted

pytestmark = pytest.mark.statistical
LEVEL, ERRORS, SEEDS = 0.05, 3.5, 8


def most(repetitions, level=LEVEL):
    return repetitions * level + ERRORS * np.sqrt(repetitions * level * (1 - level))


def as_draws(rows, parts, *, test_known):
    """Scores by seed, with those without each block of test rows."""
    size = rows.shape[1]
    sums = np.stack([rows[:, block].sum(axis=1) for block in blocks_of(size)], axis=1)
    sizes = np.array([len(block) for block in blocks_of(size)])
    left = (rows.sum(axis=1)[:, None] - sums) / (size - sizes)
    return Draws(
        rows.mean(axis=1)[:, None], np.arange(len(rows)), np.array([parts]), left[:, :, None] if test_known else None
    )


def one_null(seed, *, fixed, methods, pool, budget, shared):
    """Compare methods that pick by a hash of the rows, or at random, with uniform; scores have a part of every kind."""
    random = np.random.default_rng([seed, methods])
    row_values, hashes = random.normal(size=pool), random.random((methods, pool))
    test_effect = random.normal(size=60)
    parts = 1 if shared else parts_at(pool, budget, SEEDS)
    places = [part_of(pool, parts, each) for each in range(SEEDS)]

    def score(picks):
        values = row_values[np.stack(picks)].mean(axis=1) * np.sqrt(budget)
        rows = values[:, None] + 0.5 * test_effect + random.normal(size=(SEEDS, 60))
        return as_draws(rows, parts, test_known=not shared)

    uniform = score([random.choice(rows, budget, replace=False) for rows in places])
    found = []
    for number in range(methods):
        if fixed:
            picks = [rows[np.argsort(hashes[number, rows])[:budget]] for rows in places]
        else:
            picks = [random.choice(rows, budget, replace=False) for rows in places]
        found.append(compared(score(picks), uniform, higher_is_better=True))
    return found


def claims(pairs: list[Paired]):
    """Whether any is called better, and whether any is called worse."""
    sure = [(pair, p) for pair, p in zip(pairs, holm([pair.p for pair in pairs]), strict=True) if p < LEVEL]
    return any(pair.difference.lo > 0 for pair, _ in sure), any(pair.difference.hi < 0 for pair, _ in sure)


@pytest.mark.parametrize("shared", [False, True], ids=["data-like-these", "this-very-pool"])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "random"])
@pytest.mark.parametrize("methods", [1, 4])
@pytest.mark.parametrize("budget", [20, 100])
def test_methods_that_pick_for_no_reason_are_seldom_called_better_or_worse(shared, fixed, methods, budget):
    """With 20 of 400 rows no two seeds share one; with 100 there are two parts, cut four times."""
    repetitions = 300
    said = np.array(
        [
            claims(one_null(seed, fixed=fixed, methods=methods, pool=400, budget=budget, shared=shared))
            for seed in range(repetitions)
        ]
    )
    assert (said.sum(axis=0) <= most(repetitions)).all(), said.mean(axis=0)


def test_a_real_difference_is_found():
    """Or the tests above could pass by never claiming anything: 1.5 standard deviations of a draw, eight parts."""
    repetitions, found = 200, 0
    random = np.random.default_rng(5)
    for _ in range(repetitions):
        method, uniform = random.normal(1.5, 1, (SEEDS, 1)), random.normal(0, 1, (SEEDS, 1))
        found += compared(draws_of(method), draws_of(uniform), higher_is_better=True).p < LEVEL
    assert found / repetitions > 0.6


def made(random: np.random.Generator) -> Dataset:
    """A small regression; ridge on it is quick."""
    features = random.normal(size=(380, 4))
    targets = features @ [1.0, 0.5, 0.2, 0.0] + random.normal(0, 0.7, len(features))
    rows = torch.arange(len(features))
    return Dataset(
        name="made",
        task=Task.REGRESSION,
        features=torch.tensor(features, dtype=torch.float32),
        targets=torch.tensor(targets, dtype=torch.float32),
        ids=tuple(map(str, range(len(features)))),
        rows=rows,
        split=Split(rows[:320], rows[:0], rows[320:]),
        fingerprint=f"sha256:{features[0, 0]}",
        source="made",
    )


@pytest.mark.parametrize("fixed_pool", [False, True], ids=["data-like-these", "this-very-pool"])
def test_the_whole_comparison_with_a_real_probe_keeps_what_it_promises(fixed_pool):
    repetitions, metric = 100, primary_metric("regression")
    options = {"kind": "fixed", "methods": 1, "budget": 20, "seeds": SEEDS}
    found = list(comparisons(made, **options, fixed_pool=fixed_pool, repetitions=repetitions))
    rates = counted(found, metric)
    assert rates.better <= most(repetitions)
    assert rates.worse <= most(repetitions)
    if not fixed_pool:
        return
    naive = 0  # taken as if seeds were independent draws of the data, as one shared pool was taken before
    for each in found:
        here = each.scores[each.scores["metric"] == metric.key]
        rows = here.pivot_table(index="seed", columns="method", values="value")
        pair = compared(draws_of(rows[["fixed_0"]]), draws_of(rows[["uniform"]]), higher_is_better=False)
        naive += pair.p < LEVEL
    assert naive > 2 * most(repetitions), "or the limit above could not be missed"


BUDGETS = np.array([20, 40, 80, 160, 320.0])
CURVES = {
    "flat": lambda n: 0.8 + 0 * n,
    "logarithmic": lambda n: 0.4 + 0.08 * np.log(n / 20),
    "power": lambda n: 0.95 - 1.5 * n**-0.5,
    "steep": lambda n: 0.95 - 6 / n,
    "s-shaped": lambda n: 0.2 + 0.7 / (1 + (70 / n) ** 2),
}


@pytest.mark.parametrize("noise", [0.005, 0.05])
@pytest.mark.parametrize("curve", CURVES)
def test_the_factor_of_identical_methods_is_one_within_its_interval_at_every_budget(curve, noise):
    repetitions, random = 200, np.random.default_rng(7)
    missed = dict.fromkeys(BUDGETS, 0)
    for _ in range(repetitions):
        method, reference = CURVES[curve](BUDGETS)[None, :, None] + random.normal(0, noise, (2, len(BUDGETS), SEEDS))
        for budget in BUDGETS:
            saving = data_saving(int(budget), BUDGETS, method, BUDGETS, reference, higher_is_better=True)
            held = (saving.lo is None or saving.lo <= 1) and (saving.hi is None or saving.hi >= 1)
            missed[budget] += not held
    assert max(missed.values()) <= most(repetitions), missed


@pytest.mark.parametrize("noise", [0.005, 0.02])
@pytest.mark.parametrize("curve", [name for name in CURVES if name != "flat"])
def test_the_planner_covers_the_true_need_between_budgets_that_double_and_does_not_lean(curve, noise):
    """The point itself is within three standard errors of an estimate plus a hundredth for reading between budgets."""
    repetitions, random = 150, np.random.default_rng(8)
    for true in (30.0, 57.0, 113.0, 226.0):
        target, missed, logs = float(CURVES[curve](true)), 0, []
        for _ in range(repetitions):
            scores = draws_of(CURVES[curve](BUDGETS) + random.normal(0, noise, (SEEDS, len(BUDGETS))))
            lo, hi = needed_interval(BUDGETS, scores, target)
            missed += not ((lo is None or lo <= true) and (hi is None or hi >= true))
            logs.append(np.log(reach(BUDGETS, scores.values.mean(axis=0), target) / true))
        assert missed <= most(repetitions), true
        if noise == 0.005 and np.isfinite(logs).all():
            assert abs(np.mean(logs)) < 0.02 + 3 * np.std(logs) / np.sqrt(repetitions), true


@pytest.mark.parametrize("budget", [20, 100])
def test_the_interval_of_a_mean_covers_what_new_data_give(budget):
    """Pool and test rows are drawn anew in every repetition; the truth is 0."""
    repetitions, missed = 250, 0
    for seed in range(repetitions):
        random = np.random.default_rng([seed, 9])
        values, hashes, effect = random.normal(size=400), random.random(400), random.normal(size=60)
        parts = parts_at(400, budget, SEEDS)
        picks = [(rows := part_of(400, parts, each))[np.argsort(hashes[rows])[:budget]] for each in range(SEEDS)]
        scores = values[np.stack(picks)].mean(axis=1) * np.sqrt(budget) / 4
        rows = scores[:, None] + 2 * effect + random.normal(size=(SEEDS, 60))
        interval = mean_of(as_draws(rows, parts, test_known=True)).interval()
        missed += not interval.lo <= 0 <= interval.hi
    assert missed <= most(repetitions), missed / repetitions
