"""Score several methods at several budgets over several seeds, cell by cell, so that nothing finished is ever lost.

A cell is (method, budget, seed): it selects once, and is scored under every learner. Unless the comparison is about one
fixed pool, each seed picks from a part of the pool of its own (see `pool_parts`). All methods of one seed and budget
share that part and one sketch, and each seed pairs a method with uniform. Torch is imported only when cells are
computed: :func:`summarise` serves pages without it.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from skmm_core.comparison.by_learner import summarise_learners
from skmm_core.comparison.cell_plan import FEATURES, CellPlan, identity_of, plan_cells
from skmm_core.comparison.pool_parts import Rows, part_of, parts_at, test_blocks
from skmm_core.comparison.score_log import Cell, ScoreLog, read_scores
from skmm_core.comparison.score_table import SCORE_COLUMNS, PoolPart
from skmm_core.comparison.summary import Comparison, summarise
from skmm_core.config import CompareJob, GradientParams, SketchParams
from skmm_core.probes import FINETUNE, METRICS, primary_metric, scores_of
from skmm_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.comparison.replay import Picked, Replay
    from skmm_core.data import Dataset
    from skmm_core.methods import MethodSpec, Selection
    from skmm_core.pool import Pool

    # dataset, chosen points of its pool, learner, seed, report -> what was predicted for the test rows
    _Probe = Callable[[Dataset, Tensor, str, int, Report], "Scored"]

_FINETUNING = "finetuning"  # folder of the checkpoint of the cell at work

__all__ = ["SCORE_COLUMNS", "Comparison", "compare", "primary_metric", "read_scores", "summarise"]


def compare(
    dataset: "Dataset",
    job: CompareJob,
    *,
    sketch: SketchParams,
    gradient: GradientParams = FEATURES,
    warm_up_rows: int | None = None,
    device: str,
    folder: Path | None = None,
    report: Report = ignore,
) -> Comparison:
    """Select and score every cell that is not finished yet, then summarise.

    Uniform is added when it is not among the methods, since all others are paired with it, and so is class-stratified
    uniform when some method sees the classes of the pool. On one fixed pool a method that is not random
    runs once for all seeds when gradients are features and there is no sketch either; its scores then have no spread,
    and are not given any. The full-data score is that of a learner on the whole pool in any case.

    Args:
        dataset: with targets and test rows.
        job: methods, budgets, number of seeds and params; repeated methods and budgets count once.
        sketch: how gradients are sketched; its size is settled once, for all seeds.
        gradient: what stands for a row when moments are matched.
        warm_up_rows: labelled rows that train the warm-up head, or None for its default.
        device: where to compute.
        folder: where finished cells are kept (scores.csv, compare.json); called again, the job continues there.
        report: told of every cell; raise Cancelled from it to stop.

    Returns:
        The comparison under the main learner; those under the others are in `others`.

    Raises:
        InputError: no targets or test rows, an unknown method or param, a budget outside 1..N, a learner that does not
            fit the task, or a folder that holds another comparison.
        Cancelled: raised by `report`; finished cells stay in the folder.
    """
    import torch

    from skmm_core.probes import check_scorable

    check_scorable(dataset)
    plan = plan_cells(dataset, job, gradient, warm_up_rows)
    metrics = [metric.key for metric in METRICS[dataset.task.value]]
    identity = identity_of(dataset, plan, sketch, gradient, warm_up_rows)
    log = ScoreLog(folder, identity, metrics, learners=plan.learners)
    total = 1 + len(plan.specs) * len(plan.budgets) * job.seeds
    probe = _probe(dataset, job, device, folder, report)
    for learner in plan.learners:
        if learner not in log.full:
            told = _counting(report, "Scoring the whole pool", 0, total)
            log.set_full(learner, probe(dataset, torch.arange(dataset.pool_size), learner, 0, told).metrics)
    runner = _Runner(dataset, plan, log, probe, sketch, gradient, warm_up_rows, device)
    for seed in range(job.seeds):
        for position, cell in enumerate(plan.cells(seed)):
            if cell in log.done:  # not reported: cells of an earlier call would make the pace look faster than it is
                continue
            step = 1 + seed * len(plan.specs) * len(plan.budgets) + position
            method, budget, _ = cell
            phase = f"Scoring {method} at {budget}, seed {seed}"
            report(Progress(phase, step, total))
            log.add(runner.run(cell, _counting(report, phase, step, total)))
    report(Progress("Scoring finished", total, total))
    task = dataset.task.value
    return summarise_learners(log.scores, log.full, task, left_out=plan.left_out, label_aware=plan.label_aware)


class Scored(Protocol):
    """What every learner gives."""

    @property
    def metrics(self) -> dict[str, float]:
        """Test scores."""

    @property
    def predicted(self) -> Any:
        """(T,) predictions for the test rows."""

    @property
    def settled(self) -> str:
        """The learner that auto chose, else empty."""


def _probe(dataset: "Dataset", job: CompareJob, device: str, folder: Path | None, report: Report) -> "_Probe":
    """What turns a selection, a learner, a seed and a report into test scores."""
    from skmm_core.probes import finetune_probe, score_learner

    network = None if job.finetune is None else finetune_probe(dataset, job.finetune, device=device, report=report)
    work = None if folder is None else folder / _FINETUNING

    def score(part: "Dataset", chosen: "Tensor", learner: str, seed: int, told: Report) -> Scored:
        if learner == FINETUNE and network is not None:
            trained = dataclasses.replace(network, dataset=part)
            return trained.score_cell(chosen, seed=seed, work=work, report=told)
        # one seed for the inner folds: the learner is the same for every cell, only the selection differs
        return score_learner(part, chosen, learner, seed=0, report=told)

    return score


def _counting(report: Report, phase: str, step: int, total: int) -> Report:
    """Pass reports of the work inside a cell on as beats of the cell: the same phase and step, so the ETA counts on."""

    def told(progress: Progress) -> None:
        report(Progress(phase, step, total))

    return told


class _Runner:
    """Computes cells; keeps the pool of the current seed and budget, and what deterministic methods found."""

    def __init__(
        self,
        dataset: "Dataset",
        plan: CellPlan,
        log: ScoreLog,
        probe: "_Probe",
        sketch: SketchParams,
        gradient: GradientParams,
        warm_up_rows: int | None,
        device: str,
    ) -> None:
        self._dataset, self._plan, self._log, self._device = dataset, plan, log, device
        self._probe = probe
        self._sketch, self._gradient, self._warm_up_rows = sketch, gradient, warm_up_rows
        self._settled = False
        self._replay: Replay | None = None  # of the pool that is kept, in rounds
        self._kept: tuple[int, int] | None = None  # seed and number of parts that the pool and its dataset belong to
        self._blocks = test_blocks(len(dataset.split.test))

    def run(self, cell: Cell, report: Report) -> list[dict[str, Any]]:
        """Rows of one cell."""
        method, budget, seed = cell
        spec, parts = self._plan.specs[method], self._parts_at(budget)
        dataset, pool = self._pool_of(seed, parts, report)
        drawn = pool.sketch.kind != "none" or self._gradient.kind != "features" or FINETUNE in self._plan.learners
        if parts == 1 and not spec.random and not drawn:
            for earlier in range(self._plan.job.seeds):
                if (method, budget, earlier) in self._log.done:
                    return [row | {"seed": seed} for row in self._log.rows((method, budget, earlier))]
        selection = self._pick(spec, budget, seed, report)
        common = {"dataset": self._dataset.name, "method": method, "budget": budget, "seed": seed}
        pool_text = "" if parts == 1 else str(PoolPart(dataset.pool_size, self._dataset.pool_size, parts))
        tail = {"seconds": round(selection.seconds, 6), "split": "test", "pool": pool_text}
        rows = []
        for learner in self._plan.learners:
            scores = self._probe(dataset, selection.indices, learner, seed, report)
            left_out = {} if parts == 1 else self._left_out(scores.predicted)
            last = {"learner": learner, "settled": scores.settled}
            rows += [
                common | {"metric": key, "value": value} | tail | {"left_out": left_out.get(key, "")} | last
                for key, value in scores.metrics.items()
            ]
        return rows

    def _parts_at(self, budget: int) -> int:
        """Parts that the pool is cut into; in rounds those of the last, so that all rounds pick from one part."""
        if self._plan.job.fixed_pool:
            return 1
        most = budget if self._plan.job.rounds == 1 else self._plan.budgets[-1]
        return parts_at(self._dataset.pool_size, most, self._plan.job.seeds)

    def _pick(self, spec: "MethodSpec", budget: int, seed: int, report: Report) -> "Selection | Picked":
        """The points of a cell, from the pool that is kept."""
        from skmm_core.methods import select

        if self._replay is not None:
            return self._replay.picks(spec, budget, report)
        params = self._plan.job.params.get(spec.key)
        return select(self._pool, spec.key, budget, params=params, seed=seed, report=report)

    def _left_out(self, predicted: Any) -> dict[str, str]:
        """By metric, the scores without each block of test rows in turn."""
        targets = self._dataset.targets
        if targets is None or not self._blocks:
            return {}
        truth = targets[self._dataset.split.test].numpy()
        found = [scores_of(np.delete(truth, block), np.delete(predicted, block)) for block in self._blocks]
        return {key: " ".join(f"{scores[key]:.9g}" for scores in found) for key in found[0]}

    def _pool_of(self, seed: int, parts: int, report: Report) -> "tuple[Dataset, Pool]":
        """What a seed picks from, with what methods share computed beforehand, so that no method is timed for it."""
        from skmm_core.comparison.replay import Replay
        from skmm_core.methods import compute_shared

        if not self._settled:  # by the first seed, whichever is computed first, so that a continued job is the same one
            made = self._make(self._part(0, self._parts_at(self._plan.budgets[-1])), 0, report).sketch
            whole = made.kind == "none"
            self._sketch = SketchParams(kind="none") if whole else self._sketch.model_copy(update={"dim": made.dim})
            self._settled = True
        if self._kept != (seed, parts):
            job, self._part_dataset = self._plan.job, self._part(seed, parts)
            self._pool = self._make(self._part_dataset, seed, report)
            compute_shared(self._pool, self._plan.specs.values())
            if job.rounds > 1:
                self._replay = Replay(self._part_dataset, self._pool, self._plan.budgets, job.params, seed=seed)
            self._kept = seed, parts
        return self._part_dataset, self._pool

    def _make(self, dataset: "Dataset", seed: int, report: Report) -> "Pool":
        from skmm_core.comparison.replay import without_labels
        from skmm_core.pool import make_pool

        return make_pool(
            dataset if self._plan.job.rounds == 1 else without_labels(dataset),
            sketch=self._sketch,
            gradient=self._gradient,
            warm_up_rows=self._warm_up_rows,
            seed=seed,
            device=self._device,
            report=report,
        )

    def _part(self, seed: int, parts: int) -> "Dataset":
        """The dataset whose pool is the part of a seed; its fingerprint is its own, since caches go by it."""
        import torch

        if parts == 1:
            return self._dataset
        rows: Rows = part_of(self._dataset.pool_size, parts, seed)
        split = self._dataset.split
        return dataclasses.replace(
            self._dataset,
            split=dataclasses.replace(split, train=split.train[torch.from_numpy(rows)]),
            fingerprint=f"{self._dataset.fingerprint}:part {seed} of {parts}",
        )
