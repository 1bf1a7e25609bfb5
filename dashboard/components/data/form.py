"""The form of the Data page: a built-in dataset, an upload, pictures, texts, or a path on the server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.data.embed_view import Reads
from dashboard.components.data.image_form import image_form
from dashboard.components.data.sources import kept_upload, path_on_server
from dashboard.components.data.table_options import feature_options
from dashboard.components.data.text_form import text_form
from dashboard.components.data.to_embed import ToEmbed
from dashboard.components.shared.places import DATA_KIND, UPLOAD
from dashboard.components.shared.theme import fmt_int
from dashboard.services.sources import MAX_UPLOAD_MB, SUFFIXES, save_upload, server_file
from skmm_core.config import DatasetConfig
from skmm_core.data import FORMATS, kind_of

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from skmm_core.data import BuiltinInfo

BUILTIN, IMAGES, TEXTS, SERVER = "Built-in", "Images", "Texts", "Server path"
EMBEDDED: Mapping[str, Reads] = {IMAGES: "pictures", TEXTS: "texts"}  # what needs an encoder
_KEPT = {"persist_state": "session"}


def formats_text() -> str:
    """The formats of single files in a list, from the engine's one table."""
    return "\n".join(
        f"- **{form.title}** ({', '.join(form.endings)}{', packed too' if form.packed else ''}): {form.holds}"
        for form in FORMATS
        if form.endings
    )


def builtin_source(name: str, options: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Name of a built-in dataset with the options that differ from their defaults: "gmm:N=500,seed=3"."""
    given = ",".join(f"{key}={_plain(value)}" for key, value in options.items() if value != defaults[key])
    return f"{name}:{given}" if given else name


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def data_form(builtins: Sequence["BuiltinInfo"]) -> DatasetConfig | ToEmbed | None:
    """Draw the form.

    Returns:
        The dataset, or the pictures or texts, that the form describes, or None while it is not filled in.

    Raises:
        InputError: the upload or the path cannot be used.
    """
    kind = st.segmented_control(
        "Where is your data?",
        (BUILTIN, UPLOAD, IMAGES, TEXTS, SERVER),
        default=BUILTIN,
        required=True,
        key=DATA_KIND,
        width="stretch",
        persist_state="session",
    )
    if kind == UPLOAD:
        return _upload()
    if kind == IMAGES:
        return image_form()
    if kind == TEXTS:
        return text_form()
    return _server() if kind == SERVER else _builtin(builtins)


def _builtin(builtins: Sequence["BuiltinInfo"]) -> DatasetConfig | None:
    infos = {info.name: info for info in builtins}
    name = st.radio(
        "Built-in dataset",
        list(infos),
        index=None,
        format_func=lambda key: infos[key].title,
        captions=[f"{info.description} {describe(info)}" for info in builtins],
        key="data:builtin",
        label_visibility="collapsed",
        persist_state="session",
    )
    if name is None:
        return None
    defaults = dict(infos[name].options)
    options = {}
    if defaults:
        with st.expander(f"Options of {infos[name].title}", icon=":material/tune:"):
            columns = st.columns(2)
            for number, (key, default) in enumerate(defaults.items()):
                with columns[number % 2]:
                    options[key] = _option(name, key, default)
    return DatasetConfig(source=builtin_source(name, options, defaults))


def _option(name: str, key: str, default: Any) -> Any:
    common: dict[str, Any] = {"key": f"data:{name}:{key}", **_KEPT}
    if isinstance(default, bool):
        return st.toggle(key, value=default, **common)
    if isinstance(default, int):
        return st.number_input(key, value=default, step=1, **common)
    if isinstance(default, float):
        return st.number_input(key, value=default, format="%g", **common)
    return st.text_input(key, value=str(default), **common)


def _upload() -> DatasetConfig | None:
    with st.popover("What can be read?", icon=":material/description:"):
        st.markdown(formats_text())
    file = st.file_uploader(
        "File with one row a point",
        type=list(SUFFIXES),
        max_upload_size=MAX_UPLOAD_MB,
        key="data:file",
        help=f"Up to {MAX_UPLOAD_MB} MB. For larger files use a server path.",
    )
    if file is None:
        return None
    path = _keep(file)
    with st.expander("Test file, labels file", icon=":material/attach_file:"):
        test = st.file_uploader(
            "Test file: same form, never picked from",
            type=list(SUFFIXES),
            max_upload_size=MAX_UPLOAD_MB,
            key="data:test",
        )
        labels = None
        if kind_of(path) == ".npy":
            labels = st.file_uploader(
                "Labels: npy with one target a row", type=["npy"], max_upload_size=MAX_UPLOAD_MB, key="data:labels"
            )
    return feature_options(
        path,
        test=_keep(test) if test else None,
        labels=_keep(labels) if labels else None,
    )


def _keep(file: "UploadedFile") -> Path:
    return kept_upload(file.file_id, lambda: save_upload(file, file.name))


def _server() -> DatasetConfig | None:
    text = path_on_server(
        "Path on the server", key="data:path", kind="Files", example="features.npz", root="/srv/embeddings"
    )
    if not text:
        return None
    path = server_file(text)
    with st.expander("Test file, labels file", icon=":material/attach_file:"):
        test = st.text_input("Path of the test file", key="data:path:test", persist_state="session")
        labels = ""
        if kind_of(path) == ".npy":
            labels = st.text_input("Path of the labels file (npy)", key="data:path:labels", persist_state="session")
    return feature_options(
        path,
        test=server_file(test) if test else None,
        labels=server_file(labels) if labels else None,
    )


def describe(info: "BuiltinInfo") -> str:
    """Size and task of a built-in dataset in a sentence."""
    return f"{fmt_int(info.rows)} rows × {fmt_int(info.dims)} features · {info.task}."
