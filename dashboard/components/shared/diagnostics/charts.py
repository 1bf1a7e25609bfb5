"""The charts that say why a selection is good or not: moments, risk, ridge, the solver's objective.

Every function takes one to four runs of the same dataset and returns an
:class:`~dashboard.components.shared.answered_chart.Answer`; runs share axes, so that they can be compared at a glance.
Definitions: `skmm_core.diagnostics.record`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun, Runs, name_of
from dashboard.components.shared.diagnostics.random_picks import common_band, draw_band, said
from dashboard.components.shared.theme import POOL_COLOUR, figure_layout, fmt_number, fmt_percent, plural
from skmm_core.diagnostics import QUANTITIES
from skmm_core.report import ACCENTS

if TYPE_CHECKING:
    from skmm_core.diagnostics import Diagnostics

HEIGHT = 340
_RATIO_TICKS = (0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100)
_MOST_TICKS = 6
_FLOOR = 1e-12
_FAINTEST = 1e-5  # of the smallest sum: what is fainter is left below the axis


def spectrum_match(runs: Runs) -> Answer:
    """Draw pool moments λ_j against the selections' moments per direction, and their ratio."""
    figure = go.Figure()
    first = runs[0].diagnostics.spectrum_pool
    _draw_moments(figure, common_band(runs))
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
    ratios = np.concatenate([_ratio(run.diagnostics) for run in runs])
    ratios = ratios[ratios > 0]
    span = (
        [math.log10(min(0.45, 0.9 * ratios.min())), math.log10(max(2.2, 1.1 * ratios.max()))] if len(ratios) else None
    )
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "direction of the sketch, strongest first", "anchor": "y2"},
        yaxis={
            "title": "second moment",
            "type": "log",
            "domain": [0.42, 1],
            "exponentformat": "power",
            "dtick": _decades_a_tick([first, *(run.diagnostics.spectrum_selection for run in runs)]),
        },
        yaxis2={"title": "÷ pool", "type": "log", "domain": [0, 0.34], "tickvals": _RATIO_TICKS, "range": span},
    )
    parts = [f"{name_of(run, runs)}{_within(run.diagnostics)}" for run in runs]
    weakest = [f"{name_of(run, runs)}{_weakest(run.diagnostics)}" for run in runs]
    errors = "; ".join(f"{name_of(run, runs)}{said('moment_error', run)}" for run in runs)
    sentence = (
        f"Within a factor of two of the pool: {'; '.join(parts)}. Weakest direction: {'; '.join(weakest)}. On the "
        f"whole: {errors}."
    )
    return Answer(
        "Does the selection see every direction as the pool does?",
        sentence,
        (Panel("", figure, f"Second moment per direction, pool against selection. {sentence}"),),
        "Top: energy of the pool in each direction, and of the chosen points. Bottom: their ratio; 1 is a perfect "
        "match, far below 1 means that the direction is hardly seen. The grey area holds random picks of the same "
        "size.",
    )


def _draw_moments(figure: go.Figure, run: DiagnosedRun | None) -> None:
    """The second moments of random picks, and their ratio to the pool's."""
    if run is None or run.diagnostics.band_spectrum is None:
        return
    low, high = run.diagnostics.band_spectrum
    pool = np.maximum(run.diagnostics.spectrum_pool, _FLOOR)
    directions = np.arange(1, len(low) + 1)
    # a logarithmic axis has no zero: the area then reaches down to the lowest moment that is drawn
    least = np.nanmin(_positive(high)) if (high > 0).any() else _FLOOR
    low = np.maximum(low, 1e-2 * least)
    draw_band(figure, directions, low, _positive(high))
    draw_band(figure, directions, low / pool, _positive(high / pool), yaxis="y2", showlegend=False)


def _decades_a_tick(moments: Sequence[np.ndarray]) -> int:
    """So many that few ticks stand on the axis: columns in mixed units spread over a dozen decades."""
    drawn = np.concatenate(moments)
    drawn = np.log10(drawn[np.isfinite(drawn) & (drawn > 0)])
    return max(1, math.ceil(float(np.ptp(drawn)) / _MOST_TICKS)) if len(drawn) else 1


def risk_curve(runs: Runs) -> Answer:
    """Draw both terms of the bound and their sum over the rank k, one panel a run, with the lowest sum marked."""
    curves = [_weighted(run.diagnostics) for run in runs]
    totals = np.concatenate([curve["error_bound"] for curve in curves])
    totals = totals[np.isfinite(totals) & (totals > 0)]
    low, high = (float(totals.min()), float(np.quantile(totals, 0.98))) if len(totals) else (0.1, 1.0)
    best_at = [int(np.flatnonzero(run.diagnostics.ranks == run.diagnostics.rank)[0]) for run in runs]
    shaky = [float(curve["variance_term"][best]) for curve, best in zip(curves, best_at, strict=True)]
    least = max(min(shaky), _FAINTEST * low)  # the variance at the star is in sight, also far below the bias
    span = [min(math.log10(low) - 1.2, math.log10(least) - 0.3), math.log10(max(high, 3 * low)) + 0.2]
    width = [0, max(int(run.diagnostics.ranks[-1]) for run in runs) + 1]
    panels, parts = [], []
    for run, curve, best in zip(runs, curves, best_at, strict=True):
        bias, variance = (fmt_number(float(curve[name][best])) for name in ("bias_term", "variance_term"))
        terms = f"a {_label('bias_term')} of {bias} and a {_label('variance_term')} of {variance}"
        found = f"rank {run.diagnostics.rank}, with {terms}"
        whole = said("error_bound", run)
        parts.append(
            f"{name_of(run, runs)}about {plural(run.diagnostics.rank, 'independent pattern')}, with {terms}: {whole}"
        )
        alt = f"{run.label}: one term falls and one rises with the rank k; their sum is lowest at {found}."
        panels.append(Panel(run.label, _risk_figure(run, curve, best, span, width), alt))
    return Answer(
        "How many directions can these points support?",
        f"These points can support {'; '.join(parts)}. Fewer directions miss signal, more only add noise.",
        tuple(panels),
        f"{_said('bias_term')} {_said('variance_term')} Each is a {QUANTITIES['error_bound'].unit} (without targets, "
        "as much noise as signal is supposed). The star marks the k where their sum is smallest, the effective rank. "
        "The grey area holds the sums of random picks of the same size.",
    )


def _weighted(d: Diagnostics) -> dict[str, np.ndarray]:
    """Both terms of the curve in the same unit, and their sum, whose minimum is the effective rank."""
    bias, variance = d.bias_weight * d.bias_curve, d.variance_weight * d.variance_curve
    return {"bias_term": bias, "variance_term": variance, "error_bound": bias + variance}


def _risk_figure(
    run: DiagnosedRun, curve: dict[str, np.ndarray], best: int, span: list[float], width: list[int]
) -> go.Figure:
    ranks = run.diagnostics.ranks
    figure = go.Figure()
    if (bounds := run.diagnostics.band_bound) is not None:
        draw_band(figure, np.arange(1, bounds.shape[1] + 1), _positive(bounds[0]), _positive(bounds[1]))
    for key, line in (
        ("bias_term", {"color": ACCENTS["bias"], "width": 2, "dash": "dash"}),
        ("variance_term", {"color": ACCENTS["variance"], "width": 2, "dash": "dot"}),
        ("error_bound", {"color": ACCENTS["sum"], "width": 3}),
    ):
        figure.add_scatter(
            x=ranks, y=_positive(curve[key]), name=_label(key), mode="lines", line=line,
            hovertemplate="k = %{x}: %{y:.3g}",
        )  # fmt: skip
    figure.add_scatter(
        x=[ranks[best]], y=_positive(curve["error_bound"][[best]]), name=f"lowest at k = {ranks[best]}", mode="markers",
        marker={"symbol": "star", "size": 14, "color": ACCENTS["best"], "line": {"width": 1, "color": POOL_COLOUR}},
        hovertemplate="lowest at k = %{x}: %{y:.3g}",
    )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "rank k", "range": width},
        yaxis={"title": _label("error_bound"), "type": "log", "range": span, "dtick": 1, "exponentformat": "power"},
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
    for key, values, accent, pattern in (
        ("ridge_bias2", bias, "bias", ""),
        ("ridge_variance", variance, "variance", "/"),
    ):
        figure.add_bar(
            y=labels, x=values, name=_label(key), orientation="h",
            marker={"color": ACCENTS[accent], "pattern": {"shape": pattern}},
            hovertemplate=f"%{{y}}: {_label(key)} %{{x:.4g}}",
        )  # fmt: skip
    figure_layout(figure, height=130 + 44 * len(shown))
    figure.update_layout(
        barmode="stack",
        legend={"traceorder": "normal"},
        bargap=0.4,
        xaxis={"title": f"{_label('ridge_error')}, {QUANTITIES['ridge_error'].unit}", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    parts = [
        f"{name_of(run, shown)}{fmt_number(b + v)} ({_share(b, b + v)} of it {_label('ridge_bias2')})"
        for run, b, v in zip(shown, bias, variance, strict=True)
    ]
    sentence = f"{QUANTITIES['ridge_error'].title} of a fit on the chosen points: {'; '.join(parts)}."
    return Answer(
        "What error would a ridge probe make, and why?",
        sentence,
        (Panel("", figure, sentence),),
        f"{_said('ridge_bias2')} {_said('ridge_variance')}",
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
        parts.append(f"{name_of(run, shown)}from {fmt_number(values[0])} to {fmt_number(values[-1])} in {steps} steps")
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "step", "rangemode": "tozero"},
        yaxis={"title": "relaxed objective", "type": "log", "exponentformat": "power", "nticks": 6},
    )
    sentence = f"The relaxed objective went {'; '.join(parts)}."
    return Answer("Did the solver finish its work?", sentence, (Panel("", figure, sentence),))


def _label(key: str) -> str:
    return QUANTITIES[key].label


def _said(key: str) -> str:
    """Name and meaning: "Bias term: what …"."""
    quantity = QUANTITIES[key]
    return f"{quantity.title}: {quantity.meaning[:1].lower()}{quantity.meaning[1:]}"


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
    if not len(ratio):
        return "none, the pool has no energy"
    worst = int(np.argmin(ratio))
    return f"number {worst + 1}, at {fmt_number(float(ratio[worst]))} × the pool"


def _share(part: float, whole: float) -> str:
    return fmt_percent(part / whole) if whole > 0 else "none"
