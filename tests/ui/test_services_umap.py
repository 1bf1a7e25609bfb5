"""UMAP in a process of its own: asked for, running, there, failed, tried again."""

import subprocess
import sys

import numpy as np
import pytest

from dashboard.services import umap
from skmm_core import diagnostics as projection
from skmm_core.config import DatasetConfig

PRINT = "sha256:" + "ab" * 32
DIABETES = DatasetConfig(source="diabetes")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path))
    return tmp_path


def test_nobody_asked_yet(home):
    assert umap.umap_state(PRINT, 5).unknown


def test_a_map_of_the_pool_is_kept_and_read(home, monkeypatch):
    monkeypatch.setattr(projection, "umap_map", lambda features, *, seed: features[:, :2].numpy())
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
