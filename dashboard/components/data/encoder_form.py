"""Which encoder makes features of pictures, with which weights."""

from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.components.shared.theme import escape
from dashboard.services.pictures import WEIGHT_SUFFIXES, model_names, weight_tags
from dashboard.services.sources import MAX_UPLOAD_MB, data_roots, save_upload, server_file
from skmm_core.config import EmbedJob
from skmm_core.encoders import PACKAGED, default_advice, default_model, installed

OFFLINE = "offline"
LIBRARIES = {
    **{model: f"{weights.title}, trained on ImageNet" for model, weights in PACKAGED.items()},
    OFFLINE: "Built-in map, not trained",
    "openclip": "open_clip",
    "torchvision": "torchvision",
    "timm": "timm",
}
_ABOUT = {
    OFFLINE: "Texture and colour of each picture. Needs no download and no training; a pretrained encoder does better.",
    "openclip": "CLIP and its relatives, trained on pictures and their captions: good features for most photographs.",
    "torchvision": "Networks trained to tell the classes of ImageNet; features are the input of the last layer.",
    "timm": "A large collection of image networks; features are what the classifier would get.",
}
_FIRST_MODEL = {"openclip": "ViT-B-32", "torchvision": "resnet50", "timm": "vit_small_patch16_224"}
PUBLISHED, CHECKPOINT, NONE = "Published", "My own file", "None"
_UNTRAINED = (
    "An untrained network gives poor features. Everything that is made of them, on every page and in every export, is "
    "marked with that."
)


def encoder_form() -> EmbedJob | None:
    """Draw the form.

    Returns:
        Model and weights; None while weights are not chosen.

    Raises:
        InputError: the file of weights cannot be used.
    """
    library = st.selectbox(
        "Encoder: what turns a picture into numbers",
        list(LIBRARIES),
        index=list(LIBRARIES).index(default_model()),
        format_func=LIBRARIES.__getitem__,
        key="images:library",
        persist_state="session",
    )
    if library in PACKAGED:
        return _packaged(library)
    st.caption(_ABOUT[library])
    if library == OFFLINE:
        if advice := default_advice():
            st.caption(escape(advice))
        return EmbedJob()
    with st.spinner(f"Loading {LIBRARIES[library]}…"):
        names = model_names(library)
    first = _FIRST_MODEL[library]
    model = st.selectbox(
        "Model",
        names,
        index=names.index(first) if first in names else 0,
        key=f"images:model:{library}",
        persist_state="session",
    )
    weights = _weights(library, model)
    return None if weights is None else EmbedJob(model=f"{library}:{model}", **weights)


def _packaged(model: str) -> EmbedJob | None:
    """The job of a network whose weights come as a package; None while it is not installed."""
    weights = PACKAGED[model]
    st.caption(
        f"A small network that knows photographs: good features for most of them, without a download. Weights: "
        f"{escape(weights.package)} ({weights.licence}), {escape(weights.origin)}."
    )
    if installed(model):
        return EmbedJob(model=model)
    st.warning(
        f"Its weights ({weights.megabytes} MB) are not installed: `{weights.install}`", icon=":material/warning:"
    )
    return None


def _weights(library: str, model: str) -> dict[str, Any] | None:
    """Fields of the job that say which weights; None while they are not chosen."""
    tags = weight_tags(library, model)
    kinds = [*([PUBLISHED] if tags else []), CHECKPOINT, NONE]
    kind = st.segmented_control(
        "Trained weights",
        kinds,
        default=kinds[0],
        required=True,
        key=f"images:weights:{len(kinds)}",
        help="Published weights are downloaded once. A file of your own must be of this model.",
        width="stretch",
        persist_state="session",
    )
    if kind == PUBLISHED:
        key = f"images:tag:{library}:{model}"
        return {"pretrained": st.selectbox("Weights", tags, key=key, persist_state="session")}
    if kind == CHECKPOINT:
        path = _checkpoint()
        return None if path is None else {"pretrained": str(path)}
    st.warning(_UNTRAINED, icon=":material/warning:")
    sure = st.checkbox("Take the untrained network", key="images:untrained", persist_state="session")
    return {"allow_random_weights": True} if sure else None


def _checkpoint() -> Path | None:
    roots = data_roots()
    if roots:
        text = st.text_input(
            "Path of the weights on the server",
            key="images:weights-path",
            placeholder=f"{roots[0]}/model.safetensors",
            help=f"Files under {', '.join(escape(str(root)) for root in roots)} can be read. Or upload a file below.",
            persist_state="session",
        )
        if text.strip():
            return server_file(text, WEIGHT_SUFFIXES)
    file = st.file_uploader(
        "File of weights",
        type=list(WEIGHT_SUFFIXES),
        max_upload_size=MAX_UPLOAD_MB,
        key="images:weights-file",
        help="safetensors, or a torch file that holds only a state dict; anything that could run code is refused.",
    )
    if file is None:
        return None
    key = f"kept:{file.file_id}"
    known = st.session_state.get(key)
    if not isinstance(known, Path) or not known.is_file():
        st.session_state[key] = known = save_upload(file, file.name, WEIGHT_SUFFIXES)
    return known
