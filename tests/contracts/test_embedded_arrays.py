"""npz files of embedded pictures: held-out rows, thumbnails that follow their rows, warnings."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.task import Task
from skmm_core.errors import InputError

POOL, HELD = 6, 2


def grey(level):
    buffer = io.BytesIO()
    Image.new("L", (10, 5), level).save(buffer, format="JPEG")
    return buffer.getvalue()


def arrays(**more):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(POOL + 2 * HELD, 3)).astype(np.float32)
    y = np.arange(len(X)) % 4
    tiles = EncodedImages.joined([grey(20 * row) for row in range(len(X))])
    return {
        "X": X[:POOL],
        "y": y[:POOL],
        "ids": np.array([f"a/{i}.jpg" for i in range(POOL)]),
        "names": np.array(["ant", "bee", "cat", "dog"]),
        "X_val": X[POOL:-HELD],
        "y_val": y[POOL:-HELD],
        "ids_val": np.array(["v/0.jpg", "v/1.jpg"]),
        "X_test": X[-HELD:],
        "y_test": y[-HELD:],
        "thumbnails": tiles.data,
        "thumbnail_ends": tiles.ends,
        "provenance": np.array(json.dumps({"model": "offline", "warnings": ["Weights are\nrandom."]})),
        **more,
    }


def load(tmp_path, found, **options):
    np.savez(tmp_path / "a.npz", **found)
    return load_dataset(DatasetConfig(source=str(tmp_path / "a.npz"), **options))


def level(dataset, row):
    image = Image.open(io.BytesIO(dataset.images.png(row, size=10)))
    assert image.size == (10, 5)
    return round(np.asarray(image.convert("L")).mean() / 20)


def test_every_part_and_picture_is_read(tmp_path):
    dataset = load(tmp_path, arrays())
    assert dataset.split.train.tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.split.validation.tolist() == [6, 7]
    assert dataset.split.test.tolist() == [8, 9]
    assert dataset.ids[:1] + dataset.ids[6:] == (
        *("a/0.jpg", "validation:v/0.jpg", "validation:v/1.jpg"),
        *("test:0", "test:1"),
    )
    assert dataset.task is Task.CLASSIFICATION, "integers with names are classes, however few rows there are"
    assert dataset.targets.tolist() == [row % 4 for row in range(10)]
    assert [level(dataset, row) for row in range(10)] == list(range(10))
    assert dataset.notes[0] == "Weights are random."


def test_pictures_follow_their_rows_when_bad_rows_are_dropped(tmp_path):
    found = arrays()
    found["X"][2, 0] = np.nan
    found["X_val"][0, 1] = np.inf
    dataset = load(tmp_path, found, drop_bad_rows=True)
    assert [level(dataset, row) for row in range(8)] == [0, 1, 3, 4, 5, 7, 8, 9]


def test_rows_of_another_file_have_a_blank_tile(tmp_path):
    found = arrays()
    tiles = EncodedImages.joined([grey(20 * row) for row in range(POOL + HELD)])
    found |= {"thumbnails": tiles.data, "thumbnail_ends": tiles.ends}
    np.savez(tmp_path / "test.npz", X=found.pop("X_test"), y=found.pop("y_test"))
    dataset = load(tmp_path, found, test=str(tmp_path / "test.npz"))
    assert [level(dataset, row) for row in range(8)] == list(range(8))
    assert Image.open(io.BytesIO(dataset.images.png(9, size=32))).size == (32, 32)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"thumbnail_ends": np.arange(3)}, "thumbnail_ends has 3 entries for 10 rows"),
        ({"thumbnail_ends": np.arange(10)[::-1]}, "points outside"),
        ({"thumbnail_ends": np.arange(10) - 5}, "points outside"),
        ({"thumbnail_ends": np.full(10, 2**63 + 1, np.uint64)}, "points outside"),
        ({"thumbnail_ends": np.arange(10) + 10**12}, "points outside"),
        ({"thumbnail_ends": np.arange(10.0)}, "one row of whole numbers"),
        ({"thumbnails": np.zeros((5, 5), np.uint8)}, "one row of bytes"),
        ({"thumbnails": None}, "go together"),
    ],
)
def test_thumbnails_that_do_not_fit_cost_only_the_pictures(tmp_path, change, problem):
    found = {key: value for key, value in arrays(**change).items() if value is not None}
    dataset = load(tmp_path, found)
    assert dataset.images is None
    assert any("its thumbnails are not shown" in note and problem in note for note in dataset.notes)
    assert len(dataset.features) == 10


def bomb():
    buffer = io.BytesIO()
    Image.new("1", (9000, 9000)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"nonsense", grey(40)[:150], bomb()], ids=["none", "text", "cut", "bomb"])
def test_a_tile_that_cannot_be_decoded_is_blank(content):
    tile = np.asarray(Image.open(io.BytesIO(EncodedImages.joined([content]).png(0, size=40))))
    assert tile.shape == (40, 40)
    assert len(np.unique(tile)) == 1


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"warnings": 3}', "[" * 100_000])
def test_provenance_that_cannot_be_read_is_said(tmp_path, text):
    dataset = load(tmp_path, arrays(provenance=np.array(text)))
    assert any("provenance cannot be read" in note for note in dataset.notes)


def test_held_out_rows_must_fit_the_pool(tmp_path):
    found = arrays()
    with pytest.raises(InputError, match=r"a\.npz X_val has 2 columns but a\.npz has 3"):
        load(tmp_path, {**found, "X_val": found["X_val"][:, :2]})
    with pytest.raises(InputError, match=r"has ids_val but no X_val"):
        load(tmp_path, {key: value for key, value in found.items() if key not in ("X_val", "y_val")})
    with pytest.raises(InputError, match=r"X_val has no targets but a\.npz has"):
        load(tmp_path, {key: value for key, value in found.items() if key != "y_val"})
    held = {key: value for key, value in found.items() if not key.endswith("_test")}
    dataset = load(tmp_path, {key: value for key, value in held.items() if "thumb" not in key}, holdout=0.34)
    assert (len(dataset.split.train), len(dataset.split.validation), len(dataset.split.test)) == (4, 2, 2)
