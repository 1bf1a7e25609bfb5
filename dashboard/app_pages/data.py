"""Data: choose a dataset and see what was understood of it."""

import streamlit as st

from dashboard.components.data.form import IMAGES, data_form, scale_columns
from dashboard.components.data.image_form import Pictures
from dashboard.components.data.image_view import image_view
from dashboard.components.data.preview import data_preview
from dashboard.components.shared.theme import columns, error_line, escape
from dashboard.services import cache, state
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError


def draw_form() -> DatasetConfig | Pictures | None:
    """The form; a mistake in it is told in its place."""
    from skmm_core.data import BUILTINS

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
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(escape(dataset.name), anchor=False, width="content")
        pressed = st.button("Pick points from it", type="primary", icon=":material/arrow_forward:", key="use")
    if pressed:
        state.set_current_dataset(config)
        st.switch_page("app_pages/select.py")
    data_preview(dataset, scale=lambda: scale_columns(config))


left, right = columns([1, 1.6], key="data", gap="large")
with left:
    wanted = draw_form()
with right:
    record = state.current_record()
    if isinstance(wanted, Pictures) or st.session_state.get("data:kind") == IMAGES:
        image_view(wanted if isinstance(wanted, Pictures) else None, record)
    elif wanted is not None:
        draw_preview(wanted)
    elif record is not None and record.kind == "embed":
        image_view(None, record)
    elif (shown := state.current_dataset()) is not None:
        draw_preview(shown)
    else:
        st.info("Choose a dataset to see what is in it.", icon=":material/database:")
