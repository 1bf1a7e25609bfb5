"""Every type of Arrow is read rightly, or refused in one clear line, from parquet and from Arrow files."""

import decimal
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.arrow_types import plain_array
from skmm_core.data.load import load_dataset
from skmm_core.errors import InputError

N, SHAPE = 24, (2, 3)
X = np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)
LABELS = ["ant" if row < N // 2 else "bee" for row in range(N)]
UUIDS = [uuid.UUID(int=row + 1) for row in range(N)]
WRITERS = {
    "a.parquet": pq.write_table,
    "a.arrow": lambda table, path: pyarrow.feather.write_feather(table, path, compression="uncompressed"),
}
each_file = pytest.mark.parametrize("name", WRITERS)


class Array2D(pa.ExtensionType):
    """As the library datasets makes one; a reader that does not know it sees its storage."""

    def __init__(self):
        super().__init__(pa.list_(pa.list_(pa.float32())), "datasets.features.features.Array2DExtensionType")

    def __arrow_ext_serialize__(self):
        return b'[[2, 3], "float32"]'

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized):
        return cls()


def nested(kind=None):
    return pa.array(X.reshape(N, *SHAPE).tolist(), kind or pa.list_(pa.list_(pa.float32())))


def tensor():
    kind = pa.fixed_shape_tensor(pa.float32(), SHAPE)
    return pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(X.ravel(), 6))


VECTORS = {
    "tensor": tensor,
    "lists of lists": nested,
    "fixed in fixed": lambda: nested(pa.list_(pa.list_(pa.float32(), 3), 2)),
    "large in large": lambda: nested(pa.large_list(pa.large_list(pa.float32()))),
    "three deep": lambda: pa.array(X.reshape(N, 1, 2, 3).tolist(), pa.list_(pa.list_(pa.list_(pa.float32())))),
    "Array2D": lambda: pa.ExtensionArray.from_storage(Array2D(), nested()),
}


def load(tmp_path, name, columns, **options):
    try:
        WRITERS[name](pa.table(columns), tmp_path / name)
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        pytest.skip(f"pyarrow does not write it: {error}")
    return load_dataset(DatasetConfig(source=str(tmp_path / name), **options))


@each_file
@pytest.mark.parametrize("kind", VECTORS)
def test_tensors_and_lists_of_lists_are_flattened_and_it_is_said(tmp_path, name, kind):
    data = load(tmp_path, name, {"embedding": VECTORS[kind](), "size": pa.array(range(5, 5 + N)), "label": LABELS})
    np.testing.assert_array_equal(data.features.numpy(), X)
    features = next(line for line in data.reading if line.part == "Features")
    assert features.taken == "embedding: 6 numbers a row"
    assert ("flattened" in features.why) is (kind != "tensor")


@each_file
def test_rows_without_a_list_of_lists_are_bad_rows(tmp_path, name):
    rows = [None if row == 3 else x for row, x in enumerate(X.reshape(N, *SHAPE).tolist())]
    data = load(tmp_path, name, {"embedding": pa.array(rows, pa.list_(pa.list_(pa.float32())))}, drop_bad_rows=True)
    np.testing.assert_array_equal(data.features.numpy(), np.delete(X, 3, axis=0))


@each_file
@pytest.mark.parametrize("late", [0, N - 1])
def test_lists_of_lists_of_other_shapes_are_refused_with_what_to_do(tmp_path, name, late):
    rows = X.reshape(N, *SHAPE).tolist()
    rows[late] = [[1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]  # as many numbers, but not of the same places
    with pytest.raises(InputError, match=r"embedding.*list") as caught:
        load(tmp_path, name, {"embedding": pa.array(rows, pa.list_(pa.list_(pa.float32())))})
    assert "\n" not in str(caught.value)
    ids = {"embedding": pa.array(rows, pa.list_(pa.list_(pa.float32()))), "a": X[:, 0], "b": X[:, 1]}
    assert load(tmp_path, name, ids, ignore="embedding").feature_names == ("a", "b")


def runs():
    return pa.RunEndEncodedArray.from_arrays(pa.array([N // 2, N], pa.int32()), pa.array(["ant", "bee"]))


CLASSES = {
    "dictionary": lambda: pa.array(LABELS).dictionary_encode(),
    "large": lambda: pa.array(LABELS, pa.large_string()),
    "view": lambda: pa.array(LABELS, pa.string_view()),
    "runs": runs,
    "json": lambda: pa.ExtensionArray.from_storage(pa.json_(), pa.array(LABELS)),
}


@each_file
@pytest.mark.parametrize("kind", CLASSES)
def test_labels_in_any_type_of_text(tmp_path, name, kind):
    data = load(tmp_path, name, {"a": X[:, 0], "b": X[:, 1], "label": CLASSES[kind]()})
    assert data.class_names == ("ant", "bee")
    assert data.targets.tolist() == [int(label == "bee") for label in LABELS]


@each_file
def test_truth_values_of_eight_bits_are_classes(tmp_path, name):
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([row % 2 * 5 for row in range(N)], pa.int8()))
    data = load(tmp_path, name, {"a": X[:, 0], "b": X[:, 1], "label": flags})
    assert data.class_names == ("False", "True")
    assert data.targets.tolist() == [row % 2 for row in range(N)]


@each_file
def test_uuids_are_ids_in_their_usual_form(tmp_path, name):
    stored = pa.array([each.bytes for each in UUIDS], pa.binary(16))
    data = load(tmp_path, name, {"uuid": pa.ExtensionArray.from_storage(pa.uuid(), stored), "a": X[:, 0]})
    assert data.ids == tuple(str(each) for each in UUIDS)
    assert data.feature_names == ("a",)


@each_file
def test_decimals_and_runs_of_numbers_are_features(tmp_path, name):
    money = pa.array([decimal.Decimal(row * row) / 100 for row in range(N)], pa.decimal128(12, 2))
    data = load(tmp_path, name, {"money": money, "a": X[:, 0]})
    np.testing.assert_allclose(data.features[:, 0], np.arange(N) ** 2 / 100, rtol=1e-6)
    numbers = pa.RunEndEncodedArray.from_arrays(pa.array([5, N], pa.int32()), pa.array([1.5, None]))
    data = load(tmp_path, name, {"runs": numbers, "a": X[:, 0]}, drop_bad_rows=True)
    assert data.features[:, 0].tolist() == [1.5] * 5


@each_file
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(24)])
def test_bytes_of_every_type_are_vectors_once_their_numbers_are_named(tmp_path, name, kind):
    rows = [row.tobytes() for row in X]
    data = load(tmp_path, name, {"embedding": pa.array(rows, kind)}, features="embedding:float32")
    np.testing.assert_array_equal(data.features.numpy(), X)


@each_file
def test_times_and_structs_are_left_out_and_named(tmp_path, name):
    columns = {
        "a": X[:, 0],
        "when": pa.array(range(N), pa.timestamp("us", "UTC")),
        "took": pa.array(range(N), pa.duration("s")),
        "boxes": pa.array([[{"x": 1, "y": 2}]] * N),
    }
    data = load(tmp_path, name, columns)
    assert data.feature_names == ("a",)
    left_out = " ".join(f"{line.taken} {line.why}" for line in data.reading if line.part == "Left out")
    assert all(word in left_out for word in ("'when'", "timestamp", "'took'", "duration", "'boxes'", "struct"))
    for target in ("took", "boxes"):
        with pytest.raises(InputError, match=f"{target}.*numbers or text"):
            load(tmp_path, name, columns, target=target)


def test_runs_that_unpack_to_more_than_may_be_read_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "16")
    many = 1 << 30
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([many], pa.int32()), pa.array([1.0]))
    with pytest.raises(InputError, match="more than the limit"):
        load(tmp_path, "a.arrow", {"a": runs})


def test_a_part_of_runs_has_the_values_of_its_own_rows():
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([3, 5, 9], pa.int32()), pa.array([1.5, None, 2.5]))
    assert plain_array(runs.slice(2, 5)).to_pylist() == [1.5, None, None, 2.5, 2.5]
