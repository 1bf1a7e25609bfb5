"""Every format gives the same rows, from one table of formats; damaged and hostile files of each are one line."""

import base64
import bz2
import contextlib
import gzip
import json
import struct
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data import FILE_KINDS, FORMATS, kind_of
from skmm_core.data.arrow_sizes import unpacked_bytes
from skmm_core.data.load import load_dataset
from skmm_core.data.table_formats import names_in
from skmm_core.errors import InputError

N = 24
X = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
LABELS = [("ant", "bee", "cat")[row % 3] for row in range(N)]
IDS = [f"{row:04d}" for row in range(N)]
WIDTH = np.random.default_rng(1).integers(200, 900, N)


def load(source, **options):
    return load_dataset(DatasetConfig(source=str(source), **options))


def refused(match, source, **options):
    with pytest.raises(InputError, match=match) as caught:
        load(source, **options)
    assert "\n" not in str(caught.value)


def frame(kind=list):
    return pd.DataFrame({"id": IDS, "embedding": kind(X), "width": WIDTH, "label": LABELS})


def table():
    return pa.Table.from_pandas(frame(), preserve_index=False)


def parquet_as(kind, **options):
    """Writes the table with its vectors as a type of list."""

    def write(path):
        made = table()
        pq.write_table(made.set_column(1, "embedding", made.column(1).cast(kind)), path, **options)

    return write


def stream(made, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, made.schema) as writer:
        writer.write_table(made, max_chunksize=7)


def saved_dataset(folder, rows=slice(None)):
    """A folder as the library datasets saves it."""
    folder.mkdir(parents=True)
    part = table().slice(rows.start or 0, (rows.stop or N) - (rows.start or 0))
    names = ["ant", "bee", "cat", "dog"]
    codes = pa.array([names.index(label) for label in part.column("label").to_pylist()])
    part = part.set_column(part.column_names.index("label"), "label", codes)
    half = part.num_rows // 2
    stream(part.slice(0, half), folder / "data-00000-of-00002.arrow")
    stream(part.slice(half), folder / "data-00001-of-00002.arrow")
    files = [{"filename": f"data-0000{number}-of-00002.arrow"} for number in (0, 1)]
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    info = {"features": {"label": {"names": names, "_type": "ClassLabel"}}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder


def write_safetensors(path, **tensors):
    header, body = {}, b""
    for name, (dtype, array) in tensors.items():
        content = array.tobytes()
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def jsonl(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


def as_rows():
    return [
        {"id": IDS[row], "embedding": X[row].tolist(), "width": int(WIDTH[row]), "label": LABELS[row]}
        for row in range(N)
    ]


def write_csv(path, packing=None):
    text = frame(lambda rows: [json.dumps(row.tolist()) for row in rows]).to_csv(
        index=False, sep="\t" if "tsv" in path.name else ","
    )
    if packing == "zstd":
        with pa.output_stream(str(path), compression="zstd") as out:
            out.write(text.encode())
    else:
        path.write_bytes({None: bytes, "gzip": gzip.compress, "bz2": bz2.compress}[packing](text.encode()))
    return path


WRITERS = {
    "a.parquet": lambda path: frame().to_parquet(path),
    "large.parquet": parquet_as(pa.large_list(pa.float32())),
    "fixed.parquet": parquet_as(pa.list_(pa.float32(), 5)),
    "double.parquet": parquet_as(pa.list_(pa.float64()), row_group_size=5),
    "a.feather": lambda path: pyarrow.feather.write_feather(table(), path),
    "file.arrow": lambda path: pyarrow.feather.write_feather(table(), path, compression="uncompressed"),
    "stream.arrow": lambda path: stream(table(), path),
    "a.jsonl": lambda path: jsonl(path, as_rows()),
    "a.csv": write_csv,
    "a.tsv": write_csv,
    "a.csv.gz": lambda path: write_csv(path, "gzip"),
    "a.csv.bz2": lambda path: write_csv(path, "bz2"),
    "a.tsv.zst": lambda path: write_csv(path, "zstd"),
    "saved": saved_dataset,
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_every_table_with_a_vector_column_gives_the_same_rows(tmp_path, name):
    WRITERS[name](tmp_path / name)
    dataset = load(tmp_path / name)
    assert np.array_equal(dataset.features.numpy(), X)
    assert dataset.ids == tuple(IDS)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert [dataset.class_names[code] for code in dataset.targets.tolist()] == LABELS
    assert dataset.shown.column("width").to_pylist() == WIDTH.tolist()
    assert sorted(names_in(tmp_path / name)) == ["embedding", "id", "label", "width"]
    left_out = [line for line in dataset.reading if line.part == "Left out"]
    assert "gz" not in dataset.reading[0].taken  # how a file is packed is not its format
    assert [line.taken for line in left_out] == ["'width'"]
    assert "stands beside the vectors of 'embedding'" in left_out[0].why


@pytest.mark.parametrize("kind", [pa.float16(), pa.int8(), pa.int64(), pa.uint16()])
def test_vectors_of_other_numbers_and_with_gaps(tmp_path, kind):
    values = [[1, 2, None], None, [4, 5, 6]]
    numbers = [None if row is None else [None if v is None else np.float16(v) for v in row] for row in values]
    column = pa.array(numbers if kind == pa.float16() else values, pa.list_(kind))
    pq.write_table(pa.table({"v": column}), tmp_path / "a.parquet")
    refused(r"2 of 3 rows hold NaN or infinite numbers \(first rows, from 0: 0, 1", tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet", drop_bad_rows=True).features.tolist() == [[4, 5, 6]]


def test_bytes_are_vectors_once_it_is_said_what_they_are(tmp_path):
    made = pa.table({"v": pa.array([row.tobytes() for row in X], pa.binary(20)), "width": WIDTH})
    pq.write_table(made, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").feature_names == ("width",)
    assert np.array_equal(load(tmp_path / "a.parquet", features="v:float32").features.numpy(), X)
    assert load(tmp_path / "a.parquet", features="v:uint8").features.shape == (N, 20)
    refused(
        r"column 'v' holds bytes; say what they are, such as --features v:float32", tmp_path / "a.parquet", features="v"
    )
    refused(r"'text' is no type; choose float16, float32", tmp_path / "a.parquet", features="v:text")
    refused(r"20 bytes a row, no whole number of float64", tmp_path / "a.parquet", features="v:float64")
    stated = pa.field("v", pa.binary(20), metadata={"dtype": "float32"})
    pq.write_table(made.cast(pa.schema([stated, made.schema.field("width")])), tmp_path / "b.parquet")
    assert np.array_equal(load(tmp_path / "b.parquet").features.numpy(), X)


@pytest.mark.parametrize("text", ["[{}]", "({})", "{}", "[ {} ]"])
@pytest.mark.parametrize("between", [", ", " ", ",", ";", "\n  "])
def test_vectors_as_text(tmp_path, text, between):
    cells = [text.format(between.join(str(value) for value in row)) for row in X]
    pd.DataFrame({"v": cells, "width": WIDTH}).to_csv(tmp_path / "a.csv", index=False)
    assert np.array_equal(load(tmp_path / "a.csv").features.numpy(), X)


@pytest.mark.parametrize(
    "write",
    [
        lambda row: str(row),
        lambda row: repr(row),
        lambda row: f"tensor({row.tolist()})",
        lambda row: f"tensor({row.tolist()}, device='cuda:0', dtype=torch.float32)",
        lambda row: str(list(row)),
        lambda row: str([row.tolist()]),
        lambda row: "{" + ",".join(map(str, row)) + "}",
    ],
    ids=["numpy", "array", "tensor", "device", "scalars", "nested", "sql"],
)
def test_vectors_as_programs_print_them(tmp_path, write):
    pd.DataFrame({"v": [write(row) for row in X], "width": WIDTH}).to_csv(tmp_path / "a.csv", index=False)
    assert np.allclose(load(tmp_path / "a.csv").features.numpy(), X, atol=1e-6)


@pytest.mark.parametrize(
    ("cell", "match"),
    [
        ("[0.1 0.2 ... 0.3]", r"cut short with '\.\.\.'"),
        ("[0.1, 0.2]", r"2 numbers in row 7 \(from 0\) but 5 elsewhere"),
        ("[0.1, 0.2, x, 1, 2]", r"'\[0\.1, 0\.2, x, 1, 2\]' in row 7 \(from 0\) is none"),
        ("[None, 0.1, 0.2, 1, 2]", r"1 of 24 rows hold NaN or infinite numbers \(row 7"),
    ],
)
def test_one_row_without_a_vector_never_makes_other_columns_the_features(tmp_path, cell, match):
    cells = [cell if row == 7 else str(X[row].tolist()) for row in range(N)]
    pd.DataFrame({"v": cells, "width": WIDTH}).to_csv(tmp_path / "a.csv", index=False)
    refused(match, tmp_path / "a.csv")


@pytest.mark.parametrize(
    "cell", ["\\x3f8000003f000000", "P4AAAD8AAAA/gAAAPwAAAD+AAAA/AAAA", '{"values": [0.1, 0.2]}', "b'\\x00\\x00'"]
)
def test_an_embedding_that_is_not_read_is_not_replaced_by_other_columns(tmp_path, cell):
    long = cell if cell[0] in "{" else cell * 3
    pd.DataFrame({"textEmbedding": [long] * N, "width": WIDTH}).to_csv(tmp_path / "a.csv", index=False)
    refused("'textEmbedding' has the name of an embedding but holds text such as", tmp_path / "a.csv")
    assert load(tmp_path / "a.csv", features="width").features.shape == (N, 1)
    assert load(tmp_path / "a.csv", ignore="textEmbedding").features.shape == (N, 1)
    pd.DataFrame({"vector": ["mosquito"] * N, "width": WIDTH}).to_csv(tmp_path / "b.csv", index=False)
    assert load(tmp_path / "b.csv").feature_names == ("width",)


def test_packed_embeddings_beside_numbers_are_a_question(tmp_path):
    packed = {"embedding": [row.tobytes() for row in X], "width": WIDTH}
    pq.write_table(pa.table(packed), tmp_path / "a.parquet")
    refused(r"say what the bytes are, such as --features embedding:float32", tmp_path / "a.parquet")
    nested = {"vectors": [{"default": row.tolist()} for row in X], "width": WIDTH}
    pq.write_table(pa.table(nested), tmp_path / "b.parquet")
    refused("'vectors' has the name of an embedding but holds struct", tmp_path / "b.parquet")


@pytest.mark.parametrize("name", ["labels", "label", "target"])
@pytest.mark.parametrize("value", [[1], [0.2, 0.8], ["ant", "bee"]])
def test_lists_of_labels_are_no_features(tmp_path, name, value):
    pq.write_table(pa.table({"embedding": X.tolist(), name: [value] * N}), tmp_path / "a.parquet")
    dataset = load(tmp_path / "a.parquet")
    assert np.array_equal(dataset.features.numpy(), X)
    assert any(f"'{name}' (its name is that of a label, but it holds" in note for note in dataset.notes)
    refused("no numeric column", saved_lists(tmp_path / "b.parquet", {name: [value] * N, "text": ["hi"] * N}))


def saved_lists(path, columns):
    pq.write_table(pa.table(columns), path)
    return path


def test_pixels_as_text_are_a_vector_and_telephone_numbers_are_none(tmp_path):
    pixels = np.random.default_rng(2).integers(0, 256, (N, 16))
    phones = [f"030 {row} 45 67" for row in range(N)]
    pd.DataFrame({"pixels": [" ".join(map(str, row)) for row in pixels], "phone": phones}).to_csv(tmp_path / "a.csv")
    dataset = load(tmp_path / "a.csv")
    assert np.array_equal(dataset.features.numpy(), pixels)
    assert dataset.shown.column("phone").to_pylist() == phones


def test_parts_of_a_folder_are_read_in_the_order_of_their_numbers(tmp_path):
    for number in range(12):
        rows = slice(2 * number, 2 * number + 2)
        pd.DataFrame({"embedding": list(X[rows]), "label": LABELS[rows]}).to_parquet(
            tmp_path / f"part-{number}.parquet"
        )
    (tmp_path / "_SUCCESS").touch()
    dataset = load(tmp_path)
    assert np.array_equal(dataset.features.numpy(), X)
    assert [dataset.class_names[code] for code in dataset.targets.tolist()] == LABELS
    frame().drop(columns="label").to_parquet(tmp_path / "part-3.parquet")
    refused(r"part-3\.parquet: column '(id|label|width)' is not in all parts", tmp_path)


def test_columns_that_folders_name(tmp_path):
    """As Spark and DuckDB partition: a folder for each value of a column."""
    for label, year, rows in (("ant", 9, slice(0, 8)), ("a b/ä", 10, slice(8, 16)), (None, 10, slice(16, N))):
        kind = "__HIVE_DEFAULT_PARTITION__" if label is None else quote(label, safe="")
        folder = tmp_path / f"label={kind}" / f"year={year}"
        folder.mkdir(parents=True)
        (folder / ".part-0.parquet.crc").write_bytes(b"crc")
        pd.DataFrame({"embedding": list(X[rows])}).to_parquet(folder / "part-0.parquet")
    (tmp_path / "_SUCCESS").touch()
    dataset = load(tmp_path)
    found = dict(zip(map(tuple, dataset.features.tolist()), dataset.known_labels, strict=True))
    assert [found[tuple(row)] for row in X.tolist()] == ["ant"] * 8 + ["a b/ä"] * 8 + [None] * 8
    assert set(dataset.shown.column("year").to_pylist()) == {"9", "10"}
    (tmp_path / "other").mkdir()
    pd.DataFrame({"embedding": list(X)}).to_parquet(tmp_path / "other" / "part-0.parquet")
    assert load(tmp_path).pool_size == N


def test_splits_of_a_saved_dataset_and_of_parquet_parts(tmp_path):
    saved = tmp_path / "saved"
    saved_dataset(saved / "train", slice(0, 18))
    saved_dataset(saved / "test", slice(18, 24))
    (saved / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    parts = tmp_path / "parts"
    parts.mkdir()
    frame().iloc[:18].to_parquet(parts / "train-0.parquet")
    frame().iloc[18:].to_parquet(parts / "test-0.parquet")
    for folder in (saved, parts):
        dataset = load(folder)
        assert np.array_equal(dataset.features.numpy(), X)
        assert dataset.split.train.tolist() == list(range(18))
        assert dataset.split.test.tolist() == list(range(18, 24))


def test_answers_of_a_batch_job_are_joined_by_custom_id(tmp_path):
    def answer(row):
        vector = base64.b64encode(X[row].tobytes()).decode() if row % 2 else X[row].tolist()
        body = {"data": [{"index": 0, "object": "embedding", "embedding": vector}], "model": "m"}
        return {
            "id": f"b{row}",
            "custom_id": f"row-{row}",
            "response": {"status_code": 200, "body": body},
            "error": None,
        }

    order = np.random.default_rng(3).permutation(N)
    failed = {"id": "b", "custom_id": "row-99", "response": None, "error": {"message": "too long"}}
    dataset = load(jsonl(tmp_path / "a.jsonl", [failed, *map(answer, order.tolist())]))
    assert dataset.ids == tuple(f"row-{row}" for row in range(N))
    assert np.array_equal(dataset.features.numpy(), X)
    assert dataset.rows.tolist() == (np.argsort(order) + 1).tolist(), "0-based line of the file"
    assert any("1 of 25 lines hold no embedding, first ['row-99']: left out" in note for note in dataset.notes)
    broken = answer(0) | {"response": {"body": {"data": [{"embedding": "!!"}]}}}
    refused("the embedding of 'row-0' is no base64 of float32", jsonl(tmp_path / "b.jsonl", [broken]))


def test_two_answers_to_one_custom_id(tmp_path):
    body = {"data": [{"index": 0, "embedding": [0.5, 1.5]}]}
    lines = [json.dumps({"custom_id": "r1", "response": {"status_code": 200, "body": body}})] * 2
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    refused("custom_id 'r1' has two answers", tmp_path / "a.jsonl")


def test_points_of_a_vector_database(tmp_path):
    points = [
        {"id": row, "vectors": {"default": X[row].tolist()}, "payload": {"kind": LABELS[row], "nested": {"deep": 1}}}
        for row in range(N)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, points)))
    dataset = load(tmp_path / "a.jsonl", target="payload.kind")
    assert np.allclose(dataset.features.numpy(), X)
    assert dataset.class_names == ("ant", "bee", "cat")
    assert dataset.ids[:2] == ("0", "1")
    assert any("'payload.nested' (holds" in note for note in dataset.notes)
    assert any("name it (--target payload.kind)" in note for note in load(tmp_path / "a.jsonl").notes)


def test_safetensors(tmp_path):
    codes = np.arange(N) % 3
    upper = (X.view(np.uint32) >> 16).astype(np.uint16)
    path = write_safetensors(tmp_path / "a.safetensors", vectors=("F32", X), labels=("I64", codes))
    dataset = load(path)
    assert np.array_equal(dataset.features.numpy(), X)
    assert dataset.targets.tolist() == codes.tolist()
    assert names_in(path) == ["vectors", "labels"]
    half = load(write_safetensors(tmp_path / "b.safetensors", v=("BF16", upper)))
    assert np.array_equal(half.features.numpy(), (upper.astype(np.uint32) << 16).view(np.float32))
    two = write_safetensors(tmp_path / "c.safetensors", image=("F32", X), text=("F16", X.astype(np.float16)))
    refused(r"has 2 arrays that can be features \(image 24 × 5, text 24 × 5\); name one with --features", two)
    assert np.array_equal(load(two, features="image").features.numpy(), X)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:40],
        lambda raw: struct.pack("<Q", 1 << 60) + raw[8:],
        lambda raw: raw[:8] + raw[8:].replace(b"480]", b"999]"),
        lambda raw: raw[:8] + raw[8:].replace(b"24, 5", b"-4, 5"),
        lambda raw: raw[:8] + raw[8:].replace(b"24, 5", b"99, 5"),
        lambda raw: b"PK" + raw,
    ],
)
def test_a_damaged_safetensors_file(tmp_path, change):
    path = write_safetensors(tmp_path / "a.safetensors", v=("F32", X))
    path.write_bytes(change(path.read_bytes()))
    refused(r"a\.safetensors is truncated or not a safetensors file", path)


def test_a_folder_of_clip_retrieval(tmp_path):
    for name in ("img_emb", "text_emb", "metadata"):
        (tmp_path / name).mkdir()
    for number, rows in ((2, slice(0, 10)), (10, slice(10, N))):
        np.save(tmp_path / "img_emb" / f"img_emb_{number}.npy", X[rows].astype(np.float16))
        pd.DataFrame({"image_path": IDS[rows], "caption": LABELS[rows]}).to_parquet(
            tmp_path / "metadata" / f"metadata_{number}.parquet"
        )
    dataset = load(tmp_path, id="image_path")
    assert np.array_equal(dataset.features.numpy(), X.astype(np.float16).astype(np.float32))
    assert dataset.ids == tuple(IDS)
    assert dataset.shown.column("caption").to_pylist() == LABELS
    np.save(tmp_path / "text_emb" / "text_emb_0.npy", X[:, :2])
    refused(r"2 columns of vectors: img_emb \(5 numbers\), text_emb \(2 numbers\); choose one", tmp_path)
    assert load(tmp_path, features="text_emb").features.shape == (N, 2)
    np.save(tmp_path / "text_emb" / "text_emb_0.npy", X[:9, :2])
    refused(r"text_emb has 9 rows but the first 24", tmp_path)


@pytest.mark.parametrize("columns", [1, 2])
def test_a_pair_of_the_tensorflow_projector(tmp_path, columns):
    np.savetxt(tmp_path / "tensors.tsv", X, delimiter="\t", fmt="%.9g")
    rows = [f"{label}\t{number}" if columns == 2 else label for number, label in zip(WIDTH, LABELS, strict=True)]
    head = ["label\tsize"] if columns == 2 else []
    (tmp_path / "metadata.tsv").write_text("\n".join([*head, *rows]) + "\n")
    for source in (tmp_path, tmp_path / "tensors.tsv"):
        dataset = load(source)
        assert np.array_equal(dataset.features.numpy(), X)
        assert [dataset.class_names[code] for code in dataset.targets.tolist()] == LABELS
    (tmp_path / "metadata.tsv").write_text("label\tsize\nant\t1\n")
    refused(r"metadata\.tsv has 1 rows but tensors\.tsv has 24; they must match", tmp_path)


def test_h5ad(tmp_path):
    h5py = pytest.importorskip("h5py")
    sparse = np.where(np.abs(X) > 0.7, X, 0)
    with h5py.File(tmp_path / "a.h5ad", "w") as file:
        obs = file.create_group("obs")
        obs.attrs["_index"], obs.attrs["column-order"] = "cell", ["label", "width"]
        obs["cell"], obs["width"] = IDS, WIDTH
        label = obs.create_group("label")
        label["categories"] = ["ant", "bee", "cat"]
        label["codes"] = np.where(np.arange(N) < 20, np.arange(N) % 3, -1).astype(np.int8)
        group = file.create_group("X")
        group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", sparse.shape
        where = np.nonzero(sparse)
        group["data"], group["indices"] = sparse[where], where[1]
        group["indptr"] = np.concatenate([[0], np.cumsum((sparse != 0).sum(1))])
    dataset = load(tmp_path / "a.h5ad")
    assert np.array_equal(dataset.features.numpy(), sparse)
    assert dataset.ids == tuple(IDS)
    assert dataset.known_labels == (*LABELS[:20], *[None] * 4)
    with h5py.File(tmp_path / "a.h5ad", "a") as file:
        file["obsm/X_pca"] = X
    assert np.array_equal(load(tmp_path / "a.h5ad").features.numpy(), X)
    with h5py.File(tmp_path / "a.h5ad", "a") as file:
        file["obsm/X_umap"] = X[:, :2]
    refused(r"2 columns of vectors: X_pca \(5 numbers\), X_umap \(2 numbers\)", tmp_path / "a.h5ad")
    assert load(tmp_path / "a.h5ad", features="X_umap").features.shape == (N, 2)


def test_what_is_missing_for_a_format_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "a.h5ad").write_bytes(b"x")
    refused(r"a\.h5ad: reading \.h5ad needs h5py; install it with: pip install h5py", tmp_path / "a.h5ad")


@pytest.mark.parametrize(
    ("train", "test"), [("{}_train", "{}_test"), ("{}train", "{}test"), ("{}_training", "{}_test")]
)
@pytest.mark.parametrize("x", ["x", "X"])
def test_parts_of_an_npz_as_keras_and_scikit_learn_call_them(tmp_path, train, test, x):
    arrays = {train.format(x): X[:18], train.format("y"): np.arange(18) % 3, test.format("y"): np.arange(6) % 3}
    np.savez(tmp_path / "a.npz", **{test.format(x): X[18:]}, **arrays)
    dataset = load(tmp_path / "a.npz")
    assert np.array_equal(dataset.features[dataset.split.train].numpy(), X[:18])
    assert np.array_equal(dataset.features[dataset.split.test].numpy(), X[18:])
    assert dataset.targets.tolist() == [*(np.arange(18) % 3), *(np.arange(6) % 3)]
    assert any(f"'{train.format(x)}' as X" in note for note in dataset.notes)


def test_one_array_of_an_npz_under_any_name(tmp_path):
    np.savez(tmp_path / "a.npz", emb=X, labels=np.arange(N) % 3, ids=np.array(IDS), model="m")
    dataset = load(tmp_path / "a.npz")
    assert np.array_equal(dataset.features.numpy(), X)
    assert dataset.ids == tuple(IDS)
    assert dataset.n_classes == 3
    assert any("features are the array 'emb', targets the array 'labels'" in note for note in dataset.notes)
    np.savez(tmp_path / "c.npz", train_images=np.zeros((N, 4, 4)), train_labels=np.zeros((N, 1)))
    refused(r"no array of rows × columns \(train_images 24 × 4 × 4\); embed pictures", tmp_path / "c.npz")
    np.savez(tmp_path / "b.npz", X=X, other=X + 1, kind=np.arange(N) % 2)
    other = load(tmp_path / "b.npz", features="other", target="kind")
    assert np.array_equal(other.features.numpy(), X + 1)
    assert other.n_classes == 2


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zst", "a.feather", "a.arrow", "a.jsonl.gz"])
def test_a_damaged_file_is_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x1f\x8b\x08\x00 nothing of the kind")
    refused(rf"{name} is truncated or not a", tmp_path / name)


def test_a_small_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "8")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 3_000_000))
    refused(r"a\.csv\.gz unpacks to more than the limit of 8 MB", tmp_path / "a.csv.gz")
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100, np.int32)), pa.array(["x"]))
    long = pa.ListArray.from_arrays(pa.array(np.arange(101, dtype=np.int32) * 100_000), pa.array(np.zeros(10_000_000)))
    pq.write_table(pa.table({"v": long, "k": column}), tmp_path / "a.parquet")
    refused(r"a\.parquet v unpacks to 10,000,000 = 38 MB, more than the limit of 8 MB", tmp_path / "a.parquet")


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_what_an_arrow_file_unpacks_to_is_known_before(tmp_path, compression):
    made = table().set_column(3, "label", table().column(3).dictionary_encode())
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(made, path, compression=compression)
    held = pyarrow.feather.read_table(path, memory_map=False).nbytes
    assert held <= unpacked_bytes(path) <= 2 * held + 4096, "buffers are padded"


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_as_polars_writes_it(tmp_path, kind):
    """Text as views, classes under numbers without a sign, and in a file the first message without its size."""
    words = pa.array(sorted(set(LABELS)), pa.string_view())
    codes = pa.array([words.to_pylist().index(label) for label in LABELS], pa.uint32())
    label = pa.DictionaryArray.from_arrays(codes, words)
    made = pa.table({"id": pa.array(IDS, pa.string_view()), "emb": X.tolist(), "label": label, "width": WIDTH})
    path = tmp_path / "a.arrow"
    writer = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with writer(path, made.schema) as out:
        out.write_table(made)
    if kind == "file":
        content = path.read_bytes()
        assert content[8:12] == b"\xff\xff\xff\xff"
        end = 16 + int.from_bytes(content[12:16], "little")
        path.write_bytes(content[:8] + content[16:end] + bytes(8) + content[end:])
    dataset = load(path)
    assert np.allclose(dataset.features.numpy(), X)
    assert [dataset.class_names[code] for code in dataset.targets.tolist()] == LABELS
    assert dataset.ids == tuple(IDS)


def test_an_arrow_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "8")
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(pa.table({"a": np.zeros(4_000_000)}), path, compression="zstd", chunksize=1 << 30)
    assert path.stat().st_size < 1 << 20
    monkeypatch.setattr("pyarrow.ipc.open_file", lambda *_: pytest.fail("taken before it was checked"))
    refused(r"a\.feather unpacks to 30 MB, more than the limit of 8 MB", path)


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_a_damaged_arrow_file_never_ends_in_another_error(tmp_path, kind):
    path = tmp_path / "a.arrow"
    WRITERS[f"{kind}.arrow"](path)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(150):
        changed = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, len(changed), random.integers(0, 4)):
            changed[place] = random.integers(0, 256)
        path.write_bytes(changed)
        with contextlib.suppress(InputError):
            load(path, drop_bad_rows=True)


def test_a_saved_dataset_that_points_elsewhere(tmp_path):
    folder = saved_dataset(tmp_path / "saved")
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "../../etc/passwd"}]}))
    refused(r"state\.json names files outside of the folder", folder)
    (folder / "state.json").write_text("{")
    refused(r"saved/state\.json is not readable JSON", folder)


@pytest.mark.parametrize(
    ("line", "match"),
    [("{", "line 2: not valid JSON"), ("[1]", "line 2: no object"), ("[" * 100_000, "line 2: not valid JSON")],
)
def test_a_line_that_is_no_object(tmp_path, line, match):
    (tmp_path / "a.jsonl").write_text(f'{{"a": 1}}\n{line}\n')
    refused(rf"a\.jsonl, {match}", tmp_path / "a.jsonl")


def test_long_ids_of_json_lines_stay_as_they_are(tmp_path):
    ids = [str(2**70 + row) if row % 2 else f"00{row}" for row in range(N)]
    rows = [{"id": int(id_) if id_[0] != "0" else id_, "v": X[row].tolist()} for row, id_ in enumerate(ids)]
    assert load(jsonl(tmp_path / "a.jsonl", rows)).ids == tuple(ids)


def test_endings_are_told_from_names():
    assert len(set(FILE_KINDS)) == len(FILE_KINDS)
    for form in FORMATS:
        for name in form.names:
            assert kind_of(Path(f"My.Table{name.upper()}")) in form.endings


def test_only_tabs_and_line_ends_divide_the_metadata_of_the_tensorflow_projector(tmp_path):
    np.savetxt(tmp_path / "tensors.tsv", X, delimiter="\t", fmt="%.9g")
    words = [f"word {row}, said" for row in range(len(X))]
    words[2:6] = ['"', "1,234", "it's", 'a "quote']  # as vocabularies have them
    (tmp_path / "metadata.tsv").write_text("\n".join(words) + "\n")
    dataset = load(tmp_path)
    assert dataset.targets is None  # a word for each vector is no class
    assert dataset.texts.values.to_pylist() == words
    rows = [f"{word}\t{label}\t{number}" for word, label, number in zip(words, LABELS, WIDTH, strict=True)]
    (tmp_path / "metadata.tsv").write_bytes("\r\n".join(["word\tlabel\twidth", *rows]).encode())
    dataset = load(tmp_path, text="word")
    assert dataset.texts.values.to_pylist() == words
    assert [dataset.class_names[code] for code in dataset.targets.tolist()] == LABELS
    assert dataset.shown_numbers()["width"].tolist() == [float(number) for number in WIDTH]
    rows[4] += "\tmore"
    (tmp_path / "metadata.tsv").write_text("\n".join(["word\tlabel\twidth", *rows]))
    refused(r"metadata\.tsv, line 6 has 4 fields, but line 1 has 3; correct that line", tmp_path)
    (tmp_path / "metadata.tsv").write_bytes(b"\xff\xfa\n" * len(X))
    refused(r"metadata\.tsv", tmp_path)


def test_empty_labels_at_the_end_of_one_column_are_rows(tmp_path):
    np.savetxt(tmp_path / "tensors.tsv", X, delimiter="\t", fmt="%.9g")
    known = ["ant", "bee"] * 6
    (tmp_path / "metadata.tsv").write_text("\n".join([*known, *[""] * (len(X) - len(known))]) + "\n")
    assert load(tmp_path).known_labels == (*known, *[None] * (len(X) - len(known)))


def test_a_folder_of_pictures_is_told_from_a_folder_of_anything(tmp_path):
    (tmp_path / "ant").mkdir()
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    refused("is a folder; name one file", tmp_path)
    (tmp_path / "ant" / "1.JPG").write_bytes(b"\xff\xd8\xff")
    refused("holds pictures; make features of them first", tmp_path)
