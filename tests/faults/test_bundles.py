"""Bundles from strangers: everything that is not a run is refused in one line, and nothing is left behind."""

import json
import pickle
import stat
import zipfile
import zlib

import numpy as np
import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError
from skmm_core.jobs.bundle_import import import_run
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunState, RunStore


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A good bundle, as name → bytes."""
    home = tmp_path_factory.mktemp("home")
    store = RunStore(home)
    config = RunConfig(dataset=DatasetConfig(source="diabetes"), job=SelectJob(method="uniform", budget=10))
    record = store.create(config, load_dataset("diabetes").fingerprint)
    run_folder(record.folder, home=home)
    store.rename(record.id, "a bundle")
    store.export(record.id, home / "run.zip")
    with zipfile.ZipFile(home / "run.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _refused(store, path, match):
    with pytest.raises(InputError, match=match) as caught:
        import_run(store, path)
    assert "\n" not in str(caught.value)
    assert store.records() == []
    assert not list(store.home.glob(".import-*"))
    assert not list((store.home / "runs").iterdir())


def test_a_good_bundle_comes_in_with_its_name(store, bundle, tmp_path):
    record = import_run(store, _zip(tmp_path / "run.zip", bundle))
    assert (record.state, record.name) == (RunState.DONE, "a bundle")
    assert (record.folder / "selection.npy").read_bytes() == bundle["selection.npy"]
    assert not list(store.home.glob(".import-*"))


def test_the_report_of_a_stranger_is_not_kept(store, bundle, tmp_path):
    bad = bundle | {"report.html": b"<script>alert(1)</script>"}
    record = import_run(store, _zip(tmp_path / "run.zip", bad))
    assert (record.folder / "report.html").read_bytes() == bundle["report.html"]


def test_text_in_a_bundle_is_escaped_in_the_report(store, bundle, tmp_path):
    result = json.loads(bundle["result.json"]) | {"command": "<script>alert(1)</script>"}
    record = import_run(store, _zip(tmp_path / "run.zip", bundle | {"result.json": json.dumps(result)}))
    page = (record.folder / "report.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_an_unfinished_bundle_comes_in_as_cancelled(store, bundle, tmp_path):
    few = {name: bundle[name] for name in ("config.json", "run.json")}
    assert import_run(store, _zip(tmp_path / "run.zip", few)).state is RunState.CANCELLED


def test_a_bundle_takes_the_place_of_what_lies_in_the_trash(store, bundle, tmp_path):
    path = _zip(tmp_path / "run.zip", bundle)
    record = import_run(store, path)
    store.delete(record.id)
    trashed = store.home / "trash" / record.id
    (trashed / "selection.npy").write_bytes(b"damaged")
    back = import_run(store, path)
    assert (back.state, [run.id for run in store.records()]) == (RunState.DONE, [record.id])
    assert (back.folder / "selection.npy").read_bytes() == bundle["selection.npy"]
    assert not trashed.exists()


def test_an_unfinished_bundle_brings_the_finished_run_back_from_the_trash(store, bundle, tmp_path):
    record = import_run(store, _zip(tmp_path / "run.zip", bundle))
    store.delete(record.id)
    few = {name: bundle[name] for name in ("config.json", "run.json")}
    assert import_run(store, _zip(tmp_path / "few.zip", few)).state is RunState.DONE
    assert (record.folder / "result.json").exists()


def test_a_finished_run_is_kept_as_it_is(store, bundle, tmp_path):
    path = _zip(tmp_path / "run.zip", bundle)
    record = import_run(store, path)
    (record.folder / "log.jsonl").write_text("mine")
    store.rename(record.id, "mine")
    assert import_run(store, path).name == "mine"
    assert (record.folder / "log.jsonl").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("../evil.txt", "which no run has"),
        ("/etc/evil", "which no run has"),
        ("C:\\evil", "which no run has"),
        ("sub/config.json", "which no run has"),
        ("evil.py", "which no run has"),
        ("config.json/", "which no run has"),
    ],
)
def test_names_outside_a_run_folder(store, bundle, tmp_path, name, match):
    _refused(store, _zip(tmp_path / "run.zip", bundle | {name: b""}), match)


def test_a_link(store, bundle, tmp_path):
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in bundle.items():
            entry = zipfile.ZipInfo(name)
            link = name == "selection.csv"
            entry.external_attr = ((stat.S_IFLNK if link else stat.S_IFREG) | 0o644) << 16
            archive.writestr(entry, "/etc/passwd" if link else content)
    _refused(store, path, "selection.csv in it is not a plain file")


def test_a_bomb(store, bundle, tmp_path):
    _refused(store, _zip(tmp_path / "run.zip", bundle | {"log.jsonl": bytes(1 << 24)}), "unpacks to 16,777,216 bytes")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bomb_that_lies_about_its_size(store, bundle, tmp_path, method):
    path = tmp_path / "run.zip"
    true, false = 3_000_000, 1_000
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in bundle.items():
            archive.writestr(name, bytes(true) if name == "log.jsonl" else content)
    raw = path.read_bytes()
    crc = zlib.crc32(bytes(true)).to_bytes(4, "little")
    assert raw.count(true.to_bytes(4, "little")) >= 2
    lie = raw.replace(true.to_bytes(4, "little"), false.to_bytes(4, "little"))
    assert crc in lie
    path.write_bytes(lie)
    _refused(store, path, "is not a run bundle")


def test_one_name_twice(store, bundle, tmp_path):
    path = _zip(tmp_path / "run.zip", bundle)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")
    _refused(store, path, "one name twice")


@pytest.mark.parametrize("missing", ["config.json", "run.json"])
def test_a_bundle_without_identity(store, bundle, tmp_path, missing):
    members = {name: content for name, content in bundle.items() if name != missing}
    _refused(store, _zip(tmp_path / "run.zip", members), f"it has no {missing}")


def test_a_config_of_another_run(store, bundle, tmp_path):
    config = json.loads(bundle["config.json"])
    config["job"]["budget"] = 11
    bad = bundle | {"config.json": json.dumps(config)}
    _refused(store, _zip(tmp_path / "run.zip", bad), "does not belong to run")


def test_an_id_that_is_a_path(store, bundle, tmp_path):
    card = json.loads(bundle["run.json"]) | {"id": "../../evil"}
    _refused(store, _zip(tmp_path / "run.zip", bundle | {"run.json": json.dumps(card)}), "does not belong to run")


def test_a_result_of_other_data(store, bundle, tmp_path):
    result = json.loads(bundle["result.json"]) | {"fingerprint": "sha256:other"}
    bad = bundle | {"result.json": json.dumps(result)}
    _refused(store, _zip(tmp_path / "run.zip", bad), "belongs to another config or other data")


def test_a_result_that_says_too_little(store, bundle, tmp_path):
    result = json.loads(bundle["result.json"])
    del result["diagnostics"]
    _refused(store, _zip(tmp_path / "run.zip", bundle | {"result.json": json.dumps(result)}), "do not fit together")


class _Trap:
    def __reduce__(self):
        return (pytest.fail, ("the bundle was unpickled",))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scores.parquet", b"no parquet"),
        ("selection.npy", b"\x93NUMPY garbage"),
        ("selection.npy", pickle.dumps(_Trap())),
        ("diagnostics.npz", b"PK\x05\x06" + bytes(5)),
        ("result.json", b"[1, 2"),
        ("result.json", b"[1, 2]"),
        ("selection.csv", b"\xff\xfe\xff"),
    ],
)
def test_damaged_files(store, bundle, tmp_path, name, content):
    _refused(store, _zip(tmp_path / "run.zip", bundle | {name: content}), f"{name} in it cannot be read")


def test_an_array_of_objects_is_not_unpickled(store, bundle, tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.save(file, np.array([_Trap()], dtype=object), allow_pickle=True)
    bad = bundle | {"selection.npy": (tmp_path / "x.npy").read_bytes()}
    _refused(store, _zip(tmp_path / "run.zip", bad), "selection.npy in it cannot be read")


def test_what_is_no_zip(store, tmp_path):
    (tmp_path / "run.zip").write_bytes(b"hello")
    _refused(store, tmp_path / "run.zip", "is not a run bundle: File is not a zip file")
    _refused(store, tmp_path / "none.zip", "does not exist")
    _refused(store, tmp_path, "is not a run bundle")


def test_a_truncated_zip(store, bundle, tmp_path):
    path = _zip(tmp_path / "run.zip", bundle)
    path.write_bytes(path.read_bytes()[:-40])
    _refused(store, path, "is not a run bundle")


def test_a_zip_with_a_changed_byte(store, bundle, tmp_path):
    path = tmp_path / "run.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in bundle.items():
            archive.writestr(name, content)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b'"method"') + 3] ^= 1
    path.write_bytes(bytes(raw))
    _refused(store, path, "is not a run bundle: Bad CRC")


def test_export_into_nowhere(store, bundle, tmp_path):
    record = import_run(store, _zip(tmp_path / "run.zip", bundle))
    with pytest.raises(InputError, match="cannot be written"):
        store.export(record.id, tmp_path / "no" / "folder" / "run.zip")
