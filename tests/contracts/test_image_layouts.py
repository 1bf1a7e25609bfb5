"""Folders of pictures as people have them: hidden copies, classes with odd names, accents, metadata without targets."""

import json
import unicodedata
import zipfile

import numpy as np
import pytest
from PIL import Image

from skmm_core.data.file_names import why_hidden
from skmm_core.data.image_index import index_images
from skmm_core.errors import InputError


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


def draw(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)).save(path, "PNG")


def add(root, *names, first=0):
    """Pictures of distinct content."""
    for seed, name in enumerate(names, first):
        draw(root / name, seed)


def copy(root, source, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((root / source).read_bytes())


def packed(root):
    """The same files in a zip file beside the folder."""
    path = root.parent / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(root))
    return path


def reasons(index):
    return {each.path: each.reason for each in index.skipped}


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


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize(
    "mark",
    [
        "\u202f",
        "\u00a0",
        "\u200d",
        "\u200e",
        "\u2009",
        "\u3000",
        "\u00ad",
        "\ufeff",
        "\ue000",
        "\U0001f469\u200d\U0001f52c",
    ],
)
def test_only_control_characters_are_refused_in_names(root, mark, as_zip):
    add(root, *(f"{name}/{mark}Shot at 1.0{i}.00{mark}PM.png" for name in "ab" for i in range(2)))
    index = index_images(packed(root) if as_zip else root)
    assert len(index) == 4
    assert not index.skipped
    assert all(mark in id_ for id_ in index.ids)


@pytest.mark.parametrize("mark", ["\n", "\x1b", "\x7f", "\u0085", "\u2028"])
def test_control_characters_are_refused(root, mark):
    add(root, *ORIGINALS, f"a/x{mark}y.png")
    index = index_images(root)
    assert index.ids == ORIGINALS
    assert list(reasons(index).values()) == ["its name is not printable UTF-8 text; rename it"]


def test_long_paths_are_read_up_to_a_limit(root):
    folder = "a/" + "/".join(["d" * 100] * 4)
    add(root, *ORIGINALS, f"{folder}/5.png", "a/" + "/".join(["e" * 120] * 9) + "/6.png")
    index = index_images(root)
    assert len(index) == 5
    assert list(reasons(index).values()) == ["its name is too long; shorten it"]


NFC, NFD = unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")


def test_one_class_whose_accents_are_written_two_ways(root):
    add(root, f"{NFC}/1.png", f"{NFD}/2.png", "tea/3.png", "tea/4.png")
    index = index_images(root)
    assert index.class_names == (NFC, "tea")
    assert index.ids == (f"{NFC}/1.png", f"{NFC}/2.png", "tea/3.png", "tea/4.png")
    assert all(index.picture(row).size == (8, 6) for row in range(4))


def test_parts_whose_classes_are_written_two_ways(root):
    add(root, *(f"train/{name}/{i}.png" for name in (NFC, "tea") for i in "12"), f"test/{NFD}/3.png")
    index = index_images(root)
    assert index.parts.count("test") == 1
    assert not index.skipped


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("on_disk", "in_file"), [(NFD, NFC), (NFC, NFD)])
def test_metadata_finds_files_whose_accents_are_written_otherwise(root, on_disk, in_file, kind, as_zip):
    add(root, *(f"{on_disk}/{on_disk}{i}.png" for i in range(4)), "other.png")
    rows = [{"file_name": f"{in_file}/{in_file}{i}.png", "label": (NFC, "x", NFD, "x")[i]} for i in range(4)]
    text = "\n".join(map(json.dumps, rows))
    if kind == "csv":
        text = "file_name,label\n" + "\n".join(",".join(row.values()) for row in rows)
    (root / f"metadata.{kind}").write_text(text)
    index = index_images(packed(root) if as_zip else root)
    assert len(index) == 4
    assert index.class_names == (NFC, "x")
    assert reasons(index) == {"other.png": f"not in metadata.{kind}"}


def test_two_files_of_one_name_written_two_ways(root):
    add(root, *ORIGINALS, f"a/{NFC}.png", f"a/{NFD}.png")
    index = index_images(root)
    assert len(index) == 5
    assert list(reasons(index).values()) == ["another file has the same name"]


def test_a_wrapping_folder_in_the_other_form(root):
    add(root / NFD, *ORIGINALS)
    index = index_images(root)
    assert index.ids == ORIGINALS
    assert index.root == root / NFD


def metadata(root, columns, count=8):
    """One row a picture: file name and the columns given, each a function of its number."""
    names = [f"{'ab'[i % 2]}/{i}.png" for i in range(count)]
    rows = [{"file_name": name} | {key: of(i) for key, of in columns.items()} for i, name in enumerate(names)]
    root.mkdir(parents=True, exist_ok=True)
    (root / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    add(root, *names)


@pytest.mark.parametrize(
    "columns",
    [
        {"text": lambda i: f"a dog and {i} cats"},
        {"caption": lambda i: f"caption {min(i, 6)}"},
        {"description": lambda i: f"{i}"},
        {"id": lambda i: i},
        {"id": lambda i: 900 - 7 * i},
        {"image_id": lambda i: f"img_{i:04d}"},
        {"number": lambda i: i + 1},
        {"uuid": lambda i: f"{i:032x}"},
        {"id": lambda i: i, "caption": lambda i: f"a nice picture of {i} dogs"},
        {"label": lambda i: None},
        {"label": lambda i: ""},
        {},
    ],
    ids=lambda columns: " ".join(columns) or "none",
)
def test_metadata_without_targets_leaves_class_folders(root, columns):
    metadata(root, columns)
    index = index_images(root)
    assert len(index) == 8
    assert index.class_names == ("a", "b")
    assert not index.skipped
    assert index.notes[0].startswith("metadata.jsonl: ")


def test_captions_alone_are_a_pool_without_labels(root):
    add(root, *(f"{i}.png" for i in range(12)))
    rows = [json.dumps({"file_name": f"{i}.png", "text": f"caption {i}"}) for i in range(12)]
    (root / "metadata.jsonl").write_text("\n".join(rows))
    index = index_images(root)
    assert len(index) == 12
    assert index.targets is None
    assert "text holds a text of its own for nearly every picture" in index.notes[0]


def test_whole_labels_that_a_missing_one_made_decimal(root):
    metadata(root, {"label": lambda i: None if i == 7 else i // 4 + 1.0})
    index = index_images(root)
    assert sorted(index.labels.tolist()) == ["", *["1"] * 4, *["2"] * 3]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"id": lambda i: i, "species": lambda i: "xy"[i // 4]}, ("x", "y")),
        (
            {"caption": lambda i: f"a picture of {i}", "id": lambda i: f"i{i}", "label": lambda i: "xy"[i // 4]},
            ("x", "y"),
        ),
        ({"Label": lambda i: "xy"[i // 4], "width": lambda i: 8}, ("x", "y")),
        ({"text": lambda i: ("a cat", "a dog")[i // 4]}, ("a cat", "a dog")),
        ({"id": lambda i: i // 4}, ("0", "1")),
        ({"label": lambda i: i // 4 + 0.0}, ("0", "1")),
        ({"label": lambda i: ("x ", "x", "y", " y")[i // 2]}, ("x", "y")),
    ],
)
def test_metadata_with_a_target_takes_it(root, columns, names):
    metadata(root, columns)
    index = index_images(root)
    assert index.class_names == names


def test_numbers_stay_numbers(root):
    metadata(root, {"score": lambda i: 2.0 * i, "id": lambda i: i})
    assert index_images(root).targets.tolist() == [0, 4, 8, 12, 2, 6, 10, 14]


def test_whole_numbers_and_decimals_in_two_files_are_one_target(root):
    add(root, "train/1.png", "train/2.png", "test/3.png")
    (root / "train" / "metadata.csv").write_text("file_name,age,note\n1.png,1,x\n2.png,2,y\n")
    (root / "test" / "metadata.csv").write_text("file_name,age,note\n3.png,3.5,\n")
    index = index_images(root, target="age")
    assert dict(zip(index.ids, index.targets.tolist(), strict=True))["test/3.png"] == 3.5


def test_a_caption_column_can_be_named_all_the_same(root):
    metadata(root, {"caption": lambda i: f"a nice picture {i // 4}"})
    assert len(index_images(root, target="caption").class_names) == 2


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
