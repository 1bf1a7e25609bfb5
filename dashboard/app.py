"""The dashboard: `streamlit run dashboard/app.py`."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit adds this file's folder, not the one that holds the packages
    sys.path.insert(0, str(ROOT))

from dashboard.components.shared.encoder_mark import MARKED, encoder_mark  # noqa: E402
from dashboard.components.shared.places import (  # noqa: E402
    COMPARE,
    DATA,
    HOME,
    LEARN,
    OLD_ADDRESSES,
    PICK,
    REPRODUCE,
    RUNS,
    SETTINGS,
    old_page,
    open_view,
    script_of,
)
from dashboard.components.shared.running import running_line  # noqa: E402
from dashboard.components.shared.shortcuts import shortcuts_help  # noqa: E402
from dashboard.components.shared.theme import apply_style, error_line  # noqa: E402
from dashboard.components.shared.tour import tour  # noqa: E402
from dashboard.services import cache, state  # noqa: E402
from dashboard.services.collector import spare_libraries  # noqa: E402
from skmm_core.errors import InputError  # noqa: E402
from skmm_core.jobs import let_threads_sleep  # noqa: E402

let_threads_sleep()
st.set_page_config(page_title="SkMM Dashboard", page_icon=str(ROOT / "assets" / "icon.png"), layout="wide")
apply_style()
try:
    cache.jobs()
except InputError as error:  # SKMM_HOME or SKMM_JOBS cannot be used: no page can work
    error_line(str(error))
    st.stop()
state.sync_with_url()

page = st.navigation(
    {
        "": [
            st.Page(HOME, title="Home", icon=":material/home:", default=True, url_path="home"),
            st.Page(DATA, title="Data", icon=":material/database:"),
            st.Page(PICK, title="Pick", icon=":material/ads_click:"),
            st.Page(COMPARE, title="Compare", icon=":material/monitoring:"),
            st.Page(LEARN, title="Learn", icon=":material/school:"),
            *(old_page(address) for address in OLD_ADDRESSES),
        ],
        "More": [
            st.Page(REPRODUCE, title="Reproduce", icon=":material/table_chart:"),
            st.Page(RUNS, title="Runs", icon=":material/history:"),
            st.Page(SETTINGS, title="Settings", icon=":material/settings:"),
        ],
    },
    position="top",
)
if problem := state.take_problem():
    error_line(problem)
here = script_of(page.url_path)
view = open_view(here)
tour(here, view)
if (page.url_path, view) in MARKED:
    encoder_mark(state.current_dataset())
running_line(None if here in (HOME, LEARN, RUNS, SETTINGS) else state.current_run())
page.run()
shortcuts_help()
spare_libraries()
