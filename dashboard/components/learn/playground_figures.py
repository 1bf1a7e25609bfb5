"""Figures of the playground: the clusters with both selections, what each takes from them, and its errors."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.components.learn.scene import percent
from dashboard.components.shared.theme import (
    CHOSEN_COLOUR,
    CLASS_COLOURS,
    CLASS_SYMBOLS,
    OKABE_ITO,
    POOL_COLOUR,
    figure_layout,
)
from dashboard.services.learn_results import Outcome, Picture
from skmm_core.diagnostics import QUANTITIES
from skmm_core.report import ACCENTS, Style

HEIGHT = 330
SMART = Style(CHOSEN_COLOUR, "diamond", "solid")
RANDOM = Style(OKABE_ITO["blue"], "circle-open", "dot")
Picks = Sequence[tuple[str, np.ndarray, Style]]


def plane_figure(picture: Picture, picks: Picks, *, reach: float) -> go.Figure:
    """Draw a pool in the plane, muted and with a shape a cluster, and selections on top.

    Args:
        picture: the pool.
        picks: name, rows and look of each selection.
        reach: half the width of the axes.
    """
    figure = go.Figure()
    for cluster in range(len(picture.sizes)):
        x, y = picture.points[picture.cluster == cluster].T
        marker = {"color": POOL_COLOUR, "size": 6, "opacity": 0.5, "symbol": CLASS_SYMBOLS[cluster]}
        figure.add_scatter(
            x=x, y=y, mode="markers", marker=marker, name="pool", showlegend=cluster == 0, hoverinfo="skip"
        )
    for name, rows, style in picks:
        x, y = picture.points[rows].T
        line = {"width": 2, "color": style.colour}
        marker = {"color": style.colour, "symbol": style.symbol, "size": 11, "line": line}
        figure.add_scatter(x=x, y=y, mode="markers", marker=marker, name=name, hovertemplate="%{x:.2f}, %{y:.2f}")
    figure_layout(figure, height=HEIGHT)
    ends = [-reach, reach]
    figure.update_layout(
        xaxis={"title": "feature 1", "range": ends},
        yaxis={"title": "feature 2", "range": ends},
    )
    return figure


def counts_figure(chosen: Mapping[str, Sequence[int]], picture: Picture) -> go.Figure:
    """Draw how many points each selection takes from each cluster, a group of bars a selection."""
    figure = go.Figure()
    patterns = ("", "/", "x", ".", "\\", "-")
    for cluster, size in enumerate(picture.sizes):
        counts = [taken[cluster] for taken in chosen.values()]
        figure.add_bar(
            x=_broken(chosen), y=counts, name=f"cluster {cluster + 1} ({size})", text=counts,
            textposition="outside", cliponaxis=False,
            marker={"color": CLASS_COLOURS[cluster], "pattern": {"shape": patterns[cluster]}},
            hovertemplate=f"%{{x}}: %{{y}} of {size}",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    highest = max(max(taken) for taken in chosen.values())
    figure.update_layout(barmode="group", yaxis={"title": "points chosen", "range": [0, 1.15 * highest + 0.2]})
    return figure


def error_figure(outcomes: Mapping[str, Outcome]) -> go.Figure:
    """Draw bias and variance of selections as stacked bars."""
    figure = go.Figure()
    for name, pattern in (("bias", ""), ("variance", "/")):
        values = [100 * getattr(outcome, name) for outcome in outcomes.values()]
        figure.add_bar(
            x=_broken(outcomes), y=values, name=name, hovertemplate=f"%{{x}}: {name} %{{y:.2g}} %",
            marker={"color": ACCENTS[name], "pattern": {"shape": pattern}},
        )  # fmt: skip
    for name, outcome in zip(_broken(outcomes), outcomes.values(), strict=True):
        figure.add_annotation(x=name, y=100 * outcome.error, text=percent(outcome.error), showarrow=False, yshift=10)
    figure_layout(figure, height=HEIGHT)
    highest = max(100 * outcome.error for outcome in outcomes.values())
    figure.update_layout(
        barmode="stack",
        legend={"traceorder": "normal"},
        yaxis={"title": QUANTITIES["signal_error"].label, "range": [0, 1.15 * highest]},
    )
    return figure


def _broken(names: Iterable[str]) -> list[str]:
    """Names of bars, a word a line, so that they stay level."""
    return [name.replace(" ", "<br>") for name in names]
