"""Histograms: leverage of the chosen points, distance to the nearest chosen one.

Panels of several runs share bins and axes, so that they can be compared at a glance.
"""

import numpy as np
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.diagnostics.charts import HEIGHT
from dashboard.components.shared.diagnostics.diagnosed_runs import Runs, name_of
from dashboard.components.shared.diagnostics.random_picks import beside, draw_band, shares_of_draws
from dashboard.components.shared.theme import POOL_COLOUR, figure_layout, fmt_number

_BINS = 40


def leverage_histogram(runs: Runs) -> Answer:
    """Draw the leverage of the pool and of the chosen points, one panel a run, same bins."""
    values = [np.asarray(run.diagnostics.leverage, dtype=np.float64) for run in runs]
    edges = _edges(values)
    top = _top([*values, *(leverage[run.chosen] for run, leverage in zip(runs, values, strict=True))], edges)
    panels, parts = [], []
    for run, leverage in zip(runs, values, strict=True):
        chosen = leverage[run.chosen]
        figure = _histograms(
            edges, (("pool", leverage, POOL_COLOUR, ""), ("chosen", chosen, run.style.colour, "/")), "leverage", top
        )
        factor = float(np.mean(chosen)) / max(float(np.mean(leverage)), 1e-12)
        parts.append(f"{name_of(run, runs)}{fmt_number(factor)} × that of the pool")
        alt = f"{run.label}: leverage of pool and chosen points; theirs is {fmt_number(factor)} times the pool's mean."
        panels.append(Panel(run.label, figure, alt))
    return Answer(
        "Are the unusual points among the chosen?",
        f"Mean leverage of the chosen points: {'; '.join(parts)}.",
        tuple(panels),
        "Leverage is how much one point alone can move a linear fit. A uniform pick gives a factor near 1; well "
        "above 1 means that rare directions are sought out.",
    )


def coverage_histogram(runs: Runs) -> Answer:
    """Draw the distance of every pool point to its nearest chosen point, one panel a run, same bins."""
    values = [np.asarray(run.diagnostics.distance, dtype=np.float64) for run in runs]
    edges = _edges(values)
    top = _top(values, edges)
    panels, parts = [], []
    for run, distance in zip(runs, values, strict=True):
        d = run.diagnostics
        mean, most = fmt_number(d.coverage_mean), fmt_number(d.coverage_radius)
        figure = _histograms(
            edges, (("pool", distance, run.style.colour, ""),), "distance to the nearest chosen point", top
        )
        if d.band_distance is not None:
            drawn = shares_of_draws(d.band_distance, edges)
            centres = (edges[:-1] + edges[1:]) / 2
            draw_band(figure, centres, drawn.min(axis=0), drawn.max(axis=0), shape="hvh")
        line = {"color": POOL_COLOUR, "dash": "dash", "width": 2}
        figure.add_vline(x=d.coverage_mean, line=line, annotation_text=f"mean {mean}", annotation_position="top")
        figure.update_layout(showlegend=False)
        parts.append(f"{name_of(run, runs)}{mean} on average{beside(run, 'coverage_mean')}, {most} at most")
        alt = f"{run.label}: distance of pool points to the nearest chosen one, mean {mean}, largest {most}."
        panels.append(Panel(run.label, figure, alt))
    return Answer(
        "How far is any point from one that was chosen?",
        f"Distance to the nearest chosen point: {'; '.join(parts)}.",
        tuple(panels),
        "Chosen points have distance 0. The dashed line is the mean. Short is good: no part of the pool is left "
        "alone. The grey area holds random picks of the same size.",
    )


def _histograms(
    edges: np.ndarray, series: tuple[tuple[str, np.ndarray, str, str], ...], title: str, top: float
) -> go.Figure:
    figure = go.Figure()
    centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    for name, values, colour, pattern in series:
        share = _shares(values, edges)
        figure.add_bar(
            x=centres, y=share, width=widths, name=name, opacity=0.75,
            marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": pattern, "size": 5}},
            hovertemplate=f"{name}: %{{y:.1%}} near %{{x:.3g}}",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT - 60)
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        xaxis={"title": title, "range": [float(edges[0]), float(edges[-1])]},
        yaxis={"title": "share of points", "tickformat": ".0%", "range": [0, 1.05 * top]},
    )
    return figure


def _edges(values: list[np.ndarray]) -> np.ndarray:
    high = max((float(v.max()) for v in values if len(v)), default=1.0)
    return np.linspace(0.0, high if high > 0 else 1.0, _BINS + 1)


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.asarray(np.histogram(values, edges)[0] / max(len(values), 1))


def _top(groups: list[np.ndarray], edges: np.ndarray) -> float:
    """The tallest bar of all panels, so that they share their axis."""
    return max((float(_shares(values, edges).max()) for values in groups), default=1.0)
