"""Figures that come with the dashboard, and where the tables of the paper come from: these, or a finished run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.services import cache, state
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "benchmarks"


@dataclass(frozen=True)
class Figures:
    """A result, and where it is from.

    Attributes:
        result: as the run wrote it.
        run: whose result it is; None for figures that come with the dashboard.
        file: the file that holds it.
    """

    result: dict[str, Any]
    run: RunRecord | None
    file: Path


def digits_splits_file() -> Path:
    """File of what is saved over many splits of the digits, made by `python -m tests.bench.digits_splits`."""
    return FOLDER / "digits-splits.json"


def digits_splits() -> dict[str, Any]:
    """What is saved over many splits of the digits; see :func:`digits_splits_file`."""
    path = digits_splits_file()
    return _read(path, cache.file_stamp(str(path)))


def committed_file(experiment: str) -> Path:
    """File of the figures that come with the dashboard."""
    return FOLDER / f"paper-{experiment}.json"


def committed(experiment: str) -> Figures | None:
    """The figures that come with the dashboard; None for an experiment that needs data nobody may pass on."""
    path = committed_file(experiment)
    if not path.exists():
        return None
    return Figures(_read(path, cache.file_stamp(str(path))), None, path)


@st.cache_data(max_entries=8, show_spinner=False)
def _read(path: Path, stamp: cache.Stamp) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def runs_of(experiment: str) -> list[RunRecord]:
    """Runs of an experiment, the open one first, then the newest."""
    found = [
        run for run in cache.store().records(kind="paper") if getattr(run.config.job, "experiment", "") == experiment
    ]
    opened = state.current_run()
    return sorted(found, key=lambda run: run.id != opened)


def finished(experiment: str) -> list[Figures]:
    """Figures of an experiment, those of the open or newest finished run first, the committed ones last."""
    from skmm_core.runs import RESULT

    made = []
    for run in runs_of(experiment):
        if run.state is RunState.DONE:
            try:
                made.append(Figures(cache.run_result(run.id), run, run.folder / RESULT))
            except InputError:  # damaged: its page in Runs says so
                continue
    given = committed(experiment)
    return [*made, given] if given else made
