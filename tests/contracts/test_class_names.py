"""Classes are read by their names: files that number the same classes in another way give the same classes."""

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
WORDS = ["cat", "ant", "bee", "ant"] * 3
ORDERS = (("ant", "bee", "cat"), ("cat", "zoo", "bee", "ant"))  # of the pool file, of the test file


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def columns(label):
    return {**{f"f{column}": X[:, column] for column in range(3)}, "label": label}


def frame(order):
    return pd.DataFrame(columns(pd.Categorical(WORDS, categories=order)))


def arrow(order, text=None):
    codes = pa.array([order.index(word) for word in WORDS], pa.uint32())
    return pa.table(columns(pa.DictionaryArray.from_arrays(codes, pa.array(order, text))))


def hugging_face(order, gone=()):
    """Codes whose names stand in the metadata, as the library datasets writes parquet."""
    codes = [-1 if row in gone else order.index(word) for row, word in enumerate(WORDS)]
    features = {"label": {"names": list(order), "_type": "ClassLabel"}}
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    return pa.table(columns(pa.array(codes, pa.int64()))).replace_schema_metadata(metadata)


def stream(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def h5ad(order, path):
    with h5py.File(path, "w") as file:
        file.create_group("obsm")["X_pca"] = X
        obs = file.create_group("obs")
        obs.attrs["_index"], obs.attrs["column-order"] = "_index", ["label"]
        obs["_index"] = [f"cell {row}" for row in range(len(X))]
        label = obs.create_group("label")
        label["codes"] = np.array([order.index(word) for word in WORDS], np.int8)
        label["categories"] = list(order)


WRITERS: dict[str, Callable[[tuple[str, ...], Path], object]] = {
    "pandas.parquet": lambda order, path: frame(order).to_parquet(path),
    "pandas.feather": lambda order, path: frame(order).to_feather(path),
    "dictionary.parquet": lambda order, path: pq.write_table(arrow(order), path),
    "dictionary.feather": lambda order, path: pyarrow.feather.write_feather(arrow(order), path),
    "dictionary.arrow": lambda order, path: stream(arrow(order, pa.string_view()), path),
    "hugging_face.parquet": lambda order, path: pq.write_table(hugging_face(order), path),
    "hugging_face.arrow": lambda order, path: stream(hugging_face(order), path),
    "anndata.h5ad": lambda order, path: h5ad(order, path),
    "text.parquet": lambda _, path: pq.write_table(pa.table(columns(WORDS)), path),
    "text.csv": lambda _, path: pd.DataFrame(columns(WORDS)).to_csv(path, index=False),
}
TABLES = [name for name in WRITERS if not name.startswith("anndata")]  # with the same feature columns


def classes(dataset, rows):
    return [dataset.class_names[code] for code in dataset.targets[rows].tolist()]


@pytest.mark.parametrize("pool", TABLES)
@pytest.mark.parametrize("test", TABLES)
def test_a_test_file_with_another_table_of_codes(tmp_path, pool, test):
    WRITERS[pool](ORDERS[0], tmp_path / f"pool_{pool}")
    WRITERS[test](ORDERS[1], tmp_path / f"test_{test}")
    dataset = load(tmp_path / f"pool_{pool}", test=str(tmp_path / f"test_{test}"))
    assert classes(dataset, dataset.split.train) == WORDS
    assert classes(dataset, dataset.split.test) == WORDS


def test_cells_with_another_table_of_codes(tmp_path):
    for part, order in zip(("pool", "test"), ORDERS, strict=True):
        h5ad(order, tmp_path / f"{part}.h5ad")
    dataset = load(tmp_path / "pool.h5ad", test=str(tmp_path / "test.h5ad"))
    assert classes(dataset, dataset.split.train) == classes(dataset, dataset.split.test) == WORDS


@pytest.mark.parametrize("named", ["pool", "test"])
def test_codes_with_names_beside_words_that_are_codes(tmp_path, named):
    """A file without names numbers its classes as the other does."""
    plain = pa.table(columns(pa.array([ORDERS[0].index(word) for word in WORDS])))
    for part in ("pool", "test"):
        pq.write_table(hugging_face(ORDERS[0]) if part == named else plain, tmp_path / f"{part}.parquet")
    dataset = load(tmp_path / "pool.parquet", test=str(tmp_path / "test.parquet"))
    assert dataset.targets[dataset.split.train].tolist() == dataset.targets[dataset.split.test].tolist()


def test_parts_of_one_table_with_other_tables_of_codes(tmp_path):
    for number, order in enumerate((*ORDERS, ("bee", "cat", "ant"))):
        pq.write_table(hugging_face(order, gone=(2,)), tmp_path / f"part-{number}.parquet")
    dataset = load(tmp_path, labelled_only=True)
    assert classes(dataset, dataset.split.train) == [word for row, word in enumerate(WORDS) if row != 2] * 3


def test_splits_of_a_saved_dataset_with_other_tables_of_codes(tmp_path):
    folder = tmp_path / "saved"
    for split, order in zip(("train", "test"), ORDERS, strict=True):
        (folder / split).mkdir(parents=True)
        stream(hugging_face(order), folder / split / "data-00000-of-00001.arrow")
        (folder / split / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    dataset = load(folder)
    assert classes(dataset, dataset.split.train) == classes(dataset, dataset.split.test) == WORDS


def test_names_of_npz_files_in_another_order(tmp_path):
    for part, order in zip(("pool", "test"), ORDERS, strict=True):
        np.savez(tmp_path / f"{part}.npz", X=X, y=[order.index(word) for word in WORDS], names=list(order))
    dataset = load(tmp_path / "pool.npz", test=str(tmp_path / "test.npz"))
    assert classes(dataset, dataset.split.train) == classes(dataset, dataset.split.test) == WORDS


def test_a_row_without_a_label_stays_one_and_a_class_that_the_pool_lacks_is_said_by_name(tmp_path):
    pq.write_table(hugging_face(ORDERS[0]), tmp_path / "pool.parquet")
    pq.write_table(hugging_face(ORDERS[1], gone=(1, 2)), tmp_path / "test.parquet")
    dataset = load(tmp_path / "pool.parquet", test=str(tmp_path / "test.parquet"))
    assert classes(dataset, dataset.split.test) == [word for row, word in enumerate(WORDS) if row not in (1, 2)]
    other = [(*WORDS[:-1], "zoo"), ("ant", "bee", "cat", "zoo")]
    codes = pa.array([other[1].index(word) for word in other[0]])
    part = hugging_face(other[1])
    pq.write_table(part.set_column(3, "label", codes), tmp_path / "test.parquet")
    with pytest.raises(InputError, match=r"test\.parquet: the test rows have classes that the pool lacks: 'zoo'"):
        load(tmp_path / "pool.parquet", test=str(tmp_path / "test.parquet"))
