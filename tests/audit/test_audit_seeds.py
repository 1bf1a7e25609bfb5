"""Standard errors, intervals, tests and tables of a comparison, from scores made up; and whether they say the truth."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skmm_core.comparison import against_stratified, judged, league_savings, summarise
from skmm_core.comparison.draws import Draws, compared, draws_of, gap_of, mean_of
from skmm_core.comparison.families import family_means, smallest_p, student_interval
from skmm_core.comparison.pool_parts import overlap, part_of, parts_at, test_blocks as blocks_of
from skmm_core.comparison.savings import saving_of
from skmm_core.comparison.score_table import DRAW_COLUMNS, SCORE_COLUMNS, ScoreTable
from skmm_core.comparison.summary import read_saving
from skmm_core.probes.metrics import METRICS
from tests.audit.seeds import (
    Scores,
    common_share,
    error_of_gap,
    error_of_mean,
    holm,
    interval,
    p_value,
    said,
)

_ROUNDING = 1e-12
_EIGHT = list(range(8))


def made(rng, size, parts, blocks=10, shift=0.0):
    """Scores whose test rows matter, and the same as the product holds them."""
    rows = 0.5 * rng.normal(size=(1, blocks)) + rng.normal(size=(size, blocks)) + rng.normal(size=(size, 1)) + shift
    left = (rows.sum(axis=1)[:, None] - rows) / (blocks - 1) if parts > 1 else None
    scores = Scores(rows.mean(axis=1), parts, left)
    kept = None if left is None else left[:, :, None]
    return scores, Draws(scores.values[:, None], np.arange(size), np.array([parts]), kept)


def test_parts_of_the_pool(audit):
    """Parts by looking for the most that hold 2 n rows; no row twice in a cut; rows in common by counting pairs."""
    off = 0
    for size, budget, seeds in ((100, 12, 8), (1078, 50, 8), (100, 30, 8), (100, 60, 8), (100, 50, 8), (64, 4, 3)):
        fitting = [k for k in range(2, seeds + 1) if size // k >= 2 * budget]
        wanted = max(fitting) if fitting else (2 if size // 2 >= budget and seeds > 1 else 1)
        off += parts_at(size, budget, seeds) != wanted
    audit.at_most("statistic parts_at", "wrong of 6", float(off), within=0, unit="cases")
    for parts in (2, 3, 4, 8):
        rows = [set(part_of(480, parts, seed).tolist()) for seed in range(8)]
        sizes = {len(each) for each in rows} | {480 // parts}
        audit.at_most("statistic part_of", "sizes that differ", len(sizes) - 1, within=0, unit="sizes")
        twice = sum(len(rows[a] & rows[b]) for a, b in combinations(range(8), 2) if a // parts == b // parts)
        audit.at_most("statistic part_of", "rows twice in a cut", twice, within=0, unit="rows")
        found = overlap(parts, np.arange(8))
        audit.same("statistic overlap", "by pairs", found, common_share(parts, _EIGHT), within=_ROUNDING, scale=1)
        many = range(0, 40 * parts, parts)  # seeds of 40 cuts
        shares = [
            len(set(part_of(480, parts, a)) & set(part_of(480, parts, b))) / (480 // parts)
            for a, b in combinations(many, 2)
        ]
        deviation = np.std(shares) / np.sqrt(len(shares))
        audit.at_most(
            "statistic overlap",
            "counted rows of two cuts",
            abs(np.mean(shares) - 1 / parts) / deviation,
            within=5,
            unit="standard errors",
        )
    for size in (2, 9, 10, 360):
        blocks = blocks_of(size)
        audit.same(
            "statistic test_blocks", "every row once", np.sort(np.concatenate(blocks)), np.arange(size), within=0
        )
        audit.at_most(
            "statistic test_blocks", "sizes, off by", np.ptp([len(each) for each in blocks]), within=1, unit="rows"
        )


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [4, 5, 8, 13])
def test_intervals_and_tests_of_made_scores(parts, size, audit):
    """Errors summed by hand from variances, pairs of seeds and a jackknife; Student's t of SciPy."""
    rng = np.random.default_rng([size, parts])
    seeds = list(range(size))
    for shift in (0.0, 0.3, 3.0):
        (mine, one), (theirs, other) = made(rng, size, parts, shift=shift), made(rng, size, parts)
        mean = mean_of(one)
        audit.same("statistic mean_of", "mean", mean.mean[0], mine.values.mean(), within=_ROUNDING, scale=1)
        audit.same("statistic mean_of", "standard error", mean.error[0], error_of_mean(mine, seeds), within=_ROUNDING)
        ends = interval(mine.values.mean(), error_of_mean(mine, seeds), size)
        audit.same(
            "statistic mean_of", "interval", [mean.interval().lo, mean.interval().hi], ends, within=1e-9, scale=1
        )
        error, gap = error_of_gap(mine, theirs, seeds), (mine.values - theirs.values).mean()
        audit.same("statistic gap_of", "standard error", gap_of(one, other).error[0], error, within=_ROUNDING)
        pair = compared(one, other, higher_is_better=True)
        audit.same("statistic compared", "difference", pair.difference.mean, gap, within=_ROUNDING, scale=1)
        ends = interval(gap, error, size)
        audit.same(
            "statistic compared", "interval", [pair.difference.lo, pair.difference.hi], ends, within=1e-9, scale=1
        )
        audit.same("statistic compared", "p", pair.p, p_value(gap, error, size), within=1e-9)
        for better in (True, False):
            wins = ((mine.values > theirs.values) if better else (mine.values < theirs.values)).sum()
            audit.same("statistic compared", "wins", compared(one, other, higher_is_better=better).wins, wins, within=0)
    plain = draws_of(mine.values[:, None])
    audit.same(
        "statistic draws_of", "standard error", mean_of(plain).error[0], stats.sem(mine.values), within=_ROUNDING
    )


def test_a_method_that_always_picks_the_same(audit):
    """On one shared pool its interval is Student's prediction interval of one more random draw."""
    rng = np.random.default_rng(0)
    uniform = rng.normal(size=8)
    one, other = (Draws(each[:, None], np.arange(8), np.array([1])) for each in (np.full(8, 0.7), uniform))
    half = stats.t.ppf(0.975, 7) * np.sqrt(uniform.var(ddof=1) * (1 + 1 / 8))
    gap = 0.7 - uniform.mean()
    found = compared(one, other, higher_is_better=True)
    audit.same(
        "statistic compared",
        "prediction interval",
        [found.difference.lo, found.difference.hi],
        [gap - half, gap + half],
        within=1e-9,
    )
    level = compared(one, one, higher_is_better=True)
    audit.same("statistic compared", "p of equal scores", level.p, 1, within=0)


def test_seeds_of_several_data_sets(audit):
    """On pools that all seeds of a data set share: variances within data sets, which lose a degree of freedom each."""
    rng, sets = np.random.default_rng(2), np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    values = rng.normal(size=9) + 5 * sets
    found = mean_of(Draws(values[:, None], np.arange(9), np.array([1]), strata=sets))
    wanted = sum((sets == each).sum() / 81 * values[sets == each].var(ddof=1) for each in range(3)) ** 0.5
    audit.same("statistic mean_of", "standard error over data sets", found.error[0], wanted, within=_ROUNDING)
    audit.same("statistic mean_of", "half width", found.reach()[0], stats.t.ppf(0.975, 6) * wanted, within=1e-9)


def test_test_rows_are_counted_once(audit):
    """4,000 comparisons whose variance is known: seeds, test rows, their interaction; the mean of what is told."""
    rng, found = np.random.default_rng(3), []
    seeds, blocks = 8, 10
    for _ in range(4000):
        rows = (
            1.5 * rng.normal(size=(1, blocks))
            + 0.7 * rng.normal(size=(seeds, blocks))
            + 0.4 * rng.normal(size=(seeds, 1))
        )
        left = (rows.sum(axis=1)[:, None] - rows) / (blocks - 1)
        found.append(
            mean_of(Draws(rows.mean(axis=1)[:, None], np.arange(8), np.array([8]), left[:, :, None])).error[0] ** 2
        )
    truth = 1.5**2 / blocks + (0.7**2 / blocks + 0.4**2) / seeds
    off = abs(np.mean(found) - truth) / (np.std(found) / np.sqrt(len(found)))
    audit.at_most("statistic mean_of", "variance told, against the true one", off, within=5, unit="standard errors")


@pytest.mark.parametrize("parts", [2, 8])
def test_intervals_of_a_mean_cover_it_for_other_pools(parts, audit):
    """1,500 pools and test sets drawn anew; scores are means over the part of a seed, so that common rows correlate."""
    rng, hits, repeats = np.random.default_rng(parts), 0, 1500
    places = [part_of(160, parts, seed) for seed in _EIGHT]
    for _ in range(repeats):
        pool, effect = rng.normal(size=160), rng.normal(size=10)
        rows = np.array([[pool[place].mean()] for place in places]) * 4 + 0.5 * effect + 0.5 * rng.normal(size=(8, 10))
        left = (rows.sum(axis=1)[:, None] - rows) / 9
        ends = mean_of(Draws(rows.mean(axis=1)[:, None], np.arange(8), np.array([parts]), left[:, :, None])).interval()
        hits += ends.lo <= 0 <= ends.hi
    short = (0.95 - hits / repeats) / np.sqrt(0.95 * 0.05 / repeats)
    audit.at_most("statistic mean_of", f"cover below 95 %, {parts} parts", short, within=3.3, unit="standard errors")


def test_families_of_data_sets(audit):
    """Means by a loop; Student's interval of SciPy; the smallest p of signs, all alike, after Holm."""
    rng = np.random.default_rng(5)
    values, names = rng.normal(size=(9, 3)), list("aabcaccbd")
    wanted = [[values[[i for i in range(9) if names[i] == name], j].mean() for j in range(3)] for name in "abcd"]
    audit.same("statistic family_means", "by family", family_means(values, names), wanted, within=_ROUNDING)
    for size in (2, 4, 20):
        sample = rng.normal(size=size)
        found = student_interval(sample)
        ends = stats.t.interval(0.95, size - 1, loc=sample.mean(), scale=stats.sem(sample))
        audit.same("statistic student_interval", "ends", [found.lo, found.hi], ends, within=1e-9)
    for families, tests in ((1, 1), (3, 1), (6, 1), (6, 5), (2, 9)):
        signs = 2 / 2**families if families > 1 else 1
        audit.same("statistic smallest_p", "p", smallest_p(families, tests), min(1, tests * signs), within=_ROUNDING)


_METHODS = ("uniform", "uniform_stratified", "free_a", "free_b", "seeing_a", "seeing_b")
_SEEING = ("uniform_stratified", "seeing_a", "seeing_b")
_BUDGETS = (10, 20, 40)


def table(parts, seed=0):
    """Tidy rows of two metrics, six methods, three budgets and eight seeds, and the scores by cell and metric."""
    rng, rows, cells = np.random.default_rng([seed, parts]), [], {}
    metrics = [metric.key for metric in METRICS["classification"]]
    for method in _METHODS:
        for budget in _BUDGETS:
            for metric in metrics:
                lift = 0.3 * np.log(budget / 10) + 0.6 * (method[-1] == "a")
                scores, _ = made(rng, 8, parts, shift=lift)
                cells[method, budget, metric] = scores
                for each in _EIGHT:
                    left = "" if scores.left is None else " ".join(f"{value!r}" for value in scores.left[each].tolist())
                    pool = "" if parts == 1 else f"{240 // parts}/240/{parts}"
                    rows.append(["made", method, budget, each, metric, scores.values[each], 0.1, "test", pool, left])
    return pd.DataFrame(rows, columns=SCORE_COLUMNS + DRAW_COLUMNS), cells


def beside(cells, method, reference, budget, metric):
    """Difference, its ends and p."""
    mine, theirs = cells[method, budget, metric], cells[reference, budget, metric]
    gap, error = (mine.values - theirs.values).mean(), error_of_gap(mine, theirs, _EIGHT)
    return [gap, *interval(gap, error, 8), p_value(gap, error, 8)]


@pytest.mark.parametrize("parts", [1, 2, 8])
def test_the_tables_of_a_comparison(parts, audit):
    """Every row of summary, savings and both leagues from the scores, each league corrected by itself."""
    for seed in range(4):
        scores, cells = table(parts, seed)
        found = summarise(scores, {}, "classification", label_aware=_SEEING)
        columns = ["vs_uniform", "vs_lo", "vs_hi", "p_holm"]
        rows = found.summary.set_index(["method", "budget", "metric"])
        against = against_stratified(scores, _SEEING, "classification")
        apart = {(row["method"], row["budget"], row["metric"]): row for row in against}
        words = {}
        for budget in _BUDGETS:
            for metric in METRICS["classification"]:
                for method in _METHODS:
                    cell = cells[method, budget, metric.key]
                    ends = interval(cell.values.mean(), error_of_mean(cell, _EIGHT), 8)
                    told = rows.loc[(method, budget, metric.key)]
                    wanted = [cell.values.mean(), cell.values.std(ddof=1), *ends]
                    audit.same(
                        "statistic summarise",
                        "mean, sd, interval",
                        told[["mean", "sd", "lo", "hi"]].astype(float),
                        wanted,
                        within=1e-9,
                        scale=1,
                    )
                for league in (("free_a", "free_b"), _SEEING):
                    tests = [beside(cells, method, "uniform", budget, metric.key) for method in league]
                    for method, test, p in zip(league, tests, holm([each[3] for each in tests]), strict=True):
                        told = rows.loc[(method, budget, metric.key)][columns].astype(float)
                        audit.same(
                            "statistic summarise",
                            "difference, its interval, corrected p",
                            told,
                            [*test[:3], p],
                            within=1e-9,
                            scale=1,
                        )
                        words[method, budget, metric.key] = said(test[1], test[2], p, higher_is_better=True)
                tests = [beside(cells, method, "uniform_stratified", budget, metric.key) for method in _SEEING[1:]]
                for method, test, p in zip(_SEEING[1:], tests, holm([each[3] for each in tests]), strict=True):
                    row = apart[method, budget, metric.key]
                    told = [row["difference"], row["lo"], row["hi"], row["p_holm"]]
                    audit.same(
                        "statistic against_stratified",
                        "difference, its interval, corrected p",
                        told,
                        [*test[:3], p],
                        within=1e-9,
                        scale=1,
                    )
                    words[method, budget, metric.key] = said(test[1], test[2], p, higher_is_better=True)
        for metric in METRICS["classification"]:
            verdicts = {
                (row.method, row.budget): str(row.verdict(higher_is_better=True))
                for row in judged(found.summary, against, metric.key)
            }
            # class-stratified uniform is judged against uniform, having no yardstick but that
            wanted = {(method, budget): word for (method, budget, key), word in words.items() if key == metric.key}
            audit.at_most(
                "statistic judged",
                "verdicts that differ",
                sum(verdicts[key] != word for key, word in wanted.items()) + abs(len(verdicts) - len(wanted)),
                within=0,
                unit="verdicts",
            )
        compare_savings(found, scores, against, words, audit)


def curve_of(rows):
    """Scores of one method by seed and budget, as the product holds them."""
    values, texts = (
        rows.pivot(index="seed", columns="budget", values=name).to_numpy() for name in ("value", "left_out")
    )
    parts = next(iter(rows["pool"])).split("/")[-1] or "1"
    left = None
    if parts != "1":
        left = np.array([[[float(word) for word in text.split()] for text in row] for row in texts]).transpose(0, 2, 1)
    return Draws(values, np.arange(8), np.full(3, int(parts)), left)


def compare_savings(found, scores, against, words, audit):
    """Savings row by row: those of curves picked out by hand, and of the yardstick of each league."""
    metric = METRICS["classification"][0]
    kept = ScoreTable(scores, metric.key)
    here = scores[scores["metric"] == metric.key]

    def curve(method):
        return curve_of(here[here["method"] == method])

    told = {(row["method"], row["budget"]): row for row in found.savings}
    leagues = {(row["method"], row["budget"]): row for row in league_savings(found.savings, against, metric)}
    for method in _METHODS[1:]:
        for budget in _BUDGETS:
            for reference, row in (("uniform", told[method, budget]), ("uniform_stratified", leagues[method, budget])):
                if reference == "uniform_stratified" and method not in _SEEING[1:]:
                    reference = "uniform"
                saving = saving_of(budget, _BUDGETS, curve(method), _BUDGETS, curve(reference), higher_is_better=True)
                numbers = [np.nan if each is None else each for each in (saving.factor, saving.lo, saving.hi)]
                shown = [np.nan if row[key] is None else row[key] for key in ("factor", "lo", "hi")]
                name = "summarise" if row is told[method, budget] else "league_savings"
                audit.same(f"statistic {name}", "factor of a saving, its interval", shown, numbers, within=1e-9)
                wrong = (row["relation"] != saving.relation) + (row["bound"] != saving.bound)
                audit.at_most(f"statistic {name}", "relation of a saving", float(wrong), within=0, unit="rows")
            read, score = read_saving(kept, method, budget, "uniform", metric)
            mean = here[(here["method"] == method) & (here["budget"] == budget)]["value"].mean()
            audit.same("statistic read_saving", "mean score", score, mean, within=_ROUNDING, scale=1)
            audit.at_most(
                "statistic read_saving",
                "factor that differs",
                float(read.factor != told[method, budget]["factor"]),
                within=0,
                unit="rows",
            )
            tie = told[method, budget]["tie"]
            if method not in _SEEING:
                audit.at_most(
                    "statistic summarise",
                    "ties that differ",
                    float(tie != (words[method, budget, metric.key] == "tie")),
                    within=0,
                    unit="rows",
                )
