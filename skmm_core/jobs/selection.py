"""The job that picks points with one method, measures the selection and writes its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skmm_core.config import RunConfig, SelectJob
from skmm_core.data import Dataset, groups_of
from skmm_core.diagnostics import Band, Diagnostics, asked_c_s, diagnose, measure_band, pca_map
from skmm_core.errors import InputError
from skmm_core.jobs import tables
from skmm_core.jobs.origin import origin
from skmm_core.labels import LabelsRead, Round, begin_round
from skmm_core.methods import (
    Decided,
    Selection,
    check_partly_labelled,
    get_method,
    new_points,
    pick_beside_given,
    reads_labels,
)
from skmm_core.pool import Pool, pool_of
from skmm_core.progress import Progress, Report
from skmm_core.report import write_thumbnails
from skmm_core.runs import DIAGNOSTICS, SELECTION_CSV, SELECTION_NPY, as_csv
from skmm_core.storage import write_file


def run_selection(
    folder: Path,
    config: RunConfig,
    job: SelectJob,
    dataset: Dataset,
    report: Report,
    labels: LabelsRead | None = None,
) -> dict[str, Any]:
    """Pick and measure, write the files of a selection, and return what goes into `result.json`.

    Points with a label, or waiting for one, are given: they count as covered, and the result holds new points alone.

    Raises:
        InputError: the method cannot run on these data, or a row decided by hand is not in the pool.
        Cancelled: raised by `report`.
    """
    now = begin_round(dataset, labels, task=config.dataset.task, where=job.labels or dataset.name)
    dataset = now.dataset
    pool = pool_of(config, dataset, seed=job.seed, report=report)
    if pool.known is not None:
        check_partly_labelled(job.method, job.params, config.gradient, warm_up_rows=config.warm_up_rows, task=pool.task)
    _check_budget(job.budget, now)
    decided, told = _decided(job, now)
    spec = get_method(job.method)
    whole = pick_beside_given(spec, pool, job.budget, spec.parse(job.params), decided, seed=job.seed, report=report)
    report(Progress("Measuring the selection", 0))
    c_s = asked_c_s(whole.objective, whole.params)
    diagnostics = diagnose(pool, whole.indices, whole.weights, c_s=c_s, report=report)
    band, diagnostics = measure_band(
        pool,
        whole.indices,
        diagnostics,
        fixed=[*now.given, *decided.include],
        closed=decided.exclude,
        seed=job.seed,
        report=report,
    )
    selection = new_points(whole, len(now.given))
    _write_files(folder, now, pool, selection, whole, diagnostics, report)
    result = _selection_result(config, job, dataset, pool, selection, diagnostics, band)
    told = [*now.notes, *told]
    return {**result, **_round_result(now), "notes": [*result["notes"], *told], "label_notes": told}


def _decided(job: SelectJob, now: Round) -> tuple[Decided, list[str]]:
    """What is decided before the method picks, and what a person should know of it."""
    include, exclude, told = now.decided(*(pool_positions(now.dataset, rows) for rows in (job.include, job.exclude)))
    groups = None if job.group is None else groups_of(now.dataset, job.group)
    return Decided(now.given, include, exclude, groups, job.per_group), told


def _check_budget(budget: int, now: Round) -> None:
    if not now.given and not now.out:
        return
    if not 1 <= budget <= now.left:
        raise InputError(
            f"budget {budget:,} is outside 1..{now.left:,}; of {now.dataset.pool_size:,} points {len(now.labelled):,} "
            f"have a label, {len(now.pending):,} wait for one and {len(now.out):,} were skipped or barred"
        )


def _round_result(now: Round) -> dict[str, Any]:
    """What was known before these points were picked."""
    given = [f"{len(now.labelled):,} labelled"] if now.labelled else []
    given += [f"{len(now.pending):,} waiting for a label"] if now.pending else []
    measured = f"the new points together with the {' and '.join(given)}" if given else "the chosen points"
    known = {"batch": now.batch, "labelled": len(now.labelled), "pending": len(now.pending), "out": len(now.out)}
    return {**known, "measured_on": measured}


def _write_files(
    folder: Path,
    now: Round,
    pool: Pool,
    selection: Selection,
    whole: Selection,
    diagnostics: Diagnostics,
    report: Report,
) -> None:
    dataset = now.dataset
    report(Progress("Drawing the map", 0))
    layout = pca_map(dataset.split.of_pool(dataset.features))
    report(Progress("Writing the results", 0))
    chosen = tables.selection_table(now, selection)
    plain = as_csv(chosen)
    write_file(folder / SELECTION_CSV, lambda path: plain.to_csv(path, index=False, lineterminator="\n"))
    write_file(folder / SELECTION_NPY, lambda path: np.save(path, chosen["row"].to_numpy(np.int64), allow_pickle=False))
    write_file(folder / DIAGNOSTICS, diagnostics.save)
    for name, table in (
        ("selection", chosen),
        ("scores", tables.scores_table(now, selection, whole, diagnostics)),
        ("map", tables.map_table(layout, pool.moments.coordinates)),
        ("trace", tables.trace_table(selection)),
    ):
        write_file(folder / f"{name}.parquet", table.to_parquet)
    if dataset.images is not None:
        write_thumbnails(folder, dataset.images, dataset.split.train[selection.indices].tolist())


def pool_positions(dataset: Dataset, rows: Sequence[int]) -> list[int]:
    """Places in the pool of rows of the input file.

    Raises:
        InputError: a row is not in the pool.
    """
    if not rows:
        return []
    places = {row: place for place, row in enumerate(dataset.rows[dataset.split.train].tolist())}
    missing = [row for row in rows if row not in places]
    if missing and dataset.whole is not None:
        raise InputError(
            f"row {missing[0]} is not among the {dataset.pool_size:,} rows that are held of {dataset.whole.size:,}; "
            "include and exclude these only, or hold more (--candidates)"
        )
    if missing:
        raise InputError(
            f"row {missing[0]} is not in the pool of {dataset.name}: it is held out, was dropped, or does not exist; "
            "include and exclude rows of the pool only"
        )
    return [places[row] for row in rows]


def _selection_result(
    config: RunConfig,
    job: SelectJob,
    dataset: Dataset,
    pool: Pool,
    selection: Selection,
    diagnostics: Diagnostics,
    band: Band,
) -> dict[str, Any]:
    return {
        "kind": "select",
        "method": selection.method,
        "dataset": dataset.name,
        "task": dataset.task.value,
        "budget": len(selection.indices),
        "included": len(job.include),
        "excluded": len(job.exclude),
        "N": dataset.whole_size,
        **({} if dataset.whole is None else {"held": pool.size}),
        "seed": selection.seed,
        "seconds": selection.seconds,
        "status": selection.status.name,
        "advice": selection.status.value,
        "remarks": list(selection.remarks),
        "params": selection.params,
        "objective": selection.objective,
        "gradient": {**config.gradient.model_dump(mode="json"), "labels_read": pool.labels_read},
        "label_aware": pool.known is None and reads_labels(selection.method, selection.params, config.gradient),
        "sketch": {"kind": pool.sketch.kind, "dim": pool.sketch.dim},
        "diagnostics": diagnostics.summary(),
        "band": band.to_json(),
        **origin(config, dataset.notes, dataset.fingerprint, dataset.reading),
    }
