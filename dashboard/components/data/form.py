"""The form of the Data page: a built-in dataset, an upload, pictures, or a path on the server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.data.image_form import Pictures, image_form
from dashboard.components.data.sources import kept_upload, path_on_server
from dashboard.components.shared.theme import fmt_int
from dashboard.services.sources import MAX_UPLOAD_MB, SUFFIXES, column_names, save_upload, server_file
from skmm_core.config import DatasetConfig
from skmm_core.data import FORMATS, kind_of

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from skmm_core.data import BuiltinInfo

BUILTIN, UPLOAD, IMAGES, SERVER = "Built-in", "Upload", "Images", "Server path"
_TASKS = {"auto": "Find out", "classification": "Classification", "regression": "Regression"}
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


def data_form(builtins: Sequence["BuiltinInfo"]) -> DatasetConfig | Pictures | None:
    """Draw the form.

    Returns:
        The dataset or the pictures that the form describes, or None while it is not filled in.

    Raises:
        InputError: the upload or the path cannot be used.
    """
    kind = st.segmented_control(
        "Where is your data?",
        (BUILTIN, UPLOAD, IMAGES, SERVER),
        default=BUILTIN,
        required=True,
        key="data:kind",
        width="stretch",
        persist_state="session",
    )
    if kind == UPLOAD:
        return _upload()
    if kind == IMAGES:
        return image_form()
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
    return _options(
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
    return _options(
        path,
        test=server_file(test) if test else None,
        labels=server_file(labels) if labels else None,
    )


def scale_columns(config: DatasetConfig) -> None:
    """Set the form to scale the columns of this file: for a callback, before the form is drawn again."""
    st.session_state[f"{_options_key(Path(config.source))}:scale"] = True


def _options_key(path: Path) -> str:
    return f"data:options:{path.parent.name}:{path.name}"


def _options(path: Path, *, test: Path | None, labels: Path | None) -> DatasetConfig:
    """How to read a file: columns, task, hold-out."""
    key = _options_key(path)
    columns = column_names(path)
    named = _named_columns(columns, key) if columns else {}
    left, right = st.columns(2)
    task = left.selectbox(
        "Task",
        list(_TASKS),
        format_func=_TASKS.__getitem__,
        key=f"{key}:task",
        help="What the targets ask for. Find out: words and few distinct integers are classes, other numbers values.",
        persist_state="session",
    )
    percent = right.number_input(
        "Hold out for scoring (%)",
        min_value=0,
        max_value=90,
        value=0,
        step=5,
        key=f"{key}:holdout",
        help="Share of the rows that is never picked from. Comparing methods needs a test file or a hold-out.",
        persist_state="session",
    )
    drop = st.toggle(
        "Leave out rows with missing or infinite numbers",
        key=f"{key}:drop",
        persist_state="session",
    )
    scale = st.toggle(
        "Scale columns to equal spread",
        key=f"{key}:scale",
        help="Every column gets mean 0 and standard deviation 1, by those of the pool. For tables in mixed units, "
        "such as dollars beside shares; columns of a network's features share one unit and are best left as they are.",
        persist_state="session",
    )
    return DatasetConfig(
        source=str(path),
        test=str(test) if test else None,
        labels=str(labels) if labels else None,
        **named,
        task=task,
        holdout=percent / 100 if percent else None,
        drop_bad_rows=drop,
        scale_columns=scale,
    )


def _named_columns(columns: list[str], key: str) -> dict[str, Any]:
    """Which column or array is what, and which rows count as labelled."""
    left, right = st.columns(2)
    target = left.selectbox(
        "Target column",
        columns,
        index=None,
        placeholder="found by its name",
        key=f"{key}:target",
        help="What a model should predict. Empty takes a column named label, target, y or the like; without one the "
        "pool is unlabelled.",
        persist_state="session",
    )
    id_ = right.selectbox(
        "Id column",
        columns,
        index=None,
        placeholder="found by its name",
        key=f"{key}:id",
        help="Distinct names of the rows, read as text. Empty takes a column called id, or else the row number.",
        persist_state="session",
    )
    features = left.multiselect(
        "Features",
        columns,
        placeholder="found by their kind",
        key=f"{key}:features",
        help="One column of vectors, or columns of numbers. Empty takes the one column of vectors, else all columns of "
        "numbers that are no row number and no constant.",
        persist_state="session",
    )
    ignored = right.multiselect(
        "Leave out", columns, placeholder="no column", key=f"{key}:ignore", persist_state="session"
    )
    unlabelled = left.text_input(
        "Value for: no label",
        placeholder="only empty ones",
        key=f"{key}:unlabelled",
        help="Such as -1 or todo. Rows with it count as not labelled yet and stay in the pool.",
        persist_state="session",
    )
    labelled_only = right.toggle(
        "Only rows with a label",
        key=f"{key}:labelled",
        help="Leaves the rows without a label out. Comparing methods needs a label in every row.",
        persist_state="session",
    )
    return {
        "target": target,
        "id": id_,
        "features": ",".join(features) or None,
        "ignore": ",".join(ignored) or None,
        "unlabelled": unlabelled.strip() or None,
        "labelled_only": labelled_only,
    }


def describe(info: "BuiltinInfo") -> str:
    """Size and task of a built-in dataset in a sentence."""
    return f"{fmt_int(info.rows)} rows × {fmt_int(info.dims)} features · {info.task}."
