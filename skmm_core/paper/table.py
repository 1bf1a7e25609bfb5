"""The table of an experiment, from scores to the paper's layout, its rows in the order of the plan. No torch here."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison import Comparison, mean_saving
from skmm_core.paper.experiments import Row
from skmm_core.probes import METRICS, Metric, best_of

COVERAGE = (
    "Intervals and verdicts cover the seeds of the selection on this one protocol: its pool (every drawn mixture as it "
    "is) and its test rows. A method that always picks the same is set beside the spread of single random draws."
)
_FIGURES = ("mean", "sd", "lo", "hi", "vs_uniform", "vs_lo", "vs_hi", "wins", "p_holm")


def make_table(done: Comparison, rows: Sequence[Row], scores: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict a row, budget and metric: mean, sd, interval, median, comparison with uniform, number of selections.

    Positive scores have a geometric mean as well.
    """
    order = {row.key: place for place, row in enumerate(rows)}
    found = []
    # in the order of the seeds, since a sum depends in its last digit on the order in which cells were finished
    by_seed = scores.sort_values("seed", kind="stable").groupby(["method", "budget", "metric"])
    groups = {key: group["value"].to_numpy() for key, group in by_seed}
    for record in done.summary.to_dict("records"):
        key = (record["method"], record["budget"], record["metric"])
        values = groups[key]
        positive = bool((values > 0).all())
        found.append({
            "row": key[0], "budget": int(key[1]), "metric": key[2],
            **{name: _number(record[name]) for name in _FIGURES},
            "median": float(np.median(values)),
            "geometric_mean": float(np.exp(np.log(values).mean())) if positive else None,
            "count": len(values),
        })  # fmt: skip
    return sorted(found, key=lambda cell: (cell["metric"], order.get(cell["row"], len(order)), cell["budget"]))


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def metric_of(result: Mapping[str, Any], key: str) -> Metric:
    """A metric of a result by its key."""
    return next(metric for metric in METRICS[result["task"]] if metric.key == key)


def metrics_in(result: Mapping[str, Any]) -> list[Metric]:
    """The metrics that a result has figures for, the deciding one first."""
    there = {cell["metric"] for cell in result["table"]}
    return [metric for metric in METRICS[result["task"]] if metric.key in there]


def cells_of(result: Mapping[str, Any], metric: Metric) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Figures by (row, budget)."""
    return {(cell["row"], cell["budget"]): cell for cell in result["table"] if cell["metric"] == metric.key}


def best_rows(result: Mapping[str, Any], metric: Metric, figure: str = "mean") -> dict[tuple[int, bool], str]:
    """Key of the best row by (budget, league); leagues are never mixed."""
    cells = cells_of(result, metric)
    best: dict[tuple[int, bool], str] = {}
    for budget in result["budgets"]:
        for league in (False, True):
            rows = [row["key"] for row in result["rows"] if row["label_aware"] == league]
            there = {key: cells[key, budget][figure] for key in rows if (key, budget) in cells}
            if there:
                best[budget, league] = best_of(there, higher_is_better=metric.higher_is_better)
    return best


def best_variant(result: Mapping[str, Any], metric: Metric) -> str | None:
    """Title of the label-free SkMM row with the best mean rank of its means over budgets among those rows."""
    cells = cells_of(result, metric)
    rows = [row for row in result["rows"] if row["skmm"] and not row["label_aware"]]
    sign = -1 if metric.higher_is_better else 1
    ranks = dict.fromkeys((row["key"] for row in rows), 0.0)
    for budget in result["budgets"]:
        means = {key: cells[key, budget]["mean"] for key in ranks if (key, budget) in cells}
        there = {key: math.inf if mean is None or math.isnan(mean) else sign * mean for key, mean in means.items()}
        for key, value in there.items():
            ranks[key] += sum(other < value for other in there.values())
    titles = {row["key"]: row["title"] for row in rows}
    return titles[min(ranks, key=lambda key: ranks[key])] if ranks else None


def paper_layout(result: Mapping[str, Any], metric: Metric, figure: str = "mean") -> pd.DataFrame:
    """Rows down, budgets across, as markdown text; the best of each budget and league is bold.

    Args:
        result: of an experiment.
        metric: which score.
        figure: "mean" (with ± standard deviation), "geometric_mean" or "median".
    """
    cells, best = cells_of(result, metric), best_rows(result, metric, figure)
    lines = {}
    for row in result["rows"]:
        texts = []
        for budget in result["budgets"]:
            cell = cells.get((row["key"], budget))
            text = "–" if cell is None else figure_text(metric, cell, figure)
            bold = cell is not None and best.get((budget, row["label_aware"])) == row["key"]
            texts.append(f"**{text}**" if bold else text)
        if any(text != "–" for text in texts):
            lines[row["title"] + (" †" if row["label_aware"] else "")] = texts
    columns = [f"n = {budget:,}" for budget in result["budgets"]]
    return pd.DataFrame.from_dict(lines, orient="index", columns=columns)


def figure_text(metric: Metric, cell: Mapping[str, Any], figure: str = "mean") -> str:
    """One cell: "86.3 ± 0.8" in per cent for a share, "6.9e-03 ± 1e-04" for a risk."""
    value, spread = cell[figure], cell["sd"] if figure == "mean" else None
    if value is None:
        return "–"
    return number_text(metric, value) + ("" if spread is None else f" ± {number_text(metric, spread, spread=True)}")


def number_text(metric: Metric, value: float, *, spread: bool = False) -> str:
    """A score with sensible digits."""
    if metric.unit == "%":
        return f"{100 * value:.1f}"
    digits = 2 if spread else 3
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    if metric.key == "risk":
        return f"{value:.{decimals}f}" if decimals < 9 else f"{value:.{digits - 1}e}"
    return f"{value:.{min(decimals, 3)}f}"


def markdown_table(result: Mapping[str, Any], metric: Metric, figure: str = "mean") -> str:
    """The table as text for a document."""
    frame = paper_layout(result, metric, figure)
    head = ["", *frame.columns]
    lines = [head, ["---", *(["---:"] * len(frame.columns))]]
    lines += [[str(title), *map(str, cells)] for title, cells in zip(frame.index, frame.to_numpy(), strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def saving_summary(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The data-saving factor of every row: geometric mean over budgets, those without a factor entering as bounds.

    A budget whose score uniform never reaches, or always exceeds, bounds the factor; one where scores are saturated
    says nothing. Both are counted.
    """
    titles = {row["key"]: row["title"] + (" †" if row["label_aware"] else "") for row in result["rows"]}
    found = []
    for key, title in titles.items():
        mine = [saving for saving in result["savings"] if saving["method"] == key]
        if not mine:
            continue
        mean = mean_saving(mine)
        found.append({
            "row": key, "title": title, "factor": mean.factor, "text": mean.text, "budgets": mean.known,
            "above": mean.above, "below": mean.below, "saturated": mean.saturated,
        })  # fmt: skip
    return found
