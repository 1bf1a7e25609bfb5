"""The finished example of Home: its sentence, its map, and the chosen images."""

import sys

import streamlit as st

from dashboard.components.overview.sentence import caption, sentence
from dashboard.components.shared.map.figure import map_alt, map_figure, map_note
from dashboard.components.shared.map.linked_views import link, linked_views
from dashboard.components.shared.map.marked_points import draw_map
from dashboard.components.shared.places import DATA, DATA_KIND, LEARN, UPLOAD, go
from dashboard.components.shared.points import has_classes, run_points
from dashboard.components.shared.theme import columns, is_dark
from dashboard.services import demo, figures
from skmm_core.runs import RunRecord

_TITLE = "SkMM"
_MAP_DRAWN = "skmm:map-drawn"


def draw_demo(select: RunRecord) -> None:
    """The sentence beside the map; the chosen images below."""
    points = run_points(select)
    colour, name = ("label", "digit") if has_classes(points) else ("chosen", "chosen or not")
    left, right = columns([1, 1.7], key="overview", gap="large")
    key = f"map:{select.id}"
    linked = link(points, demo.BUDGET, key)
    with right, st.container(key="home-map"):
        ringed = linked.ringed
        figure = map_figure(points, budget=demo.BUDGET, colour=colour, ringed=ringed, dark=is_dark(), height=460)
        alt = map_alt(points, demo.BUDGET, name, "PCA")
        draw_map(figure, key=key, look=("overview", colour, ringed, is_dark()), alt=alt)
        st.caption(map_note(points))
    with left:
        st.caption(":material/science: Example on handwritten digits, 8 × 8 pixels, that come with the dashboard")
        draw_sentence()
    if "torch" in sys.modules or st.session_state.get(_MAP_DRAWN):
        linked_views(select, linked, key=key, per_page=60)
    else:
        pictures_later()


def draw_sentence() -> None:
    """The sentence with what it rests on; it needs no run, so it is there at once."""
    made = figures.digits_splits()
    st.markdown(f"### {sentence(made, title=_TITLE)}")
    st.caption(f"{caption(made)} SkMM is run as `{made['method']}`; the map shows one split.")


def draw_actions() -> None:
    """The two ways on; data of one's own are asked for where they are given."""
    with st.container(horizontal=True, width="content"):
        if st.button("Use my data", type="primary", icon=":material/upload:"):
            st.session_state[DATA_KIND] = UPLOAD
            go(DATA)
        if st.button("Learn why it works", icon=":material/school:"):
            go(LEARN)


@st.fragment(run_every="3s")
def pictures_later() -> None:
    """Leave the pictures to a second run: their dataset loads torch, which would hold up the map for seconds."""
    if _MAP_DRAWN in st.session_state:
        st.session_state[_MAP_DRAWN] = True
        st.rerun()
    st.session_state[_MAP_DRAWN] = False
    st.caption("Loading the pictures…")
