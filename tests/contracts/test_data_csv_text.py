"""The text of csv files: lines that end inside quotes, and encodings."""

import numpy as np
import pyarrow.csv as pa_csv
import pytest

from skmm_core.data import table_readers
from skmm_core.data.load import load_dataset
from skmm_core.data.table_readers import lines_end_in_quotes

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
