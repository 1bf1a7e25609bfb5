"""The finished example of the Overview: its headline, made in `shared/comparisons`, its map, and the chosen images."""

import sys

import streamlit as st

from dashboard.components.overview.waiting import wait_for_comparison
from dashboard.components.shared.comparisons.headline import headline
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.map.figure import map_alt, map_figure, map_note
from dashboard.components.shared.map.linked_views import link, linked_views
from dashboard.components.shared.map.marked_points import draw_map
from dashboard.components.shared.points import has_classes, run_points
from dashboard.components.shared.theme import columns, error_line, is_dark
from dashboard.services import cache, demo
from skmm_core.runs import RunRecord, RunState

_TITLE = "SkMM"
_MAP_DRAWN = "skmm:map-drawn"
_PENDING = "A few well-chosen images stand in for all of them. How much they save is being measured…"


def draw_demo(select: RunRecord, compare: RunRecord | None) -> None:
    """Sentence and ways on beside the map; the chosen images below."""
    points = run_points(select)
    colour, name = ("label", "digit") if has_classes(points) else ("chosen", "chosen or not")
    left, right = columns([1, 1.7], key="overview", gap="large", vertical_alignment="center")
    key = f"map:{select.id}"
    linked = link(points, demo.BUDGET, key)
    with right:
        ringed = linked.ringed
        figure = map_figure(points, budget=demo.BUDGET, colour=colour, ringed=ringed, dark=is_dark(), height=460)
        alt = map_alt(points, demo.BUDGET, name, "PCA")
        draw_map(figure, key=key, look=("overview", colour, ringed, is_dark()), alt=alt)
        st.caption(map_note(points))
    with left:
        st.caption(":material/science: Example on handwritten digits, 8 × 8 pixels, that come with the dashboard")
        draw_sentence(select, compare)
        draw_actions()
    if "torch" in sys.modules or st.session_state.get(_MAP_DRAWN):
        linked_views(select, linked, key=key, per_page=60)
    else:
        pictures_later()


def draw_sentence(select: RunRecord, compare: RunRecord | None) -> None:
    """The sentence once it is measured; its place is kept until then."""
    if compare is None or compare.state is not RunState.DONE:
        st.markdown(f"### {_PENDING}")
        if compare is None:
            wait_for_comparison()
        else:
            job_panel(compare.id)
        return
    said = headline(
        cache.run_result(compare.id),
        method=demo.METHOD,
        title=_TITLE,
        budget=demo.BUDGET,
        pool_size=len(run_points(select)),
        seeds=demo.SEEDS,
    )
    if said is None:
        error_line("The demo comparison holds no result for this budget; delete it in Runs to make it again")
        return
    st.markdown(f"### {said.sentence}")
    st.caption(f"{said.caption} SkMM is run in its whitened form, `{demo.METHOD}`.")


def draw_actions() -> None:
    """The two ways on."""
    with st.container(horizontal=True):
        if st.button("Use my data", type="primary", icon=":material/upload:"):
            st.switch_page("app_pages/data.py")
        if st.button("Learn why it works", icon=":material/school:"):
            st.switch_page("app_pages/learn.py")


@st.fragment(run_every="3s")
def pictures_later() -> None:
    """Leave the pictures to a second run: their dataset loads torch, which would hold up the map for seconds."""
    if _MAP_DRAWN in st.session_state:
        st.session_state[_MAP_DRAWN] = True
        st.rerun()
    st.session_state[_MAP_DRAWN] = False
    st.caption("Loading the pictures…")
