"""The paper's experiments on real features: choose, train a probe (and the last layers), score on the test rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from skmm_core.comparison import ScoreLog
from skmm_core.config import FinetuneParams, PaperJob, RunConfig, SketchParams
from skmm_core.data import Dataset
from skmm_core.methods import MethodSpec, compute_shared, get_method, select
from skmm_core.paper.experiments import Row
from skmm_core.paper.planning import Plan, finetunings
from skmm_core.pool import Pool, make_pool
from skmm_core.probes import check_scorable, score_probe
from skmm_core.progress import Progress, Report, ignore

Finetuned = Callable[[Tensor, int, Report], dict[str, float]]  # chosen rows of the pool, seed, report -> scores


def run_probes(
    dataset: Dataset,
    asked: Plan,
    log: ScoreLog,
    *,
    config: RunConfig,
    job: PaperJob,
    folder: Path,
    device: str,
    report: Report = ignore,
) -> list[str]:
    """Make and score every selection that the log does not have yet.

    Args:
        dataset: with targets and test rows.
        asked: rows, budgets and seeds.
        log: takes the scores.
        config: of the run, for its sketch and, with `job.finetune`, its pictures.
        job: says how many layers are finetuned.
        folder: of the run; checkpoints of finetuning are kept there while they are needed.
        device: where to compute.
        report: told of every cell; raise Cancelled from it to stop.

    Returns:
        Notes: one line for each row that cannot run on these data.
    """
    check_scorable(dataset)
    reasons = {row.key: reason for row in asked.rows if (reason := get_method(row.method).missing(dataset.task))}
    rows = [row for row in asked.rows if row.key not in reasons]
    total = 1 + len(rows) * len(asked.budgets) * asked.seeds
    finetuned = [_finetuned(dataset, params, folder, device, report) for params in finetunings(config, job)]
    if not log.full:
        told = _counting(report, "Scoring the whole pool", 0, total)
        log.set_full("", score_probe(dataset, torch.arange(dataset.pool_size), report=told).metrics)
    cells = _Cells(dataset, rows, config.sketch, device, finetuned)
    step = 1
    for seed in range(asked.seeds):
        for budget in asked.budgets:
            for row in rows:
                if (row.key, budget, seed) not in log.done:
                    phase = f"Scoring {row.title} at {budget:,}, seed {seed}"
                    report(Progress(phase, step, total))
                    log.add(cells.run(row, budget, seed, _counting(report, phase, step, total)))
                step += 1
    report(Progress("Scoring finished", total, total))
    return [f"{reason}." for reason in reasons.values()]


class _Cells:
    """Makes and scores selections; keeps the pool of the current seed."""

    def __init__(
        self, dataset: Dataset, rows: list[Row], sketch: SketchParams, device: str, finetuned: list[Finetuned]
    ) -> None:
        self._dataset, self._sketch, self._device, self._finetuned = dataset, sketch, device, finetuned
        self._specs: dict[str, MethodSpec] = {row.method: get_method(row.method) for row in rows}
        self._pool: Pool | None = None

    def run(self, row: Row, budget: int, seed: int, report: Report) -> list[dict[str, Any]]:
        """Rows of the score file."""
        pool = self._pool_of(seed, report)
        found = select(pool, row.method, budget, params=row.params, seed=seed, report=report)
        # one seed for the inner folds: the probe is the same for every cell, only the selection differs
        scores = dict(score_probe(self._dataset, found.indices, seed=0, report=report).metrics)
        for train in self._finetuned:
            scores |= train(found.indices, seed, report)
        common = {"dataset": self._dataset.name, "method": row.key, "budget": budget, "seed": seed}
        tail = {"seconds": round(found.seconds, 6), "split": "test"}
        return [{**common, "metric": key, "value": value, **tail} for key, value in scores.items()]

    def _pool_of(self, seed: int, report: Report) -> Pool:
        if self._pool is None:
            made = make_pool(self._dataset, sketch=self._sketch, seed=seed, device=self._device, report=report)
            self._sketch = self._settled(made)
            self._pool = made
        elif self._pool.seed != seed:
            self._pool = self._pool.reseeded(seed, sketch=self._sketch, report=report)
        compute_shared(self._pool, self._specs.values())
        return self._pool

    def _settled(self, pool: Pool) -> SketchParams:
        whole = pool.sketch.kind == "none"
        return SketchParams(kind="none") if whole else self._sketch.model_copy(update={"dim": pool.sketch.dim})


def _finetuned(dataset: Dataset, params: FinetuneParams, folder: Path, device: str, report: Report) -> Finetuned:
    from skmm_core.probes import finetune_probe

    probe, ending = finetune_probe(dataset, params, device=device, report=report), f"_ft{params.layers}"
    work = folder / f"finetuning{ending}"

    def train(chosen: Tensor, seed: int, told: Report) -> dict[str, float]:
        scores = probe.score_cell(chosen, seed=seed, work=work, report=told).metrics
        return {f"{name}{ending}": value for name, value in scores.items()}

    return train


def _counting(report: Report, phase: str, step: int, total: int) -> Report:
    """Pass reports of the work inside a cell on as beats of the cell: the same phase and step, so the ETA counts on."""

    def told(progress: Progress) -> None:
        report(Progress(phase, step, total))

    return told
