"""A finished selection to look at: numbers, the map, and what is linked to it."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.balance import balance_figure
from dashboard.components.exports import export_panel
from dashboard.components.gallery import gallery, pool_picture
from dashboard.components.map import colour_options, map_alt, map_figure, map_note
from dashboard.components.map_marks import clear_marks, draw_map, marked
from dashboard.components.points import has_classes, linked_points, merge_points
from dashboard.components.theme import (
    chart,
    columns,
    escape,
    fmt_int,
    fmt_number,
    fmt_percent,
    fmt_seconds,
    is_dark,
)
from dashboard.services import cache
from dashboard.services.sources import check_allowed
from dashboard.services.umap import start_umap, umap_state
from skmm_core.config import SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord

PCA, UMAP = "PCA", "UMAP"
_MAX_ROWS = 20_000
_SLIDER_PIXELS, _COLOUR_PIXELS = 360, 230


def run_points(record: RunRecord) -> pd.DataFrame:
    """The pool of a finished selection; see :func:`~dashboard.components.points.merge_points`.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    files = (str(record.folder / f"{name}.parquet") for name in ("map", "scores"))
    return _points(record.id, cache.file_stamp(*files))


@st.cache_data(max_entries=16, max_size="512MB", show_spinner=False)
def _points(run_id: str, stamp: cache.Stamp) -> pd.DataFrame:
    return merge_points(cache.run_table(run_id, "map"), cache.run_table(run_id, "scores"))


def selection_view(record: RunRecord) -> None:
    """Draw everything about a finished selection.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    job = record.config.job
    if not isinstance(job, SelectJob):
        raise InputError(f"{record.name} is a comparison; open it in Compare")
    result, points = cache.run_result(record.id), run_points(record)
    st.subheader(escape(record.name), anchor=False)
    metric_row(result, points, job.budget)
    _explore(record, points, job.budget)


def metric_row(result: dict[str, Any], points: pd.DataFrame, budget: int) -> None:
    """Key numbers of a selection, each explained on hover."""
    found = result.get("diagnostics") or {}
    distance = points["distance"]
    with st.container(horizontal=True, key="metrics"):
        for label, value, help_ in (
            ("Chosen", f"{fmt_int(budget)} of {fmt_int(len(points))}", f"{fmt_percent(budget / len(points), 1)} of it"),
            ("Bias", fmt_number(found.get("bias")), "Share of the pool's energy that the chosen points cannot see."),
            ("Variance", fmt_number(found.get("variance")), "How shaky an estimate from the chosen points is."),
            (
                "Moment error",
                fmt_number(found.get("moment_error")),
                "Relative difference of second moments, chosen against pool; 0 = equal.",
            ),
            (
                "Certificate c_S",
                "∞" if found.get("c_s") is None else fmt_number(found.get("c_s")),
                "The pool's energy is at most this many times the selection's, in every direction; 1 is best, "
                "∞ = a direction has no chosen point.",
            ),
            ("Coverage", fmt_number(float(distance.mean())), "Mean distance of a pool point to the nearest chosen."),
            ("Time", fmt_seconds(result.get("seconds")), f"To pick. {result.get('advice', '')}".strip()),
        ):
            st.metric(label, value, help=help_, width="content")


@st.fragment
def _explore(record: RunRecord, points: pd.DataFrame, total: int) -> None:
    budget, colour, title, kind = _controls(record, points, total)
    points, axes = _placed(record, points, kind)
    figure = map_figure(points, budget=budget, colour=colour, axes=axes, dark=is_dark())
    alt = map_alt(points, budget, title, axes[0].split("_")[0].upper())
    draw_map(figure, key=f"map:{record.id}", look=(budget, colour, axes, is_dark()), alt=alt)
    st.caption(map_note(points))
    left, right = columns([1.5, 1], key="views", below=1300, gap="large")
    with left:
        linked_views(record, points, budget)
    with right:
        _balance(points, budget)
        st.markdown("##### Take it away")
        export_panel(record, budget)


def _controls(record: RunRecord, points: pd.DataFrame, total: int) -> tuple[int, str, str, str]:
    options = colour_options(points)
    budget = total
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="controls"):
        if total > 1:
            budget = st.slider(
                "Budget, in pick order",
                1,
                total,
                total,
                key=f"prefix:{record.id}",
                width=_SLIDER_PIXELS,
                help="The first points picked are a smaller selection of their own; nothing is computed again.",
            )
        colour = st.selectbox(
            "Colour", list(options), format_func=options.__getitem__, key=f"colour:{record.id}", width=_COLOUR_PIXELS
        )
        kind = st.segmented_control(
            "Map", (PCA, UMAP), default=PCA, required=True, key=f"kind:{record.id}", help="UMAP is computed on demand."
        )
    return budget, colour, options[colour], kind or PCA


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


def linked_views(record: RunRecord, points: pd.DataFrame, budget: int, *, per_page: int = 36) -> None:
    """Gallery and table of the marked points, or of the chosen ones when none are marked."""
    key = f"map:{record.id}"
    shown, heading = linked_points(points, budget, marked(key))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"##### {heading}", width="content")
        if marked(key):
            st.button(
                "Show the chosen ones",
                key=f"clear:{key}",
                type="tertiary",
                icon=":material/close:",
                on_click=clear_marks,
                args=(key,),
            )
        else:
            st.caption("Lasso or click on the map to look at others.", width="content")
    picture = _picture(record)
    if picture is None:
        points_table(shown)
        return
    pictures, table = st.tabs(["Pictures", "Table"], key=f"views:{record.id}", on_change="rerun")
    if pictures.open:
        with pictures:
            gallery(shown, picture, key=f"gallery:{record.id}", per_page=per_page)
    if table.open:
        with table:
            points_table(shown)


def _picture(record: RunRecord) -> Any:
    try:
        dataset = cache.dataset(record.config.dataset)
    except InputError:
        return None
    return pool_picture(dataset) if dataset.fingerprint == record.fingerprint else None


def points_table(shown: pd.DataFrame) -> None:
    """The points as a table, chosen ones first in pick order."""
    target = "label" if has_classes(shown) else "target"
    mixed = ["chosen"] if not shown["chosen"].all() else []
    columns = [*mixed, "rank", "id", target, "weight", "score", "leverage", "distance", "row"]
    table = shown[[column for column in columns if shown[column].notna().any() or column == "id"]].head(_MAX_ROWS)
    table = table.assign(rank=(table["rank"] + 1).where(shown["chosen"]).astype("Int64"))
    st.dataframe(
        table,
        hide_index=True,
        height=min(420, 38 + 35 * max(1, len(table))),
        alt=f"Table of {len(table)} points, chosen ones first.",
        column_config={
            "chosen": st.column_config.CheckboxColumn("Chosen", width="small"),
            "rank": st.column_config.NumberColumn("Pick", width="small", help="1 = picked first"),
            "id": st.column_config.TextColumn("Id"),
            "label": st.column_config.TextColumn("Class"),
            "target": st.column_config.NumberColumn("Target", format="%.4g"),
            "weight": st.column_config.NumberColumn("Weight", format="%.4f"),
            "score": st.column_config.NumberColumn("Score", format="%.4g", help="The method's own score"),
            "leverage": st.column_config.NumberColumn("Leverage", format="%.4g"),
            "distance": st.column_config.NumberColumn(
                "Distance", format="%.4g", help="To the nearest point of the whole selection"
            ),
            "row": st.column_config.NumberColumn("Row", help="0-based row of the input file"),
        },
    )


def _balance(points: pd.DataFrame, budget: int) -> None:
    found = balance_figure(points, budget)
    if found is None:
        return
    figure, alt, caption = found
    st.markdown("##### Balance" if has_classes(points) else "##### Targets")
    chart(figure, key="balance", alt=alt)
    st.caption(caption)
