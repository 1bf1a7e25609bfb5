"""The end of the Learn page: the visitor's own clusters, and two methods that pick from them."""

from typing import Any

import streamlit as st

from dashboard.components.learn.playground_figures import RANDOM, SMART, counts_figure, error_figure, plane_figure
from dashboard.components.learn.scene import percent
from dashboard.components.shared.answered_chart import Panel, plain
from dashboard.components.shared.theme import POOL_COLOUR, chart, columns, error_line, plural
from dashboard.services.playground import (
    DIM,
    MAX_CLUSTERS,
    MAX_SIZE,
    REACH,
    START,
    Played,
    Spot,
    label_free,
    play,
    read_spots,
    write_spots,
)

_BIND: Any = "query-params"
_LINK, _KEPT = "clusters", "learn:spots"
_CELL = 0.25
_DIMS = (1, 2, 4, 8, 16, 32)
_MOST = 40
_KNOB_PIXELS, _PANEL_PIXELS = 190, 330
_SIZE, _X, _Y = "learn:size", "learn:x", "learn:y"


def snapped(x: float, y: float, size: int) -> Spot:
    """A cluster at the nearest crossing of the grid, within reach."""
    near = [max(-REACH, min(REACH, round(value / _CELL) * _CELL)) + 0.0 for value in (x, y)]
    return Spot(near[0], near[1], size)


def playground_words(first: str, second: str, played: Played, budget: int) -> str:
    """Say how both methods did: bias, variance, and the risk, which is their sum."""
    parts = [
        f"**{name}** has a risk of **{percent(found.error)}** (bias {percent(found.bias)}, variance "
        f"{percent(found.variance)}; {' / '.join(str(count) for count in found.counts)} points by cluster)"
        for name, found in zip((first, second), played.outcomes, strict=True)
    ]
    return f"With {plural(budget, 'label')}: {'; '.join(parts)}."


def _spots() -> tuple[Spot, ...]:
    """The clusters of the link, else those of this visit."""
    text = st.query_params.get(_LINK)
    if text:
        found = read_spots(text)
        if found is None:
            error_line(f"The link's clusters cannot be read; write up to {MAX_CLUSTERS} as x,y,points;x,y,points")
        else:
            st.session_state[_KEPT] = found
    kept: tuple[Spot, ...] = st.session_state.get(_KEPT, START)
    return kept


def _keep(spots: tuple[Spot, ...]) -> None:
    st.session_state[_KEPT] = spots
    st.query_params[_LINK] = write_spots(spots)


def _add(spot: Spot) -> None:
    spots = st.session_state.get(_KEPT, START)
    if len(spots) < MAX_CLUSTERS:
        _keep((*spots, spot))


def _clicked(key: str) -> None:
    points = st.session_state[key].selection.points
    if points:
        _add(snapped(points[0]["x"], points[0]["y"], st.session_state[_SIZE]))


def _typed() -> None:
    _add(snapped(st.session_state[_X], st.session_state[_Y], st.session_state[_SIZE]))


def _map(played: Played, names: tuple[str, str], *, clicks: str, large: bool) -> None:
    """The pool with both selections; a click on it adds a cluster."""
    looks = zip(names, played.outcomes, (SMART, RANDOM), strict=True)
    picks = [(name, found.rows, style) for name, found, style in looks]
    figure = plane_figure(played.picture, picks, reach=REACH + 0.3)
    steps = [step * _CELL for step in range(-round(REACH / _CELL), round(REACH / _CELL) + 1)]
    figure.add_scatter(
        x=[x for x in steps for _ in steps], y=[y for _ in steps for y in steps], mode="markers", showlegend=False,
        marker={"size": 12, "color": POOL_COLOUR, "opacity": 0.07, "symbol": "square"},
        hovertemplate="Click: a cluster at %{x}, %{y}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(dragmode=False, clickmode="event+select", height=420, font={"size": 17 if large else 12})
    alt = f"A map of {len(played.picture.sizes)} clusters; click on it, or use the fields beside it, to add one."
    chart(figure, key=clicks, alt=alt, on_select=lambda: _clicked(clicks), selection_mode="points")


def _builder(spots: tuple[Spot, ...]) -> None:
    """Fields that add and remove clusters, for those who do not click."""
    full = len(spots) >= MAX_CLUSTERS
    st.slider("Points of the next cluster", 1, MAX_SIZE, 20, key=_SIZE, persist_state="page")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limits: dict[str, Any] = {"min_value": -REACH, "max_value": REACH, "step": _CELL, "width": 130}
        st.number_input("x", value=-1.0, key=_X, **limits)
        st.number_input("y", value=1.0, key=_Y, **limits)
        st.button("Add cluster", icon=":material/add:", on_click=_typed, disabled=full)
    with st.container(horizontal=True):
        st.button("Remove the last", on_click=_keep, args=(spots[:-1],), disabled=len(spots) < 2)
        st.button("Start over", on_click=_keep, args=(START,), disabled=spots == START)
    if full:
        st.caption(f"{MAX_CLUSTERS} clusters are the most.")


def _knobs(size: int) -> tuple[float, int, int, tuple[str, str], int]:
    """Noise, budget, sketch size, the keys of two methods, and the number of the draw."""
    titles = {title: key for key, title in label_free().items()}
    names = list(titles)
    grid = st.grid(2, min_column_width=_KNOB_PIXELS)
    behind = f"The plane lies in {DIM} dimensions; the methods see them through a random map to m."
    luck = "Another draw of the random map, and of the methods that pick with luck."
    first = grid.selectbox("First method", names, index=names.index("SkMM"), key="first", bind=_BIND)
    second = grid.selectbox("Second method", names, index=names.index("Uniform"), key="second", bind=_BIND)
    noise = grid.slider("Noise of the labels σ", 0.1, 2.0, 0.5, 0.1, key="noise", bind=_BIND)
    asked = grid.slider("Budget: labels n", 1, _MOST, 8, key="budget", bind=_BIND)
    dim = grid.select_slider("Sketch size m", _DIMS, value=8, key="dim", bind=_BIND, help=behind)
    draw = grid.slider("Draw", 1, 20, 1, key="draw", bind=_BIND, help=luck)
    return noise, min(asked, size), dim, (titles[first], titles[second]), draw


def _draw_panels(panels: tuple[Panel, ...], *, large: bool) -> None:
    """Draw views side by side, below each other in a narrow window."""
    grid = st.grid(len(panels), min_column_width=_PANEL_PIXELS, gap="medium")
    for number, panel in enumerate(panels):
        with grid.cell():
            st.markdown(f"**{panel.title}**")
            panel.figure.update_layout(font={"size": 15 if large else 12})
            chart(panel.figure, key=f"learn:Playground:{number}", alt=plain(panel.alt))


@st.fragment
def draw_playground(*, large: bool) -> None:
    """Draw the playground.

    Args:
        large: larger letters, for a room.
    """
    spots = _spots()
    left, right = columns([1, 1.25], key="learn-playground", gap="large")
    with left:
        noise, budget, dim, methods, draw = _knobs(sum(spot.size for spot in spots))
        _builder(spots)
    played = play(spots, noise, budget, dim, methods, seed=draw - 1)
    titles = label_free()
    # two equal names would fall on one bar
    names = (titles[methods[0]], titles[methods[1]] + (" (2)" if methods[0] == methods[1] else ""))
    words = playground_words(*names, played, budget)
    with right:
        st.markdown("**Click on the map to add a cluster**")
        # A new key with every cluster: the click that made it is over.
        _map(played, names, clicks=f"learn:map:{write_spots(spots)}", large=large)
        st.markdown(words)
    outcomes = dict(zip(names, played.outcomes, strict=True))
    counts = {name: found.counts for name, found in outcomes.items()}
    _draw_panels(
        (
            Panel("Risk: bias and variance together", error_figure(outcomes), words),
            Panel("Points taken from each cluster", counts_figure(counts, played.picture), words),
        ),
        large=large,
    )
    st.caption(
        "Risk is the expected squared error over all points, in % of the signal. Methods that need labels or a trained "
        "head are left out: their picks would change with every draw of the noise. "
        "Try: put 2 points far out, and see who finds them. Set m to 1: a direction is lost. Raise the noise: variance "
        "grows, bias does not care. Make all clusters alike: is choosing still worth it?"
    )
