"""UMAP in a process of its own: asked for, running, there, failed, tried again."""

import subprocess
import sys

import numpy as np
import pytest

from dashboard.services import umap
from skmm_core import diagnostics as projection
from skmm_core.config import DatasetConfig
from skmm_core.diagnostics import EPOCHS
from skmm_core.progress import Progress

PRINT = "sha256:" + "ab" * 32
DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path))
    return tmp_path


def test_nobody_asked_yet(home):
    assert umap.umap_state(PRINT, 5).unknown


def test_a_map_of_the_pool_is_kept_and_read(home, monkeypatch):
    monkeypatch.setattr(projection, "umap_map", lambda features, *, seed, report: features[:, :2].numpy())
    path = umap.umap_path(PRINT)
    path.parent.mkdir(parents=True)
    assert umap.main(DIABETES.model_dump_json(), str(path)) == 0
    state = umap.umap_state(PRINT, 265)
    assert state.places is not None
    assert state.places.shape == (265, 2)
    assert state.places.dtype == np.float32
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert umap.umap_state(PRINT, 264).problem == "The kept map is damaged."


def test_a_running_process_is_not_started_twice_and_its_end_is_noticed(home, monkeypatch):
    started = []
    real = subprocess.Popen

    def sleeper(command, **options):
        started.append(command)
        return real([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)

    monkeypatch.setattr(umap.subprocess, "Popen", sleeper)
    umap.start_umap(DIABETES, PRINT)
    umap.start_umap(DIABETES, PRINT)
    assert len(started) == 1
    assert umap.umap_state(PRINT, 265).running
    process = umap._RUNNING[umap.umap_path(PRINT)]
    process.communicate(b"\n", timeout=30)
    for _ in range(2):  # the reason stays, so that nothing starts again by itself
        assert umap.umap_state(PRINT, 265).problem == "the process stopped before it was done"
    umap.start_umap(DIABETES, PRINT)
    assert umap.umap_state(PRINT, 265).running
    umap._RUNNING[umap.umap_path(PRINT)].communicate(b"\n", timeout=30)


def test_the_reason_of_a_failure_is_told(home):
    umap.start_umap(DatasetConfig(source=str(home / "gone.csv")), PRINT)
    umap._RUNNING[umap.umap_path(PRINT)].wait(timeout=120)
    assert "gone.csv" in str(umap.umap_state(PRINT, 5).problem)


def test_a_map_that_is_computed_says_how_far_it_is_and_can_be_cancelled(home, monkeypatch):
    real = subprocess.Popen
    command = [sys.executable, "-c", "input()"]
    monkeypatch.setattr(umap.subprocess, "Popen", lambda *_, **__: real(command, stdin=subprocess.PIPE))
    umap.start_umap(DIABETES, PRINT)
    assert umap.umap_state(PRINT, 265).fraction is None
    told = umap._Told(umap.umap_path(PRINT), 265)
    told(Progress("Drawing the UMAP map", 1, 3))
    before = umap.umap_state(PRINT, 265)
    assert 0 <= before.fraction < 0.1
    assert 5 < before.eta < 30
    told(Progress(EPOCHS, 1, 500))
    told._moving -= 10
    told(Progress(EPOCHS, 250, 500))
    halfway = umap.umap_state(PRINT, 265)
    assert halfway.eta == pytest.approx(10, abs=1)
    umap.cancel_umap(PRINT)
    assert umap.umap_state(PRINT, 265).problem == "cancelled"
    assert umap.umap_path(PRINT) not in umap._RUNNING
