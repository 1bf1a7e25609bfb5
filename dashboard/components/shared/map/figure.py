"""The map of the pool with the chosen points: its figure, large pools thinned, and the points a visitor marked."""

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.map.groups import MEASURES, Group, colour_bar, groups_of
from dashboard.components.shared.points import TEXT, has_classes, has_values, is_chosen, label_text
from dashboard.components.shared.text_cards import hover_lines
from dashboard.components.shared.theme import INK, POOL_COLOUR, POOL_OPACITY, figure_layout, fmt_number, plural

MAX_DRAWN = 50_000
_MOST_FOUND = 5_000  # of the points that a search found, so many are drawn of a pool that is thinned
_MOST_HOVERED = 10_000  # points beyond these have no text on the map unless they are chosen
_POOL_PIXELS, _RING_PIXELS = 6, 22
_FOUND_PIXELS, _MANY_PIXELS, _MANY = 17, 11, 300  # rings of points found; smaller where many would hide the map
_FEW = 150  # chosen points: more are drawn smaller, or they hide clusters
_LEAST, _MOST = 0.7, 1.8  # size of a chosen point against the usual one, by its weight


def colour_options(points: pd.DataFrame) -> dict[str, str]:
    """What the map can be coloured by: column → name, for the columns that hold something that varies."""
    options = {"chosen": "Chosen or not"}
    if has_classes(points):
        options = {"label": "Class", **options}
    for column, title in MEASURES.items():
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
    title: str = "",
    ringed: Collection[int] = (),
    pinned: Collection[int] = (),
    barred: Collection[int] = (),
    found: np.ndarray | None = None,
    shown: np.ndarray | None = None,
    dark: bool = False,
    height: int = 520,
) -> go.Figure:
    """Draw the pool muted and the chosen points bright on top, in WebGL.

    Every class is a group of two traces, its pool and its chosen points, with one entry in the legend that counts both;
    a click on it leaves that class alone on the map. Chosen points are larger with their weight, outlined and (unless
    classes take the shapes) diamonds, so colour is never the only cue. The position of a point in the pool is in
    `customdata`. Equal arguments give an equal figure, which keeps the visitor's selection alive between reruns.

    Args:
        points: of :func:`~dashboard.components.shared.points.merge_points`.
        budget: how many of the chosen points to show as chosen, in pick order.
        colour: a key of :func:`colour_options`, or any numeric column of the points.
        axes: columns with the coordinates.
        title: name of that column for its colour bar.
        ringed: positions to draw a ring around.
        pinned: positions that are to be chosen in any case.
        barred: positions that are never to be chosen.
        found: positions that a search found; None while nothing is looked for.
        shown: (N,) bool, points that pass the filters, the others are faint and cannot be marked; None for all.
        dark: whether the page is dark.
        height: pixels.
    """
    found = np.empty(0, np.int64) if found is None else found
    drawn = _thinned(points, {*ringed, *pinned, *barred, *found[:_MOST_FOUND].tolist()})
    faint = None
    if shown is not None:
        passed = shown[drawn["position"].to_numpy()]
        faint, drawn = drawn[~passed], drawn[passed]
    chosen = is_chosen(drawn, budget)
    groups = groups_of(drawn, points, is_chosen(points, budget), colour)
    pool = drawn if len(drawn) <= _MOST_HOVERED else drawn.drop(columns=TEXT, errors="ignore")
    outline = INK[dark]
    figure = go.Figure()
    if faint is not None:
        figure.add_trace(_faint(faint, axes))
    for top in (False, True):  # all chosen points lie above all others
        for group in groups:
            members = np.flatnonzero(group.members & (chosen == top))
            if len(members):
                part = (drawn if top else pool).iloc[members]
                figure.add_trace(_trace(part, group, members, axes, top=top, dark=dark))
    figure.add_traces([group.key() for group in groups])
    if colour not in ("label", "chosen"):
        figure.add_trace(colour_bar(title or MEASURES.get(colour, colour), drawn[colour]))
    for positions, symbol, name in ((pinned, "star", "Always choose"), (barred, "x", "Never choose")):
        if positions:
            text = f"{name} {len(positions):,}"
            figure.add_trace(_sign(drawn, positions, axes, f"{symbol}-open", name, outline, 13, text=text))
    if len(found):
        text, pixels = f"Found {len(found):,}", _FOUND_PIXELS if len(found) <= _MANY else _MANY_PIXELS
        figure.add_trace(_sign(drawn, found, axes, "circle-open", "Found", outline, pixels, text=text))
    if ringed:
        figure.add_trace(_sign(drawn, ringed, axes, "circle-open", "rings", outline, _RING_PIXELS))
    figure_layout(figure, height=height)
    figure.update_layout(
        dragmode="lasso",
        clickmode="event+select",
        uirevision="map",
        modebar={"orientation": "v"},  # beside the plot, or it covers the legend
        margin_r=44,
        legend={"itemclick": "toggleothers", "itemdoubleclick": "toggle", "itemsizing": "constant"},
    )
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
    """pca_1 → "PCA 1", sketch_3 → "Sketch direction 3"."""
    if column.startswith("sketch_"):
        return f"Sketch direction {column.removeprefix('sketch_')}"
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


def map_note(points: pd.DataFrame, whole: int | None = None) -> str:
    """How to read the map, and that not every pool point is drawn or held when that is so.

    Args:
        points: held of the pool.
        whole: points of the pool, those that memory does not hold among them; None where it holds all.
    """
    note = (
        "Large and outlined: chosen. Small: the rest of the pool. Legend: chosen / pool; a click shows one entry alone."
    )
    if len(points) > MAX_DRAWN:
        note += f" {MAX_DRAWN:,} of {len(points):,} pool points are drawn, all chosen ones among them."
    if whole is not None and len(points) < whole:
        note += f" Of the pool's {whole:,} points {len(points):,} are held: some at random, and those that lie far out."
    return note


def _thinned(points: pd.DataFrame, wanted: set[int]) -> pd.DataFrame:
    """At most MAX_DRAWN points, every ever-chosen and wanted one among them, the same ones for every budget."""
    if len(points) <= MAX_DRAWN:
        return points
    kept = points["rank"].to_numpy() >= 0
    kept[list(wanted)] = True
    others = np.flatnonzero(~kept)
    drawn = np.random.default_rng(0).permutation(others)[: max(0, MAX_DRAWN - int(kept.sum()))]
    kept[drawn] = True
    return points[kept]


def _trace(
    part: pd.DataFrame, group: Group, members: np.ndarray, axes: tuple[str, str], *, top: bool, dark: bool
) -> go.Scattergl:
    """The pool points of a group, or its chosen points, which lie on top."""
    text, template = _hover(part, group, chosen=top)
    marker: dict[str, Any] = {"color": group.colours(members), "symbol": group.symbol or "circle"}
    if not top:
        marker |= {"size": _POOL_PIXELS, "opacity": POOL_OPACITY[dark]}
    else:
        symbol = group.symbol or "diamond"
        line = {"color": INK[dark], "width": 1.5 if len(part) <= _FEW else 1}
        marker |= {"symbol": symbol, "size": _sizes(part["weight"].to_numpy()), "opacity": 1.0, "line": line}
    return go.Scattergl(
        x=part[axes[0]].to_numpy(dtype=np.float32),
        y=part[axes[1]].to_numpy(dtype=np.float32),
        mode="markers",
        customdata=part["position"].to_numpy(dtype=np.int32),
        text=np.array(text, dtype=object),  # plotly looks at each entry of a list
        hovertemplate=template,
        legendgroup=group.name,
        showlegend=False,
        marker=marker,
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 0.12}},
    )


def _faint(part: pd.DataFrame, axes: tuple[str, str]) -> go.Scattergl:
    """Points that do not pass the filters: they keep the shape of the map."""
    return go.Scattergl(
        x=part[axes[0]].to_numpy(dtype=np.float32),
        y=part[axes[1]].to_numpy(dtype=np.float32),
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"color": POOL_COLOUR, "size": 4, "opacity": 0.16},
    )


def _sizes(weights: np.ndarray) -> np.ndarray | int:
    """Pixels of chosen points: by the square root of their weight, and smaller where many would hide each other."""
    usual = 10 if len(weights) <= _FEW else 7
    mean = np.nanmean(weights) if np.isfinite(weights).any() else 0.0
    if mean <= 0 or np.allclose(weights, mean):
        return usual
    return np.asarray(usual * np.clip(np.sqrt(np.nan_to_num(weights / mean, nan=1.0)), _LEAST, _MOST)).round(1)


def _sign(
    drawn: pd.DataFrame,
    positions: Collection[int] | np.ndarray,
    axes: tuple[str, str],
    symbol: str,
    group: str,
    colour: str,
    pixels: int,
    *,
    text: str = "",
) -> go.Scattergl:
    """Open signs on top of points; not points themselves, so that a lasso does not find them.

    The group has no count in its name: what the legend hides stays hidden when there are more of them.
    """
    at = drawn[drawn["position"].isin(positions if isinstance(positions, np.ndarray) else list(positions))]
    return go.Scattergl(
        x=at[axes[0]].to_numpy(dtype=np.float32),
        y=at[axes[1]].to_numpy(dtype=np.float32),
        mode="markers",
        name=text,
        showlegend=bool(text),
        legendgroup=group,
        hoverinfo="skip",
        marker={"color": colour, "symbol": symbol, "size": pixels, "line": {"width": 2.5, "color": colour}},
        unselected={"marker": {"opacity": 1.0}},
    )


def _hover(part: pd.DataFrame, group: Group, *, chosen: bool) -> tuple[list[str], str]:
    """Text of every point, and the frame that all share."""
    texts = [escape(str(id_)) for id_ in part["id"]]
    template = "<b>%{text}</b>"
    if has_classes(part):
        if group.single is not None:
            template += f"<br>{escape(group.single)}"
        else:
            texts = [
                f"{text}</b><br>{escape(label_text(of))}<b>" for text, of in zip(texts, part["label"], strict=True)
            ]
    elif has_values(part, "target"):
        texts = [f"{text}</b><br>{fmt_number(value)}<b>" for text, value in zip(texts, part["target"], strict=True)]
    if chosen:
        ranks = part["rank"].tolist()
        texts = [f"{text}</b><br>chosen as number {rank + 1}<b>" for text, rank in zip(texts, ranks, strict=True)]
    if TEXT in part:
        starts = (hover_lines(start) for start in part[TEXT].tolist())
        texts = [f"{text}</b><br>{start}<b>" for text, start in zip(texts, starts, strict=True)]
    return texts, f"{template}<extra></extra>"
