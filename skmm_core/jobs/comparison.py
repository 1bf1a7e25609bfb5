"""The job that scores several methods at several budgets over several seeds, and writes its files."""

import time
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.comparison import (
    STRATIFIED,
    Comparison,
    against_linear,
    against_stratified,
    compare,
    label_aware,
    parts_at,
    random_start,
    settled_counts,
    summary_table,
)
from skmm_core.config import CompareJob, RunConfig
from skmm_core.data import Dataset, train_targets
from skmm_core.gradients import warm_up_size
from skmm_core.jobs.origin import origin
from skmm_core.methods import get_method
from skmm_core.probes import in_order, primary_metric, validation_rows
from skmm_core.progress import Progress, Report
from skmm_core.runs import SUMMARY_CSV, scored_by
from skmm_core.storage import write_file


def run_comparison(
    folder: Path, config: RunConfig, job: CompareJob, dataset: Dataset, report: Report
) -> dict[str, Any]:
    """Score all cells of a comparison, write `summary.csv`, and return what goes into `result.json`.

    Raises:
        InputError: nothing can be scored, or the folder holds another comparison.
        Cancelled: raised by `report`; finished cells stay in the folder.
    """
    began = time.perf_counter()
    done = compare(
        dataset,
        job,
        sketch=config.sketch,
        gradient=config.gradient,
        warm_up_rows=config.warm_up_rows,
        device=config.device,
        folder=folder,
        report=report,
    )
    report(Progress("Writing the results", 0))
    write_file(folder / SUMMARY_CSV, lambda path: summary_table(done).to_csv(path, index=False, lineterminator="\n"))
    metric = primary_metric(dataset.task)
    aware = label_aware(job, config.gradient)
    return {
        "kind": "compare",
        "dataset": dataset.name,
        "task": dataset.task.value,
        "methods": list(job.methods),
        "scored": list(dict.fromkeys(done.scores["method"])),
        "label_aware": aware,
        "budgets": list(job.budgets),
        "seeds": job.seeds,
        "rounds": job.rounds,
        "random_start": random_start(job, done.scores["method"]),
        "claim": done.claim,
        "warm_up_rows": _warm_up_rows(config, job, dataset),
        "validation_rows": validation_rows(dataset, done.learner),
        "N": dataset.pool_size,
        "seconds": time.perf_counter() - began,
        "metric": {
            "key": metric.key,
            "title": metric.title,
            "higher_is_better": metric.higher_is_better,
            "unit": metric.unit,
        },
        "learner": done.learner,
        "learners": list(in_order(done.by_learner)),
        "full": done.full,
        "savings": done.savings,
        "against_stratified": against_stratified(done.scores, aware, dataset.task.value),
        "by_learner": _by_learner(done, dataset, aware),
        "settled": settled_counts(done.scores),
        "left_out": done.left_out,
        **origin(config, [*scored_by(job.finetune), *dataset.notes], dataset.fingerprint, dataset.reading),
    }


def _by_learner(done: Comparison, dataset: Dataset, label_aware: list[str]) -> dict[str, dict[str, Any]]:
    """What `result.json` says of the main learner at its top, for every learner; and what is saved with it in all."""
    task, every = dataset.task.value, pd.concat([each.scores for each in done.by_learner.values()])
    return {
        learner: {
            "full": done.by_learner[learner].full,
            "savings": done.by_learner[learner].savings,
            "against_stratified": against_stratified(done.by_learner[learner].scores, label_aware, task),
            "against_linear": against_linear(every, learner, task, label_aware=[*label_aware, STRATIFIED]),
            "validation_rows": validation_rows(dataset, learner),
        }
        for learner in in_order(done.by_learner)
    }


def _warm_up_rows(config: RunConfig, job: CompareJob, dataset: Dataset) -> int | None:
    """Labelled rows that trained the warm-up head, at most; None when no method that was scored asks one.

    They are of what a seed picks from, which is largest at the largest budget.
    """
    targets = train_targets(dataset)
    if targets is None or job.rounds > 1 or not any(get_method(key).trains_head(dataset.task) for key in job.methods):
        return None
    parts = 1 if job.fixed_pool else parts_at(dataset.pool_size, max(job.budgets), job.seeds)
    return warm_up_size(dataset.pool_size // parts, len(targets.unique()), asked=config.warm_up_rows)
