"""`select` and `run` as processes: files, exit codes, what is printed where."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from skmm_core.data.load import load_dataset
from skmm_core.diagnostics.record import load_diagnostics
from skmm_core.runs import read_log, read_progress, read_table, run_id
from skmm_core.runs.files import RunCard, read_config

DIGITS = ("select", "--dataset", "digits", "--method", "skmm", "--budget", 40)


@pytest.fixture(scope="module")
def chosen(command, tmp_path_factory):
    """One finished selection: its folder, and what the command said."""
    out = tmp_path_factory.mktemp("cli") / "made" / "out"
    return out, command(*DIGITS, "--seed", 0, "--out", out, "--json")


def test_result_json_is_as_documented(chosen):
    out, said = chosen
    assert said.code == 0, said.err
    result = json.loads((out / "result.json").read_text(), parse_constant=pytest.fail)
    assert said.json == result
    facts = {key: result[key] for key in ("method", "dataset", "budget", "N", "seed", "status", "fingerprint")}
    assert facts == {
        "method": "skmm",
        "dataset": "digits",
        "budget": 40,
        "N": 1078,
        "seed": 0,
        "status": "CONVERGED",
        "fingerprint": load_dataset("digits").fingerprint,
    }
    assert result["seconds"] > 0
    assert {"relaxed", "rounded"} <= result["objective"].keys()
    assert result["sketch"] == {"kind": "gaussian", "dim": 32}
    for key in ("bias", "variance", "c_s", "trace_score", "moment_error", "effective_dim"):
        assert result["diagnostics"][key] >= 0
    assert result["command"] == "python -m skmm_core select --dataset digits --method skmm --budget 40 --out out"


def test_the_selection_files_agree(chosen):
    out, _ = chosen
    rows = np.load(out / "selection.npy", allow_pickle=False)
    table = pd.read_csv(out / "selection.csv")
    assert list(table.columns) == ["order", "id", "row", "weight", "score", "batch"]
    assert table["order"].tolist() == list(range(1, 41))
    assert rows.dtype == np.int64
    assert table["row"].tolist() == rows.tolist()
    assert len(set(rows.tolist())) == 40
    dataset = load_dataset("digits")
    pool_rows = dataset.rows[dataset.split.train]
    selection = read_table(out, "selection")
    assert pool_rows[selection["position"].tolist()].tolist() == rows.tolist()
    assert np.isclose(table["weight"].sum(), 1)
    targets = dataset.targets[dataset.split.train]
    assert targets[selection["position"].tolist()].tolist() == selection["target"].tolist()
    assert selection["label"].tolist() == [dataset.class_names[target] for target in selection["target"]]


def test_the_pool_tables_fit_the_pool(chosen):
    out, _ = chosen
    scores, layout, trace = (read_table(out, name) for name in ("scores", "map", "trace"))
    selection = read_table(out, "selection")
    assert scores["position"].tolist() == layout["position"].tolist() == list(range(1078))
    picked = scores.dropna(subset="order").sort_values("order")
    assert picked["position"].tolist() == selection["position"].tolist()
    assert np.isclose(scores["weight"].sum(), 1)
    assert (scores.loc[scores["order"].isna(), "weight"] == 0).all()
    assert (scores.loc[picked["position"], "distance"] == 0).all()
    assert np.isclose(scores["leverage"].sum(), 32, rtol=1e-4)
    assert np.isfinite(layout[["pca_1", "pca_2"]].to_numpy()).all()
    assert trace.loc[trace["name"] == "objective", "step"].is_monotonic_increasing
    assert load_diagnostics(out / "diagnostics.npz").n == 40


def test_the_folder_is_a_run_folder(chosen):
    out, _ = chosen
    config = read_config(out)
    card = RunCard.model_validate_json((out / "run.json").read_text())
    assert card.id == run_id(config, load_dataset("digits").fingerprint)


def test_progress_goes_to_stderr_and_to_the_log(chosen):
    out, said = chosen
    assert "Solving the relaxation" in said.err
    assert read_progress(out).phase == "Writing the report"
    assert read_log(out, "objective")


def test_the_report_stands_alone(chosen):
    out, _ = chosen
    page = (out / "report.html").read_text()
    assert "python -m skmm_core select --dataset digits" in page
    for outside in ("<link", 'src="http', "url(", "@import"):
        assert outside not in page


def test_the_same_command_gives_the_same_bytes_and_run_repeats_a_folder(chosen, command, tmp_path):
    out, _ = chosen
    (tmp_path / "config.json").write_bytes((out / "config.json").read_bytes())
    said = command("run", tmp_path, "--quiet")
    assert said.code == 0
    assert said.err == ""
    assert said.out.startswith("skmm picked 40 of the 1,078 points of digits")
    assert said.out.count("\n") == 1
    for name in ("selection.npy", "selection.csv", "map.parquet", "scores.parquet", "diagnostics.npz"):
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_another_seed_gives_other_points_in_the_same_folder(chosen, here, tmp_path):
    out, _ = chosen
    said = here(*DIGITS, "--seed", 1, "--out", tmp_path, "--quiet")
    assert said.code == 0, said.err
    first = np.load(tmp_path / "selection.npy")
    assert not np.array_equal(np.sort(first), np.sort(np.load(out / "selection.npy")))
    assert here(*DIGITS, "--seed", 0, "--out", tmp_path, "--quiet").code == 0
    assert (tmp_path / "selection.npy").read_bytes() == (out / "selection.npy").read_bytes()


def test_an_unlabelled_pool_and_a_method_without_scores(here, tmp_path):
    features = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    np.save(tmp_path / "x.npy", features)
    said = here(
        "select",
        "--dataset",
        tmp_path / "x.npy",
        "--method",
        "uniform",
        "--budget",
        7,
        "--out",
        tmp_path / "o",
        "--json",
        "--quiet",
    )
    assert said.code == 0, said.err
    assert said.err == ""
    result = said.json
    assert result["task"] == "unlabelled"
    assert result["diagnostics"]["ridge_bias2"] is None
    assert pd.read_csv(tmp_path / "o" / "selection.csv")["score"].isna().all()
    scores = read_table(tmp_path / "o", "scores")
    assert scores["target"].isna().all()
    assert scores["label"].isna().all()


def test_fewer_points_than_directions_is_valid_json(here, tmp_path):
    said = here("select", "--dataset", "diabetes", "--method", "uniform", "--budget", 2, "--out", tmp_path, "--json")
    assert said.code == 0, said.err
    assert said.json["diagnostics"]["c_s"] is None
    page = (tmp_path / "report.html").read_text()
    for title in ("Certificate c_S", "Trace score"):
        assert f'<td>{title}</td><td class="number">∞</td>' in page


def test_the_report_of_a_comparison_ranks_the_leagues_apart(here, tmp_path):
    said = here(
        *("compare", "--dataset", "diabetes", "--methods", "skmm_joint,herding", "--budgets", 20, "--seeds", 2),
        *("--learner", "linear", "--out", tmp_path, "--quiet"),
    )
    assert said.code == 0, said.err
    assert said.out.startswith("3 methods compared")
    page = (tmp_path / "report.html").read_text()
    assert "3 methods compared" in page
    assert page.count("<strong>") == 1
    assert re.search(r"<th>SkMM joint †</th><td class=\"number\">\d", page)


def test_flags_reach_the_method(here, tmp_path):
    said = here(
        *DIGITS, "--out", tmp_path, "--sketch-dim", 16, "--c-s", 0.5, "--rounding", "top",
        "--param", "polish=false", "--json", "--quiet",
    )  # fmt: skip
    assert said.code == 0, said.err
    result = said.json
    assert result["sketch"]["dim"] == 16
    assert {key: result["params"][key] for key in ("c_s", "rounding", "polish")} == {
        "c_s": 0.5,
        "rounding": "top",
        "polish": False,
    }


def test_columns_in_mixed_units_are_warned_of_unless_scaled(command, tmp_path):
    draw = np.random.default_rng(0)
    table = tmp_path / "houses.csv"
    pd.DataFrame({"dollars": draw.normal(5e4, 2e4, 40), "share": draw.random(40)}).to_csv(table, index=False)
    plain = ("select", "--dataset", table, "--method", "k_center", "--budget", 5, "--out", tmp_path / "out")
    assert "column 'dollars' alone" in command(*plain).out
    assert "alone" not in command(*plain, "--scale-columns").out
