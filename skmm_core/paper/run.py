"""Run an experiment cell by cell into a folder, so that nothing finished is lost, and make its table."""

import os
from itertools import product
from pathlib import Path
from typing import Any

from skmm_core.comparison import ScoreLog, summarise
from skmm_core.config import PaperJob, RunConfig
from skmm_core.data import Dataset
from skmm_core.errors import InputError
from skmm_core.paper.experiments import get_experiment
from skmm_core.paper.planning import Plan, encoding, has_images, metrics_of, plan
from skmm_core.paper.table import make_table
from skmm_core.probes import FINETUNE, LINEAR, labels_note, validation_rows
from skmm_core.progress import Progress, Report, ignore
from skmm_core.runs import FEATURES

_MOST_WORKERS = 8


def fingerprint(config: RunConfig, job: PaperJob, *, report: Report = ignore) -> str:
    """What tells the data of a job apart, found without computing features.

    Raises:
        InputError: the data are not there or cannot be read.
    """
    from skmm_core.data import load_dataset, source_fingerprint

    if not get_experiment(job.experiment).needs_data:
        return f"paper:{job.experiment}"
    if has_images(config, job):
        return source_fingerprint(config.dataset.source)
    return load_dataset(config.dataset, report=report).fingerprint


def run_paper(
    config: RunConfig, job: PaperJob, folder: Path, *, device: str, report: Report = ignore
) -> dict[str, Any]:
    """Make and score every selection that is not there yet, then the table.

    Args:
        config: of the run; its dataset is "gmm", a file of features, or a folder or archive of pictures.
        job: which experiment.
        folder: where scores (and features of pictures) are kept; called again, the job continues there.
        device: where to compute; the mixture is always computed on the CPU.
        report: told of every cell; raise Cancelled from it to stop.

    Returns:
        JSON-safe result, without what every run says of its origin.

    Raises:
        InputError: the data cannot be used, or the folder holds another experiment.
        Cancelled: raised by `report`; finished cells stay in the folder.
    """
    if not get_experiment(job.experiment).needs_data:
        return _run_mixtures(plan(job), folder, report)
    from skmm_core.paper.probes import run_probes

    dataset, encoder = _dataset(config, job, folder, device, report)
    expected = get_experiment(job.experiment).task
    if dataset.task.value != expected:
        raise InputError(f"{dataset.name} is a {dataset.task.value}; {job.experiment} needs a {expected}")
    asked = plan(job, dataset.pool_size)
    if job.finetune and (encoder is None or expected != "classification"):
        raise InputError("--finetune trains the image encoder on classes; it needs --images of a classification set")
    task = "finetuning" if job.finetune else expected
    log = _log(folder, asked, job, dataset.fingerprint, task)
    rows = validation_rows(dataset, FINETUNE if job.finetune else LINEAR)
    notes = run_probes(dataset, asked, log, config=config, job=job, folder=folder, device=device, report=report)
    made_by = encoder or {"model": "features given", "file": Path(config.dataset.source).name}
    return {
        **_result(asked, log, task),
        "N": dataset.pool_size,
        "test_rows": len(dataset.split.test),
        "validation_rows": rows,
        "features": {**made_by, "d": dataset.features.shape[1]},
        "notes": [*asked.notes, *notes, *filter(None, [labels_note(rows)]), *dataset.notes],
    }


def _log(folder: Path, asked: Plan, job: PaperJob, fingerprint: str, task: str) -> ScoreLog:
    identity = {
        "paper": asked.experiment.key,
        "fingerprint": fingerprint,
        "rows": {row.key: [row.method, dict(row.params)] for row in asked.rows},
        "budgets": list(asked.budgets),
        "seeds": [asked.seeds, asked.data_seeds],
        "finetune": list(job.finetune),
    }
    return ScoreLog(folder, identity, metrics_of(task, job))


def _run_mixtures(asked: Plan, folder: Path, report: Report) -> dict[str, Any]:
    from skmm_core.data import GmmOptions
    from skmm_core.paper.mixture import Cell, run_mixtures

    options = GmmOptions()
    if asked.budgets[-1] > options.N:
        raise InputError(f"budget {asked.budgets[-1]} is outside 1..{options.N}; the mixture has {options.N} rows")
    log = _log(folder, asked, PaperJob(experiment="gmm"), "gmm", "mixture")
    risks = dict(log.full.get("", {}))
    left = [
        Cell(row, budget, data_seed, seed)
        for data_seed, seed, budget, row in product(
            range(asked.data_seeds), range(asked.seeds), asked.budgets, asked.rows
        )
        if (row.key, budget, data_seed * asked.seeds + seed) not in log.done
    ]

    def keep(cell: Cell, metrics: dict[str, float], seconds: float) -> None:
        pair = cell.data_seed * asked.seeds + cell.seed
        common = {"dataset": f"gmm:seed={cell.data_seed}", "method": cell.row.key, "budget": cell.budget, "seed": pair}
        tail = {"seconds": round(seconds, 6), "split": "pool"}
        log.add([{**common, "metric": key, "value": value, **tail} for key, value in metrics.items()])

    def full(data_seed: int, risk: float) -> None:
        risks[f"seed={data_seed}"] = risk
        log.set_full("", risks)

    workers = min(os.cpu_count() or 1, _MOST_WORKERS)
    run_mixtures(left, options, workers=workers, keep=keep, full=full, report=report)
    report(Progress("Making the table", len(left), len(left)))
    result = _result(asked, log, "mixture")
    mean = sum(risks.values()) / len(risks)
    result["full"] = {"risk": mean, "log_ratio": 0.0}
    return {**result, "full_by_draw": risks, "N": options.N, "notes": list(asked.notes)}


def _result(asked: Plan, log: ScoreLog, task: str) -> dict[str, Any]:
    aware = {row.key for row in asked.rows if row.label_aware}
    done = summarise(log.scores, log.full.get("", {}), task, label_aware=aware)
    return {
        "kind": "paper",
        "experiment": asked.experiment.key,
        "task": task,
        "rows": [
            {
                "key": row.key,
                "title": row.title,
                "method": row.method,
                "params": dict(row.params),
                "label_aware": row.label_aware,
                "skmm": row.skmm,
            }
            for row in asked.rows
        ],
        "budgets": list(asked.budgets),
        "seeds": asked.seeds,
        "data_seeds": asked.data_seeds,
        "full": done.full,
        "table": make_table(done, asked.rows, log.scores),
        "summary": done.summary,
        "savings": done.savings,
        "differences": list(asked.experiment.differences),
        "paper_figures": dict(asked.experiment.paper_figures),
    }


def _dataset(
    config: RunConfig, job: PaperJob, folder: Path, device: str, report: Report
) -> tuple[Dataset, dict[str, Any] | None]:
    """The features, and what is known of the encoder that made them here."""
    from skmm_core.data import load_dataset

    if not has_images(config, job):
        return load_dataset(config.dataset, report=report), None
    from skmm_core.config import DatasetConfig
    from skmm_core.encoders import embed

    done = embed(config.dataset, encoding(job), folder / FEATURES, device=device, report=report)
    holdout = None if done["parts"]["test"] else config.dataset.holdout or 0.2
    dataset = load_dataset(DatasetConfig(source=str(folder / FEATURES), holdout=holdout), report=report)
    facts = done["provenance"]
    return dataset, {"model": done["model"], "pretrained": facts["pretrained"], "images": done["N"]}
