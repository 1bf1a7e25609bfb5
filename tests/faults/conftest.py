import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.runs import RunStore


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return RunStore(tmp_path / "home")


@pytest.fixture
def config():
    return RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=10))
