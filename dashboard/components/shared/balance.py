"""Chosen points against the pool: shares of classes, or spread of a numeric target."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.points import class_order, has_classes, has_values, is_chosen
from dashboard.components.shared.theme import CHOSEN_COLOUR, POOL_COLOUR, figure_layout, fmt_number, fmt_percent

_MAX_CLASSES = 24
_BINS = 24
_HEIGHT = 300


def class_shares(points: pd.DataFrame, budget: int) -> pd.DataFrame:
    """Share of each class in the pool and among the chosen.

    Args:
        points: of :func:`~dashboard.components.shared.points.merge_points`.
        budget: how many of the chosen points count, in pick order.

    Returns:
        One row a class: `name`, `pool`, `chosen` (shares that sum to 1).
    """
    names = class_order(points)
    labels = pd.Categorical(points["label"], categories=names)
    pool = np.bincount(labels.codes[labels.codes >= 0], minlength=len(names))
    picked = labels.codes[is_chosen(points, budget) & (labels.codes >= 0)]
    chosen = np.bincount(picked, minlength=len(names))
    return pd.DataFrame({"name": names, "pool": pool / max(1, pool.sum()), "chosen": chosen / max(1, chosen.sum())})


def total_variation(shares: pd.DataFrame) -> float:
    """Half the summed difference of shares: 0 = the pool's balance, 1 = no class in common."""
    return float((shares["pool"] - shares["chosen"]).abs().sum() / 2)


def balance_figure(points: pd.DataFrame, budget: int, *, height: int = _HEIGHT) -> tuple[go.Figure, str, str] | None:
    """Compare the chosen points with the pool.

    Returns:
        Figure, alt text, and a sentence for its caption; None when the points have no targets.
    """
    if has_classes(points):
        return _classes(class_shares(points, budget), height)
    if has_values(points, "target"):
        return _target(points, budget, height)
    return None


def _classes(shares: pd.DataFrame, height: int) -> tuple[go.Figure, str, str]:
    distance = total_variation(shares)
    missing = int(((shares["chosen"] == 0) & (shares["pool"] > 0)).sum())
    shown, note = shares, ""
    if len(shares) > _MAX_CLASSES:
        gap = (shares["pool"] - shares["chosen"]).abs().to_numpy()
        shown = shares.iloc[np.sort(np.argsort(-gap, kind="stable")[:_MAX_CLASSES])]
        note = f" The {_MAX_CLASSES} classes of {len(shares)} that differ most are shown."
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
    unseen = f" {missing} of {len(shares)} classes have no chosen point." if missing else ""
    caption = f"Class imbalance {distance:.2f} (0 = same balance as the pool, 1 = nothing in common).{unseen}{note}"
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


def class_balance_figure(counts: Sequence[int], names: Sequence[str], *, height: int = 260) -> tuple[go.Figure, str]:
    """Rows a class of a pool; the largest classes when there are many.

    Returns:
        Figure and alt text.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")[:_MAX_CLASSES]
    kept = np.sort(order)
    labels = [escape(str(names[index])) for index in kept]
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
    counts, edges = np.histogram(values, bins=2 * _BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure(go.Bar(x=centres, y=counts, width=edges[1] - edges[0], marker={"color": POOL_COLOUR}))
    figure_layout(figure, height=height, legend=False)
    figure.update_traces(hovertemplate="%{x:.3g}: %{y:,} rows<extra></extra>")
    figure.update_layout(bargap=0)
    figure.update_xaxes(title="Target")
    figure.update_yaxes(title="Rows")
    low, high = fmt_number(float(values.min())), fmt_number(float(values.max()))
    return figure, f"Histogram of the target of the pool, from {low} to {high}."
