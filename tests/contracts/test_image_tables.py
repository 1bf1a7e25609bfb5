"""Tables beside pictures: however they name the files, whatever else stands in them, in any of four formats."""

import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skmm_core.data.image_index import index_images
from skmm_core.errors import InputError
from tests.contracts.picture_folders import add


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "photos"


def table(root, name, header, row, count=6, between=","):
    lines = [header, *(row(i) for i in range(count))]
    (root / name).write_text("\n".join(line.replace("|", between) for line in lines) + "\n")


def labels(index):
    return {
        name: index.class_names[code] if index.class_names else float(code)
        for name, code in zip(index.ids, index.targets, strict=True)
    }


EXPECTED = {f"images/{i:02d}.png": "xy"[i % 2] for i in range(6)}
NAMED = {
    "images/{i:02d}.png": "",
    "images\\{i:02d}.png": "",
    "./images/{i:02d}.png": "",
    "images/{i:02d}": "by path without the ending",
    "{i:02d}.png": "by name without folders",
    "C:\\Users\\me\\{i:02d}.png": "by name without folders",
    "/home/me/data/{i:02d}.png": "by name without folders",
    "{i:02d}": "by name without folders and ending",
}


@pytest.mark.parametrize("column", ["file_name", "filename", "image", "Image", "filepath", "img_path", "id"])
@pytest.mark.parametrize("written", NAMED)
def test_files_are_found_however_they_are_named(root, written, column):
    add(root, *EXPECTED)
    table(root, "labels.csv", f"{column},label", lambda i: f"{written.format(i=i)},{'xy'[i % 2]}")
    index = index_images(root)
    assert labels(index) == EXPECTED
    how = NAMED[written]
    assert list(index.notes) == ([f"labels.csv: pictures are found {how} (column {column!r})."] if how else [])


@pytest.mark.parametrize("name", ["metadata.csv", "labels.csv", "train.csv", "annotations.csv", "Train_Labels.csv"])
def test_names_of_tables(root, name):
    add(root, *EXPECTED)
    table(root, name, "id,breed", lambda i: f"{i:02d},{'xy'[i % 2]}")
    assert labels(index_images(root)) == EXPECTED


def test_tables_of_other_formats(root):
    add(root, *EXPECTED)
    table(root, "labels.tsv", "id|label", lambda i: f"{i:02d}|{'xy'[i % 2]}", between="\t")
    assert labels(index_images(root)) == EXPECTED
    (root / "labels.tsv").unlink()
    columns = {"image": [f"{i:02d}.png" for i in range(6)], "label": list("xyxyxy")}
    pq.write_table(pa.table(columns), root / "metadata.parquet")
    assert labels(index_images(root)) == EXPECTED


def test_a_name_that_two_pictures_have_finds_neither(root):
    add(root, "a/1.png", "b/1.png", "b/2.png", "b/3.png")
    table(root, "labels.csv", "image,label", lambda i: f"{i + 1}.png,{'xy'[i % 2]}", count=3)
    index = index_images(root)
    assert index.ids == ("b/2.png", "b/3.png")
    assert {each.path for each in index.skipped} == {"a/1.png", "b/1.png"}


def test_a_table_of_something_else_is_left_alone_and_said(root):
    add(root, "a/1.png", "a/2.png", "b/3.png", "b/4.png")
    table(root, "train.csv", "street,price", lambda i: f"High Street {i},{i}")
    index = index_images(root)
    assert index.class_names == ("a", "b")
    assert index.notes == ("train.csv: no column of it names pictures that are here: not used.",)


def test_codes_keep_their_zeros(root):
    add(root, *EXPECTED)
    table(root, "metadata.csv", "file_name,label,site", lambda i: f"images/{i:02d}.png,00{i % 2},0{i % 3}")
    assert index_images(root).class_names == ("000", "001")
    assert index_images(root, target="site").class_names == ("00", "01", "02")


def test_a_class_and_its_number_beside_sizes(root):
    add(root, *EXPECTED)
    header = "file_name,width,height,class_id,class"
    table(root, "metadata.csv", header, lambda i: f"images/{i:02d}.png,{30 + i},20,{i % 2},{'xy'[i % 2]}")
    assert labels(index_images(root)) == EXPECTED


@pytest.mark.parametrize("word", ["split", "subset", "Set"])
def test_a_column_that_divides_the_pictures(root, word):
    add(root, *EXPECTED)
    parts = ("train", "train", "train", "train", "val", "test")
    table(root, "metadata.csv", f"file_name,{word},label", lambda i: f"images/{i:02d}.png,{parts[i]},{'xy'[i % 2]}")
    index = index_images(root)
    assert index.parts == ("train",) * 4 + ("validation", "test")
    assert labels(index) == EXPECTED
    table(root, "metadata.csv", f"file_name,{word}", lambda i: f"images/{i:02d}.png,{parts[i]}")
    index = index_images(root)
    assert index.parts == ("train",) * 4 + ("validation", "test")
    assert index.targets is None


def test_a_column_that_divides_class_folders(root):
    names = [f"{name}/{i}.png" for name in "ab" for i in range(3)]
    add(root, *names)
    table(root, "metadata.csv", "file_name,split", lambda i: f"{names[i]},{'test' if i % 3 == 2 else 'train'}")
    index = index_images(root)
    assert index.class_names == ("a", "b")
    assert index.parts == ("train", "train", "test") * 2
    assert ("Parts", "train 4, test 2", "a column of the table") in [
        (line.part, line.taken, line.why) for line in index.reading
    ]


def test_a_set_of_a_competition(root):
    """Labelled pictures to train on, others to submit, and a made-up submission."""
    add(root, *(f"train/{i}a.png" for i in range(4)), *(f"test/{i}b.png" for i in range(3)))
    table(root, "train.csv", "id,breed", lambda i: f"{i}a,{'xy'[i % 2]}", count=4)
    table(root, "sample_submission.csv", "id,x,y", lambda i: f"{i}b,0.5,0.5", count=3)
    index = index_images(root)
    assert labels(index) == {f"train/{i}a.png": "xy"[i % 2] for i in range(4)}
    assert {each.reason for each in index.skipped} == {"not in train.csv", "not an image (.csv)"}


def test_a_text_that_fills_the_memory_is_refused(root, monkeypatch):
    add(root, "1.png", "2.png")
    columns = {"file_name": ["1.png", "2.png"] * 2000, "note": ["x" * 1000] * 4000}
    pq.write_table(pa.table(columns), root / "metadata.parquet")
    monkeypatch.setenv("SKMM_MAX_FILE_MB", "1")
    with pytest.raises(InputError, match=r"metadata\.parquet note unpacks to"):
        index_images(root)


def test_tables_in_a_zip_file(root):
    add(root, *EXPECTED)
    table(root, "labels.tsv", "id|label", lambda i: f"{i:02d}|{'xy'[i % 2]}", between="\t")
    with zipfile.ZipFile(root.parent / "set.zip", "w") as archive:
        for path in sorted(root.rglob("*.*")):
            archive.write(path, path.relative_to(root))
    assert labels(index_images(root.parent / "set.zip")) == EXPECTED
