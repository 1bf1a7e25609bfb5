"""Folders of pictures as people have them: hidden files and copies, splits, folders that wrap or say no label."""

import numpy as np
import pytest

from skmm_core.data.file_names import why_hidden
from skmm_core.data.image_index import index_images
from skmm_core.errors import InputError
from tests.contracts.picture_folders import add, copy, packed, reasons


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


ORIGINALS = ("a/1.png", "a/2.png", "b/3.png", "b/4.png")
HIDDEN = (
    ".ipynb_checkpoints/1-checkpoint.png",
    "a/.ipynb_checkpoints/1-checkpoint.png",
    "@eaDir/1.png/SYNOPHOTO_THUMB_M.png",
    "a/@eaDir/1.png/SYNOPHOTO_THUMB_M.png",
    "__MACOSX/a/1.png",
    ".thumbnails/1.png",
    ".Trash-1000/files/1.png",
    "#recycle/1.png",
    "$RECYCLE.BIN/1.png",
    "System Volume Information/1.png",
    "_gsdata_/1.png",
    "Network Trash Folder/1.png",
    "Temporary Items/1.png",
    "FOUND.000/1.png",
    "a/_vti_cnf/1.png",
    "CVS/1.png",
    "a/.AppleDouble/1.png",
    "a/._1.png",
    "a/.1.png",
    "Thumbs.db",
    "a/desktop.ini",
)


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_files_are_no_class_and_push_out_no_original(root, hidden, as_zip):
    add(root, *ORIGINALS)
    copy(root, "a/1.png", hidden)
    index = index_images(packed(root) if as_zip else root)
    assert index.ids == ORIGINALS
    assert index.class_names == ("a", "b")
    assert list(reasons(index)) == [hidden]
    assert why_hidden(hidden) == reasons(index)[hidden]


def test_hidden_metadata_is_not_read(root):
    add(root, *ORIGINALS)
    copy(root, "a/1.png", ".ipynb_checkpoints/x.png")
    (root / ".ipynb_checkpoints" / "metadata.csv").write_text("file_name,label\nx.png,z\n")
    assert index_images(root).class_names == ("a", "b")


@pytest.mark.parametrize("copied", ["a/1 (1).png", "a/1 - Copy.png", "a/Copy of 1.png", "a/1-checkpoint.png"])
def test_a_copy_beside_its_original_gives_way(root, copied):
    add(root, *ORIGINALS)
    copy(root, "a/1.png", copied)
    index = index_images(root)
    assert index.ids == ORIGINALS
    assert reasons(index) == {copied: "same content as a/1.png"}
    assert not index.notes


def test_a_copy_that_cannot_be_used_pushes_out_no_other(root):
    add(root, *(f"{name}.png" for name in ("zebra 1", "zebra 2", "zebra 3", "zebra 4")))
    copy(root, "zebra 1.png", "a.png")
    rows = "".join(f"zebra {i}.png,{'xy'[i % 2]}\n" for i in range(1, 5))
    (root / "metadata.csv").write_text(f"file_name,label\n{rows}")
    index = index_images(root)
    assert len(index) == 4
    assert reasons(index) == {"a.png": "not in metadata.csv"}


def test_one_picture_in_two_classes_is_said(root):
    add(root, *ORIGINALS)
    copy(root, "a/1.png", "b/1.png")
    copy(root, "a/2.png", "a/22.png")
    index = index_images(root)
    assert index.ids == ORIGINALS
    assert index.notes == (
        "1 picture lies there twice with different classes, as a/1.png and b/1.png: only the first is used; "
        "keep the right one.",
    )


def test_one_picture_in_two_parts_is_said(root):
    add(root, *(f"{part}/{name}/{i}.png" for part in ("train", "test") for name in "ab" for i in range(2)))
    copy(root, "train/a/0.png", "test/a/0 again.png")
    index = index_images(root)
    assert len(index) == 8
    assert index.notes == (
        "1 picture lies there twice in different parts, as train/a/0.png and test/a/0 again.png: "
        "only the first is used.",
    )


def test_one_picture_with_two_numbers_is_said(root):
    add(root, "1.png", "2.png", "3.png")
    copy(root, "1.png", "4.png")
    (root / "metadata.csv").write_text("file_name,age\n1.png,3.5\n2.png,4.5\n3.png,7\n4.png,8\n")
    index = index_images(root)
    assert index.targets.tolist() == [3.5, 4.5, 7]
    assert "twice with different targets, as 1.png and 4.png" in index.notes[-1]


@pytest.mark.parametrize(
    "folders",
    [
        ("bus", "car", "train"),
        ("test", "train", "unicorn"),
        ("airplane", "test", "train", "val"),
        ("bus/day", "bus/night", "train/day", "train/night"),
        ("Train", "bus"),
    ],
)
def test_classes_may_be_called_train_and_test(root, folders):
    add(root, *(f"{folder}/{i}.png" for folder in folders for i in range(3)))
    index = index_images(root)
    assert index.class_names == tuple(sorted({folder.split("/")[0] for folder in folders}))
    assert set(index.parts) == {"train"}
    assert not index.skipped
    assert "not as part" in index.notes[0]


@pytest.mark.parametrize("others", [(), ("extra/bus/9.png",), ("notes/9.png", "cover.png")])
@pytest.mark.parametrize("held", ["test", "val", "valid"])
def test_a_real_split_is_one(root, held, others):
    """Also when one of its classes is called train, and when other folders lie beside it."""
    names = [f"{part}/{name}/{i}.png" for part in ("train", held) for name in ("bus", "train") for i in range(2)]
    add(root, *names, *others)
    index = index_images(root)
    assert index.ids == tuple(sorted(names))
    assert index.class_names == ("bus", "train")
    assert index.parts.count("train") == 4
    assert reasons(index) == dict.fromkeys(others, "outside the train, validation and test folders")
    assert not index.notes


def test_flat_parts_with_metadata_each_are_a_split(root):
    add(root, "train/1.png", "train/2.png", "test/3.png", "more/4.png")
    (root / "train" / "metadata.csv").write_text("file_name,age\n1.png,1.5\n2.png,2.5\n")
    (root / "test" / "metadata.csv").write_text("file_name,age\n3.png,3\n")
    index = index_images(root)
    assert dict(zip(index.ids, index.parts, strict=True)) == {
        "test/3.png": "test", "train/1.png": "train", "train/2.png": "train"
    }  # fmt: skip


UTKFACE = (
    "24_0_1_20170116220224657 .jpg.chip.jpg",
    "25_0_1_20170116220224658.jpg",
    " 26_1_0_20170116220224659.jpg",
    "27 _1_0_ 20170116220224660.jpg",
    "28_1_0_20170116220224661\u00a0.jpg",
    "29_1_0_20170116220224662 (1).jpg",
    "30_1_0_20170116220224663 - Copy.jpg",
    "31.5_1_0_20170116220224664.jpg",
)


def test_blanks_and_copies_in_utkface_names(root):
    add(root, *UTKFACE, "61_1_20170109150557335.jpg", "62_1_5_20170109150557335.jpg", "x_1_0_2017.jpg")
    index = index_images(root, pattern="utkface")
    found = dict(zip(index.ids, index.targets.tolist(), strict=True))
    assert found == {name: float(name.strip().split("_")[0]) for name in UTKFACE}
    assert len(index.skipped) == 3


def test_ages_of_names_are_numbers_however_many_are_equal(root):
    add(root, *(f"{20 + i % 2}_0_1_{i}.jpg" for i in range(12)))
    assert index_images(root, pattern="utkface").targets.dtype == np.float32


def test_nothing_but_hidden_files_says_so(root):
    add(root, ".data/a/1.png", ".data/b/2.png")
    with pytest.raises(InputError, match=r"first \.data/a/1\.png: hidden: .* begins with a dot"):
        index_images(root)


def test_a_picture_beside_the_one_folder_hides_no_classes(root):
    add(root, *(f"set/{name}/{i}.png" for name in "ab" for i in range(3)), "preview.png")
    index = index_images(root)
    assert index.class_names == ("a", "b")
    assert index.ids[0] == "a/0.png"
    assert index.root == root / "set"
    assert reasons(index) == {"preview.png": "outside the class folders"}


@pytest.mark.parametrize(
    "names", [("train2017", "val2017"), ("train_images", "test_images"), ("Training Set", "testset")]
)
def test_parts_with_something_behind_their_name(root, names):
    add(root, *(f"{name}/{i}{k}.png" for k, name in enumerate(names) for i in range(2)))
    index = index_images(root)
    assert index.targets is None
    assert index.parts.count("train") == 2


def test_classes_that_differ_in_case_only_are_said(root):
    add(root, *(f"{name}/{k}{i}.png" for k, name in enumerate(("Cat", "cat", "dog")) for i in range(2)))
    index = index_images(root)
    assert index.class_names == ("Cat", "cat", "dog")
    assert any(note.startswith("Cat and cat differ in case only") for note in index.notes)


def test_blanks_around_the_name_of_a_class_are_no_part_of_it(root):
    add(root, *(f"{name}/{k}{i}.png" for k, name in enumerate(("cat ", "cat", "dog")) for i in range(2)))
    assert index_images(root).class_names == ("cat", "dog")


@pytest.mark.parametrize("name", ["unlabeled", "Unlabelled", "no_label", "unlabeled_data"])
def test_pictures_in_a_folder_for_those_without_a_label(root, name):
    add(root, *ORIGINALS, *(f"{name}/{i}.png" for i in range(3)))
    index = index_images(root)
    assert len(index) == 7
    assert sorted(index.labels.tolist()) == ["", "", "", "a", "a", "b", "b"]
    assert index.notes[0] == f"Pictures in {name} are read as without a label."


def test_folders_below_the_classes_are_said(root):
    add(
        root, *(f"{name}/{i}.png" for name in ("animal/cat", "animal/dog", "plant/rose", "plant/oak") for i in range(2))
    )
    index = index_images(root)
    assert index.class_names == ("animal", "plant")
    assert "4 folders below, as animal/cat, are not told apart" in index.notes[0]


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("ending", [".jpg_large", ".JPG_1", ".jpg-large", ".pjpeg", ".45", ". Smith", ""])
def test_odd_endings_hide_no_picture(root, ending, as_zip):
    add(root, *(f"{name}/10.{i}{ending}" for name in "ab" for i in range(2)))
    assert len(index_images(packed(root) if as_zip else root)) == 4
