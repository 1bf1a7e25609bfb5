"""Steps 1 to 3 of the Learn page, texts and figures, on pools in the plane: why pick, variance, bias."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.components.learn.lesson import Lesson, percent
from dashboard.components.shared.answered_chart import Panel
from dashboard.components.shared.theme import (
    CHOSEN_COLOUR,
    CLASS_SYMBOLS,
    OKABE_ITO,
    POOL_COLOUR,
    faded,
    figure_layout,
    fmt_number,
    plural,
)
from dashboard.services.learn_results import BUDGETS, HAND_BUDGET, RANDOM_DRAWS, Bias, Picture, Variance, Why
from skmm_core.diagnostics import QUANTITIES
from skmm_core.report import ACCENTS, Style

HEIGHT = 330
SMART = Style(CHOSEN_COLOUR, "diamond", "solid")
RANDOM = Style(OKABE_ITO["blue"], "circle-open", "dot")
_ERROR = QUANTITIES["signal_error"].label
Picks = Sequence[tuple[str, np.ndarray, Style]]


def plane_figure(picture: Picture, picks: Picks, *, reach: float | None = None) -> go.Figure:
    """Draw a pool in the plane, muted and with a shape a cluster, and selections on top.

    Args:
        picture: the pool.
        picks: name, rows and look of each selection.
        reach: half the width of the axes; None fits the points.
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
    ends = None if reach is None else [-reach, reach]
    figure.update_layout(
        xaxis={"title": "direction 1", "range": ends},
        yaxis={"title": "direction 2", "range": ends, "scaleanchor": "x" if reach is None else None},
    )
    return figure


def why_lesson(why: Why) -> Lesson:
    """Step 1: the same number of labels, chosen or drawn at random."""
    mean = float(why.errors.mean())
    missed = int(why.missed.sum())
    cost = _cost(why)
    sentence = (
        f"With {plural(why.budget, 'label')} of {sum(why.picture.sizes)}, random picks miss **{percent(mean)}** of the "
        f"signal on average; SkMM's picks miss **{percent(why.smart.error)}**. **{missed} of {RANDOM_DRAWS}** random "
        f"draws hold no point of the small cluster. {cost}"
    )
    counts = f"SkMM takes {why.smart.counts[0]} and {why.smart.counts[1]}, this random draw "
    counts += f"{why.random.counts[0]} and {why.random.counts[1]} points of the two clusters."
    picks = (("random", why.random.rows, RANDOM), ("SkMM", why.smart.rows, SMART))
    return Lesson(
        str(why.budget),
        {"the random picks' error": mean, "SkMM's error": why.smart.error},
        sentence,
        (
            Panel("Which points", plane_figure(why.picture, picks), f"Two clusters of points. {counts}"),
            Panel("Error against budget", _budget_figure(why), f"Error falls with the budget. {sentence}"),
            Panel("Luck of the draw", _luck_figure(why), f"Errors of {RANDOM_DRAWS} random draws. {sentence}"),
        ),
    )


def _cost(why: Why) -> str:
    if why.needed is None:
        return f"Up to {max(BUDGETS)} labels, random picks do not get as low on average."
    if why.needed <= why.budget:
        return "At this budget random picks are as good."
    return f"To be as good on average, random picks need **{why.needed}** labels."


def _budget_figure(why: Why) -> go.Figure:
    figure = go.Figure()
    low, high = 100 * np.quantile(why.curve_random, (0.1, 0.9), axis=0)
    mean = 100 * why.curve_random.mean(axis=0)
    band = {"color": RANDOM.colour, "width": 0}
    figure.add_scatter(x=BUDGETS, y=high, mode="lines", line=band, showlegend=False, hoverinfo="skip")
    figure.add_scatter(
        x=BUDGETS, y=low, mode="lines", line=band, fill="tonexty", fillcolor=faded(RANDOM.colour, 0.18),
        name="8 of 10 draws", hoverinfo="skip",
    )  # fmt: skip
    for name, values, style in (("random", mean, RANDOM), ("SkMM", 100 * why.curve, SMART)):
        line = {"color": style.colour, "dash": style.dash, "width": 2.5}
        hover = "n = %{x}: %{y:.2g} %"
        figure.add_scatter(x=BUDGETS, y=values, mode="lines", line=line, name=name, hovertemplate=hover)
        place = BUDGETS.index(why.budget)
        marker = {"color": style.colour, "symbol": style.symbol, "size": 12, "line": {"width": 2}}
        figure.add_scatter(
            x=[why.budget], y=[values[place]], mode="markers", marker=marker, showlegend=False, hoverinfo="skip"
        )
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "labels n", "type": "log", "tickvals": (2, 4, 8, 16, 32, 64)},
        yaxis={"title": _ERROR, "type": "log", "tickvals": (0.5, 1, 2, 5, 10, 20, 50)},
    )
    return figure


def _luck_figure(why: Why) -> go.Figure:
    figure = go.Figure()
    bins = {"start": 0, "end": 40, "size": 2}
    for name, errors, colour, pattern in (
        ("sees both clusters", why.errors[~why.missed], RANDOM.colour, ""),
        ("misses the small one", why.errors[why.missed], OKABE_ITO["orange"], "/"),
    ):
        marker = {"color": colour, "pattern": {"shape": pattern}}
        figure.add_histogram(x=100 * errors, xbins=bins, marker=marker, name=name)
    place = [100 * why.smart.error] * 2
    line = {"color": SMART.colour, "width": 3, "dash": "dash"}
    figure.add_scatter(x=place, y=[0, RANDOM_DRAWS], mode="lines", line=line, name="SkMM", hovertemplate="%{x:.2g} %")
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        barmode="stack",
        bargap=0.08,
        xaxis={"title": _ERROR, "range": [0, 40]},
        yaxis={"title": "random draws", "range": [0, RANDOM_DRAWS]},
    )
    return figure


def variance_lesson(variance: Variance) -> Lesson:
    """Step 2: few points in a direction make its slope shaky."""
    first, second = HAND_BUDGET - variance.side, variance.side
    best = int(variance.curve.argmin()) + 1
    shaky = "second" if variance.sd[1] > variance.sd[0] else "first"
    sentence = (
        f"With {plural(first, 'point')} in direction 1 and {second} in direction 2, noise alone moves the two slopes "
        f"by ± **{fmt_number(variance.sd[0], 2)}** and ± **{fmt_number(variance.sd[1], 2)}**: the {shaky} is the "
        f"shakier. Variance is lowest with {best} points in direction 2; SkMM, which sees no labels, puts "
        f"{variance.own} there."
    )
    figure = plane_figure(variance.picture, (("chosen", variance.outcome.rows, SMART),))
    return Lesson(
        str(second),
        {"variance": variance.outcome.variance, "bias": variance.outcome.bias},
        sentence,
        (
            Panel("Which points", figure, f"Two clusters on two axes; {first} and {second} points are chosen."),
            Panel("Slopes found on fresh labels", _slopes_figure(variance), f"A cloud of fitted slopes. {sentence}"),
            Panel("Variance against the split", _split_figure(variance), f"A valley-shaped curve. {sentence}"),
        ),
    )


def _slopes_figure(variance: Variance) -> go.Figure:
    figure = go.Figure()
    x, y = variance.slopes.T
    marker = {"color": ACCENTS["variance"], "size": 5, "opacity": 0.6}
    figure.add_scatter(
        x=x, y=y, mode="markers", marker=marker, name=f"{len(x)} sets of labels", hovertemplate="%{x:.2f}, %{y:.2f}"
    )
    cross = {"symbol": "cross", "size": 13, "color": OKABE_ITO["blue"], "line": {"width": 1, "color": "white"}}
    figure.add_scatter(x=[variance.truth[0]], y=[variance.truth[1]], mode="markers", marker=cross, name="truth")
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "slope in direction 1", "range": [-0.3, 2.3]},
        yaxis={"title": "slope in direction 2", "range": [-0.3, 2.3]},
    )
    return figure


def _split_figure(variance: Variance) -> go.Figure:
    counts = np.arange(1, len(variance.curve) + 1)
    figure = go.Figure()
    line = {"color": ACCENTS["variance"], "width": 2.5}
    figure.add_scatter(
        x=counts, y=100 * variance.curve, mode="lines", line=line, name="variance", hovertemplate="%{x}: %{y:.2g} %"
    )
    for name, count, style in (
        ("yours", variance.side, SMART),
        ("SkMM's split", variance.own, Style(OKABE_ITO["blue"], "circle-open", "dot")),
    ):
        marker = {"color": style.colour, "symbol": style.symbol, "size": 13, "line": {"width": 2}}
        figure.add_scatter(x=[count], y=[100 * variance.curve[count - 1]], mode="markers", marker=marker, name=name)
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": f"points in direction 2, of {HAND_BUDGET}", "dtick": 1},
        yaxis={"title": QUANTITIES["signal_variance"].label, "rangemode": "tozero"},
    )
    return figure


def bias_lesson(bias: Bias) -> Lesson:
    """Step 3: a direction that was never seen."""
    last = bias.budgets[-1]
    share = float(bias.bias_curve[-1])
    small = bias.picture.cluster == 1
    said, true = float(bias.mean[small].mean()), float(bias.truth[small].mean())
    sentence = (
        f"With **{plural(bias.seen, 'point')}** from the small cluster, the fit says {fmt_number(said, 2)} there on "
        f"average; the truth is {fmt_number(true, 2)}. Going from {bias.budgets[0]} to {last} labels, all from the "
        f"large cluster, takes bias from {percent(bias.bias_curve[0])} to **{percent(share)}** and variance from "
        f"{percent(bias.variance_curve[0])} to {percent(bias.variance_curve[-1])}."
    )
    figure = plane_figure(bias.picture, (("chosen", bias.outcome.rows, SMART),))
    counts = f"{bias.outcome.counts[0]} points of the large and {bias.outcome.counts[1]} of the small cluster"
    return Lesson(
        str(bias.seen),
        {"bias": bias.outcome.bias, "variance": bias.outcome.variance},
        sentence,
        (
            Panel("Which points", figure, f"A large and a small cluster on two axes; chosen are {counts}."),
            Panel("What the fit says", _prediction_figure(bias), f"Predictions against the truth. {sentence}"),
            Panel("More of the same points", _more_figure(bias), f"Bias and variance against labels. {sentence}"),
        ),
    )


def _prediction_figure(bias: Bias) -> go.Figure:
    figure = go.Figure()
    ends = [-0.4, 2.6]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", line={"color": POOL_COLOUR, "width": 1.5, "dash": "dash"}, name="truth",
        hoverinfo="skip",
    )  # fmt: skip
    names = ("large cluster", "small cluster")
    for cluster, (name, colour) in enumerate(zip(names, (OKABE_ITO["blue"], OKABE_ITO["orange"]), strict=True)):
        rows = bias.picture.cluster == cluster
        spread = {"type": "data", "array": bias.sd[rows], "thickness": 0.7, "width": 0}
        marker = {"color": colour, "symbol": CLASS_SYMBOLS[cluster], "size": 6, "opacity": 0.8}
        figure.add_scatter(
            x=bias.truth[rows], y=bias.mean[rows], error_y=spread, mode="markers", marker=marker, name=name,
            hovertemplate="truth %{x:.2f}: says %{y:.2f}",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "truth", "range": [-0.2, 2.2]}, yaxis={"title": "prediction ± sd", "range": ends}
    )
    return figure


def _more_figure(bias: Bias) -> go.Figure:
    figure = go.Figure()
    for name, values, dash, symbol in (
        ("bias", bias.bias_curve, "dash", "circle"),
        ("variance", bias.variance_curve, "dot", "square"),
    ):
        figure.add_scatter(
            x=bias.budgets, y=100 * values, mode="lines+markers", name=name,
            line={"color": ACCENTS[name], "width": 2.5, "dash": dash}, marker={"symbol": symbol, "size": 8},
            hovertemplate="n = %{x}: %{y:.2g} %",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "labels, all added in the large cluster", "type": "log", "tickvals": bias.budgets},
        yaxis={"title": _ERROR, "range": [0, 24]},
    )
    return figure
