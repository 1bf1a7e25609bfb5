"""Exports of Embedding Atlas and FiftyOne, written by hand as these tools write them; hostile ones are one line."""

import base64
import errno
import gc
import io
import json
import tempfile
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.table_formats import names_in
from skmm_core.errors import InputError

N = 24
X = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
LABELS = ["ant" if row < N // 2 else "bee" for row in range(N)]
NEIGHBOURS = pa.array([{"ids": [0, 1], "distances": [0.1, 0.2]}] * N)


def load(path, **options):
    return load_dataset(DatasetConfig(source=str(path), **options))


def refused(match, path, **options):
    with pytest.raises(InputError, match=match) as caught:
        load(path, **options)
    assert "\n" not in str(caught.value)


def atlas_columns(*, vectors=True):
    features = {"embedding": pa.array(X.tolist(), pa.list_(pa.float32()))} if vectors else {"a": X[:, 0], "b": X[:, 1]}
    layout = {"projection_x": X[:, 2], "projection_y": X[:, 3], "neighbors": NEIGHBOURS}
    return {"text": [f"text {row}" for row in range(N)], **features, **layout, "label": LABELS}


def parquet(columns):
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def atlas_zip(path, content, *, top=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{top}index.html", "<html></html>")
        archive.writestr(f"{top}data/metadata.json", "{}")
        archive.writestr(f"{top}data/dataset.parquet", content)
    return path


@pytest.mark.parametrize("top", ["", "export/"])
def test_an_atlas_zip_is_read_without_its_layout(tmp_path, monkeypatch, top):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    path = atlas_zip(tmp_path / "atlas.zip", parquet(atlas_columns()), top=top)
    data = load(path)
    np.testing.assert_array_equal(data.features.numpy(), X)
    assert data.class_names == ("ant", "bee")
    assert data.reading[0].taken == "Embedding Atlas export"
    why = {line.why: line.taken for line in data.reading if line.part == "Left out"}
    assert why["layout of Embedding Atlas"] == "'projection_x', 'projection_y', 'neighbors'"
    assert "projection_x" in data.shown_numbers()
    assert set(names_in(path)) == set(atlas_columns())
    gc.collect()
    assert not list((tmp_path / "temp").iterdir()), "what was unpacked is removed again"


def test_the_layout_of_an_atlas_is_no_feature_beside_columns_of_numbers_unless_asked_for(tmp_path):
    path = atlas_zip(tmp_path / "atlas.zip", parquet(atlas_columns(vectors=False)))
    assert load(path).feature_names == ("a", "b")
    assert load(path, features="projection_x,projection_y").feature_names == ("projection_x", "projection_y")


def test_an_unpacked_atlas_is_read_as_its_zip(tmp_path):
    with zipfile.ZipFile(atlas_zip(tmp_path / "atlas.zip", parquet(atlas_columns(vectors=False)))) as archive:
        archive.extractall(tmp_path / "atlas")
    assert load(tmp_path / "atlas").feature_names == ("a", "b")


def test_other_zips_are_one_line(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("cats/a.jpg", b"x")
        archive.writestr("a/../data/dataset.parquet", b"x")
    refused(r"pictures\.zip holds no data/dataset\.parquet.*embed", tmp_path / "pictures.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK\3\4 no zip")
    refused(r"broken\.zip is truncated or not a zip file", tmp_path / "broken.zip")
    refused(r"parquet", atlas_zip(tmp_path / "inside.zip", b"no parquet"))
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "1")
    refused(r"bomb\.zip unpacks to more than the limit of 1 MB", atlas_zip(tmp_path / "bomb.zip", bytes(3 << 20)))


def packed(array, *, allow_pickle=False):
    out = io.BytesIO()
    np.save(out, array, allow_pickle=allow_pickle)
    return base64.b64encode(zlib.compress(out.getvalue())).decode()


def samples(vector):
    """Samples as bson's json_util writes them."""
    return [
        {
            "_id": {"$oid": f"{row:024x}"},
            "filepath": f"data/{row}.jpg",
            "tags": [],
            "metadata": None,
            "_media_type": "image",
            "_rand": 0.5,
            "created_at": {"$date": "2026-01-01T00:00:00Z"},
            "ground_truth": {"_id": {"$oid": "0" * 24}, "_cls": "Classification", "tags": [], "label": LABELS[row]},
            "boxes": {"_cls": "Detections", "detections": []},
            "uniqueness": row / 7,
            "embedding": vector(row),
        }
        for row in range(N)
    ]


def fiftyone(folder, vector):
    folder.mkdir(exist_ok=True)
    (folder / "metadata.json").write_text("{}")
    (folder / "samples.json").write_text(json.dumps({"samples": samples(vector)}))
    return folder


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: {"$binary": {"base64": text, "subType": "00"}},
        lambda text: {"$binary": text, "$type": "00"},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_fiftyone_export(tmp_path, wrap, dtype):
    folder = fiftyone(tmp_path / "export", lambda row: wrap(packed(X[row].astype(dtype))))
    data = load(folder)
    np.testing.assert_array_equal(data.features.numpy(), X.astype(dtype).astype(np.float32))
    assert data.ids == tuple(f"{row:024x}" for row in range(N))
    assert data.class_names == ("ant", "bee")
    assert data.targets.tolist() == [int(label == "bee") for label in LABELS]
    np.testing.assert_allclose(data.shown_numbers()["uniqueness"], np.arange(N) / 7)
    assert data.reading[0].taken == "FiftyOne export"


def test_samples_without_a_vector_are_bad_rows(tmp_path):
    vector = lambda row: None if row == 2 else {"$binary": {"base64": packed(X[row]), "subType": "00"}}  # noqa: E731
    folder = fiftyone(tmp_path / "export", vector)
    refused("1 of 24 rows", folder)
    np.testing.assert_array_equal(load(folder, drop_bad_rows=True).features.numpy(), np.delete(X, 2, axis=0))


def test_hostile_vectors_are_one_line(tmp_path):
    wrong = {
        "pickled": packed(np.array([{}], object), allow_pickle=True),
        "no packed npy": base64.b64encode(b"x").decode(),
        "packed npy": "no base64",
        "more than": base64.b64encode(zlib.compress(bytes(40 << 20))).decode(),
        "no numbers": packed(np.array(["a", "b"])),
    }
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)})
    wrong["unpacks to|truncated"] = base64.b64encode(zlib.compress(header.getvalue())).decode()
    for match, text in wrong.items():
        refused(match, fiftyone(tmp_path / "export", lambda row, text=text: {"$binary": {"base64": text}}))


def test_samples_that_are_no_list_are_one_line(tmp_path):
    folder = fiftyone(tmp_path / "export", lambda row: None)
    for text in ("{", "[]", '{"samples": []}', '{"samples": [1]}', '{"samples": {}}'):
        (folder / "samples.json").write_text(text)
        refused(r"export/samples\.json", folder)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_atlas_zip_packed_without_a_bound_on_memory_is_refused_with_the_way_out(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("data/dataset.parquet", parquet(atlas_columns()))
    with pytest.raises(InputError, match=r"dataset\.parquet in it is compressed in a way that is not read"):
        load_dataset(DatasetConfig(source=str(tmp_path / "a.zip")))


def test_a_full_disk_is_not_called_a_damaged_atlas(tmp_path, monkeypatch):
    path = atlas_zip(tmp_path / "a.zip", parquet(atlas_columns()))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("skmm_core.data.atlas_reader.member_chunks", full)
    with pytest.raises(InputError, match=r"a\.zip cannot be unpacked: no space left on device"):
        load_dataset(DatasetConfig(source=str(path)))
