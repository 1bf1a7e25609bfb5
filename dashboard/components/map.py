"""The map of the pool with the chosen points, and which points a visitor marked on it."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from dashboard.components.points import class_order, has_classes, has_values, is_chosen
from dashboard.components.theme import (
    CHOSEN_COLOUR,
    POOL_COLOUR,
    SEQUENTIAL,
    class_style,
    figure_layout,
    fmt_number,
    plural,
)

MAX_DRAWN = 100_000
_MAX_LEGEND = 12
_LEVELS = 64
_MEASURES = {
    "target": "Target",
    "weight": "Weight",
    "score": "Method score",
    "leverage": "Leverage",
    "distance": "Distance to the whole selection",
}


def colour_options(points: pd.DataFrame) -> dict[str, str]:
    """What the map can be coloured by: column → name, for the columns that hold something that varies."""
    options = {"chosen": "Chosen or not"}
    if has_classes(points):
        options = {"label": "Class", **options}
    for column, title in _MEASURES.items():
        if column == "target" and has_classes(points):
            continue
        if has_values(points, column) and points[column].dropna().nunique() > 1:
            options[column] = title
    return options


def map_figure(
    points: pd.DataFrame,
    *,
    budget: int,
    colour: str,
    axes: tuple[str, str] = ("pca_1", "pca_2"),
    dark: bool = False,
    height: int = 520,
) -> go.Figure:
    """Draw the pool muted and the chosen points bright on top, as one WebGL trace.

    Chosen points are larger, outlined and (unless classes take the shapes) diamonds, so colour is never the only cue.
    The position of a point in the pool is in `customdata`. Equal arguments give an equal figure, which keeps the
    visitor's selection alive between reruns.

    Args:
        points: of :func:`~dashboard.components.points.merge_points`.
        budget: how many of the chosen points to show as chosen, in pick order.
        colour: a key of :func:`colour_options`.
        axes: columns with the coordinates.
        dark: whether the page is dark.
        height: pixels.
    """
    drawn = _thinned(points, budget)
    chosen = is_chosen(drawn, budget)
    names = class_order(points) if has_classes(points) else []
    colours, symbols, extras = _look(drawn, chosen, colour, names)
    figure = go.Figure(
        go.Scattergl(
            x=drawn[axes[0]].to_numpy(dtype=np.float32),
            y=drawn[axes[1]].to_numpy(dtype=np.float32),
            mode="markers",
            customdata=drawn["position"].to_numpy(dtype=np.int32),
            text=_hover(drawn, chosen),
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            marker={
                "color": colours,
                "symbol": symbols,
                "size": np.where(chosen, _chosen_pixels(int(chosen.sum())), 6).astype(np.int8),
                "opacity": np.where(chosen, 1.0, 0.38),
                "line": {"color": "#F4F7FA" if dark else "#16202A", "width": np.where(chosen, 1.5, 0.0)},
            },
            selected={"marker": {"opacity": 1.0}},
            unselected={"marker": {"opacity": 0.12}},
        )
    )
    figure.add_traces(extras)
    figure_layout(figure, height=height, legend=any(trace.showlegend for trace in extras))
    figure.update_layout(dragmode="lasso", uirevision="map", legend={"itemclick": False, "itemdoubleclick": False})
    for update, name in ((figure.update_xaxes, axes[0]), (figure.update_yaxes, axes[1])):
        update(title=axis_title(name), showticklabels=False, showgrid=False, ticks="")
    return figure


def map_alt(points: pd.DataFrame, budget: int, colour_title: str, kind: str) -> str:
    """What the map shows, in one sentence."""
    count = int(is_chosen(points, budget).sum())
    return (
        f"{kind} map of {plural(len(points), 'pool point')}; the {plural(count, 'chosen point')} larger and outlined; "
        f"coloured by {colour_title.lower()}."
    )


def axis_title(column: str) -> str:
    """pca_1 → "PCA 1"."""
    return column.replace("_", " ").upper()


def selected_positions(event: Any) -> tuple[int, ...]:
    """Positions in the pool of the points that were marked by lasso, box or click; empty when none are.

    Args:
        event: what `st.plotly_chart(on_select=…)` keeps under its key.
    """
    if not isinstance(event, Mapping):
        return ()
    found = []
    for point in (event.get("selection") or {}).get("points") or ():
        value = point.get("customdata")
        value = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            found.append(int(value))
    return tuple(dict.fromkeys(found))


def map_note(points: pd.DataFrame) -> str:
    """How to read the map, and that not every pool point is drawn when that is so."""
    note = "Large and outlined: chosen. Small: the rest of the pool."
    if len(points) > MAX_DRAWN:
        note += f" {MAX_DRAWN:,} of {len(points):,} pool points are drawn, all chosen ones among them."
    return note


def _thinned(points: pd.DataFrame, budget: int) -> pd.DataFrame:
    """At most MAX_DRAWN points, every ever-chosen one among them, the chosen ones last so that they lie on top."""
    if len(points) > MAX_DRAWN:
        picked = points["rank"].to_numpy() >= 0
        others = np.flatnonzero(~picked)
        kept = np.random.default_rng(0).choice(others, max(0, MAX_DRAWN - int(picked.sum())), replace=False)
        points = points.iloc[np.sort(np.concatenate([np.flatnonzero(picked), kept]))]
    return points.iloc[is_chosen(points, budget).argsort(kind="stable")]


def _look(
    drawn: pd.DataFrame, chosen: np.ndarray, colour: str, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray | str, list[go.Scatter]]:
    """Colours, symbols and the empty traces that carry the legend or the colour bar."""
    if colour == "label":
        codes = pd.Categorical(drawn["label"], categories=list(names)).codes
        styles = [class_style(index) for index in range(len(names))]
        colours = np.array([*(style[0] for style in styles), POOL_COLOUR])[codes]
        symbols = np.array([*(style[1] for style in styles), "circle"])[codes]
        few = len(names) <= _MAX_LEGEND
        return colours, symbols, [_key(name, *style) for name, style in zip(names, styles, strict=True) if few]
    diamonds = np.where(chosen, "diamond", "circle")
    if colour == "chosen":
        keys = [_key("Pool", POOL_COLOUR, "circle"), _key("Chosen", CHOSEN_COLOUR, "diamond")]
        return np.where(chosen, CHOSEN_COLOUR, POOL_COLOUR), diamonds, keys
    values = drawn[colour].to_numpy(dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(edge) for edge in np.percentile(finite, (1, 99))) if len(finite) else (0.0, 1.0)
    scaled = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    table = np.array(sample_colorscale(SEQUENTIAL, _LEVELS))
    level = np.nan_to_num(scaled * (_LEVELS - 1), nan=0.0, posinf=_LEVELS - 1).astype(int)
    colours = np.where(np.isfinite(values), table[level], POOL_COLOUR)
    return colours, diamonds, [_colour_bar(_MEASURES[colour], low, high)]


def _chosen_pixels(count: int) -> int:
    """Size of a chosen point: smaller where many would hide each other."""
    return 12 if count <= 150 else 9


def _key(name: str, colour: str, symbol: str) -> go.Scatter:
    marker = {"color": colour, "symbol": symbol, "size": 9}
    return go.Scatter(x=[None], y=[None], mode="markers", name=escape(name), marker=marker, showlegend=True)


def _colour_bar(title: str, low: float, high: float) -> go.Scatter:
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high if high > low else low + 1,
            "colorscale": SEQUENTIAL,
            "showscale": True,
            "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0},
        },
    )


def _hover(drawn: pd.DataFrame, chosen: np.ndarray) -> list[str]:
    what = drawn["label"] if has_classes(drawn) else drawn["target"] if has_values(drawn, "target") else None
    texts = [f"<b>{escape(str(id_))}</b>" for id_ in drawn["id"]]
    if what is not None:
        shown = (fmt_number(value) if isinstance(value, float) else escape(str(value)) for value in what)
        texts = [f"{text}<br>{value}" for text, value in zip(texts, shown, strict=True)]
    picks = drawn["rank"].to_numpy() + 1
    return [
        f"{text}<br>chosen as number {pick}" if is_in else text
        for text, pick, is_in in zip(texts, picks, chosen, strict=True)
    ]
