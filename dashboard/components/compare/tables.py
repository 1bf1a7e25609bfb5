"""The tables of the Compare page. Pure functions of the tidy tables of a comparison."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.comparisons.score_words import is_share, signed, verdict_text
from dashboard.components.shared.theme import UNKNOWN, fmt_number, plural
from skmm_core.comparison import (
    LEAST_SEEDS,
    REFERENCE,
    SIGNIFICANT,
    Judged,
    ScoreTable,
    Verdict,
    compared,
    few_seeds,
    holm,
    verdict,
)
from skmm_core.probes import Metric, best_of

TIE = "≈"
_ROUND_OFF = 1e-12  # of a mean: equal scores differ by less


def paper_table(summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric, methods: Methods) -> pd.DataFrame:
    """Make the table in the layout of the paper: methods down, budgets across, mean ± sd as markdown.

    The best mean of each budget is bold within each league; a method that cannot be told from it (by the paired
    interval and the corrected test together) is marked ≈.
    """
    rows = summary_rows(summary, metric)
    budgets = sorted({row["budget"] for row in rows})
    keys = [key for key in methods.present(summary) if any(row["method"] == key for row in rows)]
    cells = {key: dict.fromkeys(budgets, UNKNOWN) for key in keys}
    for budget in budgets:
        for league in (False, True):
            here = [r for r in rows if r["budget"] == budget and (r["method"] in methods.label_aware) == league]
            for key, text in league_cells(here, scores, metric).items():
                cells[key][budget] = text
    table = pd.DataFrame.from_dict({methods.title(key): cells[key] for key in keys}, orient="index", columns=budgets)
    return table.rename(columns=lambda budget: f"n = {budget:,}")


def league_cells(rows: list[dict[str, Any]], scores: pd.DataFrame, metric: Metric) -> dict[str, str]:
    """The cells of one budget in one league, the best one bold, ties marked."""
    means = {row["method"]: row["mean"] for row in rows}
    best = best_of(means, higher_is_better=metric.higher_is_better) if means else ""
    ties = tied(scores, metric, rows[0]["budget"], means, best) if rows else set()
    cells = {}
    for row in rows:
        key, text = row["method"], mean_sd(metric, row["mean"], row["sd"])
        if key == best and len(rows) > 1:
            text = f"**{text}**"
        elif key in ties:
            text = f"{text} {TIE}"
        cells[key] = text
    return cells


def summary_rows(summary: pd.DataFrame, metric: Metric) -> list[dict[str, Any]]:
    """Rows of one metric as dicts, by budget."""
    rows = summary[summary["metric"] == metric.key].sort_values("budget", kind="stable").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def mean_sd(metric: Metric, mean: float, sd: float) -> str:
    """Mean and spread, "86.3 ± 0.8", in per cent for a share; no ± where one seed gives no spread."""
    if is_share(metric):
        return f"{100 * mean:.1f}" + (f" ± {100 * sd:.1f}" if np.isfinite(sd) else "")
    spread = 0.0 if sd <= _ROUND_OFF * abs(mean) else sd
    return fmt_number(mean) + (f" ± {fmt_number(spread, 2)}" if np.isfinite(sd) else "")


def tied(scores: pd.DataFrame, metric: Metric, budget: int, methods: Collection[str], best: str) -> set[str]:
    """Methods that cannot be told from the best one: paired by seed, corrected over all that are set beside it."""
    table = ScoreTable(scores[scores["budget"] == budget], metric.key)
    cells = {key: cell for key in methods if (cell := table.get(key, budget)) is not None}
    rivals = [key for key in cells if key != best and best in cells]
    higher, luck = metric.higher_is_better, table.get(REFERENCE, budget)
    pairs = {
        key: compared(cells[key], cells[best], higher_is_better=higher, luck=luck, other_luck=luck)
        for key in rivals
        if np.isin(cells[key].seeds, cells[best].seeds).any()
    }
    corrected = holm([pair.p for pair in pairs.values()])
    apart = {
        key
        for (key, pair), p in zip(pairs.items(), corrected, strict=True)
        if verdict(pair.difference.lo, pair.difference.hi, p, higher_is_better=higher) is not Verdict.TIE
    }
    return set(rivals) - apart


def difference_table(
    tests: Sequence[Judged], summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric, methods: Methods
) -> pd.DataFrame:
    """Make the table of paired differences: yardstick, difference, interval, wins, Holm-adjusted p.

    Args:
        tests: of every method against the yardstick of its league.
        summary: of the comparison.
        scores: of the comparison; the pairs are counted in them.
        metric: the score.
        methods: titles and leagues.
    """
    seeds = scores[scores["metric"] == metric.key].groupby(["method", "budget"])["seed"].agg(set)
    lines = []
    for key in methods.present(summary):
        for row in (row for row in tests if row.method == key):
            pairs = len(seeds[(key, row.budget)] & seeds[(row.reference, row.budget)])
            interval = f"{signed(metric, row.lo)} to {signed(metric, row.hi)}"
            lines.append({
                "Method": methods.title(key),
                "Points": f"{row.budget:,}",
                "Set beside": methods.title(row.reference),
                "Difference": signed(metric, row.difference),
                "95 % interval": interval if np.isfinite(row.lo) else UNKNOWN,
                "Wins": f"{row.wins} of {pairs}",
                "Holm p": fmt_number(row.p_holm, 2),
                "Verdict": verdict_text(row.verdict(higher_is_better=metric.higher_is_better)),
            })  # fmt: skip
    return pd.DataFrame(lines)


def weak_test_line(
    tests: Sequence[Judged], summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric, methods: Methods
) -> str:
    """Say so when there are too few seeds for any corrected p-value to be small; empty when there are enough.

    A p-value over S seeds is never below 2 / 2^S, and Holm multiplies the smallest by the methods of the league.
    """
    seeds, lines = int(scores["seed"].nunique()), []
    if seeds < LEAST_SEEDS:
        return few_seeds(seeds)
    for reference in dict.fromkeys(row.reference for row in tests):
        family = _family(tests, summary, metric, methods, reference)
        smallest = min(1.0, family * 2.0 ** (1 - seeds))
        if smallest >= SIGNIFICANT:
            needed = math.floor(1 - math.log2(SIGNIFICANT / family)) + 1
            lines.append(
                f"With {plural(seeds, 'seed')} and {plural(family, 'method')} set beside {methods.title(reference)} no "
                f"corrected p can fall below {fmt_number(smallest, 2)}; compare over {needed} seeds or more to tell a "
                "difference from chance."
            )
    return " ".join(lines)


def _family(tests: Sequence[Judged], summary: pd.DataFrame, metric: Metric, methods: Methods, reference: str) -> int:
    """The most methods that were corrected together at one budget."""
    if reference == REFERENCE:  # of these, some may be shown beside the other yardstick
        shown = {row.method in methods.label_aware for row in tests if row.reference == reference}
        rows = summary[(summary["metric"] == metric.key) & summary["vs_uniform"].notna()]
        league = rows["method"].isin(methods.label_aware)
        return int(rows[league.isin(shown)].groupby(["budget", league])["method"].nunique().max())
    return max(Counter(row.budget for row in tests if row.reference == reference).values())
