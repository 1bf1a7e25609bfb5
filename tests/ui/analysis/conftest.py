"""Finished runs over the embedded digits, made once, and the app with each of these homes."""

import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services.jobs import Jobs
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunStore
from skmm_core.runs.processes import process_key

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
DIGITS = DatasetConfig(source="digits")
DIABETES = DatasetConfig(source="diabetes")
COMPARISON = CompareJob(methods=("skmm_kernel", "uniform"), budgets=(20, 40), seeds=3, learners=("linear",))


def make_run(store, dataset, job):
    """Make one finished run in this process; returns its record."""
    config = RunConfig(dataset=dataset, job=job)
    record = store.create(config, load_dataset(dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    return store.get(record.id)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A home with four finished selections (three of digits) and a comparison. Never changed: see `home`."""
    store = RunStore(tmp_path_factory.mktemp("finished"))
    make_run(store, DIABETES, SelectJob(method="uniform", budget=20))
    for method in ("uniform", "skmm_kernel", "skmm"):
        make_run(store, DIGITS, SelectJob(method=method, budget=40))
    make_run(store, DIGITS, COMPARISON)
    return store


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    """An empty store, and no worker processes."""
    monkeypatch.setattr(Jobs, "_start", lambda jobs: None)
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return RunStore(tmp_path / "home")


@pytest.fixture
def home(finished, empty_home):
    """A copy of the finished runs that a test may change."""
    shutil.copytree(finished.home, empty_home.home, dirs_exist_ok=True)
    return RunStore(empty_home.home)


@pytest.fixture
def submitted(monkeypatch):
    """Configs that were submitted; they are queued in the store but nothing runs them."""
    configs = []

    def submit(jobs, config, fingerprint):
        configs.append(config)
        return jobs._store.create(config, fingerprint).id

    monkeypatch.setattr(Jobs, "submit", submit)
    return configs


@pytest.fixture
def visit(turn):
    """Open a page as a visitor does, with a run in the URL or without."""

    def open_page(name, *, run=None):
        app = AppTest.from_file(APP, default_timeout=60)
        if run is not None:
            app.query_params["run"] = run
        return turn(app, name)

    return open_page


@pytest.fixture
def start_running():
    """Mark a queued run as running in this process, without running it."""
    return lambda store, id_: store.claim(id_, process_key(os.getpid()))
