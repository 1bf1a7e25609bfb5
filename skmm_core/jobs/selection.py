"""The job that picks points with one method, measures the selection and writes its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skmm_core.config import RunConfig, SelectJob
from skmm_core.data import Dataset
from skmm_core.diagnostics import Band, Diagnostics, asked_c_s, diagnose, pca_map, random_band
from skmm_core.errors import InputError
from skmm_core.jobs import tables
from skmm_core.jobs.origin import origin
from skmm_core.methods import Selection, reads_labels, select
from skmm_core.pool import Pool, pool_of
from skmm_core.progress import Progress, Report
from skmm_core.report import write_thumbnails
from skmm_core.runs import DIAGNOSTICS, SELECTION_CSV, SELECTION_NPY
from skmm_core.storage import write_file


def run_selection(folder: Path, config: RunConfig, job: SelectJob, dataset: Dataset, report: Report) -> dict[str, Any]:
    """Pick and measure, write the files of a selection, and return what goes into `result.json`.

    Raises:
        InputError: the method cannot run on these data, or a row decided by hand is not in the pool.
        Cancelled: raised by `report`.
    """
    if dataset.partly_labelled and reads_labels(job.method, job.params, config.gradient):
        raise InputError(
            f"{job.method} needs a label in every row; {dataset.name} has {dataset.partly_labelled}: take these alone "
            "(--labelled-only), or a method and gradients that read no label"
        )
    pool = pool_of(config, dataset, seed=job.seed, report=report)
    include, exclude = (pool_positions(dataset, rows) for rows in (job.include, job.exclude))
    selection = select(
        pool,
        job.method,
        job.budget,
        params=job.params,
        seed=job.seed,
        include=include,
        exclude=exclude,
        report=report,
    )
    report(Progress("Measuring the selection", 0))
    c_s = asked_c_s(selection.objective, selection.params)
    diagnostics = diagnose(pool, selection.indices, selection.weights, c_s=c_s, report=report)
    band, diagnostics = random_band(
        pool, selection.indices, diagnostics, fixed=include, closed=exclude, seed=job.seed, report=report
    )
    _write_files(folder, dataset, pool, selection, diagnostics, report)
    return _selection_result(config, job, dataset, pool, selection, diagnostics, band)


def _write_files(
    folder: Path, dataset: Dataset, pool: Pool, selection: Selection, diagnostics: Diagnostics, report: Report
) -> None:
    report(Progress("Drawing the map", 0))
    layout = pca_map(dataset.features[dataset.split.train])
    report(Progress("Writing the results", 0))
    chosen = tables.selection_table(dataset, selection)
    columns = ["order", "id", "row", "weight", "score", *({"text"} & {*chosen})]
    write_file(folder / SELECTION_CSV, lambda path: chosen[columns].to_csv(path, index=False, lineterminator="\n"))
    write_file(folder / SELECTION_NPY, lambda path: np.save(path, chosen["row"].to_numpy(np.int64), allow_pickle=False))
    write_file(folder / DIAGNOSTICS, diagnostics.save)
    for name, table in (
        ("selection", chosen),
        ("scores", tables.scores_table(dataset, selection, diagnostics)),
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
    if missing := [row for row in rows if row not in places]:
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
        "N": pool.size,
        "seed": selection.seed,
        "seconds": selection.seconds,
        "status": selection.status.name,
        "advice": selection.status.value,
        "remarks": list(selection.remarks),
        "params": selection.params,
        "objective": selection.objective,
        "gradient": {**config.gradient.model_dump(mode="json"), "labels_read": pool.labels_read},
        "label_aware": reads_labels(selection.method, selection.params, config.gradient),
        "sketch": {"kind": pool.sketch.kind, "dim": pool.sketch.dim},
        "diagnostics": diagnostics.summary(),
        "band": band.to_json(),
        **origin(config, dataset.notes, dataset.fingerprint, dataset.reading),
    }
