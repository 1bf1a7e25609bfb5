"""Figures of a report as plain Plotly JSON, and Plotly itself, packed so that it can stand in the page.

Figures are drawn as SVG, not as WebGL: they print sharply.
"""

import base64
import functools
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.diagnostics import QUANTITIES, Diagnostics
from skmm_core.errors import InputError
from skmm_core.report.numbers import number
from skmm_core.report.palette import OKABE_ITO, POOL_COLOUR
from skmm_core.report.series_style import Style
from skmm_core.storage import to_json

MOST_DRAWN = 4_000
BLUE, ORANGE, GREEN, VERMILLION = (OKABE_ITO[name] for name in ("blue", "orange", "green", "vermillion"))
GREY = POOL_COLOUR
_BAND = "rgba(138,150,163,0.3)"  # the grey of the pool


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        key: distinct in the page.
        title: heading above it.
        text: how to read it.
        alt: what it shows, for people who cannot see it.
        traces, layout: in Plotly's JSON; ink, grid and background are set by the page for screen and paper.
        height: pixels.
    """

    key: str
    title: str
    text: str
    alt: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    height: int = 420


def figures_json(figures: Sequence[Figure]) -> str:
    """All figures as JSON that may stand inside a `<script>` element."""
    shown: list[dict[str, Any]] = [
        {"key": each.key, "data": each.traces, "layout": {**each.layout, "height": each.height}} for each in figures
    ]
    return to_json(shown).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@functools.lru_cache(maxsize=1)
def packed_plotly() -> str:
    """plotly.js as base64 of gzip, less than half its size; the page unpacks it.

    Raises:
        InputError: Plotly is not installed.
    """
    try:
        source = files("plotly") / "package_data" / "plotly.min.js"
    except ModuleNotFoundError:
        raise InputError("reports need plotly for their figures; install it with: pip install plotly") from None
    return base64.b64encode(gzip.compress(Path(str(source)).read_bytes(), 6, mtime=0)).decode()


def map_figure(places: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """The pool muted, thinned evenly, and every chosen point on top of it."""
    points = scores.merge(places, on="position", validate="one_to_one")
    chosen = points[points["order"].notna()].sort_values("order")
    stride = max(1, -(-len(points) // MOST_DRAWN))
    drawn = points.iloc[::stride]
    thinned = f" {len(drawn):,} of {len(points):,} pool points are drawn, evenly thinned." if stride > 1 else ""
    traces = [
        _dots(drawn, "pool", {"color": GREY, "size": 5, "opacity": 0.5}),
        _dots(
            chosen,
            "chosen",
            {"color": VERMILLION, "size": 9, "symbol": "diamond", "line": {"width": 0.8, "color": "#ffffff"}},
        ),
    ]
    axis = {"showticklabels": False, "showgrid": False, "zeroline": False}
    return Figure(
        "map",
        "Map",
        f"The pool in its first two principal components; the {len(chosen):,} chosen points are diamonds.{thinned}",
        f"Scatter of {len(points):,} pool points with {len(chosen):,} chosen points marked.",
        traces,
        {"xaxis": {**axis, "title": {"text": "PCA 1"}}, "yaxis": {**axis, "title": {"text": "PCA 2"}}},
        height=480,
    )


def _dots(points: pd.DataFrame, name: str, marker: Mapping[str, Any]) -> dict[str, Any]:
    texts = []
    what = points["label"] if points["label"].notna().any() else points["target"]
    for id_, value, order in zip(points["id"], what, points["order"], strict=True):
        lines = [escape(str(id_)), "" if pd.isna(value) else escape(number(value))]
        texts.append("<br>".join(filter(None, [*lines, "" if pd.isna(order) else f"chosen as number {int(order)}"])))
    return {
        "type": "scatter", "mode": "markers", "name": name, "marker": marker, "text": texts,
        "x": _rounded(points["pca_1"]), "y": _rounded(points["pca_2"]), "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def risk_figure(found: Diagnostics) -> Figure:
    """The bound on the error and its two terms over the rank, as the Diagnose page draws them."""
    bias, variance = found.bias_weight * found.bias_curve, found.variance_weight * found.variance_curve
    best = int(np.flatnonzero(found.ranks == found.rank)[0])
    lines = [
        ("bias_term", bias, {"color": BLUE, "dash": "dash"}),
        ("variance_term", variance, {"color": ORANGE, "dash": "dot"}),
        ("error_bound", bias + variance, {"color": GREEN, "width": 3}),
    ]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": QUANTITIES[key].label,
            "x": found.ranks.tolist(),
            "y": _positive(y),
            "line": line,
        }
        for key, y, line in lines
    ]
    if found.band_bound is not None:
        traces = [*_band(list(range(1, found.band_bound.shape[1] + 1)), *found.band_bound), *traces]
    star = {"color": VERMILLION, "symbol": "star", "size": 13}
    lowest = {"x": [int(found.rank)], "y": _positive((bias + variance)[[best]]), "name": f"lowest at k = {found.rank}"}
    traces.append({"type": "scatter", "mode": "markers", "marker": star, **lowest})
    return Figure(
        "risk",
        QUANTITIES["error_bound"].title,
        f"Over the number k of directions that are fitted. The bound on the error is lowest at k = {found.rank}: fewer "
        f"directions miss signal, more only add noise.{_grey(found.band_bound)}",
        f"The bias term falls and the variance term rises with k; their sum is lowest at {found.rank}.",
        traces,
        {
            "xaxis": {"title": {"text": "rank k"}},
            "yaxis": {
                "title": {"text": QUANTITIES["error_bound"].label},
                "type": "log",
                "dtick": 1,
                "exponentformat": "power",
            },
        },
    )


def spectrum_figure(found: Diagnostics) -> Figure:
    """Second moments per direction, pool against selection."""
    directions = list(range(1, len(found.spectrum_pool) + 1))
    traces = [
        {"mode": "lines", "name": "pool", "y": _positive(found.spectrum_pool), "line": {"color": GREY, "width": 3}},
        {"mode": "markers", "name": "chosen", "y": _positive(found.spectrum_selection), "marker": {"color": BLUE}},
    ]
    band = [] if found.band_spectrum is None else _band(directions, *found.band_spectrum)
    return Figure(
        "spectrum",
        "Second moments",
        "Energy of the pool and of the chosen points in every direction of the sketch, strongest first."
        + _grey(found.band_spectrum),
        "Second moment per direction of the sketch, chosen points beside the pool.",
        [*band, *({"type": "scatter", "x": directions, **trace} for trace in traces)],
        {
            "xaxis": {"title": {"text": "direction of the sketch, strongest first"}},
            "yaxis": {"title": {"text": "second moment"}, "type": "log", "dtick": 1, "exponentformat": "power"},
        },
    )


def _band(x: Sequence[int], low: np.ndarray, high: np.ndarray) -> list[dict[str, Any]]:
    """The range of random picks as a grey area."""
    line = {"type": "scatter", "mode": "lines", "x": list(x), "line": {"width": 0}, "hoverinfo": "skip"}
    floor = 1e-2 * min((value for value in _positive(high) if value is not None), default=1.0)
    return [
        {**line, "y": _positive(np.maximum(low, floor)), "showlegend": False},
        {**line, "y": _positive(high), "fill": "tonexty", "fillcolor": _BAND, "name": "random picks"},
    ]


def _grey(band: np.ndarray | None) -> str:
    return "" if band is None else " The grey area holds random picks of the same size."


def curves_figure(
    summary: pd.DataFrame,
    metric: Mapping[str, Any],
    names: Mapping[str, str],
    full: float | None,
    styles: Mapping[str, Style],
) -> Figure:
    """Mean scores against points chosen with 95 % intervals, one line a method."""
    traces: list[dict[str, Any]] = []
    for method in names:
        rows = summary[summary["method"] == method].sort_values("budget")
        style = styles[method]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "name": escape(names[method]),
            "x": rows["budget"].tolist(), "y": rows["mean"].tolist(),
            "line": {"color": style.colour, "dash": style.dash},
            "marker": {"color": style.colour, "symbol": style.symbol, "size": 8},
            "error_y": {
                "type": "data", "symmetric": False, "thickness": 1.2, "array": _gaps(rows["hi"] - rows["mean"]),
                "arrayminus": _gaps(rows["mean"] - rows["lo"]),
            },
        })  # fmt: skip
    budgets = sorted({int(budget) for budget in summary["budget"]})
    shapes = []
    if full is not None and np.isfinite(full):
        line = {"color": GREY, "dash": "dash", "width": 1.5}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": full, "y1": full, "line": line})
    sure = " with 95 % intervals" if summary["lo"].notna().any() else ""
    return Figure(
        "curves",
        "Scores",
        f"Mean over seeds{sure}; the dashed line is the same learner trained on the whole pool.",
        f"{metric['title']} against points chosen, one line a method.",
        traces,
        {
            "xaxis": {
                "title": {"text": "points chosen"}, "type": "log", "tickvals": budgets,
                "ticktext": [f"{budget:,}" for budget in budgets],
            },
            "yaxis": {
                "title": {"text": metric["title"]},
                **({"tickformat": ".0%", "autorangeoptions": {"clipmax": 1.05}} if metric["unit"] == "%" else {}),
            },
            "shapes": shapes,
        },
    )  # fmt: skip


def time_figure(
    seconds: Mapping[str, float], budget: int, names: Mapping[str, str], styles: Mapping[str, Style]
) -> Figure:
    """Mean seconds of one selection, one bar a method."""
    keys = [key for key in names if key in seconds]
    bars = {
        "type": "bar", "orientation": "h", "x": [max(seconds[key], 1e-4) for key in keys],
        "y": [escape(names[key]) for key in keys], "marker": {"color": [styles[key].colour for key in keys]},
        "text": [f"{number(round(seconds[key], 4))} s" for key in keys], "textposition": "auto",
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }  # fmt: skip
    return Figure(
        "time",
        "Time to pick",
        f"Mean seconds to pick {budget:,} points.",
        f"Seconds to pick {budget:,} points, one bar a method.",
        [bars],
        {
            "xaxis": {"title": {"text": "seconds, log scale"}, "type": "log", "dtick": 1},
            "yaxis": {"autorange": "reversed"},
            "showlegend": False,
        },
        height=120 + 34 * len(keys),
    )


def _rounded(values: "pd.Series[float]") -> list[float]:
    """Five digits are more than a pixel shows, and keep the page small."""
    return [float(f"{value:.5g}") for value in values]


def _positive(values: np.ndarray) -> list[float | None]:
    """What a log axis can show."""
    return [float(value) if np.isfinite(value) and value > 0 else None for value in values]


def _gaps(values: "pd.Series[float]") -> list[float]:
    return values.fillna(0.0).tolist()
