"""The size of the warm-up as an option of a run: on the command line, in the result, in the command shown."""

import json
import shlex

import pytest

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.runs.record import run_id

DIGITS = ("--dataset", "digits", "--quiet")


def test_select_trains_the_head_on_as_many_rows_and_says_so(here, tmp_path):
    found = {}
    for rows in (None, 40):
        words = () if rows is None else ("--warm-up-rows", rows)
        out = tmp_path / str(rows)
        said = here("select", *DIGITS, "--method", "entropy", "--budget", 20, "--out", out, *words)
        assert said.code == 0, said.err
        found[rows] = json.loads((out / "result.json").read_text())
    assert (found[None]["objective"]["warm_up_rows"], found[40]["objective"]["warm_up_rows"]) == (100, 40)
    assert "--warm-up-rows" not in found[None]["command"]
    shown = shlex.split(found[40]["command"])
    assert shown[shown.index("--warm-up-rows") + 1] == "40"


def test_compare_says_how_many_rows_trained_the_head_and_does_not_mix_sizes(here, tmp_path):
    words = (*DIGITS, "--methods", "margin", "--budgets", 20, "--seeds", 1, "--out", tmp_path)
    assert here("compare", *words, "--warm-up-rows", 3).code == 0
    assert json.loads((tmp_path / "result.json").read_text())["warm_up_rows"] == 10  # one a class at least
    assert here("compare", *words, "--warm-up-rows", 50).code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("uniform", "--warm-up-rows", 40),
            "warm_up_rows is 40, but uniform trains no warm-up head; leave it out",
        ),
        (("entropy", "--warm-up-rows", 0), "--warm-up-rows: Input should be greater than or equal to 1"),
    ],
)
def test_a_size_that_means_nothing_is_refused_in_a_line(here, tmp_path, words, message):
    said = here("select", *DIGITS, "--budget", 20, "--out", tmp_path / "out", "--method", *words)
    assert said.code == 2
    assert said.err.strip().endswith(message)


def test_the_default_size_keeps_the_id_of_a_run():
    def config(**given):
        job = SelectJob(method="entropy", budget=20)
        return RunConfig.model_validate({"dataset": DatasetConfig(source="digits"), "job": job, **given})

    assert run_id(config(), "f") == run_id(config(warm_up_rows=None), "f") != run_id(config(warm_up_rows=7), "f")
