"""The finished runs that the first page opens on: they come with the dashboard, so that a first visit computes nothing.

`python -m tests.bench.home_demo` makes them; a test holds them against what the code gives today. The sentence of Home
is not made of them: it is over many splits, see `digits_splits` in figures.py.
"""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.services.cache import store
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import REPORT, RESULT, RunRecord, RunStore, read_result
from skmm_core.storage import home

METHOD = "skmm_cover"
BUDGET = 60
_DATASET = DatasetConfig(source="digits")
SELECT = RunConfig(dataset=_DATASET, job=SelectJob(method=METHOD, budget=BUDGET))
COMPARE = RunConfig(
    dataset=_DATASET,
    job=CompareJob(methods=(METHOD, "uniform"), budgets=(20, 40, 60, 100, 150, 220), seeds=8),
)
_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "demo"
_HEAD_START = 20.0  # seconds in which the browser has the processor before the reports are written


@dataclass(frozen=True)
class DemoRuns:
    """What the first page needs.

    Attributes:
        select: the chosen points of the map; None where it could not be brought into the store.
        problem: why, in one line.
    """

    select: RunRecord | None
    problem: str | None


def shipped(config: RunConfig) -> Path:
    """The bundle of one of the two runs, without its report, which would be most of it."""
    return _FOLDER / f"{config.job.kind}.zip"


def demo_runs() -> DemoRuns:
    """The demo runs; those that the store lacks are brought into it from their bundles, in a fraction of a second."""
    return _demo(home()).runs()


@st.cache_resource(max_entries=4, show_spinner=False)
def _demo(folder: Path) -> "_Demo":
    return _Demo(store())


class _Demo:
    """Brings the demo runs in, whoever asks."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._ids: dict[Path, str] = {}

    def runs(self) -> DemoRuns:
        """Find both; one that was deleted comes back, since the page is about it."""
        with self._lock:
            try:
                select, compare = (self._there(shipped(config)) for config in (SELECT, COMPARE))
            except InputError as error:
                return DemoRuns(None, f"The example could not be opened: {error}")
        if not all((run.folder / REPORT).exists() for run in (select, compare)):
            self._write_reports_later((select, compare))
        return DemoRuns(select, None)

    def _there(self, bundle: Path) -> RunRecord:
        known = self._ids.get(bundle)
        if known is not None:
            with contextlib.suppress(InputError):  # deleted since: it is imported again
                return self._store.get(known)
        record = self._store.import_(bundle, _no_report)
        self._ids[bundle] = record.id
        return record

    def _write_reports_later(self, records: tuple[RunRecord, ...]) -> None:
        if any(thread.name == _WRITER for thread in threading.enumerate()):
            return
        writer = threading.Timer(_HEAD_START, _write_reports, args=(records,))
        writer.name, writer.daemon = _WRITER, True
        writer.start()


_WRITER = "demo-reports"


def _no_report(folder: Path, config: RunConfig, result: Mapping[str, Any]) -> None:
    """The report is written once the first page stands."""


def _write_reports(records: tuple[RunRecord, ...]) -> None:
    from skmm_core.report import write_report

    for record in records:
        try:
            if (record.folder / RESULT).exists() and not (record.folder / REPORT).exists():
                write_report(record.folder, record.config, read_result(record.folder))
        except (InputError, OSError):  # deleted meanwhile, or the disk is full: the run is there without a report
            continue
