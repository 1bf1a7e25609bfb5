"""What is written of labels says the same when it is read again, and every room reads the same labels alike."""

from pathlib import Path

import numpy as np
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data import Dataset, known_targets, load_dataset
from skmm_core.errors import InputError
from skmm_core.estimates import labelled_rows
from skmm_core.labels import LabelsRead, begin_round, read_labels
from skmm_core.labels.gathering import _are_values
from skmm_core.projects import ProjectStore

IDS = [f"p{row}" for row in range(40)]
WORDS = [
    ["true", "false"],
    ["True", "False"],
    ["null", "cat"],
    ["nan", "cat"],
    ["1.0", "2"],
    ["01", "1"],
    ["1e5", "2e5"],
    ["1,5", "2,5"],
    ["1,234", "2,345"],
    ["+1", "-1"],
    ["0x1f", "1"],
    ["two\nlines", 'a "b"; c'],
]


@pytest.fixture
def plain(tmp_path: Path) -> Dataset:
    rows = np.random.default_rng(0).normal(size=(40, 3)).round(4).tolist()
    lines = [f"{id_},{','.join(map(str, row))}" for id_, row in zip(IDS, rows, strict=True)]
    (tmp_path / "pool.csv").write_text("id,x,y,z\n" + "\n".join(lines) + "\n")
    return load_dataset(DatasetConfig(source=str(tmp_path / "pool.csv"), id="id"))


@pytest.mark.parametrize("words", WORDS)
def test_the_copy_in_a_run_says_what_was_read(tmp_path: Path, words: list[str]) -> None:
    read = LabelsRead(dict(zip(IDS, words, strict=False)), pending=("p7",), batches={"p7": 2})
    path = tmp_path / "labels.csv"
    path.write_text(read.text, encoding="utf-8", newline="")
    again = read_labels(path)
    assert again.labels == read.labels
    assert again.pending == ("p7",)
    assert again.digest == read.digest, "else a run could not be repeated where its labels are gone"


@pytest.mark.parametrize("words", WORDS)
def test_a_snapshot_keeps_the_names_of_classes(tmp_path: Path, plain: Dataset, words: list[str]) -> None:
    store = ProjectStore(tmp_path / "home")
    config = DatasetConfig(source=str(tmp_path / "pool.csv"), id="id")
    project = store.open(store.begin(config, plain.fingerprint, name="pool").id)
    given = dict(zip(IDS, words, strict=False))
    project.label(given)
    assert read_labels(project.snapshot()).labels == given


def test_truth_values_of_a_table_are_the_classes_of_a_pool_that_holds_them(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,label\np0,true\np1,false\n")
    assert read_labels(tmp_path / "labels.csv").labels == {"p0": "True", "p1": "False"}
    rows = "".join(f"p{row},{row % 7},{row % 5}.5,{['true', 'false', ''][row % 3]}\n" for row in range(12))
    (tmp_path / "pool.csv").write_text("id,x,y,label\n" + rows)
    pool = load_dataset(DatasetConfig(source=str(tmp_path / "pool.csv"), id="id", target="label"))
    now = begin_round(pool, read_labels(tmp_path / "labels.csv"))
    assert set(now.dataset.pool_labels or ()) == {"True", "False", None}


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ([str(digit) for digit in range(10)], "classification"),
        (["1", "2", "3", "4", "5", "1"], "classification"),
        (["1.0", "1", "2", "2"], "classification"),
        (["01", "1", "2"], "classification"),
        (["0.5", "1.5", "2.5"], "regression"),
        (["1,5", "2,5", "3"], "regression"),
        (["23", "45", "31"], "regression"),
    ],
)
def test_picks_and_predictions_take_labels_for_the_same(plain: Dataset, words: list[str], task: str) -> None:
    given = dict(zip(IDS, words, strict=False))
    known = known_targets(begin_round(plain, LabelsRead(given)).dataset)
    rows = labelled_rows(plain, given)
    assert known is not None
    assert known.task.value == rows.task.value == task
    assert known.class_names == rows.class_names
    np.testing.assert_allclose(known.values.numpy(), rows.values)


def test_an_infinite_label_is_no_number(plain: Dataset) -> None:
    given = {"p0": "inf", "p1": "1.5"}
    with pytest.raises(InputError, match="infinite"):
        known_targets(begin_round(plain, LabelsRead(given)).dataset)
    with pytest.raises(InputError, match="'inf' is no number"):
        labelled_rows(plain, given)


def test_labels_that_name_no_points_begin_the_first_round(tmp_path: Path, plain: Dataset) -> None:
    (tmp_path / "empty.csv").write_text("id,label,batch,state\n")
    now = begin_round(plain, read_labels(tmp_path / "empty.csv"), where="empty.csv")
    assert (now.given, now.batch, now.left) == ((), 1, 40)
    assert any("names no points" in note for note in now.notes)
    digits = load_dataset("digits")
    hidden = begin_round(digits, read_labels(tmp_path / "empty.csv")).dataset
    assert hidden.targets is None, "no label was given, so none is known"


def test_a_batch_of_many_digits_is_no_batch(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,label,batch\np0,a,99999999999999999999\np1,b,1\n")
    read = read_labels(tmp_path / "labels.csv")
    assert read.batches == {}
    assert "no whole numbers" in read.notes[0]


@pytest.mark.parametrize("words", [["0.5", "cat"], ["cat", "0.5"], ["1", "inf"], ["1", "2"]])
def test_labels_are_values_in_whatever_order_they_stand(words: list[str]) -> None:
    assert not _are_values(words)
    assert _are_values(["1", "0.5"])
