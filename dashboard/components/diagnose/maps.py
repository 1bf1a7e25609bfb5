"""Maps of one to four selections of a pool side by side, on the same axes; a lasso on any fills the gallery below."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.shared.map.figure import colour_options, map_alt, map_figure, map_note
from dashboard.components.shared.map.linked_views import link, linked_views
from dashboard.components.shared.map.marked_points import draw_map, marked
from dashboard.components.shared.points import run_points
from dashboard.components.shared.text_search import search_texts
from dashboard.components.shared.theme import escape, is_dark
from skmm_core.config import SelectJob
from skmm_core.runs import RunRecord

_PANEL_PIXELS, _HEIGHT = 430, 420
_SLIDER_PIXELS, _COLOUR_PIXELS = 330, 215


@st.fragment
def diagnose_maps(records: Sequence[RunRecord], labels: Sequence[str]) -> None:
    """Draw the maps, and what is marked on one of them.

    Args:
        records: finished selections of one pool.
        labels: how they are called.

    Raises:
        InputError: a file of a run is missing or damaged.
    """
    tables = [run_points(record) for record in records]
    budgets = [record.config.job.budget if isinstance(record.config.job, SelectJob) else 0 for record in records]
    token = "-".join(record.id for record in records)
    st.markdown("##### Where do the chosen points lie?")
    options = {name: text for name, text in colour_options(tables[0]).items() if name in ("label", "chosen", "target")}
    first = most = max(budgets)
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="maps-controls"):
        if most > 1:
            first = st.slider(
                "Budget, in pick order", 1, most, most, key=f"maps:prefix:{token}", width=_SLIDER_PIXELS,
                help="Shows the first points of every pick order; the charts above are about whole selections.",
            )  # fmt: skip
        colour = st.selectbox(
            "Colour", list(options), format_func=options.__getitem__, key=f"maps:colour:{token}", width=_COLOUR_PIXELS
        )
    search = search_texts(records[0])
    linked = []
    grid = st.grid(min(2, len(records)), min_column_width=_PANEL_PIXELS, gap="medium")
    for record, label, points, total in zip(records, labels, tables, budgets, strict=True):
        key, budget = f"diagnose-map:{record.id}", min(first, total)
        points = search.beside(points)
        beside = link(points, budget, key, search)
        figure = map_figure(
            points,
            budget=budget,
            colour=colour,
            ringed=beside.ringed,
            found=search.positions,
            dark=is_dark(),
            height=_HEIGHT,
        )
        with grid.cell():
            if len(records) > 1:
                st.markdown(f"**{escape(label)}**")
            alt = f"{label}: {map_alt(points, budget, options[colour], 'PCA')}"
            draw_map(figure, key=key, look=(budget, colour, beside.ringed, search.query, is_dark()), alt=alt)
        if marked(key) or search.query:
            linked.append((record, beside, key, label))
    st.caption(map_note(tables[0]))
    for record, beside, key, label in linked:
        if len(records) > 1:
            st.markdown(f"On the map of **{escape(label)}**:")
        linked_views(record, beside, key=key)
