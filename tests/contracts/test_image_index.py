"""Folders, metadata and file names: which pictures are used, in which part, with which target."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.image_index import index_images
from skmm_core.errors import Cancelled, InputError
from tests.contracts.picture_folders import reasons

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
FLOWERS = Path(os.environ.get("SKMM_REAL_DATA", _BESIDE)) / "flower_photos_100.zip"


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


def add(root, *names):
    """Pictures of distinct content."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        colour = tuple(np.frombuffer(name.encode().ljust(30), np.uint8)[-30:].reshape(10, 3).sum(axis=0) % 256)
        image = Image.new("RGB", (8, 6), tuple(int(c) for c in colour))
        image.putdata([(i * len(name) % 256, hash_of(name) % 251, i) for i in range(48)])
        image.save(path, format="PNG")


def hash_of(name):
    return sum((i + 1) * ord(mark) for i, mark in enumerate(name))


def test_class_folders(root):
    add(root, "b/1.png", "b/2.png", "a/deep/3.png", "a/4.png")
    index = index_images(root)
    assert index.ids == ("a/4.png", "a/deep/3.png", "b/1.png", "b/2.png")
    assert index.class_names == ("a", "b")
    assert index.targets.tolist() == [0, 0, 1, 1]
    assert index.targets.dtype == np.int64
    assert set(index.parts) == {"train"}
    assert len(index) == len(index.hashes) == 4
    assert index.picture(0).size == (8, 6)
    data, ends = index.thumbnails(np.array([2, 0]))
    assert data[: ends[0]].tobytes() == index.images.file(2)
    assert data[ends[0] :].tobytes() == index.images.file(0)


def test_a_wrapping_folder_is_no_class(root):
    add(root, "set/photos/b/1.png", "set/photos/b/2.png", "set/photos/a/3.png")
    (root / "LICENSE.txt").write_text("free")
    index = index_images(root)
    assert index.class_names == ("a", "b")
    assert index.ids[0] == "a/3.png"
    assert index.root == root / "set" / "photos"
    assert reasons(index) == {"LICENSE.txt": "not an image (.txt)"}


@pytest.mark.parametrize("folder", ["val", "valid", "validation", "Val"])
def test_part_folders(root, folder):
    add(root, "train/a/1.png", "train/b/2.png", "train/b/3.png", f"{folder}/a/4.png", "test/b/5.png", "x.png")
    add(root, "test/new/6.png")
    index = index_images(root)
    by_id = dict(zip(index.ids, zip(index.parts, index.targets.tolist(), strict=True), strict=True))
    assert by_id[f"{folder}/a/4.png"] == ("validation", 0)
    assert by_id["test/b/5.png"] == ("test", 1)
    assert index.parts.count("train") == 3
    assert reasons(index) == {
        "x.png": "outside the train, validation and test folders",
        "test/new/6.png": "no training picture has its class 'new'",
    }


def test_classes_may_be_called_test(root):
    add(root, "test/1.png", "test/2.png", "control/3.png")
    assert index_images(root).class_names == ("control", "test")


def test_flat_folders_and_single_pictures_a_folder_are_unlabelled(root):
    add(root, "1.png", "2.png")
    assert index_images(root).targets is None
    add(root, "more/3.png")
    assert index_images(root).targets is None
    assert len(index_images(root)) == 3
    other = root.parent / "other"
    add(other, "a/1.png", "b/2.png")
    index = index_images(other)
    assert index.targets is None
    assert "one picture" in index.notes[0]


def metadata(root, text, name="metadata.csv"):
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_metadata_with_labels(root):
    add(root, "a.png", "sub/b.png", "c.png", "e.png")
    metadata(root, "file_name,caption,label\na.png,x,cat\n./sub/b.png,y,dog\nc.png,z,cat\ngone.png,z,dog\n")
    index = index_images(root)
    assert index.ids == ("a.png", "c.png", "sub/b.png")
    assert [index.class_names[code] for code in index.targets] == ["cat", "cat", "dog"]
    assert reasons(index) == {"e.png": "not in metadata.csv"}
    assert any("1 rows name files that are not there" in note for note in index.notes)
    assert index.captions == ("x", "z", "y")


def test_pictures_without_a_label_stay_to_pick_from(root):
    add(root, "a.png", "b.png", "c.png", "d.png")
    metadata(root, "file_name,label\na.png,cat\nb.png,dog\nc.png,\nd.png,cat\n")
    index = index_images(root)
    assert index.ids == ("a.png", "b.png", "c.png", "d.png")
    assert index.targets is None
    assert index.labels.tolist() == ["cat", "dog", "", "cat"]
    assert [(line.part, line.taken) for line in index.reading] == [
        ("Format", "folder"),
        ("Target", "column 'label': 3 of 4 rows have a label"),
        ("Id", "path of the file"),
    ]
    assert "3 of 4 pictures have a label in column 'label'" in index.notes[0]
    metadata(root, "file_name,age\na.png,1.5\nb.png,2.5\nc.png,\nd.png,4\n")
    assert np.isnan(index_images(root).labels[2])
    assert index_images(root).labels[[0, 1, 3]].tolist() == [1.5, 2.5, 4]


def test_held_out_pictures_without_a_label_are_left_out(root):
    add(root, "train/1.png", "train/2.png", "test/3.png", "test/4.png")
    metadata(root / "train", "file_name,age\n1.png,1.5\n2.png,2.5\n")
    metadata(root / "test", "file_name,age\n3.png,3\n4.png,\n")
    index = index_images(root)
    assert index.ids == ("test/3.png", "train/1.png", "train/2.png")
    assert reasons(index) == {"test/4.png": "held out without a target in column 'age'"}
    assert index.targets.tolist() == [3, 1.5, 2.5]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_metadata_with_numbers_in_part_folders(root, kind):
    add(root, "train/1.png", "train/2.png", "test/3.png")
    for part, rows in (("train", {"1.png": 1.5, "2.png": 2.5}), ("test", {"3.png": 3.5})):
        if kind == "csv":
            metadata(root / part, "file_name,age\n" + "".join(f"{name},{age}\n" for name, age in rows.items()))
        else:
            lines = [json.dumps({"file_name": name, "age": age}) for name, age in rows.items()]
            metadata(root / part, "\n".join(lines), "metadata.jsonl")
    index = index_images(root)
    assert dict(zip(index.ids, index.targets.tolist(), strict=True)) == {
        "train/1.png": 1.5,
        "train/2.png": 2.5,
        "test/3.png": 3.5,
    }
    assert index.targets.dtype == np.float32
    assert index.class_names == ()


def test_the_target_column_can_be_named(root):
    add(root, "1.png", "2.png")
    metadata(root, "file_name,age,height\n1.png,30,1.8\n2.png,40,1.6\n")
    assert index_images(root, target="height").targets.tolist() == pytest.approx([1.8, 1.6])
    unnamed = index_images(root)
    assert unnamed.targets is None
    assert "name one of age, height" in unnamed.notes[0]
    with pytest.raises(InputError, match="no column 'weight' for the target; it has age, height"):
        index_images(root, target="weight")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metadata.csv", "name,label\nx.png,a\n", "no column file_name, nor another that names pictures; it has name"),
        ("metadata.csv", "file_name,label\nx.png,a\ny.png,b\n", "no file_name in it is a picture that is there"),
        ("metadata.jsonl", '{"file_name": "1.png"\n', "metadata.jsonl, line 1: not valid JSON"),
        ("metadata.jsonl", '["1.png"]\n', 'metadata.jsonl, line 1: no "file_name"'),
    ],
)
def test_metadata_that_cannot_be_used(root, name, text, message):
    add(root, "1.png", "2.png")
    metadata(root, text, name)
    with pytest.raises(InputError, match=message) as caught:
        index_images(root)
    assert "\n" not in str(caught.value)


def test_utkface_names_give_ages(root):
    add(root, "26_0_2_20170104023102422.jpg", "5_1_0_2017.jpg.chip.jpg", "61_1_20170109.jpg", "x.png")
    index = index_images(root, pattern="utkface")
    assert index.ids == ("26_0_2_20170104023102422.jpg", "5_1_0_2017.jpg.chip.jpg")
    assert index.targets.tolist() == [26.0, 5.0]
    add(root / "odd", "55_0_0_20170116232725357jpg.chip.jpg", "24_0_1_2017 .jpg.chip.jpg", "44_1_4_2017.pg.chip.jpg")
    assert index_images(root / "odd", pattern="utkface").targets.tolist() == [24.0, 44.0, 55.0]
    assert reasons(index)["61_1_20170109.jpg"] == "its name does not fit the pattern utkface"
    with pytest.raises(InputError, match="choose utkface"):
        index_images(root, pattern="age")
    add(root.parent / "none", "a.png")
    with pytest.raises(InputError, match="no file name fits"):
        index_images(root.parent / "none", pattern="utkface")


def test_bad_files_stop_nothing(root):
    add(root, "a/1.png", "a/2.png", "b/3.png")
    (root / "b/4.png").write_bytes((root / "a/1.png").read_bytes())
    (root / "b/5.png").write_bytes(b"")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(root / "b/6.png")
    (root / "b/6.png").write_bytes((root / "b/6.png").read_bytes()[:2000])
    (root / ".DS_Store").write_bytes(b"x")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX/._1.png").write_bytes(b"x")
    add(root, "b/line\nbreak.png")
    (root / "b" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    (root / "loop").symlink_to(root, target_is_directory=True)
    index = index_images(root)
    assert index.ids == ("a/1.png", "a/2.png", "b/3.png")
    found = reasons(index)
    assert found["b/4.png"] == "same content as a/1.png"
    assert found["b/5.png"] == "empty (0 bytes)"
    assert found["b/6.png"].startswith("broken")
    assert found["loop"] == "a link to a folder is not followed"
    assert found[".DS_Store"] == found["__MACOSX/._1.png"] == "not an image: a file of the operating system"
    assert found["b/line\\nbreak.png"] == "its name is not printable UTF-8 text; rename it"
    assert len(found) == 8


def test_sources_that_give_nothing(root):
    root.mkdir()
    with pytest.raises(InputError, match="holds no picture that can be used; give JPEG"):
        index_images(root)
    (root / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"1 files were skipped, first a.txt: not an image \(\.txt\)"):
        index_images(root)
    with pytest.raises(InputError, match="was not found"):
        index_images(root / "gone")
    with pytest.raises(InputError, match="neither a folder nor a zip"):
        index_images(root / "a.txt")
    with pytest.raises(InputError, match="no picture was given"):
        index_images([])
    with pytest.raises(InputError, match="leave one out"):
        index_images(root, pattern="utkface", target="age")


def test_several_files(root):
    add(root, "1.png", "2.png", "3/2.png")
    index = index_images([root / "1.png", root / "2.png", root / "3/2.png", root / "a.zip"])
    assert index.ids == ("1.png", "2.png")
    assert reasons(index) == {
        "2.png": "another file has the same name",
        "a.zip": "an archive among pictures; give it alone",
    }


def test_several_files_with_their_metadata(root):
    add(root, "1.png", "2.png")
    metadata(root / "elsewhere", "file_name,age\n1.png,3\n2.png,4.5\n")
    index = index_images([root / "1.png", root / "2.png", root / "elsewhere" / "metadata.csv"])
    assert index.targets.tolist() == [3.0, 4.5]


def test_the_fingerprint_follows_contents_targets_and_parts(root):
    add(root, "train/a/1.png", "train/a/2.png", "train/b/3.png", "train/b/4.png")
    first = index_images(root).fingerprint
    assert index_images(root).fingerprint == first
    (root / "train/a/2.png").rename(root / "train/b/2.png")
    second = index_images(root).fingerprint
    (root / "test/b").mkdir(parents=True)
    (root / "train/b/2.png").rename(root / "test/b/2.png")
    third = index_images(root).fingerprint
    Image.new("RGB", (5, 5)).save(root / "test/b/2.png")
    assert len({first, second, third, index_images(root).fingerprint}) == 4


def test_cancel_ends_the_check(root):
    add(root, *(f"{i}.png" for i in range(5)))

    def stop(progress):
        if progress.phase == "Checking pictures" and progress.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        index_images(root, report=stop)


def test_a_zip_gives_what_its_folder_gives(root, tmp_path):
    add(root, "b/1.png", "b/2.png", "a/3.png")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, Path("photos") / path.relative_to(root))
        archive.writestr("__MACOSX/photos/._1.png", b"x")
    packed, loose = index_images(tmp_path / "photos.zip"), index_images(root)
    assert packed.fingerprint == loose.fingerprint
    assert packed.class_names == ("a", "b")
    again = index_images(tmp_path / "photos.zip")
    assert again.skipped == packed.skipped
    assert again.root == packed.root


def test_a_hundred_real_photographs():
    if not FLOWERS.is_file():
        pytest.skip("flower_photos_100.zip is not here; set SKMM_REAL_DATA to its folder")
    index = index_images(FLOWERS)
    assert len(index) == 100
    assert index.class_names == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    assert np.bincount(index.targets).sum() == 100
    assert all(index.class_names[code] == id_.split("/")[0] for id_, code in zip(index.ids, index.targets, strict=True))
    assert reasons(index) == {"ATTRIBUTION.txt": "not an image (.txt)"}
