"""Files as other tools write them: types that stand for plainer ones, and layouts that surprise."""

import base64
import uuid
import zlib

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from skmm_core.config import DatasetConfig
from skmm_core.data.arrow_sizes import unpacked_bytes
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError

N = 12
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
WORDS = ["cat", "ant", "bee"] * 4
IDS = [uuid.UUID(int=row + (1 << 100)) for row in range(N)]
LISTS = pa.array(X.tolist(), pa.list_(pa.float32()))
WIDTH = np.arange(N) ** 2
# Four rows as write_ipc of polars 2.1.0 writes them: no length before the schema, codes without a sign, views of text.
POLARS = (
    "eNrtVT1LA0EQfZesGjTIGS2i1ZUWFppYCCnMEUUEQQmCFoImemAgKkgUyxSWVv6CFBaWgn8gP8UqlZWIiAjxzd4m5hb8CFg64e3cfN7M7O7FLxbXt+YABeCp3W5P"
    "QJ4drsMYQYKrQpV6sccJl6YbhP4t6q/IL4lDYo9IE046hSl6pDHJDEm4mNAZJeaZMR55khCb4prg82xuNneWzeQg7yB2N9Z2C/7m8sp6cbXgr2Vg6JXxYWxCZ7w2"
    "+XbIB8irpXJQlZoob5MvaV/WxKSdGhomxu3Y4mHuN+odDPKntF+lFhyJ/oX6mPYYpL/iCpwH+7WTU+CRthnKXrd3yZuil4sxnT2pI9/1DBUkT+UAoNhOO2E9kqNp"
    "+gvnH2fUuM4jE2qZ+QvJ7KeNHzDKdyo9YZgZ99IQvqa8xfGD7Blet+wd2e3RKQNYul5K/GCXOZXmonI5E5X3s1H5YD5S2WJYfp6oEw2iSTxISz5+QY7F+yHZ31t8"
    "7m8+sr+xyP7aZ7rVPW/AZh/7HfumHs/qy/aVK1AOgohcOq711S96+pW7t9DtV25BilUrfefl/RemeM/wplXftrmTd9Y5/P8W/fm36J61+Ppv4AMx7MKY"
)

# Columns id 0..3 and v of FLOAT[2], null in row 1, as COPY TO of DuckDB 2.0.1 writes them.
DUCKDB = (
    "UEFSMRUAFSwVMCwVCBUAFQYVBgAAFlQCAAAACAEAAAAAAQAAAAIAAAADAAAAFQAVhAIVYiwVEBUAFQYVBgAAggEYIQAAAEGqAHYBAABBASUED/92"
    "JQCGAQBUgD8AAABAAACgQAAAwEAAAOBAAAAAQRUCGVw1ABgNZHVja2RiX3NjaGVtYRUEABUCJQIYAmlkJSIANQIYAXYVAhUGADUEGARsaXN0FQIA"
    "FQglAhgHZWxlbWVudAAWCBkcGSwmABwVAhkVABkYAmlkFQIWCBZOFlImCDwYBAMAAAAYBAAAAAAWACgEAwAAABgEAAAAABERABkcFQAVABUCAAAA"
    "JgAcFQgZFQAZOAF2BGxpc3QHZWxlbWVudBUCFhAWqAIWhgEmWjwYBAAAAEEYBAAAgD8WBCgEAAAAQRgEAACAPxERFgAAGRwVABUAFQIAAAAW9gIW"
    "CCYIFtgBACgoRHVja0RCIHZlcnNpb24gdjIuMC4xIChidWlsZCA4ZDc4MTE0ZTkwKRksHAAAHAAAABoBAABQQVIx"
)


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def words(dataset):
    return [dataset.class_names[code] for code in dataset.targets.tolist()]


def write(path, **columns):
    made = pa.table(columns)
    if path.suffix == ".parquet":
        pq.write_table(made, path)
    else:
        pyarrow.feather.write_feather(made, path, compression="uncompressed")
    return path


def test_a_file_of_polars(tmp_path):
    path = tmp_path / "a.arrow"
    path.write_bytes(zlib.decompress(base64.b64decode(POLARS)))
    dataset = load(path)
    assert dataset.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert words(dataset) == ["bee", "ant", "bee", "ant"]
    assert dataset.ids == ("a1", "b2", "c3", "d4")


def test_text_as_differences_of_lengths(tmp_path):
    """As DuckDB writes it with parquet_version v2; pyarrow cannot decode it as a dictionary."""
    made = pa.table({"id": list(map(str, IDS)), "embedding": LISTS, "label": WORDS, "width": WIDTH})
    encoding = {"id": "DELTA_LENGTH_BYTE_ARRAY", "label": "DELTA_LENGTH_BYTE_ARRAY"}
    pq.write_table(made, tmp_path / "a.parquet", use_dictionary=False, column_encoding=encoding, row_group_size=5)
    with pytest.raises(OSError, match="Not yet implemented"):
        pq.read_table(tmp_path / "a.parquet", read_dictionary=["id"])
    dataset = load(tmp_path / "a.parquet")
    assert dataset.ids == tuple(map(str, IDS))
    assert words(dataset) == WORDS
    assert np.array_equal(dataset.features.numpy(), X)
    pq.write_table(made.slice(0, 0), tmp_path / "none.parquet", use_dictionary=False, column_encoding=encoding)
    with pytest.raises(InputError, match="has a header but no rows"):
        load(tmp_path / "none.parquet")


def test_null_arrays_of_duckdb_say_what_to_do(tmp_path):
    (tmp_path / "a.parquet").write_bytes(base64.b64decode(DUCKDB))
    with pytest.raises(InputError, match=r"a\.parquet: pyarrow cannot read .* DuckDB .*write lists instead") as caught:
        load(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_rows_without_a_vector_can_be_dropped_beside_views_of_text(tmp_path, ending):
    vectors = [None if row == 3 else each.tolist() for row, each in enumerate(X)]
    for number, kind in enumerate((pa.list_(pa.float32(), 4), pa.list_(pa.float32()), pa.large_list(pa.float16()))):
        column = pa.array(vectors, pa.list_(pa.float32())).cast(kind)
        note = pa.array([f"a note that is longer than a view, {row}" for row in range(N)], pa.string_view())
        path = write(
            tmp_path / f"{number}.{ending}", embedding=column, label=pa.array(WORDS, pa.string_view()), note=note
        )
        dataset = load(path, drop_bad_rows=True)
        assert dataset.features.shape == (N - 1, 4)
        assert words(dataset) == WORDS[:3] + WORDS[4:]
        assert dataset.shown.column("note").to_pylist()[3].endswith("4")


def test_what_counts_is_what_the_footer_lists(tmp_path, monkeypatch):
    """A reader takes the blocks of the footer, so that a harmless start of the file says nothing."""
    path = write(tmp_path / "a.feather", a=np.zeros(2_000_000))
    size = unpacked_bytes(path)
    whole = bytearray(path.read_bytes())
    whole[8:16] = bytes(8)  # a stream would end here
    path.write_bytes(whole)
    assert unpacked_bytes(path) == size >= 16_000_000
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "8")
    with pytest.raises(InputError, match=r"a\.feather (unpacks to|has) .*more than the limit of 8 MB"):
        load(path)


@pytest.mark.parametrize("index", [pa.uint8(), pa.uint32(), pa.uint64(), pa.int8()])
@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()])
def test_categories_of_any_type(tmp_path, index, text):
    order = ["bee", "zoo", "cat", "ant"]
    codes = pa.array([None if row == 1 else order.index(word) for row, word in enumerate(WORDS)], index)
    label = pa.DictionaryArray.from_arrays(codes, pa.array(order, text))
    vectors = pa.DictionaryArray.from_arrays(
        pa.array(range(N), index), pa.array([str(row.tolist()) for row in X], text)
    )
    path = write(tmp_path / "a.feather", embedding=vectors, label=label)
    dataset = load(path)
    assert dataset.known_labels == (WORDS[0], None, *WORDS[2:])
    assert np.array_equal(dataset.features.numpy(), X)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_extensions_of_arrow(tmp_path, ending):
    """As DuckDB writes UUID, fastparquet lists (as JSON), and tensor libraries vectors."""
    stored = {
        "id": pa.array([each.bytes for each in IDS], pa.uuid()),
        "label": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([row % 2 for row in range(N)], pa.int8())),
        "width": WIDTH,
    }
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(X)
    json_texts = pa.array([str(row.tolist()) for row in X], pa.json_())
    for number, column in enumerate((tensors, json_texts, LISTS)):
        dataset = load(write(tmp_path / f"{number}.{ending}", **stored, embedding=column))
        assert np.array_equal(dataset.features.numpy(), X)
        assert dataset.ids == tuple(map(str, IDS))
        assert words(dataset) == ["False", "True"] * 6


def test_views_and_runs(tmp_path):
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([4, 8, N], pa.int32()), pa.array(["ant", "bee", "cat"]))
    starts, sizes = pa.array(np.arange(N)[::-1].astype(np.int32) * 4), pa.array(np.full(N, 4, np.int32))
    views = pa.ListViewArray.from_arrays(starts, sizes, pa.array(X[::-1].ravel()))
    for number, column in enumerate((views, LISTS.cast(pa.large_list(pa.float32())))):
        dataset = load(write(tmp_path / f"{number}.feather", embedding=column, label=runs))
        assert np.array_equal(dataset.features.numpy(), X)
        assert words(dataset) == ["ant"] * 4 + ["bee"] * 4 + ["cat"] * 4


@pytest.mark.parametrize("ending", ["parquet", "feather"])
@pytest.mark.parametrize("kind", [pa.binary(16), pa.binary(), pa.large_binary(), pa.binary_view()])
def test_an_embedding_as_bytes_asks_what_they_are(tmp_path, ending, kind):
    path = write(tmp_path / f"a.{ending}", embedding=pa.array([row.tobytes() for row in X], kind), width=WIDTH)
    with pytest.raises(InputError, match=r"'embedding' holds 16 bytes a row; say .*--features embedding:float32 \("):
        load(path)
    assert np.array_equal(load(path, features="embedding:float32").features.numpy(), X)
    assert load(path, ignore="embedding").feature_names == ("width",)


def test_an_embedding_that_cannot_be_read_is_not_passed_over(tmp_path):
    matrices = pa.array([each[: 1 + row % 4].tolist() for row, each in enumerate(X)], pa.list_(pa.float32()))
    path = write(tmp_path / "a.parquet", image_embedding=matrices, width=WIDTH)
    with pytest.raises(
        InputError,
        match=r"'image_embedding' has the name of an embedding but holds list<.*give every row a list of as many",
    ):
        load(path)
    assert load(path, features="width").feature_names == ("width",)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_half_floats(tmp_path, ending):
    """Columns and lists of float16, which fastparquet hands on as bytes."""
    half = X.astype(np.float16)
    dataset = load(write(tmp_path / f"a.{ending}", **{f"f{place}": half[:, place] for place in range(4)}, label=WORDS))
    assert np.array_equal(dataset.features.numpy(), half.astype(np.float32))
    lists = pa.array(list(half), pa.list_(pa.float16()))
    for number, kind in enumerate((pa.list_(pa.float16()), pa.large_list(pa.float16()), pa.list_(pa.float16(), 4))):
        path = write(tmp_path / f"{number}.{ending}", embedding=lists.cast(kind), width=WIDTH)
        assert np.array_equal(load(path).features.numpy(), half.astype(np.float32))


def test_a_table_of_columns_in_obsm(tmp_path):
    """AnnData lets a data frame stand in obsm."""
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        obs = file.create_group("obs")
        obs.attrs["_index"], obs.attrs["column-order"] = "_index", ["label"]
        obs["_index"], obs["label"] = [f"cell {row}" for row in range(N)], WORDS
        matrix = file.create_group("obsm").create_group("X_emb")
        matrix.attrs["_index"], matrix.attrs["column-order"] = "_index", ["pc2", "pc10", "pc1", "pc0"]
        matrix["_index"] = obs["_index"][:]
        for place, name in enumerate(("pc2", "pc10", "pc1", "pc0")):
            matrix[name] = X[:, place]
    dataset = load(tmp_path / "a.h5ad")
    assert np.array_equal(dataset.features.numpy(), X)
    assert words(dataset) == WORDS


def test_safetensors_of_an_array_in_columns(tmp_path):
    """Its writer stores bytes as they lie in memory: of an array in Fortran's order they are those of another one."""
    safetensors.numpy.save_file({"X": X, "y": np.arange(N) % 3}, tmp_path / "rows.safetensors")
    safetensors.numpy.save_file({"X": np.asfortranarray(X), "y": np.arange(N) % 3}, tmp_path / "columns.safetensors")
    assert np.array_equal(load(tmp_path / "rows.safetensors").features.numpy(), X)
    scrambled = load(tmp_path / "columns.safetensors").features.numpy()
    assert np.array_equal(scrambled, X.T.reshape(X.shape)), "the file does not tell, so that nothing can be mended here"


def test_rows_are_known_by_their_id_wherever_they_stand(tmp_path):
    """An updated row of a Lance table moves to the end; an index of pandas may be in any order."""
    order = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2]
    frame = pd.DataFrame({"embedding": list(X), "label": WORDS}, index=pd.Index(map(str, IDS), name="key"))
    frame.to_parquet(tmp_path / "before.parquet")
    frame.iloc[order].to_parquet(tmp_path / "after.parquet")
    before, after = load(tmp_path / "before.parquet"), load(tmp_path / "after.parquet")
    assert before.ids == tuple(map(str, IDS))
    place = [after.ids.index(name) for name in before.ids]
    assert np.array_equal(after.features[place], before.features)
    assert [words(after)[row] for row in place] == WORDS
