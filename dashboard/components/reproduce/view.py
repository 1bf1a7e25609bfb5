"""A table of the paper as the Reproduce page shows it. Pure functions of a result, and the views made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.shared.answered_chart import Answer, draw_answer
from dashboard.components.shared.comparisons.learning_curves import learning_curves
from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.theme import escape, plural
from skmm_core.paper import (
    COVERAGE,
    Experiment,
    best_rows,
    best_variant,
    cells_of,
    metrics_in,
    number_text,
    paper_layout,
    saving_summary,
)
from skmm_core.probes import Metric

FIGURES = {"mean": "Mean ± sd", "geometric_mean": "Geometric mean", "median": "Median"}
_DRAWN = ("uniform", "skmm_published", "skmm", "skmm_whitened", "skmm_variance", "skmm_fit", "uniform_stratified")


def titles_of(result: Mapping[str, Any]) -> Methods:
    """Titles and leagues of the rows."""
    return Methods(
        {row["key"]: row["title"] for row in result["rows"]},
        frozenset(row["key"] for row in result["rows"] if row["label_aware"]),
    )


def setting_line(result: Mapping[str, Any]) -> str:
    """How many selections the figures rest on, and which features."""
    parts = [plural(int(result["seeds"]), "seed") + " of the selection"]
    if result["task"] == "mixture":
        parts.append(plural(int(result["data_seeds"]), "draw") + " of the mixture")
    features = result.get("features")
    if features:
        parts.append(f"features: {escape(str(features.get('note') or features['model']))}")
    parts.append(f"N = {result['N']:,}")
    return ", ".join(parts) + "."


def best_line(result: Mapping[str, Any], metric: Metric) -> str:
    """Who is best at the smallest and the largest n, and which SkMM variant does best over all, from the numbers."""
    cells, best = cells_of(result, metric), best_rows(result, metric)
    titles = titles_of(result)
    said = []
    for budget in (result["budgets"][0], result["budgets"][-1]):
        key = best.get((budget, False))
        if key is None or ("uniform", budget) not in cells:
            continue
        value, base = (number_text(metric, cells[row, budget]["mean"]) for row in (key, "uniform"))
        unit = "\u00a0%" if metric.unit == "%" else ""
        against = f" (uniform {base}{unit})" if key != "uniform" else ""
        said.append(f"n = {budget:,}: **{escape(titles.title(key))}** {value}{unit}{against}")
    variant = best_variant(result, metric)
    tail = f" Best SkMM variant over all n, by mean rank: **{escape(variant)}**." if variant else ""
    return f"Best mean without labels at {'; at '.join(said)}.{tail}" if said else tail.strip()


def full_line(result: Mapping[str, Any], metric: Metric) -> str:
    """Score of the full data, and what the paper reports where that is known; empty when it is not there."""
    full = result["full"].get(metric.key)
    if full is None or metric.key == "log_ratio":
        return ""
    unit = "\u00a0%" if metric.unit == "%" else ""
    text = f"Trained on all of the data: **{number_text(metric, full)}{unit}**"
    draws = result.get("full_by_draw")
    if draws:
        text += f", the mean of {', '.join(number_text(metric, value) for value in draws.values())}"
    paper = result["paper_figures"].get("full")
    return f"{text}; in the paper {paper}." if paper else f"{text}."


def curves(result: Mapping[str, Any], metric: Metric, rows: Sequence[str]) -> Answer:
    """Draw the mean score of some rows against n."""
    frame = pd.DataFrame([cell for cell in result["table"] if cell["row"] in rows]).rename(columns={"row": "method"})
    numbers = frame.astype(dict.fromkeys(("mean", "sd", "lo", "hi"), float))
    answer = learning_curves(numbers, metric, titles_of(result), result["full"].get(metric.key))
    return replace(answer, sentence=f"Of the rows drawn: {answer.sentence[:1].lower()}{answer.sentence[1:]}")


def saving_table(result: Mapping[str, Any]) -> pd.DataFrame:
    """The data-saving factor of each row: how many times as many random points reach its score."""
    rows = saving_summary(result)
    return pd.DataFrame(
        {
            "Row": [row["title"] for row in rows],
            "Factor": [row["text"] for row in rows],
            "Rests on": [_rests_on(row) for row in rows],
        }
    )


def _rests_on(row: Mapping[str, Any]) -> str:
    parts = [plural(row["budgets"], "budget")] if row["budgets"] else []
    if row["above"]:
        parts.append(f"{row['above']} better than uniform at any n tried")
    if row["below"]:
        parts.append(f"{row['below']} worse than uniform at any n tried")
    if row["saturated"]:
        parts.append(f"{row['saturated']} where the scores are saturated")
    return ", ".join(parts)


def reproduced(experiment: Experiment, result: Mapping[str, Any], key: str) -> None:
    """Draw everything that a result says."""
    metrics = {metric.key: metric for metric in metrics_in(result)}
    order = sorted(metrics, key=lambda name: name == "log_ratio")  # the paper's own score first
    chosen = st.segmented_control(
        "Score", order, default=order[0], required=True, key=f"metric:{key}",
        format_func=lambda name: metrics[name].title,
    )  # fmt: skip
    metric = metrics[chosen or order[0]]
    figure = "mean"
    if metric.key == "risk":
        figure = st.segmented_control(
            "Summary", list(FIGURES), default="mean", required=True, key=f"figure:{key}",
            format_func=lambda name: FIGURES[name], help="A few selections that miss a cluster decide a mean.",
        ) or "mean"  # fmt: skip
    st.markdown(best_line(result, metric))
    unit = ", %" if metric.unit == "%" else ""
    st.markdown(f"##### {metric.title}{unit}: {FIGURES[figure][0].lower()}{FIGURES[figure][1:]}")
    st.table(paper_layout(result, metric, figure), border="horizontal")
    better = "Higher" if metric.higher_is_better else "Lower"
    league = " † sees the pool's labels and is ranked apart." if titles_of(result).label_aware else ""
    st.caption(f"{better} is better; best of each column in bold.{league} {full_line(result, metric)}")
    _drawn(result, metric, key)
    st.markdown(
        "##### How much data does it save?",
        help="How many times as many random points reach the same mean score: the geometric mean over budgets. Where "
        "uniform does not reach that score within the measured range, the end of the range enters as a bound. Never "
        "extrapolated.",
    )
    st.dataframe(saving_table(result), hide_index=True, height="content", alt="Data-saving factor of each row.")
    st.caption(f"Read from the mean of: {metrics_in(result)[0].title}. {COVERAGE}")
    st.markdown("##### What differs from the paper")
    st.markdown("\n".join(f"- {escape(line)}" for line in result["differences"]))
    for note in result.get("notes", ()):
        st.caption(f":material/info: {escape(note)}")
    st.caption("This command makes the same figures:")
    st.code(result["command"], language="bash", wrap_lines=True)


def _drawn(result: Mapping[str, Any], metric: Metric, key: str) -> None:
    titles = titles_of(result)
    keys = list(titles.titles)
    rows = st.multiselect(
        "Rows drawn", keys, default=[row for row in keys if row in _DRAWN] or keys[:4],
        format_func=titles.title, key=f"rows:{key}",
    )  # fmt: skip
    if rows:
        draw_answer(curves(result, metric, rows), f"curves:{key}:{metric.key}")
    else:
        st.info("Choose at least one row to draw.", icon=":material/show_chart:")
