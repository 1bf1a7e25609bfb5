"""What the server process keeps: the run store, the jobs, loaded datasets, files of finished runs.

Nothing here imports torch at module level, so that a finished run is drawn before torch is loaded.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.services.jobs import Jobs
from dashboard.services.sources import check_allowed
from skmm_core.config import DatasetConfig
from skmm_core.runs import DIAGNOSTICS, RESULT, RunStore, Table, read_result, read_table
from skmm_core.storage import home

if TYPE_CHECKING:
    import pandas as pd

    from skmm_core.data import Dataset
    from skmm_core.diagnostics import Diagnostics

Stamp = tuple[tuple[str, int, int], ...]


def store() -> RunStore:
    """The run store under `SKMM_HOME`; runs whose process died are marked failed when it is first opened."""
    return _store(home())


@st.cache_resource(max_entries=4, show_spinner=False)
def _store(folder: Path) -> RunStore:
    opened = RunStore(folder)
    opened.reconcile()
    return opened


def jobs() -> Jobs:
    """What starts, queues and cancels runs; the first call starts a warm worker."""
    return _jobs(home())


@st.cache_resource(max_entries=4, show_spinner=False, on_release=lambda held: held.close())
def _jobs(folder: Path) -> Jobs:
    started = Jobs(_store(folder))
    started.warm_up()
    return started


def dataset(config: DatasetConfig) -> "Dataset":
    """Read a dataset, or take it from memory when its files are unchanged.

    Raises:
        InputError: the file may not be read through the dashboard, or cannot be used.
    """
    check_allowed(config)
    return _dataset(config.model_dump_json(), file_stamp(*_files_of(config)))


@st.cache_resource(max_entries=6, show_spinner=False)
def _dataset(config_json: str, stamp: Stamp) -> "Dataset":
    from skmm_core.data import load_dataset

    return load_dataset(DatasetConfig.model_validate_json(config_json))


def texts(config: DatasetConfig) -> "Dataset":
    """Read a table for its texts, or take it from memory when its file is unchanged.

    Raises:
        InputError: the file may not be read through the dashboard, or has no texts.
    """
    check_allowed(config)
    return _texts(config.model_dump_json(), file_stamp(*_files_of(config)))


@st.cache_resource(max_entries=3, show_spinner=False)
def _texts(config_json: str, stamp: Stamp) -> "Dataset":
    from skmm_core.data import load_texts

    return load_texts(DatasetConfig.model_validate_json(config_json))


def _files_of(config: DatasetConfig) -> list[str]:
    """Every file that a dataset is read from."""
    names = [name for name in (config.source, config.test, config.labels) if name]
    return [*names, *(str(path) for name in names if Path(name).is_dir() for path in sorted(Path(name).rglob("*")))]


def run_result(run_id: str) -> dict[str, Any]:
    """`result.json` of a finished run.

    Raises:
        InputError: the run has none.
    """
    folder = store().folder(run_id)
    return _result(folder, file_stamp(str(folder / RESULT)))


@st.cache_data(max_entries=64, show_spinner=False)
def _result(folder: Path, stamp: Stamp) -> dict[str, Any]:
    return read_result(folder)


def run_table(run_id: str, name: Table) -> "pd.DataFrame":
    """One table of a finished selection: "selection", "scores", "map" or "trace".

    Raises:
        InputError: the run has no such table.
    """
    folder = store().folder(run_id)
    return _table(folder, name, file_stamp(str(folder / f"{name}.parquet")))


@st.cache_data(max_entries=32, max_size="512MB", show_spinner=False)
def _table(folder: Path, name: Table, stamp: Stamp) -> "pd.DataFrame":
    return read_table(folder, name)


def run_diagnostics(run_id: str) -> "Diagnostics":
    """What was measured about a finished selection.

    Raises:
        InputError: the run has no diagnostics.
    """
    path = store().folder(run_id) / DIAGNOSTICS
    return _diagnostics(path, file_stamp(str(path)))


@st.cache_resource(max_entries=32, show_spinner=False)
def _diagnostics(path: Path, stamp: Stamp) -> "Diagnostics":
    from skmm_core.diagnostics import load_diagnostics

    return load_diagnostics(path)


def file_stamp(*paths: str | None) -> Stamp:
    """Size and time of the files that are there: for a cache key, so that a changed file is read again."""
    found = []
    for path in paths:
        try:
            status = Path(path).stat() if path else None
        except (OSError, ValueError):
            status = None
        if path and status:
            found.append((path, status.st_size, status.st_mtime_ns))
    return tuple(found)
