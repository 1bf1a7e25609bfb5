"""`datasets`, `methods` and `runs`."""

import json
import os
import zipfile

import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.methods.registry import list_methods
from skmm_core.runs import RunState, RunStore
from skmm_core.runs.processes import process_key


def test_datasets(here):
    listed = {each["name"]: each for each in here("datasets", "--json").json["datasets"]}
    assert (listed["digits"]["rows"], listed["digits"]["dims"], listed["digits"]["task"]) == (
        1797,
        64,
        "classification",
    )
    assert listed["gmm"]["options"]["N"] == 2000
    said = here("datasets")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == ["NAME", *listed]


def test_methods(here):
    listed = here("methods", "--json").json["methods"]
    assert [each["key"] for each in listed] == [spec.key for spec in list_methods()]
    assert "c_s" in next(each for each in listed if each["key"] == "skmm")["params"]
    assert [each["key"] for each in listed if each["recommended"]] == ["skmm_cover", "skmm_fit"]
    said = here("methods")
    assert said.code == 0
    assert sum("default for" in line for line in said.out.splitlines()) == 2
    assert [line.split()[0] for line in said.out.splitlines()] == ["KEY", *(each["key"] for each in listed)]


@pytest.fixture
def finished(here, tmp_path):
    """A finished run in the store, made as the dashboard makes it."""
    store = RunStore(tmp_path / "home")
    config = RunConfig(dataset=DatasetConfig(source="diabetes"), job=SelectJob(method="uniform", budget=12))
    record = store.create(config, load_dataset("diabetes").fingerprint)
    assert here("run", record.folder, "--quiet").code == 0
    return store.get(record.id)


def test_run_of_a_stored_run_keeps_its_row(finished):
    assert finished.state is RunState.DONE
    assert finished.created <= finished.started <= finished.finished
    assert finished.error is None


def test_a_finished_run_is_not_run_again(here, finished):
    before = (finished.folder / "result.json").stat().st_mtime_ns
    said = here("run", finished.folder, "--json")
    assert said.code == 0
    assert said.json["method"] == "uniform"
    assert (finished.folder / "result.json").stat().st_mtime_ns == before


def test_list_and_show(here, finished):
    listed = here("runs", "list", "--json").json["runs"]
    assert [(each["id"], each["state"]) for each in listed] == [(finished.id, "done")]
    assert here("runs", "list", "--search", "nothing", "--json").json == {"runs": []}
    assert finished.id in here("runs", "list").out
    shown = here("runs", "show", finished.id, "--json").json
    assert shown["config"]["job"]["budget"] == 12
    assert shown["result"]["budget"] == 12
    assert shown["command"].startswith("python -m skmm_core select --dataset diabetes")
    assert "diabetes" in here("runs", "show", finished.id).out


def test_delete_and_undelete(here, finished):
    assert "undelete" in here("runs", "delete", finished.id).out
    assert here("runs", "list", "--json").json == {"runs": []}
    assert here("runs", "undelete", finished.id).code == 0
    assert here("runs", "show", finished.id, "--json").json["result"]["budget"] == 12


def test_export_and_import_on_another_machine(here, finished, tmp_path, monkeypatch):
    bundle = tmp_path / "run.zip"
    assert here("runs", "export", finished.id, bundle).code == 0
    assert {"config.json", "run.json", "result.json", "selection.npy", "report.html"} <= set(
        zipfile.ZipFile(bundle).namelist()
    )
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "other"))
    said = here("runs", "import", bundle, "--json")
    assert (said.code, said.json["id"], said.json["state"]) == (0, finished.id, "done")
    there = RunStore(tmp_path / "other").get(finished.id)
    for name in ("selection.npy", "result.json", "scores.parquet", "report.html"):
        assert (there.folder / name).read_bytes() == (finished.folder / name).read_bytes(), name
    assert here("runs", "import", bundle).code == 0
    assert len(here("runs", "list", "--json").json["runs"]) == 1


def test_cancel_of_a_queued_run(here, tmp_path):
    store = RunStore(tmp_path / "home")
    record = store.create(
        RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=3)), "sha256:0"
    )
    said = here("runs", "cancel", record.id, "--json")
    assert (said.code, said.json["state"]) == (0, "cancelled")


def test_run_of_a_run_that_another_process_has(here, tmp_path):
    store = RunStore(tmp_path / "home")
    record = store.create(
        RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=3)), "sha256:0"
    )
    assert store.claim(record.id, process_key(os.getppid()))
    said = here("run", record.folder)
    assert said.code == 2
    assert "is running in another process" in said.err
    assert store.get(record.id).state is RunState.RUNNING
    assert json.loads((record.folder / "config.json").read_text())["job"]["budget"] == 3
