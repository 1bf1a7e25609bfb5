"""The balance chart of a selection: chosen points against the pool, by class or over a numeric target."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.balance import MAX_CLASSES, class_shares, total_variation
from dashboard.components.shared.points import has_classes, has_values, is_chosen
from dashboard.components.shared.theme import CHOSEN_COLOUR, POOL_COLOUR, figure_layout, fmt_number
from skmm_core.diagnostics import QUANTITIES

_BINS = 24
_HEIGHT = 300


def balance_figure(points: pd.DataFrame, budget: int, *, height: int = _HEIGHT) -> tuple[go.Figure, str, str] | None:
    """Compare the chosen points with the pool.

    Returns:
        Figure, alt text, and a sentence for its caption; None when the points, or all chosen ones, have no targets.
    """
    if has_classes(points):
        known = points["label"].notna().to_numpy()[is_chosen(points, budget)]
        if not known.any():
            return None
        counted = "" if known.all() else f" Only the {known.sum()} of {len(known)} chosen points with a label count."
        return _classes(class_shares(points, budget), counted, height)
    if has_values(points, "target"):
        return _target(points, budget, height)
    return None


def _classes(shares: pd.DataFrame, counted: str, height: int) -> tuple[go.Figure, str, str]:
    distance = total_variation(shares)
    without = "no chosen point with this label" if counted else "no chosen point"
    missing = int(((shares["chosen"] == 0) & (shares["pool"] > 0)).sum())
    shown, note = shares, ""
    if len(shares) > MAX_CLASSES:
        gap = (shares["pool"] - shares["chosen"]).abs().to_numpy()
        shown = shares.iloc[np.sort(np.argsort(-gap, kind="stable")[:MAX_CLASSES])]
        note = f" The {MAX_CLASSES} classes of {len(shares)} that differ most are shown."
    names = [escape(str(name)) for name in shown["name"]]
    figure = go.Figure(
        [
            go.Bar(x=names, y=shown["pool"], name="Pool", marker={"color": POOL_COLOUR, "opacity": 0.55}),
            go.Scatter(
                x=names,
                y=shown["chosen"],
                name="Chosen",
                mode="markers",
                marker={"color": CHOSEN_COLOUR, "symbol": "diamond", "size": 10},
            ),
        ]
    )
    figure_layout(figure, height=height)
    figure.update_traces(hovertemplate="%{x}: %{y:.1%}")
    figure.update_xaxes(type="category", title=None)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title="Share")
    unseen = f" {missing} of {len(shares)} classes have {without}." if missing else ""
    name = QUANTITIES["class_tv"].title
    caption = f"{name} {distance:.2f} (0 = same balance as the pool, 1 = nothing in common).{counted}{unseen}{note}"
    return figure, f"Share of each class in the pool (bars) and among the chosen points (diamonds). {caption}", caption


def _target(points: pd.DataFrame, budget: int, height: int) -> tuple[go.Figure, str, str]:
    values = points["target"].to_numpy(dtype=np.float64)
    finite = np.isfinite(values)
    pool, chosen = values[finite], values[finite & is_chosen(points, budget)]
    edges = np.histogram_bin_edges(pool, bins=_BINS)
    centres, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
    shares = [np.histogram(part, edges)[0] / max(1, len(part)) for part in (pool, chosen)]
    figure = go.Figure(
        [
            go.Bar(x=centres, y=shares[0], width=width, name="Pool", marker={"color": POOL_COLOUR, "opacity": 0.55}),
            go.Scatter(
                x=centres,
                y=shares[1],
                name="Chosen",
                mode="lines",
                line={"color": CHOSEN_COLOUR, "width": 2.5, "shape": "hvh"},
            ),
        ]
    )
    figure_layout(figure, height=height)
    figure.update_traces(hovertemplate="%{x:.3g}: %{y:.1%}")
    figure.update_layout(bargap=0)
    figure.update_xaxes(title="Target")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", title="Share")
    mean = f"{fmt_number(float(chosen.mean()))} against {fmt_number(float(pool.mean()))}" if len(chosen) else "–"
    caption = f"Mean target of the chosen points against the pool: {mean}."
    return figure, f"Histogram of the target in the pool (bars) and among the chosen points (line). {caption}", caption
