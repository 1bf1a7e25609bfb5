"""Shards of webdataset and img2dataset: samples by key, classes and captions beside pictures, failed downloads."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data import load_dataset
from skmm_core.data.image_index import index_images
from skmm_core.encoders.embedding import embed
from skmm_core.errors import InputError
from tests.contracts.picture_folders import reasons


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


def picture(seed, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (10, 12, 3), np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def shard(path: Path, members, mode="w"):
    """A tar file of members by name; text is written as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, content in members:
            raw = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def labelled(first, classes, **more):
    """Samples with a class each."""
    for number, name in enumerate(classes, first):
        yield f"{number:04d}.png", picture(number)
        yield f"{number:04d}.cls", str(name)
        for ending, text in more.items():
            yield f"{number:04d}.{ending}", text(number)


def classes(index):
    return [index.class_names[code] for code in index.targets]


def test_one_shard_with_classes_and_captions(tmp_path):
    path = shard(tmp_path / "set.tar", labelled(0, ["cat", "dog", "cat"], txt=lambda i: f"picture {i}\n"))
    index = index_images(path)
    assert index.ids == ("0000", "0001", "0002")
    assert classes(index) == ["cat", "dog", "cat"]
    assert index.captions == ("picture 0", "picture 1", "picture 2")
    assert not index.skipped
    assert [(line.part, line.taken) for line in index.reading] == [
        ("Format", "tar file"),
        ("Target", "column 'cls': 2 classes, 'cat', 'dog'"),
        ("Id", "key of the sample"),
        ("Captions", "3"),
    ]
    assert index.picture(1).size == (12, 10)


@pytest.mark.parametrize("name", ["set.tar.gz", "set.tgz"])
def test_a_packed_shard(tmp_path, name):
    index = index_images(shard(tmp_path / name, labelled(0, ["a", "b", "a"]), "w:gz"))
    assert classes(index) == ["a", "b", "a"]


def test_a_folder_of_shards_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 2):
        shard(tmp_path / "set" / f"birds-{number}.tar", labelled(number * 100, ["a", "b"]))
    index = index_images(tmp_path / "set")
    assert index.ids == ("0200", "0201", "0900", "0901", "1000", "1001")
    assert classes(index) == ["a", "b"] * 3


def test_keys_that_come_back_in_another_shard_say_which(tmp_path):
    for number in range(2):
        members = [(name, picture(50 + number) if name.endswith("png") else text) for name, text in labelled(0, "a")]
        shard(tmp_path / "set" / f"{number:05d}.tar", members)
    assert index_images(tmp_path / "set").ids == ("00000/0000", "00001/0000")


def test_whole_numbers_in_cls_are_classes_however_many(tmp_path):
    index = index_images(shard(tmp_path / "set.tar", labelled(0, [7, 12, 3, 12])))
    assert index.class_names == ("3", "7", "12")
    assert classes(index) == ["7", "12", "3", "12"]


def test_names_of_numbered_classes(tmp_path):
    shard(tmp_path / "set" / "0.tar", labelled(0, [1, 0, 1, 0]))
    (tmp_path / "set" / "classnames.txt").write_text("cat\ndog\nhorse\n")
    assert classes(index_images(tmp_path / "set")) == ["dog", "cat", "dog", "cat"]


def test_json_gives_the_label_and_target_chooses_another(tmp_path):
    members = [
        (f"{i}.{ending}", content)
        for i in range(4)
        for ending, content in (
            ("png", picture(i)),
            ("json", json.dumps({"label": "ab"[i // 2], "breed": "xyxy"[i], "box": [1, 2]})),
        )
    ]
    path = shard(tmp_path / "set.tar", members)
    assert classes(index_images(path)) == ["a", "a", "b", "b"]
    assert classes(index_images(path, target="breed")) == ["x", "y", "x", "y"]
    with pytest.raises(InputError, match=r"set\.tar has no column 'race' for the target; it has label, breed"):
        index_images(path, target="race")


def test_cls_goes_before_json(tmp_path):
    path = shard(tmp_path / "set.tar", labelled(0, ["a", "b", "b"], json=lambda i: json.dumps({"label": "z"})))
    assert classes(index_images(path)) == ["a", "b", "b"]


def test_a_key_ends_at_the_first_dot_and_what_that_merges_is_said(tmp_path):
    members = [
        *(("a.v1.png", picture(1)), ("a.v1.cls", "x"), ("a.v2.png", picture(2))),
        *(("b.png", picture(3)), ("b.cls", "y"), ("b.mask.png", picture(4)), ("dir.x/c.png", picture(5))),
    ]
    index = index_images(shard(tmp_path / "set.tar", members))
    assert index.ids == ("a", "b", "dir.x/c")
    assert reasons(index) == {
        "a.v2.png": "a second picture of the sample a",
        "b.mask.png": "a second picture of the sample b",
    }
    assert any("2 pictures share their key with another, as a.v2.png with a.v1.png" in note for note in index.notes)


def test_ordinary_pictures_in_a_tar_keep_names_with_dots(tmp_path):
    members = [(f"{name}/10.{i}.png", picture(10 * k + i)) for k, name in enumerate("ab") for i in range(2)]
    index = index_images(shard(tmp_path / "photos.tar", members))
    assert index.ids == ("a/10.0.png", "a/10.1.png", "b/10.0.png", "b/10.1.png")
    assert index.class_names == ("a", "b")
    assert "have one key in webdataset" in index.notes[0]


def test_a_tar_of_class_folders_is_read_like_a_zip(tmp_path):
    members = [(f"./flowers/{name}/{i}.png", picture(10 * k + i)) for k, name in enumerate("ab") for i in range(2)]
    index = index_images(shard(tmp_path / "flowers.tar", members))
    assert index.ids == ("a/0.png", "a/1.png", "b/0.png", "b/1.png")
    assert index.class_names == ("a", "b")


def test_class_folders_with_captions_stay_classes(tmp_path):
    members = [
        (f"{name}/{i}.{ending}", picture(10 * k + i) if ending == "png" else f"a {name} numbered {i}")
        for k, name in enumerate(["cat", "dog"])
        for i in range(2)
        for ending in ("png", "txt")
    ]
    index = index_images(shard(tmp_path / "set.tar", members))
    assert classes(index) == ["cat", "cat", "dog", "dog"]
    assert index.captions[3] == "a dog numbered 1"


def test_a_tar_file_a_class(tmp_path):
    for k, name in enumerate(["n01440764", "n02102040"]):
        shard(tmp_path / "set" / f"{name}.tar", [(f"{name}_{i}.JPEG", picture(10 * k + i, "JPEG")) for i in range(2)])
    assert index_images(tmp_path / "set").class_names == ("n01440764", "n02102040")


def test_numbered_shards_of_mere_pictures_are_no_classes(tmp_path):
    for k in range(2):
        shard(tmp_path / "set" / f"{k:05d}.tar", [(f"{k}{i}.png", picture(10 * k + i)) for i in range(3)])
    index = index_images(tmp_path / "set")
    assert index.targets is None
    assert len(index) == 6


@pytest.mark.parametrize("name", ["{part}/00000.tar", "birds-{part}-0000.tar"])
def test_parts_by_the_names_of_shards(tmp_path, name):
    for k, part in enumerate(("train", "val")):
        shard(tmp_path / "set" / name.format(part=part), labelled(100 * k, ["a", "b", "a"]))
    index = index_images(tmp_path / "set")
    assert index.parts == ("train",) * 3 + ("validation",) * 3
    assert any("Parts are read from the names of the shards" in note for note in index.notes)


def test_one_shard_whose_name_tells_no_part_leaves_all_to_pick_from(tmp_path):
    for k, name in enumerate(("birds-train-0000", "birds-val-0000", "birds-0000")):
        shard(tmp_path / "set" / f"{name}.tar", labelled(100 * k, ["a", "b", "a"]))
    assert index_images(tmp_path / "set").parts == ("train",) * 9


def img2dataset(folder, shard_name="00000", first=0, as_files=False):
    """What img2dataset writes: 5 rows, one of them failed."""
    rows, members = [], []
    for number in range(first, first + 5):
        key = f"{number:09d}"
        failed = number == first + 3
        row = {"url": f"http://x/{number}", "caption": f"nr {number}", "key": key, "width": 12 + number, "height": 10}
        row |= {"status": "failed_to_download" if failed else "success", "error_message": None, "label": number % 2}
        rows.append(row)
        if not failed:
            members += [(f"{key}.jpg", picture(number, "JPEG")), (f"{key}.txt", row["caption"])]
            members += [(f"{key}.json", json.dumps(row))]
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{shard_name}.parquet")
    (folder / f"{shard_name}_stats.json").write_text("{}")
    if not as_files:
        return shard(folder / f"{shard_name}.tar", members)
    for name, content in members:
        path = folder / shard_name / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.mark.parametrize("as_files", [False, True])
def test_a_download_of_img2dataset(tmp_path, as_files):
    img2dataset(tmp_path / "set", as_files=as_files)
    img2dataset(tmp_path / "set", "00001", 10000, as_files=as_files)
    index = index_images(tmp_path / "set")
    keys = [f"{number:09d}" for first in (0, 10000) for number in range(first, first + 5) if number != first + 3]
    assert list(index.ids) == keys
    assert classes(index) == [str(int(key) % 2) for key in keys]
    assert index.captions[4] == "nr 10000"
    assert "2 of 10 rows of the shards have no picture (failed_to_download 2)." in index.notes
    assert reasons(index) == {f"0000{i}_stats.json": "not part of a sample" for i in range(2)}


def test_a_picture_whose_row_did_not_succeed_is_left_out(tmp_path):
    path = img2dataset(tmp_path / "set")
    shard(path, [("000000003.jpg", picture(3, "JPEG"))], "a")
    assert reasons(index_images(tmp_path / "set"))["000000003.jpg".join(("00000/", ""))] == (
        "its status is failed_to_download, not success"
    )


def test_values_about_downloads_are_no_targets(tmp_path):
    rows = [{"status": "success", "url": f"u{i}", "width": 5 + i % 2, "sha256": f"{i}"} for i in range(6)]
    members = [
        (f"{i}.{ending}", picture(i) if ending == "png" else json.dumps(row))
        for i, row in enumerate(rows)
        for ending in ("png", "json")
    ]
    assert index_images(shard(tmp_path / "set.tar", members)).targets is None


def test_samples_without_a_class_stay_to_pick_from(tmp_path):
    members = [*labelled(0, ["a", "b", "a"]), ("0003.png", picture(3)), ("0004.cls", "a")]
    index = index_images(shard(tmp_path / "set.tar", members))
    assert len(index) == 4
    assert index.labels.tolist() == ["a", "b", "a", ""]
    assert reasons(index) == {"0004.cls": "no picture goes with it"}


def test_what_can_run_code_is_never_read(tmp_path):
    members = list(labelled(0, ["a", "b", "a"], pyd=lambda i: "x", pth=lambda i: "x", pickle=lambda i: "x"))
    index = index_images(shard(tmp_path / "set.tar", [*members, ("0000.npy", b"x")]))
    assert len(index) == 3
    found = reasons(index)
    assert len(found) == 10
    assert found["0001.pyd"] == "pickled data (.pyd), which can run code and is never read"
    assert found["0000.npy"] == "not an image (.npy)"


def test_damaged_companions_are_listed(tmp_path):
    members = [*labelled(0, ["a", "b", "a"]), ("0000.json", "{"), ("0001.json", "[1]"), ("0002.txt", b"\xff")]
    index = index_images(shard(tmp_path / "set.tar", members))
    assert classes(index) == ["a", "b", "a"]
    assert reasons(index) == {"0000.json": "not valid JSON", "0002.txt": "not UTF-8 text, or too long"}


def test_the_table_of_another_tool_is_refused(tmp_path):
    shard(tmp_path / "set" / "0.tar", labelled(0, "ab"))
    pq.write_table(pa.table({"x": [1]}), tmp_path / "set" / "0.parquet")
    with pytest.raises(InputError, match=r"0\.parquet has no column 'key'"):
        index_images(tmp_path / "set")


def test_pictures_given_as_a_table_are_told_the_way(tmp_path):
    shard(tmp_path / "set" / "0.tar", labelled(0, "ab"))
    for source in ("set", "set/0.tar"):
        with pytest.raises(InputError, match="holds pictures; make features of them first"):
            load_dataset(DatasetConfig(source=str(tmp_path / source)))


def test_features_keep_captions_and_the_labels_that_there_are(tmp_path):
    members = [*labelled(0, ["a", "b", "a", "b"], txt=lambda i: f"nr {i}"), ("0009.png", picture(9))]
    source = DatasetConfig(source=str(shard(tmp_path / "set.tar", members)))
    embed(source, EmbedJob(model="offline"), tmp_path / "set.npz", device="cpu")
    pool = load_dataset(DatasetConfig(source=str(tmp_path / "set.npz")))
    assert pool.ids == ("0000", "0001", "0002", "0003", "0009")
    assert pool.known_labels == ("a", "b", "a", "b", None)
    assert pool.texts.values.to_pylist() == ["nr 0", "nr 1", "nr 2", "nr 3", ""]
    labelled_only = load_dataset(DatasetConfig(source=str(tmp_path / "set.npz"), labelled_only=True))
    assert labelled_only.class_names == ("a", "b")
    assert len(labelled_only.texts) == 4
