"""A finished selection to look at: numbers, the map, and what is linked to it."""

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.select.balance import balance_figure
from dashboard.components.select.hand_picks import hand_buttons, hand_picks, positions_of
from dashboard.components.select.metric_row import metric_row
from dashboard.components.shared.encoder_mark import draw_marks
from dashboard.components.shared.exports import export_panel
from dashboard.components.shared.map.controls import map_controls
from dashboard.components.shared.map.figure import map_alt, map_figure, map_note
from dashboard.components.shared.map.linked_views import link, linked_views
from dashboard.components.shared.map.marked_points import draw_map, marked
from dashboard.components.shared.points import has_classes, run_points
from dashboard.components.shared.text_search import search_texts
from dashboard.components.shared.theme import chart, columns, escape, is_dark, notes
from dashboard.components.shared.verdict import verdict_line
from dashboard.services import cache
from dashboard.services.prefix import prefix_band, prefix_diagnostics
from skmm_core.config import SelectJob
from skmm_core.data import spread_notes
from skmm_core.diagnostics import Band, read_band
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord


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
    _explore(record, job, result, points)


@st.fragment
def _explore(record: RunRecord, job: SelectJob, result: dict[str, Any], points: pd.DataFrame) -> None:
    key = f"map:{record.id}"
    numbers = st.container()  # above the map; those of fewer points are measured after it is drawn
    search = search_texts(record)
    points = search.beside(points)
    choice, points = map_controls(record, points, job.budget)
    found = None
    whole = choice.budget == int(result["budget"])
    if whole:  # known from the run: the map need not move down for them later
        known = dict(result.get("diagnostics") or {})
        _draw_numbers(numbers, result, known, choice.budget, len(points), read_band(result.get("band")))
    if choice.colour == "distance":
        found, points = _distances(record, result, points, choice.budget)
    linked = link(points, choice.budget, key, search)
    picks = hand_picks(record.fingerprint, job)
    pinned, barred = positions_of(points, picks.include), positions_of(points, picks.exclude)
    figure = map_figure(
        points,
        budget=choice.budget,
        colour=choice.colour,
        axes=choice.axes,
        title=choice.title,
        ringed=linked.ringed,
        pinned=pinned,
        barred=barred,
        found=search.positions,
        dark=is_dark(),
    )
    alt = map_alt(points, choice.budget, choice.title, choice.axes[0].split("_")[0].upper())
    draw_map(figure, key=key, look=(choice, linked.ringed, pinned, barred, search.query, is_dark()), alt=alt)
    st.caption(map_note(points))
    draw_marks(spread_notes(result.get("notes", ())))
    hand_buttons(record.fingerprint, job, points, linked.focus(marked(key)))
    left, right = columns([1.5, 1], key="views", below=1300, gap="large")
    with left:
        linked_views(record, linked, key=key)
    with right:
        _balance(points, choice.budget)
        st.markdown("##### Take it away")
        export_panel(record, choice.budget)
    if not whole:
        found = found or _measured(numbers, record, choice.budget)
        band = _band(record, choice.budget) if found else None
        _draw_numbers(numbers, result, found, choice.budget, len(points), band)


def _draw_numbers(
    area: DeltaGenerator,
    result: dict[str, Any],
    found: dict[str, Any],
    budget: int,
    pool_size: int,
    band: Band | None,
) -> None:
    with area:
        verdict_line(band)
        metric_row(result, found, budget, pool_size, band)
        notes(result.get("remarks", ()))  # runs of earlier versions have none


def _band(record: RunRecord, budget: int) -> Band | None:
    try:
        return prefix_band(record.id, budget)
    except InputError:
        return None


def _measured(area: DeltaGenerator, record: RunRecord, budget: int) -> dict[str, Any]:
    """Diagnostics of the first points, measured now; says so where it cannot."""
    try:
        return dict(prefix_diagnostics(record.id, budget).summary())
    except InputError as error:
        area.caption(f":material/error: The first {budget:,} points cannot be measured: {escape(str(error))}")
        return {}


def _distances(
    record: RunRecord, result: dict[str, Any], points: pd.DataFrame, budget: int
) -> tuple[dict[str, Any] | None, pd.DataFrame]:
    """Points with their distance to the first points chosen, and what else was measured of these."""
    if budget == int(result["budget"]):
        return None, points
    try:
        measured = prefix_diagnostics(record.id, budget)
    except InputError:
        return None, points
    return dict(measured.summary()), points.assign(distance=measured.distance)


def _balance(points: pd.DataFrame, budget: int) -> None:
    found = balance_figure(points, budget)
    if found is None:
        return
    figure, alt, caption = found
    st.markdown("##### Balance" if has_classes(points) else "##### Targets")
    chart(figure, key="balance", alt=alt)
    st.caption(caption)
