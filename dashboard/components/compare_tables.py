"""The tables and the data-saving sentence of the Compare page. Pure functions of the tidy tables of a comparison."""

import math
from typing import Any

import numpy as np
import pandas as pd

from dashboard.components.compare_charts import Methods, best_of, is_share, spans_decades
from dashboard.components.theme import UNKNOWN, fmt_number, fmt_percent, plural
from skmm_core.statistics import Relation, bootstrap_interval, data_saving
from skmm_core.summary import REFERENCE, Metric, Verdict, verdict

TIE = "≈"
_SIGNIFICANT = 0.05


def paper_table(summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric, methods: Methods) -> pd.DataFrame:
    """Make the table in the layout of the paper: methods down, budgets across, mean ± sd as markdown.

    The best mean of each budget is bold within each league; a method that cannot be told from it (the 95 % interval of
    the paired difference holds zero) is marked ≈.
    """
    rows = _records(summary, metric)
    budgets = sorted({row["budget"] for row in rows})
    keys = [key for key in methods.present(summary) if any(row["method"] == key for row in rows)]
    cells = {key: dict.fromkeys(budgets, UNKNOWN) for key in keys}
    for budget in budgets:
        for league in (False, True):
            here = [r for r in rows if r["budget"] == budget and (r["method"] in methods.label_aware) == league]
            for key, text in _league(here, scores, metric).items():
                cells[key][budget] = text
    table = pd.DataFrame.from_dict({methods.title(key): cells[key] for key in keys}, orient="index", columns=budgets)
    return table.rename(columns=lambda budget: f"n = {budget:,}")


def _league(rows: list[dict[str, Any]], scores: pd.DataFrame, metric: Metric) -> dict[str, str]:
    """The cells of one budget in one league, the best one bold, ties marked."""
    means = {row["method"]: row["mean"] for row in rows}
    best = best_of(means, metric) if means else ""
    cells = {}
    for row in rows:
        key, text = row["method"], mean_sd(metric, row["mean"], row["sd"])
        if key == best and len(rows) > 1:
            text = f"**{text}**"
        elif key != best and tied(scores, metric, row["budget"], key, best):
            text = f"{text} {TIE}"
        cells[key] = text
    return cells


def _records(summary: pd.DataFrame, metric: Metric) -> list[dict[str, Any]]:
    """Rows of one metric as dicts, by budget."""
    rows = summary[summary["metric"] == metric.key].sort_values("budget", kind="stable").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def mean_sd(metric: Metric, mean: float, sd: float) -> str:
    """Mean and spread, "86.3 ± 0.8", in per cent for a share; no ± where one seed gives no spread."""
    if is_share(metric):
        return f"{100 * mean:.1f}" + (f" ± {100 * sd:.1f}" if np.isfinite(sd) else "")
    return fmt_number(mean) + (f" ± {fmt_number(sd, 2)}" if np.isfinite(sd) else "")


def tied(scores: pd.DataFrame, metric: Metric, budget: int, method: str, best: str) -> bool:
    """Whether the 95 % interval of the paired difference holds zero, or there is none: under two shared seeds."""
    here = scores[(scores["metric"] == metric.key) & (scores["budget"] == budget)]
    values = here.pivot_table(index="seed", columns="method", values="value")
    if method not in values or best not in values:
        return False
    difference = (values[best] - values[method]).dropna().to_numpy()
    if len(difference) < 2:
        return True
    interval = bootstrap_interval(difference)
    return bool(interval.lo <= 0.0 <= interval.hi)


def difference_table(summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric, methods: Methods) -> pd.DataFrame:
    """Make the table of paired differences against uniform: difference, interval, wins, Holm-adjusted p."""
    rows = [row for row in _records(summary, metric) if np.isfinite(row["vs_uniform"])]
    seeds = scores[scores["metric"] == metric.key].groupby(["method", "budget"])["seed"].agg(set)
    lines = []
    for key in methods.present(summary):
        for row in (row for row in rows if row["method"] == key):
            pairs = len(seeds[(key, row["budget"])] & seeds[(REFERENCE, row["budget"])])
            interval = f"{signed(metric, row['vs_lo'])} to {signed(metric, row['vs_hi'])}"
            lines.append({
                "Method": methods.title(key),
                "Points": f"{row['budget']:,}",
                "Difference": signed(metric, row["vs_uniform"]),
                "95 % interval": interval if np.isfinite(row["vs_lo"]) else UNKNOWN,
                "Wins": f"{int(row['wins'])} of {pairs}",
                "Holm p": fmt_number(row["p_holm"], 2),
                "Verdict": _verdict(row, metric),
            })  # fmt: skip
    return pd.DataFrame(lines)


def _verdict(row: dict[str, Any], metric: Metric) -> str:
    """Better or worse only where both the interval and the corrected test say so."""
    found = verdict(row["vs_lo"], row["vs_hi"], higher_is_better=metric.higher_is_better)
    return "no clear difference" if found is Verdict.TIE or not row["p_holm"] < _SIGNIFICANT else found.value


def signed(metric: Metric, value: float) -> str:
    """A difference with its sign, in percentage points for a share."""
    if not np.isfinite(value):
        return UNKNOWN
    number = f"{abs(100 * value):.1f} pp" if is_share(metric) else fmt_number(abs(value))
    return f"{'−' if value < 0 else '+'}{number}"


def weak_test_line(summary: pd.DataFrame, scores: pd.DataFrame, metric: Metric) -> str:
    """Say so when there are too few seeds for any corrected p-value to be small; empty when there are enough.

    The sign-flip test over S seeds cannot give less than 2 / 2^S, and Holm multiplies the smallest by the methods.
    """
    tests = summary[(summary["metric"] == metric.key) & summary["vs_uniform"].notna()]
    if tests.empty:
        return ""
    seeds = int(scores["seed"].nunique())
    methods = int(tests.groupby("budget")["method"].nunique().max())
    smallest = min(1.0, methods * 2.0 ** (1 - seeds))
    if smallest < _SIGNIFICANT:
        return ""
    needed = math.floor(1 - math.log2(_SIGNIFICANT / methods)) + 1
    return (
        f"With {plural(seeds, 'seed')} and {plural(methods, 'method')} no corrected p can fall below "
        f"{fmt_number(smallest, 2)}; compare over {needed} seeds or more to tell a difference from chance."
    )


def default_target(summary: pd.DataFrame, metric: Metric) -> float | None:
    """A score worth asking for, in steps that read well.

    The middle of the scores that every method reaches between its smallest and largest budget; where there are none,
    the middle of what the baseline reaches.

    Returns:
        The score, or None when there is no baseline with two budgets.
    """
    rows = summary[summary["metric"] == metric.key]
    base = rows[rows["method"] == REFERENCE]
    if base["budget"].nunique() < 2:
        return None
    spans = rows.groupby("method")["mean"].agg(["min", "max"])
    low, high = float(spans["min"].max()), float(spans["max"].min())
    if low >= high:
        low, high = float(base["mean"].min()), float(base["mean"].max())
    middle = math.sqrt(low * high) if spans_decades(rows["mean"], metric) else (low + high) / 2
    step = 0.01 if is_share(metric) else 10.0 ** (math.floor(math.log10(max(abs(middle), 1e-9))) - 1)
    rounded = round(middle / step) * step
    return float(rounded if low <= rounded <= high else middle)


def saving_sentence(summary: pd.DataFrame, metric: Metric, methods: Methods, target: float) -> str:
    """Say how many points each method needs for a metric, read off its mean curve and never beyond what was measured.

    Methods whose difference from uniform at the nearest measured budget is not clear are said to tie.
    """
    rows = summary[summary["metric"] == metric.key]
    keys = methods.present(rows)
    parts = [_need(rows, key, metric, methods, target) for key in [k for k in keys if k != REFERENCE]]
    if REFERENCE in keys:
        parts.append(_need(rows, REFERENCE, metric, methods, target))
    goal = fmt_percent(target, 1 if round(100 * target, 1) % 1 else 0) if is_share(metric) else fmt_number(target)
    return f"To reach {goal} {metric.title.lower()}: {', '.join(parts)}."


def _need(rows: pd.DataFrame, key: str, metric: Metric, methods: Methods, target: float) -> str:
    part = rows[rows["method"] == key].sort_values("budget")
    title, budgets = methods.title(key), part["budget"].to_numpy(dtype=np.float64)
    means = part["mean"].to_numpy(dtype=np.float64)
    found = data_saving(1, [target], budgets, means[:, None], higher_is_better=metric.higher_is_better)
    if found.relation is Relation.MORE_THAN:
        return f"**{title}** not reached with {int(budgets[-1]):,} points"
    if found.relation is Relation.LESS_THAN or found.reference_budget is None:
        return f"**{title}** fewer than {int(budgets[0]):,} points, the fewest tried"
    tie = key != REFERENCE and _unclear(part, found.reference_budget, metric)
    return f"**{title}** {round(found.reference_budget):,} points" + (" (a tie with uniform)" if tie else "")


def _unclear(part: pd.DataFrame, budget: float, metric: Metric) -> bool:
    """Whether the method ties with uniform at the measured budget nearest to this one."""
    nearest = int(np.argmin(np.abs(np.log(part["budget"].to_numpy(dtype=np.float64) / budget))))
    lo, hi = (float(part[name].to_numpy(dtype=np.float64)[nearest]) for name in ("vs_lo", "vs_hi"))
    return verdict(lo, hi, higher_is_better=metric.higher_is_better) is Verdict.TIE
