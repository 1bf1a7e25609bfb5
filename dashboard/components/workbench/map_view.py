"""The map of the workbench: its controls, its layout with UMAP in the background, and the figure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.components.shared.map.figure import colour_options, map_alt, map_figure, map_note
from dashboard.components.shared.theme import chart, escape, fmt_percent, fmt_seconds, is_dark
from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.desk import desk
from dashboard.services.pool_columns import Numbers
from dashboard.services.sources import check_allowed
from dashboard.services.umap import cancel_umap, start_umap, umap_state
from skmm_core.errors import InputError

PCA, UMAP, SKETCH = "PCA", "UMAP", "Sketch"
_KINDS_HELP = (
    "UMAP: neighbours stay neighbours; computed in the background. PCA: the two directions in which points vary most. "
    "Sketch: directions of the sketched gradients, in which moments are matched; strongest first."
)
_BY_ITSELF = 20_000  # points up to which UMAP is begun without being asked for
_COLOUR_PIXELS, _PAIR_PIXELS, HEIGHT = 200, 120, 600
_BATCH = "batch"
_OF_FILE = "column: "


@dataclass(frozen=True)
class MapLook:
    """What a visitor chose.

    Attributes:
        colour: column of the points.
        title: its name.
        axes: columns of the points with the coordinates.
        points: with these columns.
    """

    colour: str
    title: str
    axes: tuple[str, str]
    points: pd.DataFrame


def map_view(bench: Bench, shown: np.ndarray) -> MapLook:
    """Draw the map.

    Args:
        bench: everything of the pool.
        shown: (N,) bool, points that pass the filters; others are faint.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="controls"):
        colour, title, points = _colour(bench)
        kind, pair = _kind(bench, points)
    axes, points = _placed(bench, points, kind, pair)
    look = MapLook(colour, title, axes, points)
    held = desk(bench.fingerprint)
    figure = map_figure(
        points,
        budget=bench.budget,
        colour=colour,
        axes=axes,
        title=title,
        pinned=bench.where.positions("pinned"),
        barred=bench.where.positions("barred"),
        shown=None if shown.all() else shown,
        dark=is_dark(),
        height=HEIGHT,
    )
    figure.update_layout(clickmode="event", selectionrevision=held.cleared)
    _marked(figure, held.marks, held.hidden)
    alt = map_alt(points, bench.budget, title, axes[0].split("_")[0].upper())
    chart(figure, key=chart_key(bench), alt=alt, name=f"map-{bench.record.id}" if bench.record else None)
    st.caption(map_note(points, bench.whole_size))
    return look


def chart_key(bench: Bench) -> str:
    """Key of the map's chart."""
    return f"map-{bench.key}"


def direction_pairs(points: pd.DataFrame) -> list[tuple[str, str]]:
    """Neighbouring directions of the sketch that the run kept, strongest first: such as (sketch_1, sketch_2)."""
    kept = sum(1 for column in points.columns if column.startswith("sketch_"))
    return [(f"sketch_{j}", f"sketch_{j + 1}") for j in range(1, kept, 2)]


def _pair_text(pair: tuple[str, str]) -> str:
    return " and ".join(name.removeprefix("sketch_") for name in pair)


def _marked(figure: go.Figure, marks: tuple[int, ...], hidden: tuple[str, ...]) -> None:
    for trace in figure.data:
        if marks and trace.customdata is not None:
            trace.selectedpoints = np.flatnonzero(np.isin(trace.customdata, marks)).tolist()
        if trace.legendgroup in hidden:
            trace.visible = "legendonly"


def _colour(bench: Bench) -> tuple[str, str, pd.DataFrame]:
    """Column of the points that gives the colour, its name, and the points with it."""
    points = bench.points
    options = colour_options(points) if bench.record else {
        key: name for key, name in colour_options(points).items() if key != "chosen" or len(colour_options(points)) == 1
    }  # fmt: skip
    if len(np.unique(bench.where.batch)) > 1:
        options[_BATCH] = "Batch"
    columns = bench.columns.all
    options |= {f"{_OF_FILE}{name}": name for name, of in columns.items() if isinstance(of, Numbers) or of.few}
    key = f"{bench.key}:colour"
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    picked = st.selectbox("Colour", list(options), format_func=options.__getitem__, key=key, width=_COLOUR_PIXELS)
    title = options[picked]
    if picked == _BATCH:
        names = pd.Series([f"batch {number}" if number else None for number in bench.where.batch.tolist()])
        return "label", title, points.assign(label=names)
    if not picked.startswith(_OF_FILE):
        return picked, title, points
    column = columns[picked.removeprefix(_OF_FILE)]
    if isinstance(column, Numbers):
        return "column", title, points.assign(column=column.values)
    return "label", title, points.assign(label=column.values.to_pandas())


def _kind(bench: Bench, points: pd.DataFrame) -> tuple[str, tuple[str, str] | None]:
    """Which map is asked for, and the directions of a sketch where it is one of these."""
    pairs = direction_pairs(points)
    kinds = [*([UMAP] if bench.dataset is not None else []), PCA, *([SKETCH] if pairs else [])]
    kind = st.segmented_control(
        "Map", kinds, default=kinds[0], required=True, key=f"{bench.key}:kind", help=_KINDS_HELP, width="content"
    )
    pair = pairs[0] if pairs else None
    if kind == SKETCH and len(pairs) > 1:
        number = st.selectbox(
            "Directions",
            range(len(pairs)),
            format_func=lambda place: _pair_text(pairs[place]),
            key=f"{bench.key}:pair",
            width=_PAIR_PIXELS,
        )
        pair = pairs[number]
    return kind or PCA, pair


def _placed(
    bench: Bench, points: pd.DataFrame, kind: str, pair: tuple[str, str] | None
) -> tuple[tuple[str, str], pd.DataFrame]:
    """Columns with the coordinates, and the points with them; PCA's while UMAP's are not there."""
    if kind == SKETCH and pair is not None:
        return pair, points
    places = _umap(bench) if kind == UMAP else None
    if places is None:
        return ("pca_1", "pca_2"), points
    return ("umap_1", "umap_2"), points.assign(umap_1=places[:, 0], umap_2=places[:, 1])


def _umap(bench: Bench) -> np.ndarray | None:
    """The layout when it is there; else a line that says how far it is."""
    found = umap_state(bench.fingerprint, bench.size)
    if found.places is None:
        st.session_state.pop(_opened(bench), None)  # a run of the whole page says nothing of a browser behind it
        _wait(bench)
    return found.places


def _opened(bench: Bench) -> str:
    return f"{bench.key}:umap-seen"


@st.fragment(run_every="2s")
def _wait(bench: Bench) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{bench.key}-umap"):
        _said(bench)


def _said(bench: Bench) -> None:
    """PCA is shown while UMAP is computed; it begins by itself when a browser that shows a small pool asks again."""
    found = umap_state(bench.fingerprint, bench.size)
    if found.places is not None:
        st.rerun(scope="app")
    elif found.running:
        done = "" if found.fraction is None else f" {fmt_percent(found.fraction)}"
        left = "" if found.eta is None else f", about {fmt_seconds(max(1, round(found.eta)))} left"
        st.caption(f":material/hourglass_top: UMAP{done}{left}; PCA until then.", width="content")
        if st.button("Cancel", key=f"{bench.key}:umap-cancel", type="tertiary", icon=":material/stop_circle:"):
            cancel_umap(bench.fingerprint)
            st.rerun(scope="app")
    elif found.problem:
        st.caption(f":material/error: No UMAP map: {escape(found.problem)}. PCA is shown.", width="content")
        if st.button("Try again", key=f"{bench.key}:umap-again", type="tertiary", icon=":material/replay:"):
            _start(bench)
    elif bench.size > _BY_ITSELF:
        st.caption("UMAP takes minutes for so many points; PCA is shown.", width="content")
        if st.button("Compute UMAP", key=f"{bench.key}:umap-start", type="tertiary", icon=":material/play_arrow:"):
            _start(bench)
    elif _opened(bench) in st.session_state:  # the same page asked again: only an open browser does
        _start(bench)
    else:
        st.session_state[_opened(bench)] = True
        st.caption(":material/hourglass_top: UMAP follows; PCA until then.", width="content")


def _start(bench: Bench) -> None:
    try:
        check_allowed(bench.config)
        start_umap(bench.config, bench.fingerprint)
    except (InputError, OSError) as error:
        st.caption(f":material/error: No UMAP map: {escape(str(error))}")
