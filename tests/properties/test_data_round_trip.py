"""Properties of reading: the same content gives the same dataset, whatever file it came in."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.task import Task

KINDS = ("npz", "npy", "csv", "parquet")
# below 1.2e-38 float32 keeps few digits, so that text and the number it stands for differ by more than the columns do
finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False)
features = hnp.arrays(np.float32, st.tuples(st.integers(2, 12), st.integers(1, 5)), elements=finite32)


def load_as(kind, X, y, *, labelled=True):
    """Write (X, y) as one kind of file and read it back."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"data.{kind}"
        config = {"source": str(path)}
        if kind == "npz":
            np.savez(path, X=X, **({"y": y} if labelled else {}))
        elif kind == "npy":
            np.save(path, X)
            if labelled:
                np.save(folder / "labels.npy", y)
                config["labels"] = str(folder / "labels.npy")
        else:
            frame = pd.DataFrame(X, columns=[f"f{j}" for j in range(X.shape[1])])
            if labelled:
                frame["y"] = y
            # Asked for, since columns that are constant or number the rows are left out of a table otherwise.
            config["features"] = ",".join(f"f{j}" for j in range(X.shape[1]))
            frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
        return load_dataset(DatasetConfig(**config))


def check_all_kinds(X, y, task, targets, *, labelled=True):
    loaded = {kind: load_as(kind, X, y, labelled=labelled) for kind in KINDS}
    for kind, dataset in loaded.items():
        assert dataset.task is task, kind
        assert np.array_equal(dataset.features.numpy(), X), kind
        if targets is not None:
            assert np.array_equal(dataset.targets.numpy(), targets), kind
    assert len({dataset.fingerprint for dataset in loaded.values()}) == 1
    assert len({dataset.class_names for dataset in loaded.values()}) == 1


@settings(max_examples=40, deadline=None)
@given(X=features)
def test_unlabelled(X):
    check_all_kinds(X, None, Task.UNLABELLED, None, labelled=False)


@settings(max_examples=40, deadline=None)
@given(X=features, data=st.data())
def test_regression(X, data):
    y = data.draw(hnp.arrays(np.float32, len(X), elements=finite32, unique=True))
    check_all_kinds(X, y, Task.REGRESSION, y)


@settings(max_examples=40, deadline=None)
@given(X=features, data=st.data())
def test_whole_number_classes(X, data):
    labels = data.draw(st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=len(X), unique=True))
    y = np.resize(np.array(labels, np.int64), 2 * len(X))
    X = np.concatenate([X, X])
    codes = np.searchsorted(np.unique(y), y)
    check_all_kinds(X, y, Task.CLASSIFICATION, codes)


# Text that a table cannot tell from a number or from nothing is no class name there.
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=6).map(
    lambda word: f"w{word}w"
)


@settings(max_examples=40, deadline=None)
@given(X=features, data=st.data())
def test_text_classes(X, data):
    labels = data.draw(st.lists(words, min_size=2, max_size=len(X), unique=True))
    y = np.resize(np.array(labels), 2 * len(X))
    X = np.concatenate([X, X])
    check_all_kinds(X, y, Task.CLASSIFICATION, np.searchsorted(np.unique(y), y))


@settings(max_examples=40, deadline=None)
@given(X=features, data=st.data())
def test_the_fingerprint_sees_any_change(X, data):
    base = load_as("npz", X, None, labelled=False)
    row, column = data.draw(st.integers(0, X.shape[0] - 1)), data.draw(st.integers(0, X.shape[1] - 1))
    changed = X.copy()
    changed[row, column] = data.draw(finite32.filter(lambda value: value != X[row, column]))
    assert load_as("npz", changed, None, labelled=False).fingerprint != base.fingerprint


@settings(max_examples=60, deadline=None)
@given(
    X=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.integers(1, 4)),
        elements=st.one_of(st.just(np.nan), st.just(np.inf), st.just(-1e200), st.floats(-10, 10)),
    )
)
def test_dropping_keeps_exactly_the_finite_rows(X):
    good = np.flatnonzero((np.abs(X) <= 10).all(axis=1))  # NaN compares false
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a.npz"
        np.savez(path, X=np.concatenate([X, np.zeros((1, X.shape[1]))]))
        dataset = load_dataset(DatasetConfig(source=str(path), drop_bad_rows=True))
    assert dataset.rows.tolist() == [*good.tolist(), len(X)]
    assert bool(np.isfinite(dataset.features.numpy()).all())
