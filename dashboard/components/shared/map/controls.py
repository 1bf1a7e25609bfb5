"""What stands above a map: the budget slider, the colour, the axes; and the columns that these ask for."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.components.shared.map.figure import colour_options
from dashboard.components.shared.theme import escape
from dashboard.services import cache
from dashboard.services.sources import check_allowed
from dashboard.services.umap import start_umap, umap_state
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord

PCA, UMAP, SKETCH = "PCA", "UMAP", "Sketch"
COLUMN = "column"  # of the points: the column of the dataset that the map is coloured by
_SLIDER_PIXELS, _COLOUR_PIXELS, _PAIR_PIXELS = 330, 215, 130
_KINDS_HELP = (
    "PCA: the two directions in which the points vary most. UMAP: neighbours stay neighbours; computed on demand. "
    "Sketch: directions of the sketched gradients, in which moments are matched; strongest first."
)


@dataclass(frozen=True)
class Choice:
    """What a visitor chose above the map.

    Attributes:
        budget: how many of the chosen points count, in pick order.
        colour: column of the points.
        title: its name.
        axes: columns of the points with the coordinates.
    """

    budget: int
    colour: str
    title: str
    axes: tuple[str, str]


def map_controls(record: RunRecord, points: pd.DataFrame, total: int) -> tuple[Choice, pd.DataFrame]:
    """Draw the controls; returns what was chosen, and the points with the columns that it needs."""
    options = colour_options(points) | {COLUMN: "A column of the data…"}
    pairs = direction_pairs(points)
    kinds = (PCA, UMAP, SKETCH) if pairs else (PCA, UMAP)
    budget, pair = total, pairs[0] if pairs else ("pca_1", "pca_2")
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="controls"):
        if total > 1:
            budget = st.slider(
                "Budget, in pick order",
                1,
                total,
                total,
                key=f"prefix:{record.id}",
                width=_SLIDER_PIXELS,
                help="The first points picked are a smaller selection of their own; nothing is picked again.",
            )
        colour = st.selectbox(
            "Colour", list(options), format_func=options.__getitem__, key=f"colour:{record.id}", width=_COLOUR_PIXELS
        )
        title = options[colour]
        if colour == COLUMN:
            points, colour, title = _coloured_by_column(record, points, next(iter(options)), options)
        kind = st.segmented_control("Map", kinds, default=PCA, required=True, key=f"kind:{record.id}", help=_KINDS_HELP)
        if kind == SKETCH and len(pairs) > 1:
            number = st.selectbox(
                "Directions",
                range(len(pairs)),
                format_func=lambda place: _pair_text(pairs[place]),
                key=f"pair:{record.id}",
                width=_PAIR_PIXELS,
            )
            pair = pairs[number]
    if kind == SKETCH:
        return Choice(budget, colour, title, pair), points
    points, axes = _placed(record, points, kind or PCA)
    return Choice(budget, colour, title, axes), points


def direction_pairs(points: pd.DataFrame) -> list[tuple[str, str]]:
    """Neighbouring directions of the sketch that the run kept, strongest first: such as (sketch_1, sketch_2)."""
    kept = sum(1 for column in points.columns if column.startswith("sketch_"))
    return [(f"sketch_{j}", f"sketch_{j + 1}") for j in range(1, kept, 2)]


def _pair_text(pair: tuple[str, str]) -> str:
    return " and ".join(name.removeprefix("sketch_") for name in pair)


def _coloured_by_column(
    record: RunRecord, points: pd.DataFrame, fallback: str, options: dict[str, str]
) -> tuple[pd.DataFrame, str, str]:
    """Points with a column of the dataset, which the visitor names; the first colour when it cannot be read."""
    try:
        dataset = cache.dataset(record.config.dataset)
        if dataset.fingerprint != record.fingerprint:
            raise InputError("the data have changed since this run")
    except InputError as error:
        st.caption(f":material/error: No column to show: {escape(str(error))}")
        return points, fallback, options[fallback]
    width = dataset.features.shape[1]
    beside = dataset.shown_numbers()
    names = (*(dataset.feature_names or tuple(f"feature {j}" for j in range(width))), *beside)
    order = [*range(width, len(names)), *range(width)]  # what stands beside a vector says more than one number of it
    number = st.selectbox(
        "Column", order, format_func=names.__getitem__, key=f"column:{record.id}", width=_COLOUR_PIXELS
    )
    if number >= width:
        return points.assign(**{COLUMN: beside[names[number]]}), COLUMN, names[number]
    values = dataset.features[dataset.split.train, number].numpy().astype(np.float64)
    title = f"{names[number]}, scaled" if record.config.dataset.scale_columns else names[number]
    return points.assign(**{COLUMN: values}), COLUMN, title


def _placed(record: RunRecord, points: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, tuple[str, str]]:
    """Points with the coordinates that were asked for; PCA's while UMAP's are not there."""
    if kind != UMAP:
        return points, ("pca_1", "pca_2")
    found = umap_state(record.fingerprint, len(points))
    if found.places is not None:
        places = pd.DataFrame(found.places, columns=["umap_1", "umap_2"])
        return pd.concat([points, places], axis=1), ("umap_1", "umap_2")
    if found.problem:
        st.caption(f":material/error: No UMAP map: {escape(found.problem)}")
        if st.button("Try again", key="umap-again", type="tertiary", icon=":material/replay:"):
            _start_umap(record)
    elif found.running or _start_umap(record):
        _wait_for_umap(record.fingerprint, len(points))
    return points, ("pca_1", "pca_2")


def _start_umap(record: RunRecord) -> bool:
    """Start computing, unless the dashboard may not read the dataset; says so then."""
    try:
        check_allowed(record.config.dataset)
        start_umap(record.config.dataset, record.fingerprint)
    except (InputError, OSError) as error:
        st.caption(f":material/error: No UMAP map: {escape(str(error))}")
        return False
    return True


@st.fragment(run_every="2s")
def _wait_for_umap(fingerprint: str, size: int) -> None:
    found = umap_state(fingerprint, size)
    if found.places is not None or found.problem:
        st.rerun()
    st.caption(":material/hourglass_top: UMAP is being computed in the background; PCA is shown until then.")
