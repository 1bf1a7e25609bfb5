"""The form for texts: where the table is, which column holds them, which encoder reads them."""

from pathlib import Path

import streamlit as st

from dashboard.components.data.sources import kept_upload, path_on_server
from dashboard.components.data.table_options import options_key, text_options
from dashboard.components.data.text_encoder_form import text_encoder_form
from dashboard.components.data.to_embed import ToEmbed
from dashboard.components.shared.theme import error_line, escape
from dashboard.services.sources import MAX_UPLOAD_MB, TABLE_SUFFIXES, is_upload, save_upload, server_file
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError

UPLOAD, SERVER = "Upload", "Server path"
_TAKEN = "texts:taken"  # session key: an upload that was given elsewhere on the page
_PREFIX = "texts"


def text_form() -> ToEmbed | None:
    """Draw the form.

    Returns:
        What it asks for, or None while no table is named.

    Raises:
        InputError: the upload or the path cannot be used.
    """
    where = st.segmented_control(
        "Where are the texts?",
        (UPLOAD, SERVER),
        default=UPLOAD,
        required=True,
        key="texts:where",
        width="stretch",
        persist_state="session",
    )
    path = _server() if where == SERVER else _upload()
    dataset = text_options(path, _PREFIX) if path is not None else None
    try:
        job = text_encoder_form()
    except InputError as error:
        error_line(str(error))
        job = None
    return ToEmbed(dataset, job) if dataset is not None else None


def take_texts(config: DatasetConfig) -> None:
    """Set the page to make features of the texts of a table that was given elsewhere on it: for a callback.

    Args:
        config: the table, with the target and id that were named.
    """
    path, uploaded = Path(config.source), is_upload(Path(config.source))
    st.session_state["texts:where"] = UPLOAD if uploaded else SERVER
    st.session_state[_TAKEN if uploaded else "texts:path"] = str(path)
    for name in ("target", "id"):
        if (value := getattr(config, name)) is not None:
            st.session_state[f"{options_key(path, _PREFIX)}:{name}"] = value


def _upload() -> Path | None:
    file = st.file_uploader(
        "Table with one text a row",
        type=list(TABLE_SUFFIXES),
        max_upload_size=MAX_UPLOAD_MB,
        key="texts:file",
        help=f"Up to {MAX_UPLOAD_MB} MB. For larger files use a server path.",
    )
    if file is not None:
        return kept_upload(file.file_id, lambda: save_upload(file, file.name, TABLE_SUFFIXES))
    taken = st.session_state.get(_TAKEN)
    if isinstance(taken, str) and Path(taken).is_file():
        st.caption(f":material/attach_file: **{escape(Path(taken).name)}**, uploaded before. Or give another above.")
        return Path(taken)
    st.caption("A csv, jsonl, parquet or other table with a column of texts; other columns may hold a target and ids.")
    return None


def _server() -> Path | None:
    text = path_on_server(
        "Path on the server", key="texts:path", kind="Tables", example="reviews.csv", root="/srv/texts"
    )
    return server_file(text, TABLE_SUFFIXES) if text else None
