"""The Workbench view of Pick: pick points with one method, and look at what was picked."""

import streamlit as st

from dashboard.components.select.form import select_form
from dashboard.components.select.view import selection_view
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.no_dataset import no_dataset
from dashboard.components.shared.places import HOME
from dashboard.components.shared.theme import columns, escape, fmt_int, mistakes_told
from dashboard.services import cache, state
from skmm_core.config import DatasetConfig
from skmm_core.runs import RunRecord, RunState


def draw_form(config: DatasetConfig, record: RunRecord | None) -> None:
    """The form, and the start of the run that it asks for."""
    from skmm_core.methods import list_methods

    with st.spinner("Reading the dataset…"):
        dataset = cache.dataset(config)
    st.caption(f":material/database: **{escape(dataset.name)}** · pool of {fmt_int(dataset.pool_size)} points")
    wanted = select_form(dataset, config, list_methods(), record.config if record else None)
    if wanted is not None:
        state.set_current_run(cache.jobs().submit(wanted, dataset.fingerprint))
        st.rerun()


def draw_result(record: RunRecord | None) -> None:
    """The open run in whatever state it is."""
    if record is None or record.kind != "select":
        empty_state(
            "Nothing picked yet",
            "Choose a method and a budget, then press **Pick**. The chosen points appear here.",
            page=HOME,
            label="See a finished example",
            icon=":material/home:",
        )
    elif job_panel(record.id) is RunState.DONE:
        selection_view(record)


def select_page() -> None:
    """Draw the view."""
    config = state.current_dataset()
    if config is None:
        no_dataset("Pick a built-in dataset or bring your own; then choose points from it here.")
    record = state.current_record()
    left, right = columns([1, 2.4], key="select", below=700, gap="medium")
    with right, mistakes_told():  # first: a finished run is drawn before the dataset is read
        draw_result(record)
    with left, mistakes_told():
        draw_form(config, record)
