"""Labelled validation rows that tune a probe are counted wherever scores are shown, and only there."""

import pytest
import torch

from dashboard.components.shared.comparisons.headline import headline
from skmm_core.cli.program import main
from skmm_core.config import CompareJob, DatasetConfig, RunConfig
from skmm_core.data import load_dataset
from skmm_core.jobs.execute import execute
from skmm_core.probes import cheap_learners, labels_note, score_learner, score_probe, validation_rows
from skmm_core.report.methods_text import comparison_methods
from skmm_core.runs import read_result, write_config

# a set, and the rows of it that tune its probe; numbers are scored by ridge, which is tuned in the selection
SETS = {"digits": 359, "digits:seed=4": 359, "digits:validation=no": 0, "diabetes": 0}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Folders of small comparisons, by set."""
    folders = {}
    for source in SETS:
        folder = folders[source] = tmp_path_factory.mktemp("compared")
        job = CompareJob(methods=("k_center",), budgets=(20, 40), seeds=2, learners=("linear",))
        write_config(folder, RunConfig(dataset=DatasetConfig(source=source), job=job))
        execute(folder)
    return folders


@pytest.mark.parametrize("source", SETS)
def test_what_is_counted_is_what_the_probe_reads(source: str) -> None:
    dataset = load_dataset(source)
    used = score_probe(dataset, torch.arange(30))
    assert used.validation_rows == validation_rows(dataset)
    assert ("validation rows" in used.tuned_on) == (validation_rows(dataset) > 0)
    assert validation_rows(dataset) == SETS[source]


@pytest.mark.parametrize("source", SETS)
def test_what_is_counted_is_what_every_learner_reads(source: str) -> None:
    dataset = load_dataset(source)
    for learner in cheap_learners(dataset.task.value):
        used, told = (
            score_learner(dataset, torch.arange(30), learner).validation_rows,
            validation_rows(dataset, learner),
        )
        assert used == told or (learner == "auto" and used < told), learner


def test_finetuning_stops_on_validation_rows() -> None:
    assert validation_rows(load_dataset("digits"), "finetune") == 359


@pytest.mark.parametrize("source", SETS)
def test_results_reports_and_headlines_say_it(source: str, compared) -> None:
    rows, folder = SETS[source], compared[source]
    result = read_result(folder)
    assert result["validation_rows"] == rows
    words = f"Besides the chosen points, {rows:,} labelled validation rows are read"
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert (words in report) == (rows > 0)
    assert ("penalty chosen on 359 validation rows" in report) == (rows > 0)
    assert ("penalty chosen inside them" in report) == (rows == 0)
    said = headline(result, method="k_center", title="k-center", budget=20, pool_size=result["N"], seeds=2)
    assert said is not None
    assert (words in said.caption) == (rows > 0)


def test_the_command_says_it(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    for source, rows in (("digits", 359), ("digits:validation=no", 0)):
        words = [
            "compare",
            "--dataset",
            source,
            "--methods",
            "uniform",
            "--budgets",
            "20",
            "--seeds",
            "1",
            "--learner",
            "linear",
            "--quiet",
        ]
        assert main([*words, "--out", str(tmp_path / str(rows))]) == 0
        assert ("359 labelled validation rows are read" in capsys.readouterr().out) == (rows > 0)


def test_a_result_that_does_not_tell_is_not_called_free_of_labels() -> None:
    assert labels_note(None) == labels_note(0) == ""
    assert "1 labelled validation row is read" in labels_note(1)
    assert "up to 20 labelled validation rows are read, to tune what it settles on" in labels_note(20, "auto")
    old = comparison_methods({"task": "classification", "N": 10, "seeds": 2})
    assert "on validation rows or by inner folds" in old[1]
