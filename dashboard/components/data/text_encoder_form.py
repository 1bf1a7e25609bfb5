"""Which encoder makes features of texts."""

import streamlit as st

from dashboard.components.data.sources import path_on_server
from dashboard.services.text_encoders import INSTALL, MINILM, TITLE, minilm_installed, model_folder
from skmm_core.config import EmbedJob

_PACKAGE, _FOLDER = f"{TITLE}, from a package", "A model on the server"


def text_encoder_form() -> EmbedJob | None:
    """Draw the form.

    Returns:
        The encoder; None while it is not installed or not named.

    Raises:
        InputError: the folder of a model cannot be used.
    """
    kind = st.selectbox(
        "Encoder: what turns a text into numbers", (_PACKAGE, _FOLDER), key="texts:encoder", persist_state="session"
    )
    if kind == _FOLDER:
        text = path_on_server(
            "Folder of a model of sentence-transformers or model2vec",
            key="texts:model",
            kind="Folders",
            example="my-model",
            root="/srv/models",
        )
        return EmbedJob(reads="texts", model=str(model_folder(text))) if text else None
    st.caption(
        "A small network that places texts of like meaning near each other, 384 numbers a text, without a download. It "
        "reads the start of a long text; how many were cut is told."
    )
    if minilm_installed():
        return EmbedJob(reads="texts", model=MINILM)
    st.warning(f"It is not installed: `{INSTALL}`", icon=":material/warning:")
    return None
