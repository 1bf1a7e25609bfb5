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
from skmm_core.comparison.pool_parts import overlap, part_of, parts_at, test_blocks as blocks_of
from skmm_core.comparison.score_log import SCORES_FILE, read_scores
from skmm_core.comparison.score_table import DRAW_COLUMNS, LEARNER_COLUMNS, SCORE_COLUMNS
from skmm_core.comparison.summary import SUMMARY_COLUMNS, Comparison
from skmm_core.config import CompareJob, SketchParams
from skmm_core.data.dataset import Dataset, Split
from skmm_core.data.task import Task
from skmm_core.errors import Cancelled, InputError
from skmm_core.pool import Pool
from skmm_core.probes import linear_probe
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
    fixed_pool: bool = False,
    learners: tuple[str, ...] = ("linear",),
) -> Comparison:
    job = CompareJob(
        methods=methods, budgets=budgets, seeds=seeds, params=params or {}, fixed_pool=fixed_pool, learners=learners
    )
    return compare(dataset, job, sketch=sketch, device="cpu", folder=folder, report=report)


@pytest.mark.parametrize("task", [Task.REGRESSION, Task.CLASSIFICATION])
def test_every_cell_has_every_metric_once_and_uniform_is_added(task: Task, tmp_path: Path) -> None:
    found = _compare(_dataset(task), budgets=(10, 5, 10), folder=tmp_path)
    metrics = ["mae", "rmse", "r2"] if task is Task.REGRESSION else ["accuracy", "macro_f1"]
    cells = {(m, b, s, k) for m in ("herding", "uniform") for b in (5, 10) for s in range(3) for k in metrics}
    rows = found.scores
    assert list(rows.columns) == SCORE_COLUMNS + DRAW_COLUMNS + LEARNER_COLUMNS
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
    found = _compare(_dataset(), ("leverage",), seeds=5)
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


def test_deterministic_method_on_one_pool_without_sketch_runs_once_and_gets_no_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    original = registry.select

    def counted(pool: object, method: str, *args: object, **kwargs: object) -> registry.Selection:
        calls.append(method)
        return original(pool, method, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "select", counted)
    found = _compare(_dataset(), seeds=5, sketch=SketchParams(kind="none"), fixed_pool=True)
    assert calls.count("herding") == 2  # one a budget
    assert calls.count("uniform") == 10
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
        lambda: _compare(_dataset(), fixed_pool=True, folder=tmp_path),
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
    assert list(rows.columns) == SCORE_COLUMNS + DRAW_COLUMNS + LEARNER_COLUMNS
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
        lambda spec, task, partly=False: "Herding needs class labels" if spec.key == "herding" else None,
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


def test_each_seed_picks_from_a_part_of_the_pool_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pools: dict[tuple[int, int], set[float]] = {}
    original = registry.select

    def watched(pool: Pool, method: str, budget: int, **options: object) -> registry.Selection:
        pools[budget, pool.seed] = set(pool.gradients[:, 0].tolist())  # no two rows share a number
        return original(pool, method, budget, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "select", watched)
    found = _compare(_dataset(), ("herding",), budgets=(5, 20, 40), seeds=4)
    for budget, parts, rows in ((5, 4, 15), (20, 2, 30), (40, 1, 60)):
        mine = [pools[budget, seed] for seed in range(4)]
        assert {len(pool) for pool in mine} == {rows}
        common = {(a, b): len(mine[a] & mine[b]) for a in range(4) for b in range(a)}
        assert all(count == 0 for (a, b), count in common.items() if a // parts == b // parts and parts > 1)
        texts = set(found.scores.loc[found.scores["budget"] == budget, "pool"])
        assert texts == ({""} if parts == 1 else {f"{rows}/60/{parts}"})
    assert "its own 15 to 30 of the 60 rows" in found.claim
    assert "At 40 points, more than half of the pool, all seeds share it" in found.claim


def test_methods_of_one_seed_and_budget_pick_from_the_same_part() -> None:
    picked = _compare(_dataset(), ("herding", "leverage"), budgets=(15,), seeds=4).scores
    assert set(picked["pool"]) == {"30/60/2"}
    alone = _compare(_dataset(), ("leverage",), budgets=(15,), seeds=4).scores
    columns = ["seed", "metric", "value"]
    pd.testing.assert_frame_equal(
        picked.query("method == 'leverage'")[columns].reset_index(drop=True),
        alone.query("method == 'leverage'")[columns].reset_index(drop=True),
    )


def test_scores_without_a_block_of_test_rows_are_those_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = _dataset(test=23)
    made: list[np.ndarray] = []
    original = linear_probe.regression_metrics

    def watched(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        made.append(predicted)
        return original(truth, predicted)

    monkeypatch.setattr(linear_probe, "regression_metrics", watched)
    found = _compare(dataset, ("uniform",), budgets=(15,), seeds=2).scores
    truth = dataset.targets[60:].double().numpy()  # type: ignore[index]
    blocks = blocks_of(23)
    assert sorted(np.concatenate(blocks).tolist()) == list(range(23))
    assert len(blocks) == 10
    for seed in range(2):
        text = found.query(f"seed == {seed} and metric == 'mae'")["left_out"].iloc[0]
        error = np.abs(made[1 + seed] - truth)  # the first is of the whole pool
        expected = [np.delete(error, block).mean() for block in blocks]
        assert [float(word) for word in text.split()] == pytest.approx(expected, rel=1e-8)


def test_parts_hold_twice_the_budget_while_they_can_and_share_rows_as_told() -> None:
    assert [parts_at(1078, budget, 8) for budget in (20, 67, 68, 160, 270, 539, 540, 1078)] == [8, 8, 7, 3, 2, 2, 1, 1]
    assert parts_at(1000, 10, 1) == 1, "one seed alone has nothing to be told from"
    assert overlap(4, range(4)) == 0
    assert overlap(2, range(4)) == pytest.approx((4 / 6) / 2)  # four of six pairs are of two cuts
    for parts, seeds in ((2, 8), (3, 8), (5, 8)):
        mine = [set(part_of(3000, parts, seed).tolist()) for seed in range(seeds)]
        shares = [len(mine[a] & mine[b]) / len(mine[a]) for a in range(seeds) for b in range(a)]
        assert np.mean(shares) == pytest.approx(overlap(parts, range(seeds)), abs=0.02)


def test_cells_of_earlier_versions_open_and_go_on_as_one_about_a_fixed_pool(tmp_path: Path) -> None:
    whole = _compare(_dataset(), folder=tmp_path, fixed_pool=True)
    assert "very pool" in whole.claim
    path = tmp_path / SCORES_FILE
    lines = path.read_text().splitlines()
    assert all(line.endswith(",,,linear,") for line in lines[1:])
    head = lines[0].removesuffix(",pool,left_out,learner,settled")
    old = [head, *(line.removesuffix(",,,linear,") for line in lines[1:-4])]
    path.write_text("\n".join(old) + "\n")  # as an earlier version left it, with some cells to go
    assert len(read_scores(tmp_path)) == len(whole.scores) - 4
    with pytest.raises(InputError, match="holds the scores of another comparison"):
        _compare(_dataset(), folder=tmp_path)
    again = _compare(_dataset(), folder=tmp_path, fixed_pool=True)
    columns = [name for name in SCORE_COLUMNS if name != "seconds"]
    pd.testing.assert_frame_equal(again.scores[columns], whole.scores[columns])


def test_a_continued_comparison_sketches_as_the_first_seed_did(tmp_path: Path) -> None:
    """The size of the sketch is settled by seed 0 also where its cells are there already."""
    free = SketchParams()
    whole = _compare(_dataset(), ("skmm",), sketch=free)

    def stop(progress: Progress) -> None:
        if progress.phase.endswith("seed 1"):
            raise Cancelled

    with pytest.raises(Cancelled):
        _compare(_dataset(), ("skmm",), sketch=free, folder=tmp_path, report=stop)
    again = _compare(_dataset(), ("skmm",), sketch=free, folder=tmp_path)
    assert again.scores["value"].tolist() == whole.scores["value"].tolist()


def test_the_answer_does_not_change_with_the_number_of_other_methods_or_budgets() -> None:
    one = _compare(_dataset(), ("herding",), budgets=(5,), seeds=5).summary.query("method == 'herding'")
    many = _compare(_dataset(), ("herding", "leverage"), budgets=(5, 40), seeds=5).summary.query("method == 'herding'")
    columns = ["metric", "mean", "lo", "hi", "vs_uniform", "vs_lo", "vs_hi"]
    pd.testing.assert_frame_equal(
        one[columns].reset_index(drop=True), many.query("budget == 5")[columns].reset_index(drop=True)
    )
