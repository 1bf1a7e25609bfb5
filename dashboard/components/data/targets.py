"""How the targets of a pool spread: rows a class, or a histogram of a numeric target."""

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard.components.shared.balance import MAX_CLASSES
from dashboard.components.shared.theme import (
    POOL_COLOUR,
    chart,
    escape,
    figure_layout,
    fmt_number,
    fmt_percent,
    plural,
)

_BINS = 48


def class_balance_figure(counts: Sequence[int], names: Sequence[str], *, height: int = 260) -> tuple[go.Figure, str]:
    """Rows a class of a pool; the largest classes when there are many.

    Returns:
        Figure and alt text.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")[:MAX_CLASSES]
    kept = np.sort(order)
    labels = [html.escape(str(names[index])) for index in kept]
    figure = go.Figure(go.Bar(x=labels, y=[counts[index] for index in kept], marker={"color": POOL_COLOUR}))
    figure_layout(figure, height=height, legend=False)
    figure.update_traces(hovertemplate="%{x}: %{y:,} rows<extra></extra>")
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="Rows")
    largest, smallest = max(counts), min(counts)
    share = fmt_percent(smallest / largest) if largest else "–"
    return figure, (
        f"Rows of the pool by class: {len(names)} classes, from {smallest:,} to {largest:,} rows "
        f"(the smallest has {share} of the largest)."
    )


def target_histogram(values: np.ndarray, *, height: int = 260) -> tuple[go.Figure, str]:
    """How a numeric target spreads over a pool.

    Args:
        values: (N,) targets.
        height: pixels.

    Returns:
        Figure and alt text.
    """
    counts, edges = np.histogram(values, bins=_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure(go.Bar(x=centres, y=counts, width=edges[1] - edges[0], marker={"color": POOL_COLOUR}))
    figure_layout(figure, height=height, legend=False)
    figure.update_traces(hovertemplate="%{x:.3g}: %{y:,} rows<extra></extra>")
    figure.update_layout(bargap=0)
    figure.update_xaxes(title="Target")
    figure.update_yaxes(title="Rows")
    low, high = fmt_number(float(values.min())), fmt_number(float(values.max()))
    return figure, f"Histogram of the target of the pool, from {low} to {high}."


def balance_sentence(counts: Sequence[int], names: Sequence[str]) -> str:
    """Whether classes are balanced, in a sentence."""
    largest, smallest = int(np.argmax(counts)), int(np.argmin(counts))
    total = sum(counts)
    if counts[largest] <= 1.5 * max(1, counts[smallest]):
        return f"{len(names)} classes of about equal size."
    return (
        f"Largest class: {names[largest]} ({fmt_percent(counts[largest] / total)} of rows); "
        f"smallest: {names[smallest]} ({plural(counts[smallest], 'row')})."
    )


def targets_view(values: np.ndarray | None, class_names: Sequence[str], *, heading: str, without: str) -> None:
    """Draw how the targets of a pool spread.

    Args:
        values: (N,) class indices or numbers; None when there are none.
        class_names: by class index; empty for numbers.
        heading: above the chart.
        without: what to say when there are none.
    """
    if values is None:
        st.info(without, icon=":material/label_off:")
        return
    if class_names:
        counts = [int(count) for count in np.bincount(values, minlength=len(class_names))]
        figure, alt = class_balance_figure(counts, class_names)
        caption = balance_sentence(counts, class_names)
    else:
        figure, alt = target_histogram(values)
        low, high = fmt_number(float(values.min())), fmt_number(float(values.max()))
        caption = f"Targets from {low} to {high}, mean {fmt_number(float(values.mean()))}."
    st.markdown(f"##### {heading}")
    chart(figure, key="targets", alt=alt)
    st.caption(escape(caption))
