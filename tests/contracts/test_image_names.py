"""Names of pictures and folders: any sign but control characters, and accents written in two ways."""

import json
import unicodedata

import pytest

from skmm_core.data.image_index import index_images
from tests.contracts.picture_folders import add, packed, reasons


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


ORIGINALS = ("a/1.png", "a/2.png", "b/3.png", "b/4.png")


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
