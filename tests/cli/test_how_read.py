"""The command line tells how a file was read, also when it is quiet, and every line can be said otherwise."""

import json

import numpy as np
import pandas as pd
import pytest

N = 60
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)


@pytest.fixture
def mixed(tmp_path):
    """An embedding beside metadata, labelled in part."""
    path = tmp_path / "a.parquet"
    label = [("ant", "bee")[row % 2] if row < 20 else None for row in range(N)]
    frame = pd.DataFrame({"image_id": [f"{row:04d}" for row in range(N)], "embedding": list(X)})
    frame.assign(width=np.arange(N) * 7 % 50, caption="a photo", label=label).to_parquet(path)
    return path


def test_the_table_is_printed_and_in_the_result(here, tmp_path, mixed):
    words = ("select", "--dataset", mixed, "--method", "uniform", "--budget", 5)
    said = here(*words, "--out", tmp_path / "out", "--quiet")
    assert said.code == 0, said.err
    table = said.out[said.out.index("How your file was read:") :].splitlines()
    cells = {line.split("  ")[0]: line for line in table[2:]}
    assert "embedding: 4 numbers a row" in cells["Features"]
    assert "label: 20 of 60 rows have a label" in cells["Target"]
    assert cells["Id"].split()[1] == "image_id"
    assert any("'width'" in line and "--features" in line for line in table)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert [line["part"] for line in result["reading"]][:4] == ["Format", "Features", "Target", "Id"]
    said = here(*words, "--out", tmp_path / "json", "--json")
    assert said.json["reading"] == result["reading"]


def test_every_line_can_be_said_otherwise(here, tmp_path, mixed):
    out = tmp_path / "out"
    said = here(
        *("select", "--dataset", mixed, "--method", "uniform", "--budget", 5, "--out", out, "--json"),
        *("--features", "width", "--target", "label", "--id", "image_id", "--ignore", "caption", "--unlabelled", "bee"),
    )
    assert said.code == 0, said.err
    lines = {line["part"]: line["taken"] for line in said.json["reading"]}
    assert lines["Features"] == "1 column: 'width'"
    assert lines["Target"] == "label: 10 of 60 rows have a label"
    for flag in ("--features width", "--ignore caption", "--unlabelled bee"):
        assert flag in said.json["command"]


def test_comparing_a_partly_labelled_file_says_what_to_do(here, tmp_path, mixed):
    words = ("compare", "--dataset", mixed, "--methods", "uniform", "--budgets", 4, "--seeds", 2, "--holdout", 0.3)
    said = here(*words, "--out", tmp_path / "a")
    assert said.code == 2
    assert "a has labels in 20 of 60 rows, and scoring needs one in every row" in said.err
    said = here(*words, "--out", tmp_path / "b", "--labelled-only", "--fixed-pool", "--json")
    assert said.code == 0, said.err
    assert said.json["N"] == 14


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        (("--features", "nothing"), "has no column 'nothing' for --features; it has image_id"),
        (("--ignore", "nothing"), "has no column 'nothing' for --ignore"),
        (("--features", "caption"), "column 'caption' is no feature: text"),
        (("--method", "skmm_fit"), "SkMM fit needs a label in every row, and only some have one; take a method"),
    ],
)
def test_what_cannot_be_is_one_line(here, tmp_path, mixed, flags, match):
    said = here("select", "--dataset", mixed, "--budget", 5, "--out", tmp_path / "out", "--quiet", *flags)
    assert said.code == 2
    assert match in said.err.splitlines()[-1]
    assert said.out == ""


def test_a_builtin_takes_no_options_of_files(here, tmp_path):
    for flags in (("--features", "a"), ("--ignore", "a"), ("--unlabelled", "0"), ("--labelled-only",)):
        said = here("select", "--dataset", "digits", "--budget", 5, "--out", tmp_path / "out", *flags)
        assert said.code == 2
        assert f"leave out {flags[0]}" in said.err
