"""Texts of rows: kept whole, taken by row, searched, and read back from npz files that others may have written."""

import json
import unicodedata

import numpy as np
import pytest

from skmm_core.data.arrays import read_npz
from skmm_core.data.load import load_dataset
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.stored_extras import stored_texts, stored_thumbnails, stored_warnings
from skmm_core.progress import ignore

TEXTS = ["A cat", "", "Die KATZE schläft\nauf dem Sofa", "漢字 🙂", " \t\u00a0\n", "a+b (c)"]


def test_rows_are_taken_in_the_order_asked():
    taken = RowTexts.of(TEXTS).take(np.array([3, 0, 0]))
    assert [taken.text(row) for row in range(len(taken))] == ["漢字 🙂", "A cat", "A cat"]
    assert len(RowTexts.of([])) == 0
    assert RowTexts.all_of([RowTexts.of(["a"]), RowTexts.of([]), RowTexts.of(["b"])]).values.to_pylist() == ["a", "b"]


def test_blank_is_what_holds_nothing_to_read():
    assert RowTexts.of(TEXTS).blank().tolist() == [False, True, False, False, True, False]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("cat", [0]),
        ("katze SOFA", [2]),
        ("sofa katze", [2]),
        ("SCHLÄFT", [2]),
        ("字", [3]),
        ("(c) a+b", [5]),
        (".", []),
        ("a cat dog", []),
        ("", [0, 1, 2, 3, 4, 5]),
        ("  ", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_row_matches_when_it_holds_every_word_as_written(query, rows):
    assert np.flatnonzero(RowTexts.of(TEXTS).matches(query)).tolist() == rows


def test_bytes_of_a_slice_are_those_of_its_own_rows():
    whole = RowTexts.of(TEXTS)
    data, ends = RowTexts(whole.values.slice(2, 3)).bytes_and_ends()
    assert data.dtype == np.uint8
    assert RowTexts.joined(data, ends).values.to_pylist() == TEXTS[2:5]
    assert ends[-1] == len(data) == len("".join(TEXTS[2:5]).encode())


@pytest.mark.parametrize(
    ("data", "ends"),
    [
        (b"abc", [2, 1]),
        (b"abc", [1, 4]),
        (b"abc", [-1, 3]),
        ("ä".encode(), [1, 2]),
        (b"\xff\xfe", [2]),
    ],
)
def test_bytes_that_are_no_texts_are_refused(data, ends):
    with pytest.raises(ValueError, match=r"."):
        RowTexts.joined(np.frombuffer(data, np.uint8), np.array(ends))


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({"texts": b"ab"}, "texts and text_ends go together"),
        ({"text_ends": [1, 2]}, "texts and text_ends go together"),
        ({"texts": b"ab", "text_ends": [2]}, "text_ends has 1 entries for 2 rows"),
        ({"texts": b"ab", "text_ends": [2, 1]}, "text_ends points outside of texts"),
        ({"texts": b"ab", "text_ends": [1, 3]}, "text_ends points outside of texts"),
        ({"texts": b"ab", "text_ends": [0.5, 1.0]}, "whole numbers"),
        ({"texts": b"\xff\xfe", "text_ends": [1, 2]}, "texts are not in UTF-8"),
        ({"texts": np.array([1.0, 2.0])}, "go together"),
        ({"texts": np.array(["only one"])}, "go together"),
    ],
)
def test_stored_texts_that_do_not_fit_cost_only_themselves(found, problem):
    arrays = {
        name: np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.array(value)
        for name, value in found.items()
    }
    notes = []
    assert stored_texts(arrays, 2, "f.npz", notes) is None
    assert len(notes) == 1
    assert notes[0].startswith("f.npz: its texts are not shown: ")
    assert problem in notes[0]


def test_stored_texts_are_bytes_with_ends_or_an_array_of_text():
    notes = []
    data, ends = RowTexts.of(TEXTS).bytes_and_ends()
    for arrays in ({"texts": data, "text_ends": ends.astype(np.uint32)}, {"texts": np.array(TEXTS)}):
        assert stored_texts(arrays, len(TEXTS), "f", notes).values.to_pylist() == TEXTS
    assert stored_texts({}, 2, "f", notes) is None
    assert notes == []


def test_stored_thumbnails_that_do_not_fit_cost_only_themselves():
    notes = []
    data, ends = np.arange(5, dtype=np.uint8), np.array([2, 5])
    assert stored_thumbnails({"thumbnails": data, "thumbnail_ends": ends}, 2, "f", notes) is not None
    assert notes == []
    assert stored_thumbnails({"thumbnails": data, "thumbnail_ends": ends}, 3, "f", notes) is None
    assert notes == ["f: its thumbnails are not shown: thumbnail_ends has 2 entries for 3 rows."]


def test_warnings_of_the_provenance_are_short_lines():
    told = json.dumps({"warnings": ["one\nline", "x" * 1000, ""]})
    assert stored_warnings({"provenance": np.array(told)}, "f") == ["one line", "x" * 300]
    for broken in ("{", "[]", '{"warnings": 5}', "[" * 100_000):
        assert stored_warnings({"provenance": np.array(broken)}, "f")[0].startswith("f: its provenance cannot be read")
    assert stored_warnings({}, "f") == []


def test_texts_of_an_npz_file_go_with_their_rows_in_every_part(tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    data, ends = RowTexts.of(TEXTS).bytes_and_ends()
    path = tmp_path / "a.npz"
    np.savez(path, X=x, X_val=x[:1], X_test=x[:2], texts=data, text_ends=ends)
    file = read_npz(path, report=ignore)
    assert file.validation.texts.values.to_pylist() == TEXTS[3:4]
    dataset = load_dataset(str(path))
    assert dataset.texts.values.to_pylist() == TEXTS
    assert [dataset.texts.text(row) for row in dataset.split.test.tolist()] == TEXTS[4:]
    np.savez(path, X=x, texts=np.array(TEXTS, object))  # another tool's, pickled
    assert load_dataset(str(path)).texts is None


def test_an_accent_in_its_letter_finds_one_beside_it_and_the_reverse():
    composed, apart = unicodedata.normalize("NFC", "Café Öl"), unicodedata.normalize("NFD", "Café Öl")
    texts = RowTexts.of([composed, apart, "Cafe Ol"])
    for query in (composed, apart, unicodedata.normalize("NFD", "öl")):
        assert texts.matches(query).tolist() == [True, True, False]
