"""What a comparison promises: every cell, fair pairs, honest spread, resumable at any moment."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from skmm_core import methods as registry
from skmm_core.comparison import cells as compare_module
from skmm_core.comparison.cells import compare
from skmm_core.comparison.score_log import SCORES_FILE, read_scores
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.summary import SUMMARY_COLUMNS, Comparison
from skmm_core.config import CompareJob, SketchParams
from skmm_core.data.dataset import Dataset, Split, Task
from skmm_core.errors import Cancelled, InputError
from skmm_core.progress import Eta, Progress, ignore

SKETCH = SketchParams(dim=4)


def _dataset(task: Task = Task.REGRESSION, *, test: int = 40, targets: bool = True, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(60 + test, 8))
    values = features @ rng.normal(size=8) + rng.normal(0, 0.5, len(features))
    classes = task is Task.CLASSIFICATION
    wanted = torch.tensor((values > 0).astype(int) if classes else values.astype(np.float32))
    rows = torch.arange(len(features))
    return Dataset(
        name="made, up",
        task=task,
        features=torch.tensor(features, dtype=torch.float32),
        targets=wanted if targets else None,
        ids=tuple(map(str, range(len(features)))),
        rows=rows,
        split=Split(rows[:60], rows[:0], rows[60:]),
        fingerprint=f"sha256:{seed}{task}",
        source="made",
        class_names=("no", "yes") if classes else (),
    )


def _compare(
    dataset: Dataset,
    methods: tuple[str, ...] = ("herding",),
    budgets: tuple[int, ...] = (5, 10),
    seeds: int = 3,
    *,
    sketch: SketchParams = SKETCH,
    folder: Path | None = None,
    report: Callable[[Progress], None] = ignore,
    params: dict[str, dict[str, object]] | None = None,
) -> Comparison:
    job = CompareJob(methods=methods, budgets=budgets, seeds=seeds, params=params or {})
    return compare(dataset, job, sketch=sketch, device="cpu", folder=folder, report=report)


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.CLASSIFICATION])
def test_every_cell_has_every_metric_once_and_uniform_is_added(task: Task, tmp_path: Path) -> None:
    found = _compare(_dataset(task), budgets=(10, 5, 10), folder=tmp_path)
    metrics = ["mae", "rmse", "r2"] if task is Task.REGRESSION else ["accuracy", "macro_f1"]
    cells = {(m, b, s, k) for m in ("herding", "uniform") for b in (5, 10) for s in range(3) for k in metrics}
    rows = found.scores
    assert list(rows.columns) == SCORE_COLUMNS
    assert {tuple(row) for row in rows[["method", "budget", "seed", "metric"]].to_numpy()} == cells
    assert len(rows) == len(cells)
    assert set(rows["split"]) == {"test"}
    assert list(found.full) == metrics
    assert list(found.summary.columns) == SUMMARY_COLUMNS
    assert len(found.summary) == 2 * 2 * len(metrics)
    pd.testing.assert_frame_equal(read_scores(tmp_path), rows, check_dtype=False)


def test_same_job_gives_the_same_scores() -> None:
    first, second = (_compare(_dataset(), ("leverage",)).scores for _ in range(2))
    pd.testing.assert_series_equal(first["value"], second["value"])
    assert first.groupby(["method", "budget", "metric"])["value"].nunique().min() > 1


def test_summary_pairs_by_seed() -> None:
    found = _compare(_dataset(), ("leverage",), seeds=4)
    row = found.summary.query("method == 'leverage' and budget == 10 and metric == 'mae'").iloc[0]
    mae = found.scores.query("budget == 10 and metric == 'mae'").pivot_table(
        index="seed", columns="method", values="value"
    )
    difference = mae["leverage"] - mae["uniform"]
    assert row["mean"] == pytest.approx(mae["leverage"].mean())
    assert row["sd"] == pytest.approx(mae["leverage"].std())
    assert row["vs_uniform"] == pytest.approx(difference.mean())
    assert row["vs_lo"] <= row["vs_uniform"] <= row["vs_hi"]
    assert row["wins"] == (difference < 0).sum()
    uniform = found.summary.query("method == 'uniform'")
    assert uniform[["vs_uniform", "vs_lo", "vs_hi", "wins", "p_holm"]].isna().all(axis=None)


def test_deterministic_method_without_sketch_runs_once_and_gets_no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = registry.select

    def counted(pool: object, method: str, *args: object, **kwargs: object) -> registry.Selection:
        calls.append(method)
        return original(pool, method, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "select", counted)
    found = _compare(_dataset(), sketch=SketchParams(kind="none"))
    assert calls.count("herding") == 2  # one a budget
    assert calls.count("uniform") == 6
    assert found.fixed == ("herding",)
    rows = found.summary[found.summary["method"] == "herding"]
    assert rows["sd"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert (rows["hi"] - rows["lo"]).to_numpy() == pytest.approx(0, abs=1e-12)
    assert (rows["vs_lo"] < rows["vs_hi"]).all()  # uniform's own spread stays


def test_phase_names_the_cell_and_the_steps_count_on_to_the_end() -> None:
    told: list[Progress] = []
    _compare(_dataset(), report=told.append)
    assert told[0].phase == "Scoring the whole pool"
    assert any(progress.phase == "Scoring herding at 10, seed 2" for progress in told)
    assert {progress.total for progress in told} == {13}
    steps = [progress.step for progress in told]
    assert steps == sorted(steps)
    assert steps[-1] == 13
    clock = iter(range(10_000))
    eta = Eta(lambda: float(next(clock)))
    lefts = [eta(progress) for progress in told]
    assert lefts[-1] == 0.0
    assert all(left is not None for left in lefts[len(lefts) // 2 :])


def test_cancel_stops_within_a_cell_and_the_next_call_continues(tmp_path: Path) -> None:
    dataset = _dataset()

    def stop(progress: Progress) -> None:
        if progress.phase == "Scoring uniform at 5, seed 1":
            raise Cancelled

    with pytest.raises(Cancelled):
        _compare(dataset, folder=tmp_path, report=stop)
    before = (tmp_path / SCORES_FILE).read_text()
    assert len(read_scores(tmp_path)) == 5 * 3
    told: list[str] = []
    resumed = _compare(dataset, folder=tmp_path, report=lambda progress: told.append(progress.phase))
    assert (tmp_path / SCORES_FILE).read_text().startswith(before)
    assert "Scoring the whole pool" not in told
    fresh = _compare(dataset)
    columns = [name for name in SCORE_COLUMNS if name != "seconds"]
    pd.testing.assert_frame_equal(resumed.scores[columns], fresh.scores[columns])
    assert resumed.full == fresh.full


def test_time_left_of_a_continued_comparison_counts_only_what_it_computes_itself(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 7:
            raise Cancelled

    with pytest.raises(Cancelled):
        _compare(_dataset(), folder=tmp_path, report=stop)
    first: list[int] = []
    _compare(_dataset(), folder=tmp_path, report=lambda progress: first.append(progress.step))
    assert first[0] == 7, "cells of the earlier call were reported as if they took no time"


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_torn_last_line_is_dropped_and_its_cell_runs_again(tmp_path: Path, cut: int) -> None:
    whole = _compare(_dataset(), folder=tmp_path)
    path = tmp_path / SCORES_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(read_scores(tmp_path)) == len(whole.scores) - 1
    again = _compare(_dataset(), folder=tmp_path)
    columns = [name for name in SCORE_COLUMNS if name != "seconds"]
    pd.testing.assert_frame_equal(again.scores[columns], whole.scores[columns])
    pd.testing.assert_frame_equal(read_scores(tmp_path)[columns], whole.scores[columns])


def test_finished_comparison_computes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _compare(_dataset(), folder=tmp_path)
    monkeypatch.setattr(compare_module, "_Runner", lambda *args: None)
    again = _compare(_dataset(), budgets=(10, 5), folder=tmp_path)
    pd.testing.assert_frame_equal(again.summary, first.summary)


def test_folder_of_another_comparison_is_refused(tmp_path: Path) -> None:
    _compare(_dataset(), folder=tmp_path)
    for other in (
        lambda: _compare(_dataset(seed=1), folder=tmp_path),
        lambda: _compare(_dataset(), seeds=4, folder=tmp_path),
        lambda: _compare(_dataset(), budgets=(5,), folder=tmp_path),
        lambda: _compare(_dataset(), ("leverage",), folder=tmp_path),
        lambda: _compare(_dataset(), sketch=SketchParams(dim=5), folder=tmp_path),
    ):
        with pytest.raises(InputError, match="holds the scores of another comparison"):
            other()
    (tmp_path / "compare.json").unlink()
    with pytest.raises(InputError, match="holds the scores of another comparison"):
        _compare(_dataset(), folder=tmp_path)


def test_foreign_and_damaged_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / SCORES_FILE).write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="not a score file"):
        _compare(_dataset(), folder=tmp_path)
    (tmp_path / SCORES_FILE).unlink()
    (tmp_path / "compare.json").write_text("{")
    with pytest.raises(InputError, match=r"compare\.json: unreadable"):
        _compare(_dataset(), folder=tmp_path)


def test_scores_are_empty_before_the_first_cell(tmp_path: Path) -> None:
    rows = read_scores(tmp_path)
    assert rows.empty
    assert list(rows.columns) == SCORE_COLUMNS
    (tmp_path / SCORES_FILE).write_text("dataset,met")
    assert read_scores(tmp_path).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budgets": (5, 61)}, r"budget 61 is outside 1\.\.60"),
        ({"budgets": (0,)}, r"budget 0 is outside 1\.\.60"),
        ({"budgets": ()}, "at least one method and one budget"),
        ({"methods": ("nonsense",)}, "method 'nonsense' is unknown"),
        ({"params": {"leverage": {}}}, "'leverage', which is not among the methods: herding, uniform"),
        ({"params": {"herding": {"speed": 1}}}, "herding param 'speed'"),
    ],
)
def test_impossible_jobs_are_refused_before_anything_runs(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        _compare(_dataset(), folder=tmp_path, **change)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_datasets_that_cannot_be_compared_say_what_to_add() -> None:
    with pytest.raises(InputError, match=r"no test rows to score on; hold some out \(--holdout 0\.2\)"):
        _compare(_dataset(test=0))
    with pytest.raises(InputError, match=r"no targets to score with; add a target column \(--target\)"):
        _compare(_dataset(targets=False))


def test_methods_that_miss_something_are_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry.MethodSpec,
        "missing",
        lambda spec, task: "Herding needs class labels" if spec.key == "herding" else None,
    )
    found = _compare(_dataset())
    assert found.left_out == {"herding": "Herding needs class labels"}
    assert set(found.scores["method"]) == {"uniform"}


def test_whole_pool_and_single_point_are_valid_budgets() -> None:
    found = _compare(_dataset(), ("uniform",), budgets=(1, 60), seeds=2)
    full = found.summary.query("budget == 60 and metric == 'mae'")["mean"].iloc[0]
    assert full == pytest.approx(found.full["mae"], rel=1e-4)
    assert math.isfinite(found.summary.query("budget == 1 and metric == 'mae'")["mean"].iloc[0])


def test_results_are_plain_json(tmp_path: Path) -> None:
    found = _compare(_dataset(), folder=tmp_path)
    assert json.loads(json.dumps({"full": found.full, "savings": found.savings}, allow_nan=False))


def test_methods_that_see_classes_are_joined_by_uniform_within_classes() -> None:
    found = _compare(_dataset(Task.CLASSIFICATION), ("herding", "el2n"), seeds=2)
    assert set(found.scores["method"]) == {"herding", "el2n", "uniform", "uniform_stratified"}
    assert set(_compare(_dataset(Task.CLASSIFICATION), seeds=1).scores["method"]) == {"herding", "uniform"}
    stratified = _compare(_dataset(Task.CLASSIFICATION), ("skmm",), seeds=1, params={"skmm": {"stratify": True}})
    assert "uniform_stratified" in set(stratified.scores["method"])
    assert "uniform_stratified" not in set(_compare(_dataset(), ("skmm_joint",), seeds=1).scores["method"])
