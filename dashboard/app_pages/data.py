"""Data: choose a dataset and see what was understood of it."""

import streamlit as st

from dashboard.components.data_form import data_form
from dashboard.components.data_preview import data_preview
from dashboard.components.theme import error_line
from dashboard.services import cache, state
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError


def draw_form() -> DatasetConfig | None:
    """The form; a mistake in it is told in its place."""
    from skmm_core.data.builtin import BUILTINS

    try:
        return data_form(BUILTINS)
    except InputError as error:
        error_line(str(error))
        return None


def draw_preview(config: DatasetConfig) -> None:
    """What was understood, and the button that goes on with it."""
    try:
        with st.spinner("Reading the dataset…"):
            dataset = cache.dataset(config)
    except InputError as error:
        error_line(str(error))
        return
    data_preview(dataset)
    label = "Pick points from it" if config == state.current_dataset() else "Use this dataset"
    if st.button(label, type="primary", icon=":material/arrow_forward:", key="use"):
        state.set_current_dataset(config)
        st.switch_page("app_pages/select.py")


with st.container(key="stack"):
    left, right = st.columns([1, 1.6], gap="large")
with left:
    wanted = draw_form()
with right:
    shown = wanted or state.current_dataset()
    if shown is not None:
        draw_preview(shown)
    else:
        st.info("Choose a dataset to see what is in it.", icon=":material/arrow_back:")
