"""How a file is read: which column is what, the task, rows to hold out or to leave out."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.services.sources import column_names
from skmm_core.config import DatasetConfig
from skmm_core.data import is_table

_TASKS = {"auto": "Find out", "classification": "Classification", "regression": "Regression"}
_KEPT: dict[str, Any] = {"persist_state": "session"}


def options_key(path: Path, prefix: str = "data") -> str:
    """Where the keys of the widgets of a file begin; `prefix` tells apart forms that read it for something else."""
    return f"{prefix}:options:{path.parent.name}:{path.name}"


def scale_columns(config: DatasetConfig) -> None:
    """Set the form to scale the columns of this file: for a callback, before the form is drawn again."""
    st.session_state[f"{options_key(Path(config.source))}:scale"] = True


def feature_options(path: Path, *, test: Path | None, labels: Path | None) -> DatasetConfig:
    """Draw how to read a file of features.

    Args:
        path: of the file.
        test: file with rows that are only scored, or None.
        labels: file with the targets, or None.
    """
    key = options_key(path)
    named = _named_columns(path, key)
    left, right = st.columns(2)
    task = _task(left, key)
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
    drop = _drop("Leave out rows with missing or infinite numbers", key)
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


def text_options(path: Path, prefix: str) -> DatasetConfig:
    """Draw how to read a table of whose texts features are made.

    Args:
        path: of the table.
        prefix: of the widgets' keys.
    """
    key, columns = options_key(path, prefix), column_names(path)
    texts = _texts(
        st.container(),
        columns,
        key,
        "Empty takes a column called text or the like, else the one with the longest texts.",
    )
    left, right = st.columns(2)
    named = {"text": texts, **_target_and_id(left, right, columns, key)}
    with st.expander("More options", icon=":material/tune:"):
        left, right = st.columns(2)
        task, ignored = _task(left, key), _left_out(right, columns, key)
        unlabelled, labelled_only = _labelled(left, right, key)
        drop = _drop("Leave out rows with a target that is no number", key)
    return DatasetConfig(
        source=str(path),
        **named,
        ignore=ignored,
        unlabelled=unlabelled,
        labelled_only=labelled_only,
        task=task,
        drop_bad_rows=drop,
    )


def _named_columns(path: Path, key: str) -> dict[str, Any]:
    """Which column or array is what, and which rows count as labelled; empty for a file without names."""
    columns = column_names(path)
    if not columns:
        return {}
    left, right = st.columns(2)
    named = _target_and_id(left, right, columns, key)
    features = left.multiselect(
        "Features",
        columns,
        placeholder="found by their kind",
        key=f"{key}:features",
        help="One column of vectors, or columns of numbers. Empty takes the one column of vectors, else all columns of "
        "numbers that are no row number and no constant.",
        **_KEPT,
    )
    ignored = _left_out(right, columns, key)
    texts = None
    if is_table(path):
        texts = _texts(left, columns, key, "Shown on cards and searched; no feature. Empty takes the longest texts.")
    unlabelled, labelled_only = _labelled(right if is_table(path) else left, right, key)
    return {
        **named,
        "features": ",".join(features) or None,
        "text": texts,
        "ignore": ignored,
        "unlabelled": unlabelled,
        "labelled_only": labelled_only,
    }


def _target_and_id(left: DeltaGenerator, right: DeltaGenerator, columns: list[str], key: str) -> dict[str, str | None]:
    target = left.selectbox(
        "Target column",
        columns,
        index=None,
        placeholder="found by its name",
        key=f"{key}:target",
        help="What a model should predict. Empty takes a column named label, target, y or the like; without one the "
        "pool is unlabelled.",
        **_KEPT,
    )
    id_ = right.selectbox(
        "Id column",
        columns,
        index=None,
        placeholder="found by its name",
        key=f"{key}:id",
        help="Distinct names of the rows, read as text. Empty takes a column called id, or else the row number.",
        **_KEPT,
    )
    return {"target": target, "id": id_}


def _texts(area: DeltaGenerator, columns: list[str], key: str, empty: str) -> str | None:
    chosen = area.multiselect(
        "Text column",
        columns,
        placeholder="found by its name",
        key=f"{key}:text",
        help=f"What people read of each row; several are joined. {empty}",
        **_KEPT,
    )
    return ",".join(chosen) or None


def _left_out(area: DeltaGenerator, columns: list[str], key: str) -> str | None:
    chosen = area.multiselect("Leave out", columns, placeholder="no column", key=f"{key}:ignore", **_KEPT)
    return ",".join(chosen) or None


def _labelled(left: DeltaGenerator, right: DeltaGenerator, key: str) -> tuple[str | None, bool]:
    """The value that says that a row has no label, and whether only rows with one are taken."""
    unlabelled = left.text_input(
        "Value for: no label",
        placeholder="only empty ones",
        key=f"{key}:unlabelled",
        help="Such as -1 or todo. Rows with it count as not labelled yet and stay in the pool.",
        **_KEPT,
    )
    labelled_only = right.toggle(
        "Only rows with a label",
        key=f"{key}:labelled",
        help="Leaves the rows without a label out. Comparing methods needs a label in every row.",
        **_KEPT,
    )
    return (unlabelled or "").strip() or None, labelled_only


def _task(area: DeltaGenerator, key: str) -> Any:
    return area.selectbox(
        "Task",
        list(_TASKS),
        format_func=_TASKS.__getitem__,
        key=f"{key}:task",
        help="What the targets ask for. Find out: words and few distinct integers are classes, other numbers values.",
        **_KEPT,
    )


def _drop(label: str, key: str) -> bool:
    return st.toggle(label, key=f"{key}:drop", **_KEPT)
