"""The finished run that the first page opens on, made once in a few seconds over the embedded digits.

A comparison of the same data is made after it, so that Compare and Present have something to show too. The Overview's
sentence is not made of it: it is over many splits, which would take minutes; see `digits_splits` in figures.py.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.services.cache import jobs, store
from dashboard.services.jobs import Jobs
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState, RunStore
from skmm_core.storage import home

METHOD = "skmm_cover"
BUDGET = 60
# Fingerprint of the built-in digits (a test compares it). Computing it would load torch here, while the worker loads it
# too, and the first chart would come seconds later.
DIGITS = "sha256:56027723691f0a6007c5d43eae136aa8ea3da1bdaa9bad7a65a24ce15b1e899e"
_HEAD_START = 5.0  # seconds in which the browser has the processor for its first chart
_DATASET = DatasetConfig(source="digits")
SELECT = RunConfig(dataset=_DATASET, job=SelectJob(method=METHOD, budget=BUDGET))
COMPARE = RunConfig(
    dataset=_DATASET,
    job=CompareJob(methods=(METHOD, "uniform"), budgets=(20, 40, 60, 100, 150, 220), seeds=8),
)


@dataclass(frozen=True)
class DemoRuns:
    """What the first page needs.

    Attributes:
        select: the chosen points of the map; None while that run is not yet in the store.
        problem: why it could not be made, in one line.
    """

    select: RunRecord | None
    problem: str | None


def demo_runs() -> DemoRuns:
    """Find the demo runs; what is missing is made in the background, so this returns at once."""
    return _demo(home()).runs()


@st.cache_resource(max_entries=4, show_spinner=False)
def _demo(folder: Path) -> "_Demo":
    return _Demo(store(), jobs())


class _Demo:
    """Starts the demo runs at most once at a time, whoever asks."""

    def __init__(self, store: RunStore, jobs: Jobs) -> None:
        self._store, self._jobs = store, jobs
        self._lock = threading.Lock()
        self._maker: threading.Thread | None = None
        self._problem: str | None = None
        self._ids: dict[str, str] = {}
        interrupted = [run for run in (self._find(SELECT), self._find(COMPARE)) if run and run.state is RunState.FAILED]
        for run in interrupted:
            jobs.submit(run.config, run.fingerprint)

    def runs(self) -> DemoRuns:
        select, compare = self._find(SELECT), self._find(COMPARE)
        with self._lock:
            idle = self._maker is None or not self._maker.is_alive()
            if idle and self._problem is None and (select is None or compare is None):
                self._maker = threading.Thread(target=self._make, name="demo", daemon=True)
                self._maker.start()
            return DemoRuns(select, self._problem)

    def _find(self, config: RunConfig) -> RunRecord | None:
        known = self._ids.get(config.job.kind)
        if known is not None:
            try:
                return self._store.get(known)
            except InputError:  # deleted since
                del self._ids[config.job.kind]
        found = next((run for run in self._store.records(kind=config.job.kind) if run.config == config), None)
        if found is not None:
            self._ids[config.job.kind] = found.id
        return found

    def _make(self) -> None:
        """Have both runs made, the one with the chart first and alone."""
        try:
            fingerprint = self._made(SELECT, DIGITS)
            time.sleep(_HEAD_START)
            self._jobs.submit(COMPARE, fingerprint)
        except (InputError, OSError) as error:
            self._problem = f"The demo could not be made: {error}"

    def _made(self, config: RunConfig, fingerprint: str) -> str:
        """Run to the end; should the digits of this scikit-learn differ, once more with what they are."""
        run = self._jobs.submit(config, fingerprint)
        while self._store.get(run).state in (RunState.QUEUED, RunState.RUNNING):
            time.sleep(0.1)
        if self._store.get(run).state is RunState.FAILED:
            from skmm_core.data import load_dataset

            found = load_dataset(_DATASET).fingerprint
            if found != fingerprint:
                self._store.delete(run)
                return self._made(config, found)
        return fingerprint
