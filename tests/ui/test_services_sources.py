"""Files that people bring: what is kept, what is refused."""

import io
import os
from pathlib import Path

import pytest

from dashboard.services import sources
from dashboard.services.sources import (
    check_allowed,
    check_run,
    column_names,
    recall,
    remember,
    safe_name,
    save_upload,
    server_file,
)
from skmm_core.config import DatasetConfig, EmbedJob, RunConfig
from skmm_core.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SKMM_DATA_ROOTS", raising=False)
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("x,y\n1,2\n")
    monkeypatch.setenv("SKMM_DATA_ROOTS", str(folder))
    return folder


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\temp\\My Data (1).NPZ", "My-Data-1.npz"),
        (".csv", "data.csv"),
        ("données é.parquet", "donn-es.parquet"),
        ("a" * 300 + ".npy", "a" * 80 + ".npy"),
        ("$(rm -rf).csv", "rm--rf.csv"),
        ("my table.CSV.gz", "my-table.csv.gz"),
    ],
)
def test_upload_names_become_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["a.exe", "csv", "a.npz.gz", ""])
def test_other_kinds_of_files_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="save it as one of these"):
        safe_name(name)


def test_an_upload_is_kept_once_by_content(home: Path) -> None:
    first = save_upload(io.BytesIO(b"x,y\n1,2\n"), "a.csv")
    assert first.read_bytes() == b"x,y\n1,2\n"
    assert first.is_relative_to(home / "uploads")
    assert save_upload(io.BytesIO(b"x,y\n1,2\n"), "a.csv") == first
    assert save_upload(io.BytesIO(b"x,y\n1,3\n"), "a.csv") != first
    assert not list(home.rglob(".*a.csv"))


def test_empty_and_oversized_uploads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="is empty"):
        save_upload(io.BytesIO(b""), "a.csv")
    monkeypatch.setattr(sources, "MAX_UPLOAD_MB", 0)
    with pytest.raises(InputError, match="give its path"):
        save_upload(io.BytesIO(b"x"), "a.csv")


def test_server_paths_are_off_until_roots_are_set() -> None:
    with pytest.raises(InputError, match="SKMM_DATA_ROOTS"):
        server_file("/etc/passwd")


def test_server_paths_inside_the_roots_are_resolved(root: Path) -> None:
    assert server_file("a.csv") == root / "a.csv"
    assert server_file(f" {root}/a.csv ") == root / "a.csv"


@pytest.mark.parametrize("text", ["/etc/passwd", "../secret.csv", "a/../../secret.csv", "~/x.csv", "\0", "x" * 9000])
def test_server_paths_outside_the_roots_are_refused(root: Path, text: str) -> None:
    (root.parent / "secret.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match=r"outside|not a file"):
        server_file(text)


def test_links_that_lead_out_of_the_roots_are_refused(root: Path) -> None:
    secret = root.parent / "secret.csv"
    secret.write_text("x\n1\n")
    (root / "link.csv").symlink_to(secret)
    (root / "up").symlink_to(root.parent)
    for text in ("link.csv", "up/secret.csv"):
        with pytest.raises(InputError, match="outside"):
            server_file(text)


def test_a_sibling_with_the_same_beginning_is_outside(root: Path) -> None:
    sibling = Path(f"{root}-private")
    sibling.mkdir()
    (sibling / "b.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match="outside"):
        server_file(str(sibling / "b.csv"))


def test_missing_files_and_folders_are_named(root: Path) -> None:
    for text in ("none.csv", str(root)):
        with pytest.raises(InputError, match="is not a file"):
            server_file(text)


def test_several_roots_are_allowed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = tmp_path / "more"
    second.mkdir()
    (second / "b.npy").write_bytes(b"1")
    monkeypatch.setenv("SKMM_DATA_ROOTS", f"{root}{os.pathsep}{second}")
    assert server_file(str(second / "b.npy")) == second / "b.npy"


def test_datasets_from_anywhere_else_are_refused_whoever_names_them(root: Path) -> None:
    check_allowed(DatasetConfig(source="digits"))
    check_allowed(DatasetConfig(source="gmm:N=500,seed=3"))
    check_allowed(DatasetConfig(source=str(root / "a.csv")))
    check_allowed(DatasetConfig(source=str(save_upload(io.BytesIO(b"x\n1\n"), "u.csv"))))
    for config in (
        DatasetConfig(source="/etc/secret.csv"),
        DatasetConfig(source="a.csv"),
        DatasetConfig(source="digits", labels="/etc/passwd"),
        DatasetConfig(source="digits", test="/etc/passwd"),
        DatasetConfig(source="/etc/passwd"),
        DatasetConfig(source="digits:x.csv"),
        DatasetConfig(source=str(sources.uploads() / ".." / ".." / "x.csv")),
    ):
        with pytest.raises(InputError):
            check_allowed(config)


def test_columns_are_read_from_the_header_only(root: Path) -> None:
    assert column_names(root / "a.csv") == ["x", "y"]
    (root / "bad.parquet").write_bytes(b"PAR1 no")
    (root / "binary.csv").write_bytes(b"\xff\xfe\x00,\x00")
    for name in ("bad.parquet", "binary.csv", "none.csv"):
        assert column_names(root / name) == []


def test_a_dataset_is_recalled_by_its_key_and_nothing_else_is() -> None:
    config = DatasetConfig(source="gmm:N=500", holdout=0.2)
    key = remember(config)
    assert remember(config) == key
    assert recall(key) == config
    for other in ("0" * 16, "../../etc/passwd", "", key + "0"):
        assert recall(other) is None


def test_a_folder_called_as_a_built_in_set_is_checked_as_a_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "secrets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(InputError, match="relative path"):
        check_allowed(DatasetConfig(source="secrets"))


def test_a_run_on_a_folder_may_not_follow_links_out_of_the_roots(root: Path) -> None:
    secret = root.parent / "secret.parquet"
    secret.write_bytes(b"x")
    (root / "parts").mkdir()
    check_allowed(DatasetConfig(source=str(root / "parts")))
    (root / "parts" / "a.parquet").symlink_to(secret)
    with pytest.raises(InputError, match="holds a link to outside"):
        check_allowed(DatasetConfig(source=str(root / "parts")))


def test_a_run_on_texts_may_read_no_table_and_no_model_from_elsewhere(root: Path) -> None:
    table = DatasetConfig(source=str(root / "a.csv"))
    (root / "model").mkdir()
    (root.parent / "model").mkdir()

    def run(dataset: DatasetConfig, **model: str) -> RunConfig:
        return RunConfig(dataset=dataset, job=EmbedJob(reads="texts", **model))

    check_run(run(table))
    check_run(run(table, model=str(root / "model")))
    for config in (
        run(table, model=str(root.parent / "model")),
        run(table, model=str(root / ".." / "model")),
        run(table, model="model"),
        run(table, model="sentence-transformers/all-MiniLM-L6-v2"),
        run(DatasetConfig(source="/etc/secret.csv")),
        run(DatasetConfig(source=str(root / "a.csv"), test="/etc/secret.csv")),
    ):
        with pytest.raises(InputError):
            check_run(config)
    (root / "model" / "model.safetensors").symlink_to(root.parent / "model")
    with pytest.raises(InputError, match="holds a link to outside"):
        check_run(run(table, model=str(root / "model")))
