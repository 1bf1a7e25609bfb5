"""Rows to include and exclude: on the command line, in the files of the run, in its report."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from skmm_core.data.load import load_dataset
from skmm_core.data.row_list import read_rows, row_text
from skmm_core.errors import InputError


@given(rows=st.lists(st.integers(0, 40)))
def test_rows_are_read_back_as_they_were_written(rows):
    assert read_rows("--include", row_text(rows)) == tuple(sorted(set(rows)))


def test_runs_of_rows_are_written_short():
    assert row_text([8, 3, 9, 10, 20, 21]) == "3,8-10,20,21"
    assert row_text([]) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "'a' is no row or range; write for example --include 3,8-12"),
        ("-3", "is no row or range"),
        ("9-3", "is no row or range"),
        ("1.5", "is no row or range"),
        ("0-99999999999", "names over 10,000,000 rows"),
        ("missing.npy", "missing.npy was not found"),
    ],
)
def test_what_is_no_list_of_rows_is_refused_with_an_example(text, words):
    with pytest.raises(InputError, match=words):
        read_rows("--include", text)


def test_rows_come_from_npy_csv_and_txt_files(tmp_path):
    np.save(tmp_path / "rows.npy", np.array([4, 2]))
    (tmp_path / "selection.csv").write_text("order,id,row,weight,score\n0,a,4,.5,\n1,b,2,.5,\n")
    (tmp_path / "one.csv").write_text("which\n4\n2\n")
    (tmp_path / "rows.txt").write_text("4\n2\n")
    for name in ("rows.npy", "selection.csv", "one.csv", "rows.txt"):
        assert read_rows("--include", str(tmp_path / name)) == (4, 2)
    (tmp_path / "bad.txt").write_text("4\n-2\n")
    with pytest.raises(InputError, match="rows are whole numbers from 0"):
        read_rows("--include", str(tmp_path / "bad.txt"))
    (tmp_path / "words.csv").write_text("row\nx\n")
    with pytest.raises(InputError, match=r"words\.csv cannot be read as rows"):
        read_rows("--include", str(tmp_path / "words.csv"))


def test_a_run_keeps_to_the_rows_and_says_so_everywhere(here, tmp_path):
    asked = ("--dataset", "digits", "--method", "k_center", "--budget", "12")
    dataset = load_dataset("digits")
    pool = dataset.rows[dataset.split.train].tolist()
    included, excluded = sorted([pool[700], pool[30], pool[31]]), pool[40:80]
    np.save(tmp_path / "out.npy", np.array(excluded))
    words = ("--include", ",".join(map(str, included)), "--exclude", tmp_path / "out.npy", "--quiet")
    done = here("select", *asked, *words, "--out", tmp_path / "done")
    assert done.code == 0, done.err
    rows = np.load(tmp_path / "done" / "selection.npy").tolist()
    assert rows[:3] == included
    assert len(set(rows)) == 12
    assert not set(rows) & set(excluded)
    result = json.loads((tmp_path / "done" / "result.json").read_text())
    assert (result["included"], result["excluded"]) == (3, 40)
    assert f"--include {row_text(included)} --exclude {row_text(excluded)}" in result["command"]
    report = (tmp_path / "done" / "report.html").read_text()
    assert "By hand: 3 included and 40 excluded." in report
    assert row_text(excluded) in report


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--include", "99999"), "row 99999 is not in the pool of digits"),
        (("--include", "x"), "--include: 'x' is no row or range"),
    ],
)
def test_rows_that_cannot_be_are_one_line(here, tmp_path, words, message):
    done = here(
        "select", "--dataset", "digits", "--method", "uniform", "--budget", "3", *words, "--out", tmp_path / "o"
    )
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
