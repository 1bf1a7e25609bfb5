"""Home: what the product does in one sentence, a finished example, and the person's projects."""

import streamlit as st

from dashboard.components.overview.example import draw_actions, draw_demo
from dashboard.components.overview.projects import draw_projects
from dashboard.components.shared.theme import error_line, mistakes_told
from dashboard.services import demo

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="home-head"):
    with st.container(gap=None, width="stretch"):
        st.markdown("## SkMM Dashboard")
        st.markdown("It picks the few rows of your data that are worth labelling, and shows what they are worth.")
    draw_actions()
draw_projects()
runs = demo.demo_runs()
if runs.select is None:
    error_line(runs.problem or "")
else:
    with mistakes_told():
        draw_demo(runs.select)
