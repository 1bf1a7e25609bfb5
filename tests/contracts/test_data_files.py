"""What files of each kind mean: features, targets, ids, names, test sets, hold-outs, tasks."""

import numpy as np
import pandas as pd
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.task import Task
from skmm_core.errors import Cancelled, InputError

N, D = 40, 3


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)


@pytest.fixture
def labels():
    return np.arange(N) % 4


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def save_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def save_csv(path, features, **columns):
    frame = pd.DataFrame(features, columns=[f"f{j}" for j in range(features.shape[1])]).assign(**columns)
    frame.to_csv(path, index=False)
    return path


def test_the_pool_is_every_row_of_the_file(tmp_path, features, labels):
    dataset = load(save_npz(tmp_path / "a.npz", X=features, y=labels))
    assert torch.equal(dataset.split.train, torch.arange(N))
    assert len(dataset.split.validation) == len(dataset.split.test) == 0
    assert dataset.rows.tolist() == list(range(N))
    assert dataset.ids == tuple(str(row) for row in range(N))
    assert dataset.name == "a"
    assert np.array_equal(dataset.features.numpy(), features)


def test_a_file_without_targets_is_an_unlabelled_pool(tmp_path, features):
    for path in (
        save_npz(tmp_path / "a.npz", X=features),
        save_csv(tmp_path / "a.csv", features),
    ):
        dataset = load(path)
        assert dataset.task is Task.UNLABELLED
        assert dataset.targets is None
        assert dataset.pool_size == N
    assert "no target column (label, target or y)" in dataset.notes[0]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int8, np.uint8, np.int64, np.bool_])
def test_other_numbers_become_float32(tmp_path, dtype):
    values = (np.arange(N * D).reshape(N, D) % 100).astype(dtype)
    dataset = load(save_npz(tmp_path / "a.npz", X=values))
    assert dataset.features.dtype == torch.float32
    assert np.array_equal(dataset.features.numpy(), values.astype(np.float32))


def test_x_test_is_scored_and_never_picked_from(tmp_path, features, labels):
    path = save_npz(tmp_path / "a.npz", X=features, y=labels, X_test=features[:8] + 1, y_test=labels[:8])
    dataset = load(path)
    assert dataset.pool_size == N
    assert torch.equal(dataset.split.test, torch.arange(N, N + 8))
    assert np.array_equal(dataset.features[N:].numpy(), features[:8] + 1)
    assert dataset.targets[N:].tolist() == labels[:8].tolist()
    assert dataset.rows[N:].tolist() == list(range(8)), "rows of a test set count from 0 in it"
    assert len(set(dataset.ids)) == N + 8


def test_a_pair_of_npz_files_equals_one_file_with_a_test_set(tmp_path, features, labels):
    one = save_npz(tmp_path / "one.npz", X=features, y=labels, X_test=features[:8] + 1, y_test=labels[:8])
    train = save_npz(tmp_path / "a_train.npz", X=features, y=labels)
    test = save_npz(tmp_path / "a_test.npz", X=features[:8] + 1, y=labels[:8])
    assert load(train, test=str(test)).fingerprint == load(one).fingerprint


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_test_table_is_matched_by_column_name(tmp_path, features, labels, kind):
    def save(name, frame):
        path = tmp_path / f"{name}.{kind}"
        frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
        return path

    frame = pd.DataFrame(features, columns=["a", "b", "c"]).assign(species=labels)
    train = save("train", frame)
    test = save("test", frame.iloc[:8][["species", "c", "b", "a"]])
    dataset = load(train, test=str(test), target="species")
    assert dataset.feature_names == ("a", "b", "c")
    assert torch.equal(dataset.features[N:], dataset.features[:8])
    assert torch.equal(dataset.targets[N:], dataset.targets[:8])


def test_an_npy_pool_takes_an_npz_test_set(tmp_path, features, labels):
    np.save(tmp_path / "x.npy", features)
    np.save(tmp_path / "y.npy", labels)
    test = save_npz(tmp_path / "t.npz", X=features[:5], y=labels[:5])
    dataset = load(tmp_path / "x.npy", labels=str(tmp_path / "y.npy"), test=str(test))
    assert dataset.targets.tolist() == [*labels, *labels[:5]]


def test_an_unlabelled_pool_ignores_the_targets_of_its_test_set(tmp_path, features, labels):
    dataset = load(save_npz(tmp_path / "a.npz", X=features, X_test=features[:5], y_test=labels[:5]))
    assert dataset.targets is None
    assert any("its targets are not used, since the pool has none" in note for note in dataset.notes)


def test_a_pool_labelled_in_part_is_not_said_to_have_no_labels(tmp_path, features, labels):
    part = [str(label) if row % 3 else "" for row, label in enumerate(labels)]
    pool, test = (save_csv(tmp_path / f"{name}.csv", features, y=y) for name, y in (("a", part), ("b", labels)))
    notes = load(pool, test=str(test)).notes
    assert "b.csv: its targets are not used, since the pool is labelled in part." in notes


def test_ids_and_names_of_an_npz(tmp_path, features, labels):
    ids = np.array([f"img{j:03}" for j in range(N)])
    path = save_npz(tmp_path / "a.npz", X=features, y=labels, ids=ids, names=np.array(["ant", "bee", "cat", "dog"]))
    dataset = load(path)
    assert dataset.ids == tuple(ids)
    assert dataset.class_names == ("ant", "bee", "cat", "dog")


def test_names_are_those_of_the_labels_that_occur(tmp_path, features):
    path = save_npz(tmp_path / "a.npz", X=features, y=np.where(np.arange(N) % 2, 3, 1), names=np.array(list("abcd")))
    dataset = load(path)
    assert dataset.class_names == ("b", "d")
    assert dataset.targets.unique().tolist() == [0, 1]


def test_an_id_column_names_the_rows_and_is_no_feature(tmp_path, features):
    path = save_csv(tmp_path / "a.csv", features, key=[1000 + j for j in range(N)], y=features[:, 0] * 2)
    dataset = load(path, id="key")
    assert dataset.ids == tuple(str(1000 + j) for j in range(N))
    assert dataset.feature_names == ("f0", "f1", "f2")
    assert dataset.task is Task.REGRESSION


@pytest.mark.parametrize(("columns", "target"), [("label y", "label"), ("target y", "target"), ("y", "y")])
def test_the_target_is_found_by_name(tmp_path, features, labels, columns, target):
    extra = {name: labels if name == target else features[:, 0] for name in columns.split()}
    dataset = load(save_csv(tmp_path / "a.csv", features, **extra))
    assert target not in dataset.feature_names
    assert dataset.targets.tolist() == labels.tolist()
    assert dataset.feature_names == ("f0", "f1", "f2")
    if columns != target:
        assert any("no feature: 'y' (its name is that of a label)" in note for note in dataset.notes)


def test_categories_of_a_parquet_file(tmp_path, features, labels):
    frame = pd.DataFrame(features, columns=list("abc"))
    numbers, texts = pd.Categorical(labels), pd.Categorical([f"class {label}" for label in labels])
    grade = labels % 3 * 1.5
    frame.assign(y=numbers, grade=pd.Categorical(grade)).to_parquet(tmp_path / "a.parquet")
    frame.assign(y=texts).to_parquet(tmp_path / "b.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert dataset.task is Task.CLASSIFICATION
    assert dataset.class_names == ("0", "1", "2", "3")
    assert dataset.features[:, dataset.feature_names.index("grade")].tolist() == grade.tolist()
    assert load(tmp_path / "b.parquet").class_names == ("class 0", "class 1", "class 2", "class 3")


def test_dates_as_ids(tmp_path):
    (tmp_path / "a.csv").write_text("day,a\n2026-01-01,1\n2026-01-02,2\n")
    assert load(tmp_path / "a.csv", id="day").ids == ("2026-01-01", "2026-01-02")


def test_columns_without_numbers_are_ignored_with_a_note(tmp_path, features, labels):
    names = [f"photo {j}" for j in range(N)]
    dataset = load(save_csv(tmp_path / "a.csv", features, y=labels, caption=names))
    assert dataset.feature_names == ("f0", "f1", "f2")
    assert any("no feature: 'caption' (text; kept to look at)" in note for note in dataset.notes)
    assert dataset.shown.column("caption").to_pylist() == names


def test_a_text_of_its_own_in_every_row_is_proposed_as_the_id(tmp_path, features):
    names = [f"photo {j}" for j in range(N)]
    plain = load(save_csv(tmp_path / "a.csv", features, kind=["cat"] * N, caption=names))
    assert any("column 'caption' holds a text of its own in every row" in note for note in plain.notes)
    named = load(tmp_path / "a.csv", id="caption")
    assert named.ids[:2] == ("photo 0", "photo 1")
    twice = load(save_csv(tmp_path / "b.csv", features, caption=["same", "same", *names[2:]]))
    assert not any("name it as the id" in note for note in (*named.notes, *twice.notes))


def test_the_index_that_pandas_writes_is_no_feature(tmp_path, features, labels):
    pd.DataFrame(features, columns=list("abc")).assign(y=labels).to_csv(tmp_path / "a.csv")
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == ("a", "b", "c")
    assert any("no feature: '' (numbers the rows)" in note for note in dataset.notes)
    pd.DataFrame(features, columns=list("abc"), index=range(5, 5 + N)).to_parquet(tmp_path / "a.parquet", index=True)
    assert load(tmp_path / "a.parquet").feature_names == ("a", "b", "c")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_separators_are_understood(tmp_path, features, labels, delimiter):
    frame = pd.DataFrame(features, columns=list("abc")).assign(y=labels)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "b.csv", index=False, sep=delimiter)
    other = load(tmp_path / "b.csv")
    assert other.fingerprint == load(tmp_path / "a.csv").fingerprint
    assert "separated by" in other.reading[0].taken
    assert not any("separated by" in note for note in other.notes), "it is said once"


def test_a_column_may_change_from_whole_to_broken_numbers_late(tmp_path, monkeypatch):
    # The types of a csv are guessed from its first block.
    monkeypatch.setattr("skmm_core.data.table_readers._BLOCK_BYTES", 1024)
    (tmp_path / "a.csv").write_text("\n".join(["a,b", *(["1,2"] * 1000), "1.5,3"]) + "\n")
    dataset = load(tmp_path / "a.csv")
    assert dataset.features[-1].tolist() == [1.5, 3.0]
    assert dataset.pool_size == 1001


def test_text_with_commas_quotes_newlines_and_a_byte_order_mark(tmp_path):
    text = '\ufefflabel,a\n"x, y",1\n"a ""b""\nc",2\n"x, y",3\n"a ""b""\nc",4\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    dataset = load(tmp_path / "a.csv")
    assert dataset.class_names == ('a "b"\nc', "x, y")
    assert dataset.feature_names == ("a",)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (np.array(["b", "a"] * 20), Task.CLASSIFICATION),
        (np.array([b"b", b"a"] * 20), Task.CLASSIFICATION),
        (np.array([True, False] * 20), Task.CLASSIFICATION),
        (np.arange(40) // 2, Task.CLASSIFICATION),  # each value seen twice
        (np.arange(40), Task.REGRESSION),  # distinct integers
        (np.r_[np.arange(21), np.arange(19)], Task.REGRESSION),  # seen less than twice on average
        (np.arange(40) / 2 // 1, Task.CLASSIFICATION),  # 20 whole numbers with decimals
        (np.r_[np.arange(21.0), np.arange(21.0)][:40], Task.REGRESSION),  # more of them
        (np.arange(40) % 4 + 0.5, Task.REGRESSION),  # few, but not whole
    ],
)
def test_the_task_is_found_from_the_targets(tmp_path, features, values, task):
    assert load(save_npz(tmp_path / "a.npz", X=features, y=values)).task is task


def test_more_than_1000_whole_numbers_are_classes_where_they_run_without_a_gap(tmp_path):
    cases = ((1000, 1, Task.CLASSIFICATION, ""), (1001, 1, Task.CLASSIFICATION, "without a gap: read as 1,001 classes"),
             (1001, 3, Task.REGRESSION, "1,001 different ones: read as values"))  # fmt: skip
    for distinct, step, task, said in cases:
        y = np.arange(2002) % distinct * step
        path = save_npz(tmp_path / "a.npz", X=np.random.default_rng(0).normal(size=(2002, 2)), y=y)
        dataset = load(path)
        assert dataset.task is task
        assert any("whole numbers" in note and said in note for note in dataset.notes) == bool(said)


def test_the_task_can_be_chosen(tmp_path, features, labels):
    path = save_npz(tmp_path / "a.npz", X=features, y=labels)
    assert load(path, task="regression").targets.dtype == torch.float32
    floats = save_npz(tmp_path / "b.npz", X=features, y=labels.astype(float))
    assert load(floats, task="regression").task is Task.REGRESSION
    chosen = load(floats)
    assert any("stored with decimals: read as 4 classes" in note for note in chosen.notes)
    assert chosen.class_names == ("0", "1", "2", "3")
    assert chosen.fingerprint == load(path).fingerprint


def test_classes_are_in_order_of_value_not_of_text(tmp_path, features):
    path = save_npz(tmp_path / "a.npz", X=features, y=np.tile([10, 9, -1, 100], 10))
    assert load(path).class_names == ("-1", "9", "10", "100")


def test_a_hold_out_is_seeded_and_stratified(tmp_path, features, labels):
    path = save_npz(tmp_path / "a.npz", X=features, y=labels)
    first, second = load(path, holdout=0.2), load(path, holdout=0.2)
    assert first.fingerprint == second.fingerprint != load(path).fingerprint
    assert torch.bincount(first.targets[first.split.test]).tolist() == [2, 2, 2, 2]
    both = torch.cat([first.split.train, first.split.test]).sort().values
    assert torch.equal(both, torch.arange(N))
    assert first.split.train.tolist() != list(range(32)), "the hold-out is only the tail"


def test_a_hold_out_works_without_targets(tmp_path, features):
    dataset = load(save_npz(tmp_path / "a.npz", X=features), holdout=0.25)
    assert (dataset.pool_size, len(dataset.split.test)) == (30, 10)


def test_a_class_of_one_row_stays_in_the_pool(tmp_path, features, labels):
    y = labels.copy()
    y[7] = 99
    dataset = load(save_npz(tmp_path / "a.npz", X=features, y=y), holdout=0.5)
    single = dataset.class_names.index("99")
    assert single in dataset.targets[dataset.split.train].tolist()
    assert single not in dataset.targets[dataset.split.test].tolist()
    assert any("classes with a single row: '99'" in note for note in dataset.notes)


def test_dropped_rows_keep_the_row_numbers_of_the_file(tmp_path, features, labels):
    bad = features.copy()
    bad[3, 1], bad[10, 0] = np.nan, -np.inf
    dataset = load(save_npz(tmp_path / "a.npz", X=bad, y=labels), drop_bad_rows=True)
    kept = [row for row in range(N) if row not in (3, 10)]
    assert dataset.rows.tolist() == kept
    assert dataset.ids == tuple(str(row) for row in kept)
    assert np.array_equal(dataset.features.numpy(), features[kept])
    assert dataset.targets.tolist() == labels[kept].tolist()
    assert any("2 of 40 rows hold NaN or infinite numbers (first rows, from 0: 3, 10" in note for note in dataset.notes)


def test_rows_without_a_target_are_left_out_when_asked(tmp_path, features, labels):
    y = pd.array(labels, dtype="Int64")
    y[5] = pd.NA
    dataset = load(save_csv(tmp_path / "a.csv", features, y=y), labelled_only=True)
    assert dataset.task is Task.CLASSIFICATION, "an empty cell must not turn whole numbers into floats"
    assert 5 not in dataset.rows.tolist()
    assert dataset.pool_size == N - 1


def test_the_fingerprint_is_of_the_content(tmp_path, features, labels):
    base = load(save_npz(tmp_path / "a.npz", X=features, y=labels))
    renamed = load(save_npz(tmp_path / "b.npz", X=features, y=labels))
    assert base.fingerprint == renamed.fingerprint
    assert base.fingerprint.startswith("sha256:")
    touched = features.copy()
    touched[0, 0] = np.nextafter(touched[0, 0], np.float32(9))
    others = [
        {"X": touched, "y": labels},
        {"X": features[::-1], "y": labels},
        {"X": features, "y": labels[::-1]},
        {"X": features},
        {"X": features, "y": labels, "ids": np.array([f"r{j}" for j in range(N)])},
        {"X": features, "y": labels, "X_test": features[:3], "y_test": labels[:3]},
    ]
    prints = {load(save_npz(tmp_path / "c.npz", **arrays)).fingerprint for arrays in others}
    assert len(prints | {base.fingerprint}) == len(others) + 1


def test_reading_can_be_cancelled(tmp_path, features, labels):
    path = save_npz(tmp_path / "a.npz", X=features, y=labels)

    def stop(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        load_dataset(str(path), report=stop)


def test_a_wrong_file_among_the_labels_is_named(tmp_path, features):
    np.save(tmp_path / "x.npy", features)
    with pytest.raises(InputError, match=r"y\.csv: files of kind '\.csv' are not read; use \.npy"):
        load(tmp_path / "x.npy", labels=str(tmp_path / "y.csv"))


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_and_blank_lines(tmp_path, ending):
    (tmp_path / "a.csv").write_bytes(ending.join(["", "a,b", "1,2", "", "3,4", ""]).encode())
    dataset = load(tmp_path / "a.csv")
    assert dataset.feature_names == ("a", "b")
    assert dataset.features.tolist() == [[1, 2], [3, 4]]
