"""The state of one visitor: the open dataset and the open run, held in the session and in the URL.

The URL wins when a page is opened (`?run=ID`, `?data=KEY`), so a refresh, a second tab or a link shows the same thing.
The open run always belongs to the open dataset.
"""

from enum import StrEnum
from pathlib import Path

import streamlit as st

from dashboard.services.cache import store
from dashboard.services.sources import recall, remember, source_title
from skmm_core.config import DatasetConfig, EmbedJob, PaperJob
from skmm_core.errors import InputError
from skmm_core.runs import FEATURES, RunRecord, RunState


class Key(StrEnum):
    """Session keys that belong to no single widget."""

    DATASET = "skmm:dataset"
    RUN = "skmm:run"
    PROBLEM = "skmm:problem"


_RUN, _DATA = "run", "data"


def sync_with_url() -> None:
    """Take the run or dataset that the URL names, and write the open ones into it: once a run, from `app.py`."""
    wanted = st.query_params.get(_RUN)
    if wanted and wanted != current_run():
        _open_from_url(wanted)
    elif not wanted and (key := st.query_params.get(_DATA)) and current_run() is None:
        _recall_from_url(key)
    _write_url()


def current_dataset() -> DatasetConfig | None:
    """The dataset that pages work on, or None before one was chosen."""
    found = st.session_state.get(Key.DATASET)
    return found if isinstance(found, DatasetConfig) else None


def set_current_dataset(config: DatasetConfig) -> None:
    """Open a dataset; an open run of another dataset is closed."""
    if config != current_dataset():
        st.session_state.pop(Key.RUN, None)
    st.session_state[Key.DATASET] = config
    _write_url()


def current_run() -> str | None:
    """Id of the open run, or None."""
    found = st.session_state.get(Key.RUN)
    return found if isinstance(found, str) else None


def current_record() -> RunRecord | None:
    """The open run as the store knows it; None when none is open, and the run is closed when it was deleted."""
    id_ = current_run()
    if id_ is None:
        return None
    try:
        return store().get(id_)
    except InputError:
        close_run()
        return None


def set_current_run(id_: str) -> None:
    """Open a run and its dataset; the dataset of a finished embedding is the features that it made.

    Raises:
        InputError: there is no run with this id.
    """
    record = store().get(id_)
    st.session_state[Key.RUN] = record.id
    if isinstance(record.config.job, PaperJob):
        pass  # its page shows a table, not a dataset; the open one stays
    elif not isinstance(record.config.job, EmbedJob):
        st.session_state[Key.DATASET] = record.config.dataset
    elif record.state is RunState.DONE:
        st.session_state[Key.DATASET] = features_of(record)
    _write_url()


def features_of(record: RunRecord) -> DatasetConfig:
    """The dataset that a finished embedding made, called as its pictures or texts are."""
    name = source_title(record.config.dataset.source)
    return DatasetConfig(source=str(record.folder / FEATURES), name=name[:200])


def embedding_of(config: DatasetConfig) -> RunRecord | None:
    """The embedding that made a dataset out of pictures or texts; None when it was not made here, or was deleted."""
    path = Path(config.source)
    try:
        record = store().get(path.parent.name)
    except InputError:
        return None
    return record if record.folder / FEATURES == path else None


def close_run() -> None:
    """Close the open run; its dataset stays open."""
    st.session_state.pop(Key.RUN, None)
    _write_url()


def take_problem() -> str | None:
    """What was wrong with the URL, to be told once."""
    found = st.session_state.pop(Key.PROBLEM, None)
    return found if isinstance(found, str) else None


def _open_from_url(id_: str) -> None:
    try:
        set_current_run(id_)
    except InputError:
        st.session_state[Key.PROBLEM] = f"There is no run {id_[:40]} here; it may have been deleted. Runs lists all."
        st.query_params.pop(_RUN, None)


def _recall_from_url(key: str) -> None:
    config = recall(key)
    if config is not None:
        st.session_state[Key.DATASET] = config


def _write_url() -> None:
    run, data = current_run(), current_dataset()
    wanted = {_RUN: run} if run else {_DATA: remember(data)} if data else {}
    for name in (_RUN, _DATA):
        if name not in wanted:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != wanted[name]:
            st.query_params[name] = wanted[name]
