"""The job that says what the labels so far are worth and predicts labels for all the rest."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.comparison import Costs
from skmm_core.config import EstimateJob, RunConfig
from skmm_core.data import Dataset
from skmm_core.errors import InputError
from skmm_core.estimates import Estimate, class_counts, enough_for, estimate, labelled_rows, said_of
from skmm_core.jobs.origin import origin
from skmm_core.labels import LabelsRead, begin_round
from skmm_core.progress import Progress, Report
from skmm_core.runs import PREDICTIONS_CSV
from skmm_core.storage import write_file


def run_estimate(
    folder: Path, config: RunConfig, job: EstimateJob, dataset: Dataset, report: Report, labels: LabelsRead | None
) -> dict[str, Any]:
    """Estimate, write the tables, and return what goes into `result.json`.

    Raises:
        InputError: no row of the pool has a label, the labels cannot be read, or the learner does not fit.
        Cancelled: raised by `report`.
    """
    began = time.perf_counter()
    now = begin_round(dataset, labels, task=config.dataset.task, where=job.labels or dataset.name)
    asked = config.dataset.task if labels is None else now.dataset.known_task
    rows = labelled_rows(now.dataset, {}, batches=now.batch_of, task=asked)
    if rows.class_names and job.wanted is not None and not 0 <= job.wanted <= 1:
        raise InputError(f"--wanted {job.wanted:g} is no share of right answers; give one from 0 to 1, such as 0.9")
    found = estimate(
        dataset, rows, learner=job.learner, more=job.more, with_curve=job.curve, seed=job.seed, report=report
    )
    report(Progress("Writing the results", 0))
    points = [] if found.curve is None else [asdict(point) for point in found.curve.points]
    for name, table in (
        ("predictions", found.predictions),
        ("mistakes", found.mistakes),
        ("curve", pd.DataFrame(points, columns=["order", "labels", "value"])),
    ):
        write_file(folder / f"{name}.parquet", table.to_parquet)
    shown = found.predictions.drop(columns=["row", "position"])
    write_file(folder / PREDICTIONS_CSV, lambda path: shown.to_csv(path, index=False, lineterminator="\n"))
    known = {"unknown_ids": now.unknown, "label_notes": list(now.notes), "seconds": time.perf_counter() - began}
    return {**_result(dataset, job, found), **known} | origin(
        config, [*now.notes, *dataset.notes], dataset.fingerprint, dataset.reading
    )


def _result(dataset: Dataset, job: EstimateJob, found: Estimate) -> dict[str, Any]:
    costs = Costs(job.price, job.hours_per_thousand, job.currency)
    rows, metric = found.rows, found.score.metric
    enough = None if job.wanted is None or found.curve is None else enough_for(found.curve, found.score, job.wanted)
    said = said_of(found, enough=enough, wanted=job.wanted)
    return {
        "kind": "estimate",
        "dataset": dataset.name,
        "task": rows.task.value,
        "N": dataset.pool_size,
        "labelled": len(rows),
        "predicted": len(found.predictions),
        "classes": class_counts(rows),
        "learner": found.learner,
        "settled": found.settled,
        "metric": asdict(metric),
        "score": {key: value for key, value in asdict(found.score).items() if key != "metric"},
        "calibration": found.calibration,
        "next": [{**asdict(each), **_cost(each.labels - len(rows), costs)} for each in found.next],
        "wanted": None if job.wanted is None else _needed(job.wanted, enough, len(rows), costs),
        "likely_mistakes": int(found.mistakes["likely"].sum()) if len(found.mistakes) else 0,
        "said": said,
    }


def _needed(target: float, enough: int | None, labelled: int, costs: Costs) -> Mapping[str, Any]:
    """Labels in all and money and hours of those to come; None where nobody can say."""
    known = {} if enough is None else _cost(enough - labelled, costs)
    return {"score": target, "labels": enough, "money": None, "hours": None, "currency": costs.currency} | known


def _cost(labels: int, costs: Costs) -> dict[str, Any]:
    return {"money": costs.money(labels), "hours": costs.hours(labels), "currency": costs.currency}
