"""What comes after the last point of a batch: what the labels are worth, and the next points to label."""

import streamlit as st

from dashboard.components.shared.theme import plural
from skmm_core.projects import Project


def next_step(project: Project, done: bool) -> None:
    """Draw what comes next, once every point that was picked has an answer.

    Args:
        project: with one batch at least.
        done: whether no point waits for an answer.
    """
    if not done:
        return
    state = project.state()
    labels = plural(len(state.labels), "label")
    rest = f", {plural(len(state.skipped), 'point')} skipped" if state.skipped else ""
    with st.container(border=True, key="label-next"):
        st.markdown(f"**All done: {labels}{rest}.** Everything is kept.")
