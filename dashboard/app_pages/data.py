"""Data: choose a dataset and see what was understood of it."""

import streamlit as st

from dashboard.components.data.embed_view import embed_view, reads_of
from dashboard.components.data.form import EMBEDDED, TEXTS, data_form
from dashboard.components.data.preview import data_preview
from dashboard.components.data.table_options import scale_columns
from dashboard.components.data.text_form import take_texts
from dashboard.components.data.to_embed import ToEmbed
from dashboard.components.shared.places import PICK, go
from dashboard.components.shared.theme import columns, error_line, escape
from dashboard.services import cache, state
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError, OnlyTexts


def draw_form() -> DatasetConfig | ToEmbed | None:
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
        if isinstance(error, OnlyTexts):
            st.button("Make features of its texts", icon=":material/notes:", on_click=show_texts, args=(config,))
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(escape(dataset.name), anchor=False, width="content")
        pressed = st.button("Pick points from it", type="primary", icon=":material/arrow_forward:", key="use")
    if pressed:
        state.set_current_dataset(config)
        go(PICK)
    data_preview(dataset, scale=lambda: scale_columns(config))


def show_texts(config: DatasetConfig) -> None:
    """Turn to the form for texts, with the table at hand."""
    st.session_state["data:kind"] = TEXTS
    take_texts(config)


left, right = columns([1, 1.6], key="data", gap="large")
with left:
    wanted = draw_form()
with right:
    record = state.current_record()
    reads = EMBEDDED.get(st.session_state.get("data:kind", ""))
    if reads is not None:
        embed_view(wanted if isinstance(wanted, ToEmbed) else None, record, reads)
    elif isinstance(wanted, DatasetConfig):
        draw_preview(wanted)
    elif record is not None and (reads := reads_of(record)):
        embed_view(None, record, reads)
    elif (shown := state.current_dataset()) is not None:
        draw_preview(shown)
    else:
        st.info("Choose a dataset to see what is in it.", icon=":material/database:")
