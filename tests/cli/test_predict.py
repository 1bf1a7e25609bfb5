"""`predict` and the job behind it: from labels by id to predictions, an estimate and likely mistakes."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmm_core.cli.program import main
from skmm_core.config import DatasetConfig, EstimateJob, RunConfig
from skmm_core.data import load_dataset
from skmm_core.errors import InputError
from skmm_core.jobs import with_labels_hash
from skmm_core.jobs.execute import execute
from skmm_core.projects import ProjectStore
from skmm_core.runs import command_line, default_name, read_result, read_table, write_config


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Three clouds of 40 rows that say what they are, and no label column."""
    rng = np.random.default_rng(0)
    with (tmp_path / "pool.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "x", "y", "z", "w"))
        for row in range(120):
            writer.writerow((f"p{row}", *np.round(4 * np.eye(4)[row % 3] + rng.standard_normal(4), 4)))
    return tmp_path / "pool.csv"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    lines = [f"p{row},{'abc'[row % 3]},{1 + row // 30}" for row in range(60)]
    lines += ["p60,,2", "q,a,1"]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label,batch", *lines]) + "\n")
    return tmp_path / "labels.csv"


def test_all_rows_without_a_label_are_predicted(
    pool: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "predictions.csv"
    words = ["predict", "--dataset", str(pool), "--labels", str(labels), "--out", str(out), "--quiet"]
    assert main([*words, "--json", "--wanted", "0.5", "--price", "0.5", "--more", "20,40"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["labelled"], result["predicted"], result["unknown_ids"]) == (60, 60, 1)
    assert result["classes"] == {"a": 20, "b": 20, "c": 20}
    assert [(each["labels"], each["money"]) for each in result["next"]] == [(80, 10.0), (100, 20.0)]
    assert result["wanted"]["labels"] == 60
    table = pd.read_csv(out)
    assert list(table) == ["id", "prediction", "probability", "runner_up", "runner_up_probability"]
    right = np.mean(
        [word == "abc"[int(id_[1:]) % 3] for id_, word in zip(table["id"], table["prediction"], strict=True)]
    )
    assert right > 0.9
    assert result["score"]["lo"] <= right <= result["score"]["hi"]
    assert main([*words, "--no-curve"]) == 0
    told = capsys.readouterr().out
    assert "A model of the 60 labels so far is expected to be right about" in told
    assert "labels.csv: 1 id is not in this pool and left out." in told


def test_a_run_keeps_tables_and_notices_other_labels(pool: Path, labels: Path, tmp_path: Path) -> None:
    job = EstimateJob(labels=str(labels), learner="linear", curve=False)
    config = with_labels_hash(RunConfig(dataset=DatasetConfig(source=str(pool)), job=job))
    assert "what the labels are worth" in default_name(config)
    assert "--learner linear --no-curve" in command_line(config)
    folder = tmp_path / "run"
    folder.mkdir()
    write_config(folder, config)
    execute(folder)
    assert read_result(folder)["settled"] == "linear"
    assert len(read_table(folder, "predictions")) == 60
    assert len(read_table(folder, "mistakes")) == 60
    assert not len(read_table(folder, "curve"))
    labels.write_text(labels.read_text().replace("p0,a", "p0,b"))
    execute(folder)  # its folder has a copy of the labels that it was set up with
    assert read_result(folder)["classes"] == {"a": 20, "b": 20, "c": 20}
    other = tmp_path / "other"
    other.mkdir()
    write_config(other, config)
    with pytest.raises(InputError, match="has changed since"):
        execute(other)


def test_a_project_is_predicted_by_its_id(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    config = DatasetConfig(source=str(pool))
    store = ProjectStore(tmp_path / "home")
    card = store.begin(config, load_dataset(config).fingerprint, name="clouds")
    assert main(["predict", card.id, "--quiet"]) == 2
    assert "label some rows first" in capsys.readouterr().err
    store.open(card.id).label({f"p{row}": "abc"[row % 3] for row in range(30)} | {"p31": None})
    assert main(["predict", card.id, "--quiet", "--no-curve", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["predicted"] == 90


def test_what_cannot_be_predicted_is_one_line(pool: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict"]) == 2
    assert "give a project, or a pool with --dataset" in capsys.readouterr().err
    assert main(["predict", "--dataset", str(pool), "--labels", str(labels), "--learner", "kernel"]) == 2
    assert "--learner" in capsys.readouterr().err
    assert main(["predict", "--dataset", str(pool), "--labels", str(labels), "--out", "predictions.txt"]) == 2
    assert "give a csv file" in capsys.readouterr().err


def test_points_are_found_as_a_selection_finds_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    rows = [(f"00{row:02d}", *(4 * np.eye(3)[row % 3] + rng.standard_normal(3)).round(3)) for row in range(60)]
    own = ["a", "b", "c"] * 3
    lines = [",".join(map(str, (*row, own[at] if at < 9 else ""))) for at, row in enumerate(rows)]
    (tmp_path / "pool.csv").write_text("\n".join(["id,x,y,z,label", *lines]) + "\n")
    told = [f"'00{row:02d},{'abc'[row % 3]},labelled" for row in range(9, 40)]  # as the spreadsheet export writes ids
    told += ["'0000,,skipped"]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label,state", *told]) + "\n")
    words = ["predict", "--dataset", str(tmp_path / "pool.csv"), "--id", "id", "--target", "label", "--quiet"]
    assert main([*words, "--labels", str(tmp_path / "labels.csv"), "--no-curve", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["labelled"], result["unknown_ids"]) == (31 + 8, 0), "what was skipped is no label"


def test_no_file_that_is_read_is_written_over(pool: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = labels.read_bytes()
    assert main(["predict", "--dataset", str(pool), "--labels", str(labels), "--out", str(labels), "--quiet"]) == 2
    assert "it would be lost" in capsys.readouterr().err
    assert labels.read_bytes() == before


def test_a_wanted_share_is_at_most_one(pool: Path, labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["predict", "--dataset", str(pool), "--labels", str(labels), "--quiet", "--no-curve"]
    assert main([*words, "--wanted", "90"]) == 2
    assert "from 0 to 1" in capsys.readouterr().err
