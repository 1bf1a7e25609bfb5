"""The Python lines shown with a run do repeat it, and the BibTeX names its sources."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison import summary_table
from skmm_core.config import (
    CompareJob,
    DatasetConfig,
    EmbedJob,
    GradientParams,
    RunConfig,
    SelectJob,
    SketchParams,
)
from skmm_core.errors import InputError
from skmm_core.jobs.execute import execute
from skmm_core.methods.registry import get_method, list_methods
from skmm_core.report.citation import PAPER_BIBTEX, bibtex
from skmm_core.runs.files import SELECTION_NPY, write_config
from skmm_core.runs.snippet import python_lines

ROOT = Path(__file__).parents[2]
DIABETES = DatasetConfig(source="diabetes")


def run_lines(config: RunConfig) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(python_lines(config), "snippet", "exec"), names)
    return names


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(dataset=DIABETES, job=SelectJob(method="leverage", budget=12)),
        RunConfig(dataset=DIABETES, job=SelectJob(method="herding", budget=9, include=(0, 7), exclude=(1, 2, 3))),
        RunConfig(
            dataset=DatasetConfig(source="diabetes", holdout=None, task="regression"),
            job=SelectJob(method="skmm", budget=15, params={"rounding": "sample", "c_s": 0.7}, seed=3),
            sketch=SketchParams(kind="sparse", dim=6, nonzeros=2),
            gradient=GradientParams(kind="head", targets="random"),
            device="cpu",
        ),
    ],
    ids=["defaults", "points by hand", "every option"],
)
def test_lines_pick_the_same_points(config: RunConfig, tmp_path: Path) -> None:
    write_config(tmp_path, config)
    execute(tmp_path)
    np.testing.assert_array_equal(run_lines(config)["rows"].numpy(), np.load(tmp_path / SELECTION_NPY))


def test_lines_make_the_same_comparison(tmp_path: Path) -> None:
    job = CompareJob(methods=("skmm",), budgets=(12, 20), seeds=2, params={"skmm": {"rounding": "top"}})
    config = RunConfig(dataset=DIABETES, job=job, sketch=SketchParams(dim=5))
    write_config(tmp_path, config)
    execute(tmp_path)
    again = run_lines(config)["found"]
    assert (again.learner, set(again.others)) == ("auto", {"linear", "kernel", "propagate"})
    pd.testing.assert_frame_equal(summary_table(again), pd.read_csv(tmp_path / "summary.csv"), check_dtype=False)


def test_names_from_a_file_cannot_break_out_of_the_lines() -> None:
    name = "a'); import os; ('.csv"
    config = RunConfig(dataset=DatasetConfig(source=name), job=SelectJob(budget=1))
    assert repr(name) in python_lines(config)
    compile(python_lines(config), "snippet", "exec")


def test_an_embedding_has_a_command_only() -> None:
    with pytest.raises(InputError, match="command line"):
        python_lines(RunConfig(dataset=DatasetConfig(source="photos"), job=EmbedJob()))


def test_bibtex_has_the_paper_and_every_other_source_once() -> None:
    assert bibtex([get_method("skmm")]) == PAPER_BIBTEX
    assert PAPER_BIBTEX in (ROOT / "README.md").read_text()
    whole = bibtex(list_methods())
    assert whole.count("@inproceedings{") == 1
    assert whole.count("@misc{") == len({spec.url for spec in list_methods()}) - 1
    assert whole.count("{") - whole.count(r"\{") == whole.count("}") - whole.count(r"\}")
