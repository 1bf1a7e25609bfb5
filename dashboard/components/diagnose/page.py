"""The Why view of Pick: why one to four selections of a dataset are good or not, side by side."""

import streamlit as st

from dashboard.components.diagnose.choice import choose_runs
from dashboard.components.diagnose.maps import diagnose_maps
from dashboard.components.shared.diagnostics.diagnosed_runs import read_run, same_pool
from dashboard.components.shared.diagnostics.view import diagnose_view
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.finished_selections import labels, runs_by_dataset
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.places import PICK
from dashboard.components.shared.theme import mistakes_told
from dashboard.services import cache, state


def diagnose_page() -> None:
    """Draw the view."""
    opened = state.current_record()
    if opened is not None and opened.kind == "select":
        job_panel(opened.id)
    groups = runs_by_dataset(cache.store().records(kind="select"), first=opened.fingerprint if opened else None)
    if not groups:
        empty_state(
            "No finished selection yet",
            "Pick points first; this page then shows why they are good, or not.",
            page=PICK,
            label="Go to Pick",
            icon=":material/ads_click:",
        )
        return
    chosen = choose_runs(groups, opened)
    if not chosen:
        st.info("Choose at least one selection above.", icon=":material/arrow_upward:")
        return
    names = labels(chosen)
    with mistakes_told():
        diagnose_view(same_pool([read_run(run, number, names[run.id]) for number, run in enumerate(chosen)]))
        diagnose_maps(chosen, [names[run.id] for run in chosen])
