"""A small demo made once, and the app with an empty home or with that one."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from dashboard.services import demo
from dashboard.services.jobs import Jobs
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState, RunStore
from skmm_core.runs.processes import process_key

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
DIGITS = DatasetConfig(source="digits")
SMALL = RunConfig(dataset=DIGITS, job=CompareJob(methods=(demo.METHOD, "uniform"), budgets=(20, 60, 100), seeds=2))


def make_run(store, config):
    """Make one finished run in this process."""
    record = store.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    return store.get(record.id)


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory):
    """A home with the demo selection, a comparison small enough for a test, and a regression run. Never changed.

    Made once for all workers of a test run, which share the folder above their own.
    """
    own = tmp_path_factory.getbasetemp()
    home = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "demo"
    with FileLock(f"{home}.lock"):
        done = (home / "made").exists()
        store = RunStore(home)
        regression = RunConfig(dataset=DatasetConfig(source="diabetes"), job=SelectJob(method="leverage", budget=9))
        for config in () if done else (demo.SELECT, SMALL, regression):
            make_run(store, config)
        (home / "made").touch()
    return store


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty store; runs are queued but nothing runs them."""
    monkeypatch.setattr(Jobs, "_start", lambda jobs: None)
    monkeypatch.setattr(demo, "COMPARE", SMALL)
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKMM_DATA_ROOTS", raising=False)
    return RunStore(tmp_path / "home")


@pytest.fixture
def ready(made_demo, empty):
    """The finished demo, which a test may change."""
    shutil.copytree(made_demo.home, empty.home, dirs_exist_ok=True)
    return RunStore(empty.home)


@pytest.fixture
def fail():
    """End a queued run as failed."""

    def end(store, id_, error):
        assert store.claim(id_, process_key(os.getpid()))
        store.finish(id_, RunState.FAILED, error)

    return end


@pytest.fixture
def visit(turn):
    """Open a page as a visitor does, with a run or a dataset in the URL or without."""

    def open_page(name, **query):
        app = AppTest.from_file(APP, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run() if name == "overview" else turn(app, name)

    return open_page


@pytest.fixture
def words():
    """All text of a page."""

    def read(app):
        parts = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.subheader]
        return "\n".join(str(part.value) for part in parts).replace("\u00a0", " ").replace("**", "")

    return read
