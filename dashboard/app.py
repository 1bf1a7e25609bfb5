"""The dashboard: `streamlit run dashboard/app.py`."""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit adds this file's folder, not the one that holds the packages
    sys.path.insert(0, str(ROOT))

from dashboard.components.shared.encoder_mark import MARKED_PAGES, encoder_mark  # noqa: E402
from dashboard.components.shared.shortcuts import shortcuts_help  # noqa: E402
from dashboard.components.shared.theme import apply_style, error_line  # noqa: E402
from dashboard.components.shared.tour import tour  # noqa: E402
from dashboard.services import cache, state  # noqa: E402
from dashboard.services.collector import spare_libraries  # noqa: E402
from skmm_core.errors import InputError  # noqa: E402

st.set_page_config(page_title="SkMM Dashboard", page_icon=":material/scatter_plot:", layout="wide")
apply_style()
try:
    cache.jobs()
except InputError as error:  # SKMM_HOME or SKMM_JOBS cannot be used: no page can work
    error_line(str(error))
    st.stop()
state.sync_with_url()

page = st.navigation(
    [
        st.Page("app_pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("app_pages/data.py", title="Data", icon=":material/database:"),
        st.Page("app_pages/select.py", title="Select", icon=":material/ads_click:"),
        st.Page("app_pages/label.py", title="Label", icon=":material/edit:"),
        st.Page("app_pages/diagnose.py", title="Diagnose", icon=":material/troubleshoot:"),
        st.Page("app_pages/selections.py", title="Selections", icon=":material/join_inner:"),
        st.Page("app_pages/compare.py", title="Compare", icon=":material/monitoring:"),
        st.Page("app_pages/present.py", title="Present", icon=":material/slideshow:"),
        st.Page("app_pages/learn.py", title="Learn", icon=":material/school:"),
        st.Page("app_pages/reproduce.py", title="Reproduce", icon=":material/table_chart:"),
        st.Page("app_pages/runs.py", title="Runs", icon=":material/history:"),
    ],
    position="top",
)
if problem := state.take_problem():
    error_line(problem)
tour(page.url_path)
if page.url_path in MARKED_PAGES:
    encoder_mark(state.current_dataset())
page.run()
shortcuts_help()
spare_libraries()
