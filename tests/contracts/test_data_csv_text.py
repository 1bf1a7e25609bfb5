"""The text of csv files: lines that end inside quotes, and encodings."""

import gzip

import numpy as np
import pyarrow.csv as pa_csv
import pytest
from PIL import Image

from skmm_core.data import table_readers
from skmm_core.data.image_index import index_images
from skmm_core.data.load import load_dataset
from skmm_core.data.table_formats import names_in
from skmm_core.data.table_readers import lines_end_in_quotes
from skmm_core.errors import InputError

X = np.random.default_rng(0).normal(size=(12, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", False),
        ('"a","b"\n1,2\n', False),
        ('"a\nb",c\n1,2\n', True),
        ('a,b\n"x ""y""",2\n', False),
        ('a,b\n"x\r\ny",2\n', True),
        ('a,b\n"x\ry",2\n', True),
        ('a,b\n5" disk,2\n', True),  # not known to be safe
        ('a,b\n1,2\n"x,2', True),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_lines_that_end_inside_quotes_are_found(tmp_path, monkeypatch, text, expected, block):
    (tmp_path / "t.csv").write_bytes(text.encode())
    monkeypatch.setattr(table_readers, "_SCAN_BYTES", block)
    assert lines_end_in_quotes(tmp_path / "t.csv", 0) is expected


@pytest.mark.parametrize("note", ["plain", "two\nlines"])
def test_quoted_text_over_several_blocks_is_read_whole(tmp_path, monkeypatch, note):
    monkeypatch.setattr(table_readers, "_BLOCK_BYTES", 128)
    rows = [f'"{note} {row}",{",".join(map(repr, map(float, x)))}' for row, x in enumerate(X)]
    (tmp_path / "t.csv").write_text("\n".join(["note,a,b,c", *rows]) + "\n")
    data = load_dataset(str(tmp_path / "t.csv"))
    np.testing.assert_array_equal(data.features.numpy(), X.astype(np.float32))
    assert data.shown.column("note").to_pylist() == [f"{note} {row}" for row in range(len(X))]


def test_quotes_that_cost_nothing_are_not_taken_for_open_ones(tmp_path, monkeypatch):
    asked = []
    real = pa_csv.ParseOptions
    monkeypatch.setattr(pa_csv, "ParseOptions", lambda **options: asked.append(options) or real(**options))
    for name, cell in (("quoted.csv", '"x"'), ("broken.csv", '"x\ny"')):
        (tmp_path / name).write_text(
            "".join(['"t","a","b"\n', *(f"{cell},{row % 5}.5,{row * row}\n" for row in range(9))])
        )
        load_dataset(str(tmp_path / name))
    assert [options["newlines_in_values"] for options in asked] == [False, True]


WORDS = {
    "GB18030": ("猫", "狗"),
    "Shift-JIS": ("ねこ", "いぬ"),
    "EUC-KR": ("고양이", "개"),
    "Windows-1252": ("café", "größe"),
}
CODECS = {"GB18030": "gb18030", "Shift-JIS": "cp932", "EUC-KR": "cp949", "Windows-1252": "cp1252"}


def labelled(words, separator=","):
    rows = [separator.join([words[row % 2], *map(repr, map(float, x))]) for row, x in enumerate(X)]
    return "\n".join([separator.join(["label", "größe", "b", "c"]), *rows]) + "\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_with_a_mark_of_its_encoding_is_read(tmp_path, encoding, separator):
    text = "\ufeff" + labelled(WORDS["GB18030"], separator)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    data = load_dataset(str(tmp_path / "t.csv"))
    np.testing.assert_array_equal(data.features.numpy(), X.astype(np.float32))
    assert set(data.class_names) == set(WORDS["GB18030"])
    assert data.feature_names == ("größe", "b", "c") == tuple(names_in(tmp_path / "t.csv")[1:])
    assert encoding[:6].upper() in data.reading[0].taken


def test_packed_text_with_a_mark_of_its_encoding_is_read(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(labelled(WORDS["GB18030"]).encode("utf-16")))
    assert set(load_dataset(str(tmp_path / "t.csv.gz")).class_names) == set(WORDS["GB18030"])


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("column", ["label", "caption"])
def test_other_encodings_are_shown_and_not_guessed(tmp_path, name, column):
    text = labelled(WORDS[name]).replace("größe", "a").replace("label", column, 1)
    (tmp_path / "t.csv").write_bytes(text.encode(CODECS[name]))
    with pytest.raises(InputError, match=r"t\.csv: line \d is not UTF-8 text; .*UTF-8") as caught:
        load_dataset(str(tmp_path / "t.csv"))
    said = str(caught.value)
    assert "\n" not in said
    reading = said.split(f"in {name} ")[1].split("'")[1]
    assert any(reading.startswith(word) for word in WORDS[name])


def test_a_mark_without_its_text_is_one_line(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfea\x00,\x00b")
    with pytest.raises(InputError, match=r"t\.csv begins as UTF-16 text but is none"):
        load_dataset(str(tmp_path / "t.csv"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_metadata_of_pictures_in_other_encodings(tmp_path, encoding):
    words = WORDS["GB18030"]
    for row in range(4):
        Image.new("RGB", (40, 40), (50 * row, 9, 9)).save(tmp_path / f"{row}.png")
    text = "".join(["file_name,label\n", *(f"{row}.png,{words[row % 2]}\n" for row in range(4))])
    (tmp_path / "metadata.csv").write_bytes(text.encode(encoding))
    assert set(index_images(tmp_path).class_names) == set(words)
    (tmp_path / "metadata.csv").write_bytes(text.encode("gb18030"))
    with pytest.raises(
        InputError, match=r"metadata\.csv: line 3 is not UTF-8 text; it reads in GB18030 'png,狗'.*UTF-8"
    ):
        index_images(tmp_path)
