"""The charts of the Diagnose page: why a selection is good or not.

Every function takes one to four runs of the same dataset and returns an :class:`~dashboard.components.answers.Answer`;
runs share axes, so that they can be compared at a glance. Definitions: `skmm_core.diagnostics`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard.components.answers import Answer, Panel
from dashboard.components.series import ACCENTS, Style, run_style
from dashboard.components.theme import POOL_COLOUR, escape, figure_layout, fmt_number

if TYPE_CHECKING:
    from skmm_core.diagnostics import Diagnostics

HEIGHT = 340
_RATIO_TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100)
_FLOOR = 1e-12


@dataclass(frozen=True)
class DiagnosedRun:
    """A finished selection as the charts see it.

    Attributes:
        label: short name of the run, distinct among those shown.
        diagnostics: its measurements.
        chosen: (n,) positions in the pool, in pick order.
        objective: (steps,) objective of the solver, or None when the method has none.
        sketch: what decides the sketch, such as "gaussian 64, seed 0"; equal text = the same directions.
    """

    label: str
    diagnostics: Diagnostics
    chosen: np.ndarray
    objective: np.ndarray | None = None
    sketch: str = ""
    style: Style = field(default_factory=lambda: run_style(0))


Runs = Sequence[DiagnosedRun]


def spectrum_match(runs: Runs) -> Answer:
    """Draw pool moments λ_j against the selections' moments per direction, and their ratio."""
    figure = go.Figure()
    first = runs[0].diagnostics.spectrum_pool
    figure.add_scatter(
        x=np.arange(1, len(first) + 1), y=first, name="Pool", mode="lines", line={"color": POOL_COLOUR, "width": 3}
    )
    for run in runs:
        d = run.diagnostics
        directions = np.arange(1, len(d.spectrum_pool) + 1)
        marker = {"color": run.style.colour, "symbol": run.style.symbol, "size": 6}
        figure.add_scatter(
            x=directions,
            y=_positive(d.spectrum_selection),
            name=run.label,
            mode="markers",
            marker=marker,
            legendgroup=run.label,
            hovertemplate="direction %{x}: %{y:.3g}",
        )
        figure.add_scatter(
            x=directions, y=_positive(_ratio(d)), name=run.label, mode="lines+markers", marker=marker | {"size": 4},
            line={"color": run.style.colour, "width": 1}, legendgroup=run.label, showlegend=False, yaxis="y2",
            hovertemplate="direction %{x}: %{y:.2f} × the pool",
        )  # fmt: skip
    figure.add_shape(
        type="line", xref="paper", yref="y2", x0=0, x1=1, y0=1, y1=1, line={"color": POOL_COLOUR, "width": 2}
    )
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "direction of the sketch, strongest first", "anchor": "y2"},
        yaxis={"title": "second moment", "type": "log", "domain": [0.42, 1], "dtick": 1, "exponentformat": "power"},
        yaxis2={"title": "÷ pool", "type": "log", "domain": [0, 0.34], "tickvals": _RATIO_TICKS},
    )
    parts = [f"{_name(run, runs)}{_within(run.diagnostics)}" for run in runs]
    weakest = [f"{_name(run, runs)}{_weakest(run.diagnostics)}" for run in runs]
    sentence = f"Within a factor of two of the pool: {'; '.join(parts)}. Weakest direction: {'; '.join(weakest)}."
    return Answer(
        "Does the selection see every direction as the pool does?",
        sentence,
        (Panel("", figure, f"Second moment per direction, pool against selection. {sentence}"),),
        "Top: energy of the pool in each direction, and of the chosen points. Bottom: their ratio; 1 is a perfect "
        "match, far below 1 means that the direction is hardly seen.",
    )


def risk_curve(runs: Runs) -> Answer:
    """Draw bias, variance and their sum over the rank k, one panel a run, with the minimum of the sum marked."""
    curves = [_weighted(run.diagnostics) for run in runs]
    totals = np.concatenate([curve["sum"] for curve in curves])
    totals = totals[np.isfinite(totals) & (totals > 0)]
    low, high = (float(totals.min()), float(np.quantile(totals, 0.98))) if len(totals) else (0.1, 1.0)
    span = [math.log10(low) - 1.2, math.log10(max(high, 3 * low)) + 0.2]
    width = [0, max(int(run.diagnostics.ranks[-1]) for run in runs) + 1]
    panels, parts = [], []
    for run, curve in zip(runs, curves, strict=True):
        best = int(np.flatnonzero(run.diagnostics.ranks == run.diagnostics.rank)[0])
        bias, variance = (fmt_number(float(curve[name][best])) for name in ("bias", "variance"))
        found = f"rank {run.diagnostics.rank}, {bias} from bias and {variance} from variance"
        parts.append(f"{_name(run, runs)}at {found}")
        alt = f"{run.label}: bias falls and variance rises with the rank k; their sum is lowest at {found}."
        panels.append(Panel(run.label, _risk_figure(run, curve, best, span, width), alt))
    return Answer(
        "How many directions can these points support?",
        f"The bound on the expected error is lowest{':' if len(runs) > 1 else ''} {'; '.join(parts)}. "
        "Fewer directions miss signal, more only add noise.",
        tuple(panels),
        "Bias: signal outside the top k directions of the selection. Variance: how shaky an estimate in those k "
        "directions is. Both as shares of the targets' variance (without targets: as much noise as signal). The star "
        "marks the k where their sum is smallest.",
    )


def _weighted(d: Diagnostics) -> dict[str, np.ndarray]:
    """Both terms of the curve in the same unit, and their sum, whose minimum is the effective rank."""
    bias, variance = d.bias_weight * d.bias_curve, d.variance_weight * d.variance_curve
    return {"bias": bias, "variance": variance, "sum": bias + variance}


def _risk_figure(
    run: DiagnosedRun, curve: dict[str, np.ndarray], best: int, span: list[float], width: list[int]
) -> go.Figure:
    ranks = run.diagnostics.ranks
    figure = go.Figure()
    for name, line in (
        ("bias", {"color": ACCENTS["bias"], "width": 2, "dash": "dash"}),
        ("variance", {"color": ACCENTS["variance"], "width": 2, "dash": "dot"}),
        ("sum", {"color": ACCENTS["sum"], "width": 3}),
    ):
        figure.add_scatter(
            x=ranks, y=_positive(curve[name]), name=name, mode="lines", line=line, hovertemplate="k = %{x}: %{y:.3g}"
        )
    figure.add_scatter(
        x=[ranks[best]], y=_positive(curve["sum"][[best]]), name=f"lowest at k = {ranks[best]}", mode="markers",
        marker={"symbol": "star", "size": 14, "color": ACCENTS["best"], "line": {"width": 1, "color": POOL_COLOUR}},
        hovertemplate="lowest at k = %{x}: %{y:.3g}",
    )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "rank k", "range": width},
        yaxis={"title": "bound on the error", "type": "log", "range": span, "dtick": 1, "exponentformat": "power"},
    )
    return figure


def ridge_bars(runs: Runs) -> Answer | None:
    """Draw the exact ridge bias² + variance of each run as stacked bars; None when no run has targets."""
    shown = [run for run in runs if run.diagnostics.ridge_bias2 is not None]
    if not shown:
        return None
    bias = [float(run.diagnostics.ridge_bias2 or 0.0) for run in shown]
    variance = [float(run.diagnostics.ridge_variance or 0.0) for run in shown]
    labels = [run.label for run in shown]
    figure = go.Figure()
    for name, values, pattern in (("bias²", bias, ""), ("variance", variance, "/")):
        figure.add_bar(
            y=labels, x=values, name=name, orientation="h",
            marker={"color": ACCENTS["bias" if name == "bias²" else "variance"], "pattern": {"shape": pattern}},
            hovertemplate=f"%{{y}}: {name} %{{x:.4g}}",
        )  # fmt: skip
    figure_layout(figure, height=130 + 44 * len(shown))
    figure.update_layout(
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.4,
        xaxis={"title": "expected squared error on the pool", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    parts = [
        f"{_name(run, shown)}{fmt_number(b + v)} ({_share(b, b + v)} of it bias)"
        for run, b, v in zip(shown, bias, variance, strict=True)
    ]
    sentence = f"Expected squared error of a ridge probe trained on the chosen points: {'; '.join(parts)}."
    return Answer(
        "What error would a ridge probe make, and why?",
        sentence,
        (Panel("", figure, sentence),),
        "Exact for a fixed design: bias² is what the chosen points cannot express, variance is what label noise adds.",
    )


def leverage_histogram(runs: Runs) -> Answer:
    """Draw the leverage of the pool and of the chosen points, one panel a run, same bins."""
    values = [np.asarray(run.diagnostics.leverage, dtype=np.float64) for run in runs]
    edges = _edges(values)
    panels, parts = [], []
    for run, leverage in zip(runs, values, strict=True):
        chosen = leverage[run.chosen]
        figure = _histograms(
            edges, (("pool", leverage, POOL_COLOUR, ""), ("chosen", chosen, run.style.colour, "/")), "leverage"
        )
        factor = float(np.mean(chosen)) / max(float(np.mean(leverage)), _FLOOR)
        parts.append(f"{_name(run, runs)}{fmt_number(factor)} × that of the pool")
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
    panels, parts = [], []
    for run, distance in zip(runs, values, strict=True):
        d = run.diagnostics
        mean, most = fmt_number(d.coverage_mean), fmt_number(d.coverage_radius)
        figure = _histograms(edges, (("pool", distance, run.style.colour, ""),), "distance to the nearest chosen point")
        line = {"color": POOL_COLOUR, "dash": "dash", "width": 2}
        figure.add_vline(x=d.coverage_mean, line=line, annotation_text=f"mean {mean}", annotation_position="top")
        figure.update_layout(showlegend=False)
        parts.append(f"{_name(run, runs)}{mean} on average, {most} at most")
        alt = f"{run.label}: distance of pool points to the nearest chosen one, mean {mean}, largest {most}."
        panels.append(Panel(run.label, figure, alt))
    return Answer(
        "How far is any point from one that was chosen?",
        f"Distance to the nearest chosen point: {'; '.join(parts)}.",
        tuple(panels),
        "Chosen points have distance 0. The dashed line is the mean. Short is good: no part of the pool is left alone.",
    )


def objective_trace(runs: Runs) -> Answer | None:
    """Draw the solver's objective over its steps; None when no run has one."""
    shown = [run for run in runs if run.objective is not None and len(run.objective)]
    if not shown:
        return None
    figure = go.Figure()
    parts = []
    for run in shown:
        values = _positive(run.objective)
        figure.add_scatter(
            x=np.arange(len(values)), y=values, name=run.label, mode="lines",
            line={"color": run.style.colour, "width": 2, "dash": run.style.dash}, hovertemplate="step %{x}: %{y:.3g}",
        )  # fmt: skip
        steps = len(values) - 1
        parts.append(f"{_name(run, shown)}from {fmt_number(values[0])} to {fmt_number(values[-1])} in {steps} steps")
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "step", "rangemode": "tozero"},
        yaxis={"title": "relaxed objective", "type": "log", "exponentformat": "power", "nticks": 6},
    )
    sentence = f"The relaxed objective went {'; '.join(parts)}."
    return Answer("Did the solver finish its work?", sentence, (Panel("", figure, sentence),))


ANSWERS: tuple[Callable[[Runs], Answer | None], ...] = (
    risk_curve,
    spectrum_match,
    coverage_histogram,
    leverage_histogram,
    ridge_bars,
    objective_trace,
)


def _histograms(edges: np.ndarray, series: tuple[tuple[str, np.ndarray, str, str], ...], title: str) -> go.Figure:
    figure = go.Figure()
    centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    for name, values, colour, pattern in series:
        share = np.histogram(values, edges)[0] / max(len(values), 1)
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
        yaxis={"title": "share of points", "tickformat": ".0%", "rangemode": "tozero"},
    )
    return figure


def _edges(values: list[np.ndarray]) -> np.ndarray:
    high = max((float(v.max()) for v in values if len(v)), default=1.0)
    return np.linspace(0.0, high if high > 0 else 1.0, 41)


def _positive(values: np.ndarray | None) -> np.ndarray:
    """Replace what a log axis cannot show (zero, infinite) by a gap."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(numbers) & (numbers > 0), numbers, np.nan)


def _ratio(d: Diagnostics) -> np.ndarray:
    return np.asarray(d.spectrum_selection / np.maximum(d.spectrum_pool, _FLOOR), dtype=np.float64)


def _within(d: Diagnostics) -> str:
    ratio = _ratio(d)
    return f"{int(np.sum((ratio >= 0.5) & (ratio <= 2.0)))} of {len(ratio)} directions"


def _weakest(d: Diagnostics) -> str:
    ratio = _ratio(d)
    worst = int(np.argmin(ratio))
    return f"number {worst + 1}, at {fmt_number(float(ratio[worst]))} × the pool"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %" if whole > 0 else "none"


def _name(run: DiagnosedRun, runs: Runs) -> str:
    return f"**{escape(run.label)}** " if len(runs) > 1 else ""
