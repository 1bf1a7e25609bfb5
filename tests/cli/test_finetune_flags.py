"""`compare --finetune`: what the flags ask for, the command that repeats it, and a run scored by it."""

import json
import shlex

import pytest

from skmm_core.cli import compute
from skmm_core.cli.program import main
from skmm_core.config import CompareJob, DatasetConfig, EmbedJob, FinetuneParams, RunConfig
from skmm_core.runs.command import command_line
from skmm_core.runs.record import default_name, run_id

WORDS = ("compare", "--dataset", "digits", "--methods", "uniform", "--budgets", "40", "--seeds", "2", "--quiet")
FINETUNED = ("--learner", "finetune", "--finetune", "layers=1", "--finetune", "rate=0.02")


@pytest.mark.parametrize(
    "finetune",
    [
        FinetuneParams(),
        FinetuneParams(layers=1, optimiser="sgd", rate=0.5, epochs=3, batch=8, patience=2, decay=0.01),
        FinetuneParams(layers=2, images="my pictures", encoder=EmbedJob(model="torchvision:resnet18", pretrained="1")),
        FinetuneParams(layers=2, images="a.zip", encoder=EmbedJob(architecture="a.json", allow_random_weights=True)),
    ],
)
def test_the_printed_command_asks_for_the_same_finetuning(finetune, monkeypatch):
    job = CompareJob(methods=("skmm", "uniform"), budgets=(4,), seeds=2, finetune=finetune)
    config = RunConfig(dataset=DatasetConfig(source="digits"), job=job)
    asked = []
    monkeypatch.setattr(compute, "prepare_folder", lambda folder, parsed: asked.append(parsed))
    monkeypatch.setattr(compute, "run_prepared", lambda folder, **options: None)
    assert main(shlex.split(command_line(config))[3:]) == 0
    assert asked == [config]
    assert default_name(config).endswith("finetuned too")
    linear = config.model_copy(update={"job": job.model_copy(update={"finetune": None})})
    assert run_id(config, "x") != run_id(linear, "x")


def test_a_head_trained_on_features_scores_like_a_probe(here, tmp_path):
    done = here(*WORDS, "--out", tmp_path / "ft", *FINETUNED)
    assert done.code == 0, done.err
    result = json.loads((tmp_path / "ft" / "result.json").read_text())
    assert result["notes"][0] == "Finetuning (FT) trains, on every selection, a linear head on the features."
    assert (result["learner"], result["learners"]) == ("finetune", ["finetune"])
    assert "Finetuning (FT) trains" in (tmp_path / "ft" / "report.html").read_text()
    assert 0.9 < result["full"]["accuracy"] <= 1
    again = here(*WORDS, "--out", tmp_path / "ft")
    assert again.code == 2
    assert "another comparison" in again.err


def test_finetuning_stands_beside_other_learners(here, tmp_path):
    done = here(*WORDS, "--out", tmp_path / "both", "--learner", "linear", "--finetune", "epochs=2")
    assert done.code == 0, done.err
    result = json.loads((tmp_path / "both" / "result.json").read_text())
    assert result["learners"] == ["linear", "finetune"]
    assert result["learner"] == "linear"
    assert set(result["by_learner"]) == {"linear", "finetune"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("layers", "--finetune 'layers' is not key=value; write for example --finetune layers=2"),
        ("layer=2", "--finetune layer: no such option; there are "),
        ("layers=3", "--finetune layers: "),
        ("layers=2", "finetuning 2 layers needs the pictures"),
    ],
)
def test_bad_input_is_one_line(here, tmp_path, given, word):
    done = here(*WORDS, "--out", tmp_path / "out", "--finetune", given)
    assert done.code == 2
    assert word in done.err
    assert done.err.count("\n") == 1
