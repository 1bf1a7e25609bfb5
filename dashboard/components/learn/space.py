"""Steps 4 and 5 of the Learn page, texts and figures, on pools in many dimensions: sketching, and SkMM itself."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.components.learn.lesson import Lesson, percent
from dashboard.components.learn.plane import HEIGHT, SMART
from dashboard.components.shared.answered_chart import Panel
from dashboard.components.shared.theme import GRID, INK, OKABE_ITO, POOL_COLOUR, figure_layout
from dashboard.services.learn_results import DIMS, FEW, MAPS, REDRAWS, Balance, Outcome, Picture, Sketched
from skmm_core.diagnostics import QUANTITIES
from skmm_core.report import ACCENTS

_AXES = ("axis 1", "axis 2", "axis 3")
_AXIS_ENDS = (1.6, 2.5, 1.15)  # beyond the points, so that the names of the axes stand free
_SOLID_SYMBOLS = ("circle", "square", "diamond")
_CLUSTER_COLOURS = tuple(OKABE_ITO[name] for name in ("blue", "orange", "green", "purple", "vermillion", "sky"))


def sketch_lesson(found: Sketched) -> Lesson:
    """Step 4: a random map to few dimensions keeps what matters."""
    kept, full = float(found.energy_sketched[:3].sum()), float(found.energy[:3].sum())
    sentence = (
        f"Behind a random map from {found.full_dim} to **{found.dim}** dimensions, squared distances are off by "
        f"**{percent(found.distortion)}** (root mean square); theory says √(2/m) = {percent((2 / found.dim) ** 0.5)} "
        f"on average over maps. The three strongest directions held {percent(full)} of the energy and now hold "
        f"{percent(kept)}. {FEW} points chosen behind the map leave an error of **{percent(found.error)}**, chosen in "
        f"all {found.full_dim} dimensions {percent(found.error_full)}."
    )
    return Lesson(
        str(found.dim),
        {"the distortion": found.distortion, "the error of the points chosen": found.error},
        sentence,
        (
            Panel("Distances, before and behind", _distance_figure(found), f"A cloud around the diagonal. {sentence}"),
            Panel("Distortion against m", _distortion_figure(found), f"A falling line on two log axes. {sentence}"),
            Panel("Energy by direction", _energy_figure(found), f"Bars of the strongest directions. {sentence}"),
        ),
    )


def _distance_figure(found: Sketched) -> go.Figure:
    figure = go.Figure()
    top = 1.05 * float(found.before.max())
    dash = {"color": POOL_COLOUR, "width": 1.5, "dash": "dash"}
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", line=dash, name="unchanged", hoverinfo="skip")
    marker = {"color": OKABE_ITO["blue"], "size": 4, "opacity": 0.55}
    figure.add_scatter(
        x=found.before, y=found.after, mode="markers", marker=marker, name="pairs of points",
        hovertemplate="%{x:.2f} → %{y:.2f}",
    )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": f"distance in {found.full_dim} dimensions", "range": [0, top]},
        yaxis={"title": f"in {found.dim} dimensions", "range": [0, 1.7 * top]},
    )
    return figure


def _distortion_figure(found: Sketched) -> go.Figure:
    figure = go.Figure()
    theory = 100 * np.sqrt(2 / np.array(DIMS))
    dash = {"color": POOL_COLOUR, "width": 2, "dash": "dash"}
    figure.add_scatter(x=DIMS, y=theory, mode="lines", line=dash, name="√(2/m)", hovertemplate="m = %{x}: %{y:.3g} %")
    marker = {"color": OKABE_ITO["blue"], "size": 8, "symbol": "circle-open", "line": {"width": 2}}
    figure.add_scatter(
        x=DIMS, y=100 * found.distortions, mode="markers", marker=marker, name=f"over {MAPS} maps",
        hovertemplate="m = %{x}: %{y:.3g} %",
    )  # fmt: skip
    now = {"color": SMART.colour, "size": 13, "symbol": SMART.symbol}
    figure.add_scatter(x=[found.dim], y=[100 * found.distortion], mode="markers", marker=now, name="this map")
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        xaxis={"title": "sketch size m", "type": "log", "tickvals": DIMS},
        yaxis={"title": "distortion, %", "type": "log", "tickvals": (5, 10, 20, 50, 100), "range": [0.7, 2.2]},
    )
    return figure


def _energy_figure(found: Sketched) -> go.Figure:
    figure = go.Figure()
    for name, shares, colour, pattern in (
        ("before", found.energy, POOL_COLOUR, ""),
        ("behind the map", found.energy_sketched, OKABE_ITO["blue"], "/"),
    ):
        figure.add_bar(
            x=np.arange(1, len(shares) + 1), y=100 * shares, name=name,
            marker={"color": colour, "pattern": {"shape": pattern}}, hovertemplate="direction %{x}: %{y:.3g} %",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    figure.update_layout(
        barmode="group",
        xaxis={"title": "direction, strongest first", "dtick": 1},
        yaxis={"title": "% of the energy", "range": [0, 100]},
    )
    return figure


def balance_lesson(balance: Balance, picker: str, *, dark: bool = False) -> Lesson:
    """Step 5: bias reduction, variance reduction, and both."""
    outcome = balance.outcomes[picker]
    best = min(balance.outcomes, key=lambda name: balance.outcomes[name].error)
    errors = ", ".join(f"{name} {percent(found.error)}" for name, found in balance.outcomes.items())
    mean = " / ".join(f"{value:.1f}" for value in balance.redrawn[picker])
    taken = _chosen_counts(balance)
    said = ", ".join(f"{name} {_counts(found)}" for name, found in balance.outcomes.items())
    unseen = [str(axis + 1) for axis, count in enumerate(outcome.counts) if not count]
    never = f" It never sees axis {' or '.join(unseen)}: that is the bias." if unseen else ""
    sentence = (
        f"**{picker}** takes **{_counts(outcome)}** of the {_sizes(balance.picture)} points.{never} "
        f"Errors: {errors}; lowest here: **{best}**. One pool proves little: over {REDRAWS} redrawn pools "
        f"{picker} takes {mean} on average."
    )
    return Lesson(
        picker,
        {"bias": outcome.bias, "variance": outcome.variance},
        sentence,
        (
            Panel("Three axes: drag to turn", _space_figure(balance, outcome, dark=dark), sentence),
            Panel("Points taken from each cluster", counts_figure(taken, balance.picture), f"Groups of bars. {said}."),
            Panel("Bias and variance", error_figure(balance.outcomes, now=picker), f"Stacked bars. Errors: {errors}."),
        ),
    )


def _counts(outcome: Outcome) -> str:
    return " / ".join(str(count) for count in outcome.counts)


def _sizes(picture: Picture) -> str:
    return " / ".join(str(size) for size in picture.sizes)


def _chosen_counts(balance: Balance) -> dict[str, Sequence[int]]:
    return {name: outcome.counts for name, outcome in balance.outcomes.items()}


def _space_figure(balance: Balance, outcome: Outcome, *, dark: bool) -> go.Figure:
    figure = go.Figure()
    points, cluster = balance.picture.points, balance.picture.cluster
    # Few traces: the browser compiles programs for each of them anew whenever the picture changes.
    x, y, z = points.T
    colours, symbols = ([of[number] for number in cluster.tolist()] for of in (_CLUSTER_COLOURS, _SOLID_SYMBOLS))
    marker = {"color": colours, "size": 4, "opacity": 0.6, "symbol": symbols}
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, showlegend=False, hoverinfo="skip")
    x, y, z = points[outcome.rows].T
    outline = {"color": INK[dark], "width": 2}
    marker = {"color": SMART.colour, "size": 7, "symbol": SMART.symbol, "line": outline}
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=marker, name=f"{FEW} chosen", hoverinfo="skip")
    ends = np.eye(3) * _AXIS_ENDS
    x, y, z = np.stack([np.zeros_like(ends), ends], axis=1).reshape(-1, 3).T  # out along each axis and back
    figure.add_scatter3d(
        x=x, y=y, z=z, mode="lines+text", line={"color": INK[dark], "width": 3}, showlegend=False, hoverinfo="skip",
        text=[text for name in _AXES for text in ("", name)], textfont={"color": INK[dark]},
    )  # fmt: skip
    wall = {"showbackground": False, "gridcolor": GRID[dark], "showticklabels": False, "title": "", "zeroline": False}
    figure_layout(figure, height=HEIGHT + 40)
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 24, "b": 0},
        uirevision="learn",  # the visitor's turn of the picture outlives a change of the picker
        scene={
            "xaxis": wall, "yaxis": wall, "zaxis": wall, "aspectmode": "data",
            "camera": {"eye": {"x": 1.45, "y": 1.2, "z": 0.85}, "center": {"x": 0, "y": 0, "z": -0.12}},
        },
    )  # fmt: skip
    return figure


def _broken(names: Iterable[str]) -> list[str]:
    """Names of bars, a word a line, so that they stay level."""
    return [name.replace(" ", "<br>") for name in names]


def counts_figure(chosen: Mapping[str, Sequence[int]], picture: Picture) -> go.Figure:
    """Draw how many points each selection takes from each cluster, a group of bars a selection."""
    figure = go.Figure()
    patterns = ("", "/", "x", ".", "\\", "-")
    for cluster, size in enumerate(picture.sizes):
        counts = [taken[cluster] for taken in chosen.values()]
        figure.add_bar(
            x=_broken(chosen), y=counts, name=f"cluster {cluster + 1} ({size})", text=counts,
            textposition="outside", cliponaxis=False,
            marker={"color": _CLUSTER_COLOURS[cluster], "pattern": {"shape": patterns[cluster]}},
            hovertemplate=f"%{{x}}: %{{y}} of {size}",
        )  # fmt: skip
    figure_layout(figure, height=HEIGHT)
    highest = max(max(taken) for taken in chosen.values())
    figure.update_layout(barmode="group", yaxis={"title": "points chosen", "range": [0, 1.15 * highest + 0.2]})
    return figure


def error_figure(outcomes: Mapping[str, Outcome], *, now: str | None = None) -> go.Figure:
    """Draw bias and variance of selections as stacked bars; all but the present one are faded."""
    figure = go.Figure()
    opacity = [1.0 if now in (None, name) else 0.45 for name in outcomes]
    for name, pattern in (("bias", ""), ("variance", "/")):
        values = [100 * getattr(outcome, name) for outcome in outcomes.values()]
        figure.add_bar(
            x=_broken(outcomes), y=values, name=name, hovertemplate=f"%{{x}}: {name} %{{y:.2g}} %",
            marker={"color": ACCENTS[name], "pattern": {"shape": pattern}, "opacity": opacity},
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
