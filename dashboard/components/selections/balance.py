"""Class balance, or spread of a numeric target, of two to four selections over one pool, on the same axes."""

from collections.abc import Sequence
from html import escape as escape_html

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.balance import class_shares, total_variation
from dashboard.components.shared.points import has_classes, has_values, is_chosen
from dashboard.components.shared.theme import POOL_COLOUR, escape, figure_layout, fmt_number
from skmm_core.diagnostics import QUANTITIES
from skmm_core.report import run_style

MAX_CLASSES = 24
_BINS = 24
_HEIGHT = 320


def balance_answer(tables: Sequence[pd.DataFrame], budgets: Sequence[int], labels: Sequence[str]) -> Answer | None:
    """Draw each selection's shares over those of the pool.

    Args:
        tables: of :func:`~dashboard.components.shared.points.merge_points`, one a selection, of the same pool.
        budgets: points that each chose.
        labels: name of each.

    Returns:
        The chart and what it says; None when the points have no targets.
    """
    if has_classes(tables[0]):
        return _classes([class_shares(table, n) for table, n in zip(tables, budgets, strict=True)], labels)
    if has_values(tables[0], "target"):
        return _targets(tables, budgets, labels)
    return None


def _classes(shares: Sequence[pd.DataFrame], labels: Sequence[str]) -> Answer:
    gaps = np.max([(each["chosen"] - each["pool"]).abs().to_numpy() for each in shares], axis=0)
    kept = np.sort(np.argsort(-gaps, kind="stable")[:MAX_CLASSES])
    names = [escape_html(str(name)) for name in shares[0]["name"].iloc[kept]]
    figure = go.Figure()
    figure.add_bar(x=names, y=shares[0]["pool"].iloc[kept], name="Pool", marker={"color": POOL_COLOUR, "opacity": 0.55})
    for number, (each, label) in enumerate(zip(shares, labels, strict=True)):
        style = run_style(number)
        figure.add_scatter(
            x=names, y=each["chosen"].iloc[kept], name=escape_html(label), mode="markers",
            marker={"color": style.colour, "symbol": style.symbol, "size": 10},
        )  # fmt: skip
    _look(figure)
    figure.update_xaxes(type="category")
    figure.update_traces(hovertemplate="%{x}: %{y:.1%}")
    parts = []
    for each, label in zip(shares, labels, strict=True):
        missing = int(((each["chosen"] == 0) & (each["pool"] > 0)).sum())
        unseen = f", {missing} of {len(each)} classes without a point" if missing else ""
        parts.append(f"**{escape(label)}** {total_variation(each):.2f}{unseen}")
    note = f" The {MAX_CLASSES} classes of {len(gaps)} that differ most are shown." if len(gaps) > MAX_CLASSES else ""
    return Answer(
        "Are the classes balanced as in the pool?",
        f"{QUANTITIES['class_tv'].title}: {'; '.join(parts)}.{note}",
        (Panel("", figure, f"Share of each class in the pool and in each selection. {'; '.join(parts)}."),),
        "Half the summed difference of shares (total variation): 0 = the pool's balance, 1 = no class in common.",
    )


def _targets(tables: Sequence[pd.DataFrame], budgets: Sequence[int], labels: Sequence[str]) -> Answer:
    values = tables[0]["target"].to_numpy(dtype=np.float64)
    finite = np.isfinite(values)
    edges = np.histogram_bin_edges(values[finite], bins=_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    pool = np.histogram(values[finite], edges)[0] / finite.sum()
    figure.add_bar(x=centres, y=pool, name="Pool", marker={"color": POOL_COLOUR, "opacity": 0.55})
    parts = []
    for number, (table, budget, label) in enumerate(zip(tables, budgets, labels, strict=True)):
        chosen, style = values[finite & is_chosen(table, budget)], run_style(number)
        figure.add_scatter(
            x=centres, y=np.histogram(chosen, edges)[0] / max(1, len(chosen)), name=escape_html(label), mode="lines",
            line={"color": style.colour, "width": 2.5, "shape": "hvh", "dash": style.dash},
        )  # fmt: skip
        parts.append(f"**{escape(label)}** {fmt_number(float(chosen.mean())) if len(chosen) else '–'}")
    _look(figure)
    figure.update_layout(bargap=0, xaxis={"title": "target"})
    figure.update_traces(hovertemplate="%{x:.3g}: %{y:.1%}")
    sentence = f"Mean target: pool {fmt_number(float(values[finite].mean()))}; {'; '.join(parts)}."
    return Answer(
        "Do the targets spread as in the pool?",
        sentence,
        (Panel("", figure, f"Histogram of the target in the pool and in each selection. {sentence}"),),
    )


def _look(figure: go.Figure) -> None:
    figure_layout(figure, height=_HEIGHT)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title="share")
