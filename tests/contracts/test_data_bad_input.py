"""Every mistake in the input has its own one-line message that says what, where and what to do."""

import io
import re
import struct
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.file_limits import MAX_COLUMNS
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.arange(12) % 3


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def csv(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def refused(match, source, **options):
    """Load, and check that the one clear line comes."""
    with pytest.raises(InputError, match=match) as caught:
        load_dataset(DatasetConfig(source=str(source), **options))
    message = str(caught.value)
    assert "\n" not in message
    assert message[-1] != "."
    return message


def npy_bytes(dtype, shape, payload=b""):
    """An npy stream with any header one likes."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


# --- rows that cannot be used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_bad_rows_are_counted_and_named(tmp_path, value):
    bad = X.copy()
    bad[[2, 5, 6, 7, 8, 9], 1] = value
    match = (
        r"a\.npz: 6 of 12 rows hold NaN or infinite numbers \(first rows, from 0: 2, 5, 6, 7, 8; column 1\); "
        r"correct them, or leave them out by dropping bad rows \(--drop-bad-rows\)"
    )
    refused(match, npz(tmp_path / "a.npz", X=bad, y=Y))


def test_numbers_too_large_for_float32_are_bad_rows(tmp_path):
    wide = X.astype(np.float64)
    wide[4, 2] = 1e300
    refused(r"1 of 12 rows hold NaN or infinite numbers \(row 4, from 0; column 2\)", npz(tmp_path / "a.npz", X=wide))


def test_empty_cells_are_bad_rows_and_the_column_is_named(tmp_path):
    path = csv(tmp_path / "a.csv", "width,height\n1,2\n3,\nnan,4\n5,6\n")
    refused(r"2 of 4 rows hold NaN.*first rows, from 0: 1, 2; column 'height'", path)


def test_bad_rows_of_the_test_set_are_named_too(tmp_path):
    bad = X.copy()
    bad[0, 0] = np.nan
    refused(r"a\.npz X_test: 1 of 12 rows", npz(tmp_path / "a.npz", X=X, y=Y, X_test=bad, y_test=Y))


def test_a_builtin_has_no_columns_to_scale():
    with pytest.raises(InputError, match=r"diabetes is built in.* leave out --scale-columns"):
        load_dataset(DatasetConfig(source="diabetes", scale_columns=True))


def test_nothing_left_after_dropping(tmp_path):
    path = npz(tmp_path / "a.npz", X=np.full((5, 2), np.nan))
    refused("no row is left once the bad rows are dropped", path, drop_bad_rows=True)


def test_an_infinite_target_is_a_bad_row(tmp_path):
    y = X[:, 0].astype(np.float64)
    y[3] = 1e200
    path = npz(tmp_path / "a.npz", X=X, y=y)
    refused(r"1 of 12 rows have no usable number in y \(row 3, from 0\)", path)
    assert load_dataset(DatasetConfig(source=str(path), drop_bad_rows=True)).pool_size == 11


# --- columns --------------------------------------------------------------------------------------------------------


def test_no_numeric_column(tmp_path):
    path = csv(tmp_path / "a.csv", "name,colour\nann,red\nbob,blue\n")
    refused(r"a\.csv has no numeric column to use as a feature; it has name \(string\), colour \(string\)", path)
    path = csv(tmp_path / "b.csv", "y\n1\n2\n")
    refused(r"b\.csv has no numeric column", path)


def test_the_missing_target_and_the_columns_there_are(tmp_path):
    path = csv(tmp_path / "a.csv", "a,b,age\n1,2,3\n4,5,6\n")
    refused(r"has no column 'Age' for the target; it has a, b, age", path, target="Age")
    refused(r"has no column 'key' for ids; it has a, b, age", path, id="key")
    refused(r"column 'a' cannot be both the target and the id", path, target="a", id="a")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_columns_of_one_name(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        csv(path, "a,b,a\n1,2,3\n")
    else:
        pq.write_table(pa.table([pa.array([1.0]), pa.array([2.0])], names=["a", "a"]), path)
    refused(r"has two columns called 'a'; give every column its own name", path)


def test_too_many_columns(tmp_path):
    limit = f"columns, more than the limit of {MAX_COLUMNS:,}; if rows and columns are swapped, transpose it"
    refused(limit, npz(tmp_path / "a.npz", X=np.zeros((1, MAX_COLUMNS + 1), np.int8)))
    names = ",".join(f"c{j}" for j in range(MAX_COLUMNS + 1))
    refused(limit, csv(tmp_path / "a.csv", names + "\n"))


def test_a_number_column_with_a_typing_error_is_not_ignored_in_silence(tmp_path):
    path = csv(tmp_path / "a.csv", "a,b\n1,2\n3,4.5.6\n5,6\n7,8\n")
    said = r"holds text in 1 of 4 rows \(row 1, from 0: '4\.5\.6'\)"
    dataset = load_dataset(str(path))
    assert dataset.feature_names == ("a",)
    assert any(re.search(rf"no feature: 'b' \({said}", note) for note in dataset.notes)
    refused(rf"column 'b' is no feature: {said}", path, features="a,b")


def test_whole_numbers_are_fine_as_column_names(tmp_path):
    dataset = load_dataset(str(csv(tmp_path / "a.csv", "0,1,2\n5,6,7\n8,9,0\n")))
    assert dataset.feature_names == ("0", "1", "2")


def test_lists_in_cells(tmp_path):
    frame = pd.DataFrame({"label": Y, "embedding": list(X), "key": [b"k"] * 12})
    frame.to_parquet(tmp_path / "a.parquet")
    refused(r"column 'key' holds 1 bytes a row; targets and ids are numbers or text", tmp_path / "a.parquet", id="key")
    refused(r"column 'embedding' holds list<", tmp_path / "a.parquet", target="embedding")
    frame.assign(embedding=[list(range(row)) for row in range(12)]).to_parquet(tmp_path / "b.parquet")
    match = r"has the name of an embedding but holds list<.*int64>; give every row a list of as many numbers"
    refused(match, tmp_path / "b.parquet")
    frame = frame.rename(columns={"embedding": "words"})
    frame.assign(words=[list(range(row)) for row in range(12)]).to_parquet(tmp_path / "b.parquet")
    match = r"b\.parquet has no numeric column.*words \(list<.*int64>\).*say what the bytes are, such as --features"
    refused(match, tmp_path / "b.parquet")


def test_columns_of_vectors_that_are_no_answer(tmp_path):
    frame = pd.DataFrame({"image": list(X), "text": list(X[:, :2]), "tags": [[row] * row for row in range(12)]})
    frame.to_parquet(tmp_path / "a.parquet")
    match = r"a\.parquet has 2 columns of vectors: image \(3 numbers\), text \(2 numbers\); choose one with --features"
    refused(match, tmp_path / "a.parquet")
    refused(r"has no column 'sound' for --features; it has image, text, tags", tmp_path / "a.parquet", features="sound")
    refused(r"vectors go alone", tmp_path / "a.parquet", features="image,text")
    odd = [*X[:11], X[11, :2]]
    pd.DataFrame({"image": odd}).to_parquet(tmp_path / "b.parquet")
    refused(r"b\.parquet: column 'image' has 2 numbers in row 11 \(from 0\) but 3 elsewhere", tmp_path / "b.parquet")
    pd.DataFrame({"image": [*X[:11], None]}).to_parquet(tmp_path / "c.parquet")
    refused(r"1 of 12 rows hold NaN or infinite numbers \(row 11, from 0", tmp_path / "c.parquet")
    cut = csv(tmp_path / "d.csv", 'v\n"[0.1 0.2 ... 0.3]"\n"[0.1 0.2 ... 0.4]"\n')
    refused(r"column 'v' holds vectors that were cut short with '\.\.\.'", cut)
    words = csv(tmp_path / "e.csv", "v\n" + '"[0.1, 0.2]"\n' * 40 + '"[0.1, b]"\n')
    refused(r"column .v. holds vectors, but .\[0.1, b\]. in row 40", words)


# --- targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "value"), [(np.full(12, 4), "4"), (np.full(12, 0.5), "0.5"), (np.full(12, "cat"), "cat")]
)
def test_a_constant_target_is_a_pool_without_labels(tmp_path, y, value):
    path = npz(tmp_path / "a.npz", X=X, y=y)
    dataset = load_dataset(str(path))
    assert dataset.targets is None
    assert any(f"the target y is {value} in every row" in note for note in dataset.notes)
    refused(r"has no targets, so the task cannot be regression", path, task="regression")


def test_one_row_a_class_looks_like_an_id(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=np.array([f"row{j}" for j in range(12)]))
    refused(r"every class of the target y has one row, so it looks like an id", path)
    path = npz(tmp_path / "b.npz", X=X, y=np.arange(12))
    refused(r"every class of the target y has one row", path, task="classification")


def test_a_hold_out_that_would_empty_a_class(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y)
    refused(r"a hold-out of 11 of 12 rows takes every row of a class \(3 classes", path, holdout=0.9)


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_a_hold_out_that_leaves_one_side_empty(tmp_path, fraction):
    match = r"a hold-out of (0|12) of 12 rows leaves one side empty; choose another fraction"
    refused(match, npz(tmp_path / "a.npz", X=X), holdout=fraction)


def test_a_hold_out_beside_a_test_set(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, X_test=X, y_test=Y)
    refused(r"has a test set already; leave out the hold-out", path, holdout=0.2)


def test_classes_that_the_pool_lacks(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, X_test=X, y_test=np.where(Y == 1, 7, Y))
    refused(r"the test rows have classes that the pool lacks: '7'; leave those rows out", path)
    path = npz(tmp_path / "b.npz", X=X, y=Y.astype("U4"), X_test=X[:2], y_test=np.array(["0", "dog"]))
    refused(r"classes that the pool lacks: 'dog'", path)


def test_text_and_numbers_mixed(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, X_test=X[:2], y_test=np.array(["0", "dog"]))
    refused(r"classes that the pool lacks: 'dog'", path)


def test_text_cannot_be_a_regression(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=np.array(["a", "b"] * 6))
    refused(r"the target y is text; a regression needs numbers", path, task="regression")


def test_fractions_cannot_be_classes(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=np.array([0.25, 1.0] * 6))
    refused(r"the target y holds 0\.25; classes are whole numbers or text", path, task="classification")


def test_a_task_without_targets(tmp_path):
    refused(r"has no targets, so the task cannot be regression", npz(tmp_path / "a.npz", X=X), task="regression")


def test_too_few_class_names(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, names=np.array(["a", "b"]))
    refused(r"label 2 has no name, since names has 2 entries", path)
    path = npz(tmp_path / "b.npz", X=X, y=Y, names=np.array(["a", "b", "a"]))
    refused(r"two classes are called 'a' in names", path)


def test_targets_of_a_wrong_shape_or_type(tmp_path):
    refused(r"y has shape \(12, 2\); give one target a row", npz(tmp_path / "a.npz", X=X, y=np.zeros((12, 2))))
    times = np.arange(12).astype("datetime64[D]")
    refused(r"y holds datetime64\[D\] values; save labels as", npz(tmp_path / "b.npz", X=X, y=times))
    pd.DataFrame(X, columns=list("abc")).assign(when=times).to_parquet(tmp_path / "a.parquet")
    refused(r"target column 'when' holds timestamp.*must be numbers or text", tmp_path / "a.parquet", target="when")


# --- lengths and ids ------------------------------------------------------------------------------------------------


def test_labels_that_do_not_fit_the_features(tmp_path):
    refused(r"y has 11 labels but X has 12 rows; they must match", npz(tmp_path / "a.npz", X=X, y=Y[:11]))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y[:9])
    refused(r"y\.npy has 9 labels but x\.npy has 12 rows", tmp_path / "x.npy", labels=str(tmp_path / "y.npy"))


def test_test_set_of_another_dimension(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, X_test=X[:, :2], y_test=Y)
    refused(r"a\.npz X_test has 2 columns but a\.npz has 3; test and pool must have the same features", path)


def test_a_test_table_that_lacks_a_column(tmp_path):
    train = csv(tmp_path / "a.csv", "a,b,y\n1,2,0.5\n3,4,1.5\n")
    lacks = csv(tmp_path / "b.csv", "a,y\n1,0.5\n")
    refused(r"b\.csv has no column 'b', which the pool has", train, test=str(lacks))
    unlabelled = csv(tmp_path / "c.csv", "a,b\n1,2\n")
    refused(r"c\.csv has no column 'y' for the target; it has a, b", train, test=str(unlabelled))
    text = csv(tmp_path / "d.csv", "a,b,y\n1,z,0.5\n")
    refused(r"d\.csv: column 'b' holds string, but numbers in the pool", train, test=str(text))


def test_a_labelled_pool_needs_a_labelled_test_set(tmp_path):
    refused(r"X_test has no targets but a\.npz has", npz(tmp_path / "a.npz", X=X, y=Y, X_test=X))
    refused(r"has y_test but no X_test", npz(tmp_path / "b.npz", X=X, y=Y, y_test=Y))


def test_two_test_sets(tmp_path):
    path = npz(tmp_path / "a.npz", X=X, y=Y, X_test=X, y_test=Y)
    refused(r"a\.npz has its own test rows; leave out the test file", path, test=str(path))


def test_a_test_table_for_an_array(tmp_path):
    table = csv(tmp_path / "t.csv", "a,b,c,y\n1,2,3,0\n")
    refused(
        r"t\.csv: a \.csv test file goes with a pool that is a table too",
        npz(tmp_path / "a.npz", X=X, y=Y),
        test=str(table),
    )


def test_duplicate_and_empty_ids(tmp_path):
    path = csv(tmp_path / "a.csv", "key,a\nx,1\ny,2\nx,3\ny,4\n")
    refused(r"the id 'x' stands in rows 0 and 2 \(rows count from 0\); ids must be distinct", path, id="key")
    path = csv(tmp_path / "b.csv", "key,a\nx,1\n,2\n")
    refused(r"the id in row 1 \(rows count from 0\) is empty", path, id="key")
    refused(r"the id 'p' stands in rows 0 and 1", npz(tmp_path / "a.npz", X=X, ids=np.array(["p"] * 12)))
    refused(r"ids has 2 entries, 12 are needed", npz(tmp_path / "b.npz", X=X, ids=np.array(["p", "q"])))


def test_an_id_that_names_a_test_row(tmp_path):
    ids = np.array(["test:0", *(str(j) for j in range(11))])
    refused(r"the id 'test:0' is kept for a test row", npz(tmp_path / "a.npz", X=X, y=Y, ids=ids, X_test=X, y_test=Y))


# --- options of another kind of file --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ({"labels": "y.npy"}, r"--labels goes with npy files only; a \.npz file holds its own targets"),
        ({"target": "age"}, r"a\.npz has no array 'age' for --target; it holds: X, y"),
        ({"id": "key"}, r"a\.npz has no array 'key' for --id; it holds: X, y"),
        ({"features": "Z"}, r"a\.npz has no array 'Z' for --features; it holds: X, y"),
        ({"ignore": "y"}, r"--ignore names columns of a table; a \.npz file has none"),
    ],
)
def test_options_of_another_kind_of_file(tmp_path, option, match):
    refused(match, npz(tmp_path / "a.npz", X=X, y=Y), **option)


# --- files that cannot be read --------------------------------------------------------------------------------------


def test_files_that_are_not_there(tmp_path):
    refused(r"gone\.npz was not found; check the path", tmp_path / "gone.npz")
    refused(r"gone\.npz was not found", npz(tmp_path / "a.npz", X=X), test=str(tmp_path / "gone.npz"))
    np.save(tmp_path / "x.npy", X)
    refused(r"gone\.npy was not found", tmp_path / "x.npy", labels=str(tmp_path / "gone.npy"))


@pytest.mark.parametrize("name", ["~nobody-of-that-name/a.npz", "x" * 5000 + ".npz"])
def test_paths_that_cannot_be(name):
    refused(r"cannot be the path of a file; check it", name)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = npz(tmp_path / "a.npz", X=X)
    monkeypatch.setattr("os.access", lambda *_: False)
    refused(r"a\.npz may not be read by this user; change its permissions", path)


def test_a_folder(tmp_path):
    refused(r"is a folder; name one file, or a folder that is read as one dataset \(NumPy archive: `part-1", tmp_path)
    (tmp_path / "odd.npz").mkdir()
    refused(r"odd\.npz is a folder; name one file", tmp_path / "odd.npz")


@pytest.mark.parametrize("name", ["a.xlsx", "a.npz.gz", "a.gz", "a.pkl", "noext"])
def test_another_kind_of_file(tmp_path, name):
    (tmp_path / name).write_text("x")
    refused(r"files of kind '.*' are not read; use \.npz, \.npy, \.csv, \.tsv, \.parquet", tmp_path / name)


@pytest.mark.parametrize("kind", ["npz", "npy", "csv", "parquet"])
def test_an_empty_file(tmp_path, kind):
    (tmp_path / f"a.{kind}").touch()
    refused(rf"a\.{kind} is empty \(0 bytes\)", tmp_path / f"a.{kind}")


@pytest.mark.parametrize("content", ["\n\n\n", "\ufeff", "\ufeff\n", "# nothing\n", "sep=;\n", ",,\n", " \n"])
def test_a_csv_file_of_nothing(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    refused(r"a\.csv", tmp_path / "a.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "npz", "safetensors"])
@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 132\n", "stands for a file of Git LFS"),
        ("<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "is a web page"),
        ("\n<html lang=en>\n", "is a web page"),
    ],
)
def test_what_was_downloaded_instead_of_the_file(tmp_path, kind, content, match):
    (tmp_path / f"a.{kind}").write_text(content)
    refused(rf"a\.{kind} {match}", tmp_path / f"a.{kind}")


def test_no_rows(tmp_path):
    refused(r"a\.csv has a header but no rows", csv(tmp_path / "a.csv", "a,b\n"))
    refused(r"X is empty: shape \(0, 3\)", npz(tmp_path / "a.npz", X=X[:0]))
    refused(r"X is empty: shape \(12, 0\)", npz(tmp_path / "b.npz", X=X[:, :0]))
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "a.parquet")
    refused(r"a\.parquet has a header but no rows", tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["npz", "npy", "parquet"])
@pytest.mark.parametrize("keep", [0.05, 0.5, 0.99])
def test_a_truncated_file(tmp_path, kind, keep):
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        np.savez_compressed(path, X=np.tile(X, (50, 1)))
    elif kind == "npy":
        np.save(path, np.tile(X, (50, 1)))
    else:
        pd.DataFrame(np.tile(X, (50, 1)), columns=list("abc")).to_parquet(path)
    whole = path.read_bytes()
    load_dataset(str(path))
    path.write_bytes(whole[: int(keep * len(whole))])
    refused(rf"a\.{kind} is truncated", path)


def test_damage_inside_an_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, X=np.tile(X, (50, 1)))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    refused(r"a\.npz is truncated or not an npz file; copy it again", path)


@pytest.mark.parametrize("kind", ["npz", "npy", "parquet"])
def test_a_renamed_file(tmp_path, kind):
    csv(tmp_path / f"a.{kind}", "a,b\n1,2\n")
    refused(rf"truncated or not an? {kind} file", tmp_path / f"a.{kind}")


def test_objects_are_never_unpickled(tmp_path, monkeypatch):
    def explode(*args, **kwargs):
        raise AssertionError("unpickled")

    monkeypatch.setattr("pickle.load", explode)
    monkeypatch.setattr("pickle.loads", explode)
    objects = np.array([[1, "a"], [2, "b"]], dtype=object)
    match = r"holds pickled Python objects, which are not loaded since they can run code; save numbers as float32"
    refused(rf"a\.npz X {match}", npz(tmp_path / "a.npz", X=objects))
    refused(rf"b\.npz y {match}", npz(tmp_path / "b.npz", X=X, y=np.array(["a"] * 12, dtype=object)))
    np.save(tmp_path / "a.npy", objects)
    refused(rf"a\.npy {match}", tmp_path / "a.npy")


def test_features_of_a_wrong_kind(tmp_path):
    refused(r"X has shape \(12,\); give rows × columns", npz(tmp_path / "a.npz", X=X[:, 0]))
    refused(r"X has shape \(2, 2, 3\).*flatten or embed", npz(tmp_path / "b.npz", X=X[:4].reshape(2, 2, 3)))
    refused(r"X holds <U1 values; features must be numbers", npz(tmp_path / "c.npz", X=np.array([["a"]])))
    refused(r"X holds complex128 values", npz(tmp_path / "d.npz", X=X.astype(complex)))
    record = np.zeros(3, dtype=[("a", "f4"), ("b", "f4")])
    refused(r"X holds .* values; features must be numbers", npz(tmp_path / "e.npz", X=record))
    refused(r"ids has shape \(12, 1\)", npz(tmp_path / "f.npz", X=X, ids=np.arange(12)[:, None]))


def test_an_npz_without_x(tmp_path):
    path = npz(tmp_path / "a.npz", data=X[:, 0], y=Y)
    refused(r"a\.npz has no array X \(it holds: data, y\); save features as X and targets as y", path)
    path = npz(tmp_path / "b.npz", image=X, text=X[:, :2])
    refused(r"b\.npz has 2 arrays that can be features \(image 12 × 3, text 12 × 2\); name one with --features", path)


@pytest.mark.parametrize("line", ["3", "3,4,5"])
def test_a_ragged_line(tmp_path, line):
    path = csv(tmp_path / "a.csv", f'a,b\n1,"x\ny"\n{line}\n5,6\n')
    fields = line.count(",") + 1
    refused(rf"a\.csv, line 4: {fields} fields, but the header has 2; correct that line", path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            "größe,b\n1,2\n".encode("latin-1"),
            r"line 1 is not UTF-8 .*Windows-1252 'größe,b'; save .* UTF-8",
        ),
        (
            "a,b\n1,größe\n".encode("latin-1"),
            r"line 2 is not UTF-8 .*Windows-1252 '1,größe'; save .* UTF-8",
        ),
        ("a,b\n1,2\n".encode("utf-16")[:-1], r"begins as UTF-16 text but is none; save it with the encoding UTF-8"),
    ],
)
def test_text_in_another_encoding(tmp_path, content, match):
    (tmp_path / "a.csv").write_bytes(content)
    refused(match, tmp_path / "a.csv")


# --- size: nothing is read or allocated before it is known to fit -----------------------------------------------------


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_a_3_gb_file_that_is_read_in_blocks_may_be_so_large_and_must_be_one(tmp_path, kind):
    path = tmp_path / f"big.{kind}"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse: takes no disk
    refused(rf"big\.{kind} is truncated or not an? {kind} file", path)


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_a_3_gb_file(tmp_path, kind):
    path = tmp_path / f"big.{kind}"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse: takes no disk
    refused(rf"big\.{kind} has 3,072 MB, more than the limit of 2,048 MB; keep fewer rows or columns", path)


def test_the_limit_can_be_set(tmp_path, monkeypatch):
    path = npz(tmp_path / "a.npz", X=np.zeros((300_000, 1), np.float32))
    load_dataset(str(path))
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "1")
    refused(r"a\.npz has 1 MB, more than the limit of 1 MB", path)
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "2 GB")
    refused(r"SKMM_MAX_FILE_MB is '2 GB'; set it to a whole number of megabytes", path)


def test_an_npz_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "64")
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("X.npy", "w") as file:
        file.write(npy_bytes("|i1", (1 << 20, 20)))
        for _ in range(20):
            file.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    # 20 MB of int8 are 80 MB as float32: what counts is what would be held.
    refused(r"bomb\.npz X unpacks to 1,048,576 × 20 = 80 MB, more than the limit of 64 MB", path)


@pytest.mark.parametrize("shape", [(1 << 40, 4), (1 << 62, 1 << 62), (1 << 20, 4)])
def test_a_header_that_declares_more_than_there_is(tmp_path, shape):
    content = npy_bytes("<f4", shape, bytes(64))
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", content)
    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        refused(r"unpacks to .* more than the limit|is truncated: its header declares 16,777,216 bytes, 64 are", path)


def test_a_negative_shape(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy_bytes("<f4", (-1, 4), bytes(64)))
    refused(r"a\.npy is truncated or not an npy file", tmp_path / "a.npy")


def test_a_parquet_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "64")
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"a": np.zeros(5_000_000, np.int8), "b": np.zeros(5_000_000, np.int8)}), path)
    assert path.stat().st_size < 1 << 20
    refused(r"bomb\.parquet unpacks to 5,000,000 × 2 = 76 MB, more than the limit of 64 MB", path)


def test_a_long_text_repeated_in_every_row_is_held_once(tmp_path):
    rows, text = 100_000, "x" * 100_000  # 10 GB if every row had its own copy
    column = pa.DictionaryArray.from_arrays(pa.array(np.arange(rows) % 2, pa.int32()), [text, "short"])
    pq.write_table(pa.table({"a": np.arange(rows, dtype=np.float32) % 7, "y": column}), tmp_path / "a.parquet")
    dataset = load_dataset(str(tmp_path / "a.parquet"))
    assert dataset.class_names == ("short", text)


def test_the_header_reader_of_this_file_is_right():
    made = np.load(io.BytesIO(npy_bytes("<f4", (2, 2), np.arange(4, dtype="<f4").tobytes())))
    assert made.tolist() == [[0, 1], [2, 3]]
