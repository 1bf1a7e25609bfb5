"""Labels read as a person would: classes, numbers, none, and pools of which only a part is labelled."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.data.odd_classes import odd_class_notes
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.jobs.tables import pool_table
from skmm_core.probes.linear_probe import check_scorable

N = 60
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
F = [f"f{j}" for j in range(4)]
SOME = [("x", "y", "z")[row % 3] if row < 12 else None for row in range(N)]


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def saved(path, label):
    frame = pd.DataFrame(X, columns=F).assign(label=label)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return path


def says(dataset, text):
    return any(text in note for note in dataset.notes)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("empty", [None, "", "  ", "NaN", "null"])
def test_rows_without_a_label_stay_in_the_pool(tmp_path, ending, empty):
    labels = [empty if label is None else label for label in SOME]
    dataset = load(saved(tmp_path / f"a.{ending}", labels))
    assert dataset.pool_size == N
    assert dataset.task is Task.UNLABELLED
    assert dataset.targets is None
    assert dataset.known_labels == tuple(SOME)
    assert dataset.partly_labelled == "labels in 12 of 60 rows"
    assert says(dataset, "12 of 60 rows have a label in column 'label' (x 4, y 4, z 4): read as a pool to pick from")
    (line,) = [line for line in dataset.reading if line.part == "Target"]
    assert line.taken == "label: 12 of 60 rows have a label"


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (np.where(np.arange(N) < 12, np.arange(N) % 3, -1), "-1"),
        (np.where(np.arange(N) < 12, np.arange(N) % 3, -1.0), "-1"),
        (np.where(np.arange(N) < 12, (np.arange(N) % 3).astype(str), "todo"), "TODO"),
        (np.where(np.arange(N) < 12, (np.arange(N) % 3).astype(str), "?"), "?"),
    ],
)
def test_a_value_can_say_that_a_row_has_no_label(tmp_path, label, value):
    known = tuple(str(row % 3) if row < 12 else None for row in range(N))
    for path in (saved(tmp_path / "a.csv", label), saved(tmp_path / "a.parquet", label)):
        plain = load(path)
        assert plain.task is Task.CLASSIFICATION
        assert says(plain, f"--unlabelled {label[-1] if isinstance(label[-1], str) and label[-1] != '?' else ''}")
        assert load(path, unlabelled=value).known_labels == known
        only = load(path, unlabelled=value, labelled_only=True)
        assert only.pool_size == 12
        assert only.class_names == ("0", "1", "2")
    np.savez(tmp_path / "a.npz", X=X, y=label)
    assert load(tmp_path / "a.npz", unlabelled=value).known_labels == known
    assert says(load(tmp_path / "a.npz", unlabelled="seven"), "no row has 'seven' in y")


def test_labelled_rows_alone_can_be_compared_on_and_others_say_what_to_do(tmp_path):
    path = saved(tmp_path / "a.csv", SOME)
    with pytest.raises(
        InputError, match=r"a has labels in 12 of 60 rows, and scoring needs one in every row.*--labelled-only"
    ):
        check_scorable(load(path))
    only = load(path, labelled_only=True, holdout=0.5)
    assert len(check_scorable(only)) == 12
    assert says(only, "48 of 60 rows have no target in column 'label'")
    assert only.rows.tolist() == list(range(12))
    with pytest.raises(InputError, match=r"has no labels to take the rows of"):
        load(saved(tmp_path / "b.csv", [None] * N), labelled_only=True)


def test_methods_that_read_labels_say_what_they_miss(tmp_path, monkeypatch):
    from skmm_core.jobs.selection import run_selection
    from skmm_core.progress import ignore

    dataset = load(saved(tmp_path / "a.csv", SOME))
    job = SelectJob(method="skmm_fit", budget=5)
    config = RunConfig(dataset=DatasetConfig(source=dataset.source), job=job)
    with pytest.raises(InputError, match=r"SkMM fit needs a label in every row, .* take a method .* such as badge"):
        run_selection(tmp_path, config, job, dataset, ignore)


def test_known_labels_go_along_to_be_looked_at(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", SOME), holdout=0.25)
    table = pool_table(dataset)
    kept = [None if pd.isna(label) else label for label in table["label"]]
    assert kept == [SOME[row] for row in table["row"]]
    assert table["target"].isna().all()


@pytest.mark.parametrize("label", [[None] * N, [""] * N, ["cat"] * N, [4] * N, [0.5] * N, [True] * N])
def test_an_empty_or_constant_column_is_a_pool_without_labels(tmp_path, label):
    for path in (saved(tmp_path / "a.csv", label), saved(tmp_path / "a.parquet", label)):
        dataset = load(path)
        assert dataset.targets is None
        assert dataset.known_labels is None
        assert dataset.pool_size == N
        assert dataset.feature_names == tuple(F)
        assert says(dataset, "in every row")


def test_numbers_in_a_part_of_the_rows(tmp_path):
    price = [row * 1.5 if row % 2 else None for row in range(N)]
    dataset = load(saved(tmp_path / "a.csv", price))
    assert dataset.known_labels == tuple(f"{value:g}" if value is not None else None for value in price)
    assert load(tmp_path / "a.csv", labelled_only=True).task is Task.REGRESSION


def test_whole_numbers_with_a_gap_are_classes(tmp_path):
    label = [float(row % 3) if row != 7 else None for row in range(N)]
    only = load(saved(tmp_path / "a.parquet", label), labelled_only=True)
    assert only.class_names == ("0", "1", "2")
    assert says(only, "stored with decimals: read as 3 classes (--task regression reads values)")


@pytest.mark.parametrize("words", [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_truth_values_are_two_classes(tmp_path, words):
    dataset = load(saved(tmp_path / "a.csv", [words[row % 2] for row in range(N)]))
    assert dataset.class_names == ("False", "True")


def test_codes_keep_their_zeros(tmp_path):
    codes = ("001", "010", "100")
    dataset = load(saved(tmp_path / "a.csv", [codes[row % 3] for row in range(N)]))
    assert dataset.class_names == codes


def test_class_names_of_a_hugging_face_file(tmp_path):
    info = {"info": {"features": {"label": {"names": ["ant", "bee", "cat"], "_type": "ClassLabel"}}}}
    table = pa.table({"v": list(X), "label": np.where(np.arange(N) < 50, np.arange(N) % 3, -1)})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "a.parquet")
    names = tuple(("ant", "bee", "cat")[row % 3] if row < 50 else None for row in range(N))
    assert load(tmp_path / "a.parquet").known_labels == names
    assert load(tmp_path / "a.parquet", labelled_only=True).class_names == ("ant", "bee", "cat")
    pq.write_table(table.replace_schema_metadata({"huggingface": "{"}), tmp_path / "b.parquet")
    assert load(tmp_path / "b.parquet").class_names == ("-1", "0", "1", "2")


def test_minus_one_beside_names_of_classes_in_an_npz_is_no_label(tmp_path):
    y = np.where(np.arange(N) < 50, np.arange(N) % 3, -1)
    np.savez(tmp_path / "a.npz", X=X, y=y, names=np.array(["ant", "bee", "cat"]))
    assert load(tmp_path / "a.npz").partly_labelled == "labels in 50 of 60 rows"
    assert load(tmp_path / "a.npz", labelled_only=True).class_names == ("ant", "bee", "cat")


@pytest.mark.parametrize("pool_text", [True, False])
def test_labels_that_are_numbers_in_one_file_and_text_in_the_other(tmp_path, pool_text):
    numbers = np.arange(N) % 12
    text = np.array([f"{value:02d}" for value in numbers])
    y, y_test = (text, numbers[:9]) if pool_text else (numbers, text[:9])
    np.savez(tmp_path / "a.npz", X=X, y=y, X_test=X[:9], y_test=y_test)
    dataset = load(tmp_path / "a.npz")
    assert dataset.targets[N:].tolist() == dataset.targets[:9].tolist()
    assert dataset.class_names[2] == "02"
    assert says(dataset, "holds numbers in one file and text in the other; both are read as one")
    np.savez(tmp_path / "b.npz", X=X, y=numbers, X_test=X[:9], y_test=numbers[:9].astype(str))
    assert load(tmp_path / "b.npz").class_names == tuple(str(value) for value in range(12))


def test_rows_of_a_test_file_without_a_label_are_not_scored(tmp_path):
    label = np.arange(N) % 3
    frame = pd.DataFrame(X, columns=F)
    frame.assign(label=label).to_csv(tmp_path / "a.csv", index=False)
    frame.assign(label=[value if row != 5 else "" for row, value in enumerate(label)]).to_csv(
        tmp_path / "b.csv", index=False
    )
    dataset = load(tmp_path / "a.csv", test=str(tmp_path / "b.csv"))
    assert len(dataset.split.test) == N - 1
    assert says(dataset, "b.csv: 1 of 60 rows have no target in column 'label' (row 5, from 0): left out")


@pytest.mark.parametrize("word", ["--", "(blank)", "No label", "not labelled", ".", "N/A", "None", "Unknown"])
def test_a_word_that_may_say_that_a_row_has_no_label_is_named(tmp_path, word):
    label = [word if row % 4 == 0 else ("ant", "bee", "cat")[row % 3] for row in range(N)]
    dataset = load(saved(tmp_path / "a.parquet", label))
    assert dataset.n_classes == 4
    assert says(dataset, f"{word} is read as a class of column 'label'; if it says that a row has no label")


@pytest.mark.parametrize("number", [-1, -9, -100, -999, 99, 255])
def test_a_number_that_may_say_that_a_row_has_no_label_is_named(tmp_path, number):
    label = np.where(np.arange(N) % 4, np.arange(N) % 3, number)
    assert says(load(saved(tmp_path / "a.csv", label)), f"{number} is read as a class of column 'label'; if it says")
    assert load(saved(tmp_path / "a.csv", label), unlabelled=str(number)).known_labels is not None


@pytest.mark.parametrize(
    "label",
    [
        np.where(np.arange(N) % 2, 1, -1),
        np.arange(N) % 5 - 2,
        np.arange(N) % 4 + 97,
        np.array(["+", "-"])[np.arange(N) % 2],
    ],
)
def test_codes_that_are_classes_are_not_doubted(tmp_path, label):
    assert not says(load(saved(tmp_path / "a.csv", label)), "if it says")


def test_truth_values_written_in_several_ways_are_two_classes(tmp_path):
    label = [("True", "False", "TRUE", "false", "true", "FALSE")[row % 6] for row in range(N)]
    assert load(saved(tmp_path / "a.csv", label)).class_names == ("False", "True")


def test_names_that_differ_in_capital_letters_or_spaces_are_said(tmp_path):
    label = [("New York", "new york", "NewYork", "Rome")[row % 4] for row in range(N)]
    dataset = load(saved(tmp_path / "a.csv", label))
    assert dataset.n_classes == 4
    assert says(dataset, "differ in capital letters or spaces alone: 'New York' and 'NewYork' and 'new york';")


def test_lists_as_labels_are_said(tmp_path):
    label = [("['a', 'b']", "['a']", "['c']")[row % 3] for row in range(N)]
    assert says(load(saved(tmp_path / "a.csv", label)), "every different list is read as a class of its own")


def test_whole_numbers_as_classes_are_said(tmp_path):
    dataset = load(saved(tmp_path / "a.csv", np.arange(N) % 12))
    assert "--task regression reads values" in next(line.why for line in dataset.reading if line.part == "Target")


@pytest.mark.parametrize("last", [99, 255])
def test_a_last_class_that_follows_the_others_is_one(last):
    numbers = [str(number) for number in range(last - 9, last + 1)]
    assert odd_class_notes(numbers, "'label'", "a.csv", words=False) == ()
    assert odd_class_notes([*map(str, range(9)), str(last)], "'label'", "a.csv", words=False)
