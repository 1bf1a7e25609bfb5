"""Every selection is scored under several learners: each on its own, resumable, and readable where there was one."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skmm_core.cli.program import main
from skmm_core.comparison import (
    against_linear,
    best_by_learner,
    settled_counts,
    settled_sentence,
    summarise,
    summarise_learners,
    summary_table,
    under_learner,
    winners_sentence,
)
from skmm_core.comparison.score_log import SCORES_FILE, STATE_FILE, read_scores
from skmm_core.comparison.score_table import DRAW_COLUMNS, LEARNER_COLUMNS, SCORE_COLUMNS, ScoreTable
from skmm_core.config import CompareJob, DatasetConfig, FinetuneParams, Learner as LearnerKey, RunConfig
from skmm_core.errors import Cancelled, InputError
from skmm_core.methods import registry
from skmm_core.probes import LEARNERS, cheap_learners, learners_of, main_learner, primary_metric
from skmm_core.runs import default_name, read_config, read_result, run_id, write_config
from tests.contracts.test_compare import _compare, _dataset

ACCURACY = primary_metric("classification")
ALL = ("linear", "kernel", "propagate", "auto")
SAME = [name for name in SCORE_COLUMNS + LEARNER_COLUMNS if name != "seconds"]


def test_the_table_of_learners_is_that_of_the_config() -> None:
    assert tuple(each.key for each in LEARNERS) == LearnerKey.__args__
    assert cheap_learners("classification") == ("linear", "prototype", "propagate", "auto")
    assert cheap_learners("regression") == ALL
    assert all(each.url.startswith("https://") and each.summary.endswith(".") for each in LEARNERS)


def test_a_new_comparison_takes_every_learner_that_fits() -> None:
    job = CompareJob(methods=("uniform",), budgets=(5,))
    assert learners_of(job, "classification") == cheap_learners("classification")
    both = CompareJob(methods=("uniform",), budgets=(5,), finetune=FinetuneParams())
    assert learners_of(both, "regression") == (*ALL, "finetune")
    assert main_learner(learners_of(both, "regression")) == "auto"
    assert main_learner(["propagate", "linear"]) == "linear"
    with pytest.raises(InputError, match="learner prototype does not fit a regression; choose among linear, kernel"):
        learners_of(CompareJob(methods=("uniform",), budgets=(5,), learners=("prototype",)), "regression")
    with pytest.raises(ValueError, match="go together"):
        CompareJob(methods=("uniform",), budgets=(5,), learners=("finetune",))
    with pytest.raises(ValueError, match="go together"):
        CompareJob(methods=("uniform",), budgets=(5,), learners=("linear",), finetune=FinetuneParams())


@pytest.mark.parametrize(("finetune", "learner"), [(None, "linear"), (FinetuneParams(), "finetune")])
def test_a_stored_config_that_names_no_learner_had_one(finetune: FinetuneParams | None, learner: str) -> None:
    job = CompareJob(methods=("uniform",), budgets=(5,), finetune=finetune)
    new = RunConfig(dataset=DatasetConfig(source="digits"), job=job)
    raw = json.loads(new.model_dump_json())
    assert RunConfig.stored(json.dumps(raw)) == new
    del raw["job"]["learners"]
    old = RunConfig.stored(json.dumps(raw))
    assert old.job.learners == (learner,)  # type: ignore[union-attr]
    assert run_id(old, "x") != run_id(new, "x")
    assert default_name(old).endswith("finetuned") == (learner == "finetune")


@pytest.mark.parametrize(
    ("learner", "finetune", "known"),
    [("linear", None, "10b9df05d06b"), ("finetune", FinetuneParams(), "d57d6de6be14")],  # as such versions made them
)
def test_a_run_of_an_earlier_version_keeps_its_id(learner: str, finetune: FinetuneParams | None, known: str) -> None:
    job = CompareJob(
        methods=("skmm", "uniform"), budgets=(4, 8), seeds=2, learners=(learner,), fixed_pool=True, finetune=finetune
    )
    assert run_id(RunConfig(dataset=DatasetConfig(source="digits"), job=job), "sha256:x") == known


def test_a_run_of_the_version_just_before_keeps_its_id() -> None:
    raw = json.dumps({
        "dataset": {"source": "digits"},
        "job": {"kind": "compare", "methods": ["skmm", "uniform"], "budgets": [20, 40], "fixed_pool": False},
    })  # fmt: skip
    assert run_id(RunConfig.stored(raw), "sha256:a") == "68f6d6e7b41d"


def test_every_selection_is_made_once_and_scored_under_every_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []
    original = registry.select

    def counted(pool: object, method: str, budget: int, **options: object) -> registry.Selection:
        calls.append((method, budget))
        return original(pool, method, budget, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("skmm_core.methods.select", counted)
    found = _compare(_dataset(), seeds=2, learners=())
    assert len(calls) == 2 * 2 * 2
    assert found.learner == "auto"
    assert set(found.by_learner) == set(ALL)
    for learner, each in found.by_learner.items():
        assert set(each.scores["learner"]) == {learner}
        assert len(each.scores) == 2 * 2 * 2 * 3
        assert set(each.full) == {"mae", "rmse", "r2"}
    assert set(found.scores["settled"]) <= set(ALL) - {"auto"}
    assert set(found.others["linear"].scores["settled"]) == {""}


def test_the_linear_learner_among_others_is_the_linear_probe_alone() -> None:
    alone, among = _compare(_dataset()), _compare(_dataset(), learners=())
    pd.testing.assert_frame_equal(alone.scores[SAME], among.others["linear"].scores[SAME].reset_index(drop=True))
    pd.testing.assert_frame_equal(alone.summary, among.others["linear"].summary)
    assert alone.savings == among.others["linear"].savings
    assert alone.full == among.others["linear"].full


def test_a_kill_in_the_middle_of_a_cell_leaves_cells_with_all_learners(tmp_path: Path) -> None:
    whole = _compare(_dataset(), learners=())
    path = tmp_path / SCORES_FILE
    _compare(_dataset(), folder=tmp_path, learners=())
    lines = path.read_text().splitlines(keepends=True)
    for kept in (len(lines) - 1, len(lines) - 5, len(lines) - 12, 2):  # within the rows of one cell
        path.write_text("".join(lines[:kept]) + "made, up")
        again = _compare(_dataset(), folder=tmp_path, learners=())
        for learner, each in whole.by_learner.items():
            pd.testing.assert_frame_equal(
                again.by_learner[learner].scores[SAME].reset_index(drop=True),
                each.scores[SAME].reset_index(drop=True),
            )
        cells = read_scores(tmp_path).groupby(["learner", "method", "budget", "seed", "metric"]).size()
        assert (cells == 1).all()


def test_full_scores_of_finished_learners_outlive_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skmm_core.probes import pool_learners

    original, asked = pool_learners.score_learner, []

    def watched(dataset: object, chosen: np.ndarray, learner: str, **options: object) -> object:
        asked.append(learner)
        if learner == "propagate" and len(asked) == 3:
            raise Cancelled
        return original(dataset, chosen, learner, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("skmm_core.probes.score_learner", watched)
    with pytest.raises(Cancelled):
        _compare(_dataset(), folder=tmp_path, learners=())
    assert set(json.loads((tmp_path / STATE_FILE).read_text())["full"]) == {"linear", "kernel"}
    _compare(_dataset(), folder=tmp_path, learners=())
    assert asked[3:5] == ["propagate", "auto"]


def test_a_folder_with_other_learners_is_refused(tmp_path: Path) -> None:
    _compare(_dataset(), folder=tmp_path, learners=("linear",))
    with pytest.raises(InputError, match="learners, or one about a fixed pool"):
        _compare(_dataset(), folder=tmp_path, learners=("linear", "propagate"))
    assert not _compare(_dataset(), folder=tmp_path, learners=("linear",)).others


def _as_earlier(folder: Path) -> None:
    """Make a folder of the linear probe alone what a version without learners left, with some cells to go."""
    path = folder / SCORES_FILE
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame[SCORE_COLUMNS + DRAW_COLUMNS].iloc[:-4].to_csv(path, index=False, lineterminator="\n")
    state = json.loads((folder / STATE_FILE).read_text())
    assert "learners" not in state["identity"]
    state["full"] = state["full"]["linear"]
    (folder / STATE_FILE).write_text(json.dumps(state))


def test_a_folder_of_one_learner_of_an_earlier_version_opens_and_goes_on(tmp_path: Path) -> None:
    whole = _compare(_dataset(), folder=tmp_path)
    _as_earlier(tmp_path)
    old = read_scores(tmp_path)
    assert list(old.columns) == SCORE_COLUMNS + DRAW_COLUMNS + LEARNER_COLUMNS
    assert set(old["learner"]) == {"linear"}
    assert set(read_scores(tmp_path, learner="finetune")["learner"]) == {"finetune"}
    again = _compare(_dataset(), folder=tmp_path)
    pd.testing.assert_frame_equal(again.scores[SAME], whole.scores[SAME])
    assert again.full == whole.full


def _scores(curves: dict[tuple[str, str], list[float]], seeds: int = 8, noise: float = 0.002) -> pd.DataFrame:
    """Accuracy by (learner, method) at 10, 20, 40, 80 points; auto settles on linear below 40, then on propagate."""
    random = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for (learner, method), values in curves.items():
            for budget, value in zip((10, 20, 40, 80), values, strict=True):
                settled = ("linear" if budget < 40 or seed == 0 else "propagate") if learner == "auto" else ""
                row = ["made", method, budget, seed, "accuracy", value + random.normal(0, noise), 0.1, "test", "", ""]
                rows.append([*row, learner, settled])
    return pd.DataFrame(rows, columns=SCORE_COLUMNS + DRAW_COLUMNS + LEARNER_COLUMNS)


CURVES = {
    ("linear", "uniform"): [0.5, 0.6, 0.7, 0.8],
    ("linear", "good"): [0.6, 0.7, 0.8, 0.9],
    ("linear", "same"): [0.5, 0.6, 0.7, 0.8],
    ("auto", "uniform"): [0.7, 0.75, 0.8, 0.85],
    ("auto", "good"): [0.7, 0.75, 0.8, 0.85],
    ("auto", "same"): [0.8, 0.85, 0.88, 0.9],
}


def test_statistics_are_computed_within_one_learner() -> None:
    scores = _scores(CURVES)
    found = summarise_learners(scores, {"linear": {"accuracy": 0.9}}, "classification")
    assert found.learner == "auto"
    for learner in ("auto", "linear"):
        alone = summarise(under_learner(scores, learner), {}, "classification")
        pd.testing.assert_frame_equal(found.by_learner[learner].summary, alone.summary)
        assert found.by_learner[learner].savings == alone.savings
    linear = found.others["linear"].summary.query("method == 'good' and budget == 20").iloc[0]
    assert linear["p_holm"] == pytest.approx(2 * 2 / 2**8), "two methods of one learner, not four of both"
    assert linear["vs_uniform"] == pytest.approx(0.1, abs=0.005)
    assert found.summary.query("method == 'good' and budget == 20").iloc[0]["vs_uniform"] == pytest.approx(0, abs=0.005)
    assert found.full == {}
    assert found.others["linear"].full == {"accuracy": 0.9}


def test_scores_of_several_learners_are_never_averaged() -> None:
    scores = _scores(CURVES)
    with pytest.raises(ValueError, match="scores of several learners"):
        ScoreTable(scores, "accuracy")
    with pytest.raises(ValueError, match="scores of several learners"):
        summarise(scores, {}, "classification")


def test_the_table_of_all_learners_names_the_best_under_each() -> None:
    table = summary_table(summarise_learners(_scores(CURVES), {}, "classification"))
    assert list(table["learner"].unique()) == ["auto", "linear"]
    assert len(table) == 2 * 3 * 4
    best = best_by_learner(table, ACCURACY, 20, ["uniform", "good", "same"])
    assert best == {"linear": ("good",), "auto": ("same",)}
    said = winners_sentence(best, {"good": "Good", "same": "Same"}, 20, ACCURACY, label_aware=False)
    assert said == ("First by mean accuracy at 20 points: Good with a linear probe; Same with the automatic learner.")
    one = winners_sentence({"linear": ("good",), "auto": ("good",)}, {}, 1, ACCURACY, label_aware=True)
    assert one == "Of those that see labels, first by mean accuracy at 1 point: good with every learner."
    assert winners_sentence({"auto": ("good",)}, {}, 20, ACCURACY, label_aware=False) == ""
    assert best_by_learner(table, ACCURACY, 20, ["good"]) == {}, "one method alone is first of nothing"


def test_methods_with_one_mean_are_level() -> None:
    curves = {(key, name): [0.5, 0.6, 0.7, 0.8] for key in ("linear", "auto") for name in ("uniform", "good", "same")}
    table = summary_table(summarise_learners(_scores(curves, noise=0), {}, "classification"))
    best = best_by_learner(table, ACCURACY, 20, ["uniform", "good", "same"])
    assert {frozenset(each) for each in best.values()} == {frozenset({"uniform", "good", "same"})}
    assert winners_sentence({"linear": ("a", "b", "c"), "auto": ("a",)}, {}, 20, ACCURACY, label_aware=False) == (
        "First by mean accuracy at 20 points: a, b and c, which are level, with a linear probe; "
        "a with the automatic learner."
    )


def test_what_picks_and_learner_save_together_is_read_off_random_picks_with_a_linear_probe() -> None:
    rows = against_linear(_scores(CURVES), "auto", "classification")
    row = {(each["method"], each["budget"]): each for each in rows}
    good = row["good", 10]  # 0.7, which uniform with a linear probe has at 40
    assert good["factor"] == pytest.approx(4, rel=0.05)
    assert good["lo"] < 4 < good["hi"]
    assert good["difference"] == pytest.approx(0.2, abs=0.005)
    assert good["p_holm"] == pytest.approx(3 * 2 / 2**8), "corrected over all three methods, uniform too"
    assert not good["tie"]
    assert good["text"].startswith("With the automatic learner, 10 points reach accuracy 70.")
    assert "uniform with a linear probe needs about 4" in good["text"]
    assert row["uniform", 10]["factor"] == pytest.approx(4, rel=0.05)
    assert row["same", 20]["relation"] == "more than"
    assert against_linear(_scores(CURVES), "linear", "classification") == []
    only = under_learner(_scores(CURVES), "auto")
    assert against_linear(only, "auto", "classification") == []
    apart = against_linear(_scores(CURVES), "auto", "classification", label_aware=["same"])
    assert next(each for each in apart if each["method"] == "good")["p_holm"] == pytest.approx(2 * 2 / 2**8)


def test_pairs_with_the_linear_probe_are_of_the_same_seed() -> None:
    scores = _scores(CURVES, noise=0.05).assign(pool="20/200/8")  # a part for each seed
    lift = scores["seed"] * 0.1  # what both sides share goes out of the difference
    plain = against_linear(scores, "auto", "classification")
    lifted = against_linear(scores.assign(value=scores["value"] + lift), "auto", "classification")
    for one, other in zip(plain, lifted, strict=True):
        assert one["difference"] == pytest.approx(other["difference"])
        assert one["difference_lo"] == pytest.approx(other["difference_lo"])


def test_how_often_auto_settled_is_counted_by_selection() -> None:
    counts = settled_counts(_scores(CURVES))
    assert counts == {
        10: {"linear": 24},
        20: {"linear": 24},
        40: {"linear": 3, "propagate": 21},
        80: {"linear": 3, "propagate": 21},
    }
    said = settled_sentence(counts, "classification")
    assert said.startswith("What the automatic learner settled on, without any test row: at 10 points linear probe 24")
    assert "at 40 points propagation 21, linear probe 3 of 24; at 80 points" in said
    assert settled_sentence(json.loads(json.dumps(counts)), "classification") == said
    assert settled_sentence({1: {"linear": 4}}, "regression") == (
        "What weighed more in the automatic learner, without any test row: at 1 point linear probe 4 of 4."
    )
    assert settled_counts(_scores({key: CURVES[key] for key in CURVES if key[0] == "linear"})) == {}
    assert settled_sentence({}, "classification") == ""


def test_learners_are_the_same_in_whatever_order_they_are_typed() -> None:
    one, other = (
        CompareJob(methods=("uniform",), budgets=(2,), learners=learners)
        for learners in (("propagate", "linear", "linear"), ("linear", "propagate"))
    )
    assert one == other
    every = tuple(learner.key for learner in LEARNERS if learner.key != "finetune")
    assert CompareJob(methods=("uniform",), budgets=(2,), learners=every[::-1]).learners == every


WORDS = ["compare", "--dataset", "diabetes", "--methods", "k_center", "--budgets", "10,20", "--seeds", "2", "--quiet"]


def test_the_command_scores_under_the_learners_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "some"
    assert main([*WORDS, "--learner", "propagate,linear", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Under the learner linear, of linear, propagate:" in said
    result = read_result(out)
    assert result["learners"] == ["linear", "propagate"]
    assert result["full"] == result["by_learner"]["linear"]["full"]
    assert result["savings"] == result["by_learner"]["linear"]["savings"]
    rows = result["by_learner"]["propagate"]["against_linear"]
    assert {(row["method"], row["budget"]) for row in rows} == {
        (m, b) for m in ("k_center", "uniform") for b in (10, 20)
    }
    assert result["by_learner"]["linear"]["against_linear"] == []
    assert result["settled"] == {}
    assert set(pd.read_csv(out / "summary.csv")["learner"]) == {"linear", "propagate"}
    assert "--learner linear,propagate" in result["command"]
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Which picks come first under which learner?" in report
    assert "Propagation: A fit on rows smoothed" in report


def test_the_command_without_learners_scores_under_all_that_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, "--out", str(tmp_path / "all")]) == 0
    said = capsys.readouterr().out
    result = read_result(tmp_path / "all")
    assert (result["learner"], result["learners"]) == ("auto", list(ALL))
    assert sum(sum(found.values()) for found in result["settled"].values()) == 2 * 2 * 2
    assert "What weighed more in the automatic learner, without any test row: at 10 points" in said
    assert "uniform with a linear probe needs" in said


def test_other_learners_in_a_folder_are_refused_with_those_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "some")
    assert main([*WORDS, "--learner", "propagate,linear", "--out", out]) == 0
    for words in (["--learner", "linear"], []):
        assert main([*WORDS, *words, "--out", out]) == 2
        assert "scored under linear,propagate alone, with --learner linear,propagate" in capsys.readouterr().err
    every = str(tmp_path / "every")
    assert main([*WORDS, "--out", every]) == 0
    assert main([*WORDS, "--learner", "linear", "--out", every]) == 2
    assert "is scored under every learner that fits, with no --learner" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--learner", "guess"], "learner 'guess' is unknown; there are linear, prototype"),
        (["--learner", "prototype"], "learner prototype does not fit a regression"),
        (["--learner", ","], "--learner is empty"),
    ],
)
def test_learners_that_are_not_there_are_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, *words, "--out", str(tmp_path / "bad")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "bad").exists()


def test_a_folder_of_an_earlier_version_says_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "old"
    assert main([*WORDS, "--learner", "linear", "--out", str(out)]) == 0
    first = read_result(out)
    _as_earlier(out)
    stored = json.loads((out / "config.json").read_text())
    del stored["job"]["learners"]
    (out / "config.json").write_text(json.dumps(stored))
    (out / "result.json").unlink()
    assert main([*WORDS, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert "or continue this one, which is scored under linear alone, with --learner linear" in err
    assert main([*WORDS, "--learner", "linear", "--out", str(out)]) == 0
    assert read_result(out)["savings"] == first["savings"]
    assert read_config(out).job.learners == ("linear",)  # type: ignore[union-attr]


def test_the_listing_names_every_learner(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learners", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["learners"]
    assert [each["key"] for each in listed] == [each.key for each in LEARNERS]
    assert main(["learners"]) == 0
    assert "propagate" in capsys.readouterr().out


def test_a_result_of_an_earlier_version_gets_its_report(tmp_path: Path) -> None:
    from skmm_core.jobs.execute import execute
    from skmm_core.report import write_report

    job = CompareJob(methods=("k_center",), budgets=(10,), seeds=2, learners=("linear",), fixed_pool=True)
    write_config(tmp_path, RunConfig(dataset=DatasetConfig(source="diabetes"), job=job))
    execute(tmp_path)
    result = read_result(tmp_path)
    for key in ("learner", "learners", "by_learner", "settled"):
        del result[key]
    pd.read_csv(tmp_path / "summary.csv").drop(columns="learner").to_csv(tmp_path / "summary.csv", index=False)
    write_report(tmp_path, read_config(tmp_path), result)
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Linear probe: a ridge probe on the chosen points alone" in report
    assert "under which learner" not in report
