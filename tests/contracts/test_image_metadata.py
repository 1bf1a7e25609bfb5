"""Which column of a table beside pictures is their target, and which is none."""

import json

import pytest

from skmm_core.data.image_index import index_images
from tests.contracts.picture_folders import add


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


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


def test_the_first_of_two_rows_that_name_a_picture_counts(root):
    add(root, *(f"{i}.png" for i in range(6)))
    rows = [f"{i}.png,{'xy'[i % 2]}" for i in range(6)]
    (root / "metadata.csv").write_text("\n".join(["file_name,label", *rows, "0.png,y", "3.png,x"]))
    index = index_images(root)
    assert [index.class_names[code] for code in index.targets] == list("xyxyxy")
    assert any("2 rows name a file once more; the first row of each counts" in note for note in index.notes)
