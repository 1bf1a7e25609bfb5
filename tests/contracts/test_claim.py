"""What a comparison is about is said, kept with the run, and never mixed up with what earlier versions did."""

import json

import pandas as pd
import pytest

from skmm_core.comparison.claim import FIXED, claim_of, few_seeds
from skmm_core.comparison.score_table import DRAW_COLUMNS, SCORE_COLUMNS
from skmm_core.config import CompareJob, DatasetConfig, RunConfig
from skmm_core.runs.command import command_line
from skmm_core.runs.files import read_config, write_config
from skmm_core.runs.record import default_name, run_id

JOB = {"kind": "compare", "methods": ("skmm", "uniform"), "budgets": (20, 40)}


def config(**changes: object) -> RunConfig:
    return RunConfig(dataset=DatasetConfig(source="digits"), job=CompareJob.model_validate({**JOB, **changes}))


def test_a_config_of_before_is_about_one_pool_and_keeps_its_id(tmp_path):
    before = config().model_dump(mode="json")
    del before["job"]["fixed_pool"], before["job"]["learners"]
    (tmp_path / "config.json").write_text(json.dumps(before))
    stored = read_config(tmp_path)
    assert stored == config(fixed_pool=True, learners=("linear",))
    assert run_id(stored, "sha256:a") == "fe275b694d0e", "as that version made it"
    assert run_id(config(), "sha256:a") != run_id(stored, "sha256:a"), "or a new run would open the old one"
    for each in (config(), config(fixed_pool=True)):
        write_config(tmp_path, each)
        assert read_config(tmp_path) == each


def test_command_and_name_say_which_pool():
    assert "--fixed-pool" in command_line(config(fixed_pool=True))
    assert "--fixed-pool" not in command_line(config())
    assert default_name(config(fixed_pool=True)).endswith("this very pool")


def scores(pools: dict[int, str]) -> pd.DataFrame:
    rows = [["d", "uniform", budget, 0, "accuracy", 0.5, 0.1, "test", pool, ""] for budget, pool in pools.items()]
    return pd.DataFrame(rows, columns=SCORE_COLUMNS + DRAW_COLUMNS)


def test_the_claim_follows_the_cells():
    assert claim_of(scores({20: "", 40: ""})) == FIXED
    assert claim_of(scores({20: ""})[SCORE_COLUMNS]) == FIXED, "cells of an earlier version"
    drawn = claim_of(scores({20: "134/1078/8", 100: "215/1078/5", 600: ""}))
    assert "its own 134 to 215 of the 1,078 rows" in drawn
    assert "At 600 points, more than half of the pool, all seeds share it" in drawn


@pytest.mark.parametrize(("seeds", "start"), [(1, "One seed is"), (4, "4 seeds are"), (5, "")])
def test_few_seeds_are_said_in_plain_words(seeds, start):
    assert few_seeds(seeds).startswith(start)
    assert "95" not in few_seeds(seeds)
    assert bool(few_seeds(seeds)) == bool(start)
