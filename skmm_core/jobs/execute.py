"""Run the config of a run folder and write its results there."""

import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from skmm_core import __version__
from skmm_core.comparison.cells import compare
from skmm_core.comparison.leagues import against_stratified
from skmm_core.config import CompareJob, EmbedJob, PaperJob, RunConfig, SelectJob
from skmm_core.data.dataset import Dataset, train_targets
from skmm_core.data.load import load_dataset
from skmm_core.device import resolve_device
from skmm_core.diagnostics.diagnostics import Diagnostics, diagnose
from skmm_core.diagnostics.maps import pca_map
from skmm_core.errors import InputError
from skmm_core.gradients.warmup import warm_up_size
from skmm_core.jobs import tables
from skmm_core.methods.registry import Need, Selection, get_method, plugin_versions, reads_labels, select
from skmm_core.pool.pool import Pool, make_pool
from skmm_core.probes.linear_probe import primary_metric
from skmm_core.progress import Progress, Report, ignore
from skmm_core.report import write_report
from skmm_core.report.thumbnails import write_thumbnails
from skmm_core.runs.command import command_line
from skmm_core.runs.files import (
    CARD,
    DIAGNOSTICS,
    FEATURES,
    RESULT,
    SELECTION_CSV,
    SELECTION_NPY,
    SUMMARY_CSV,
    RunCard,
    clear_results,
    read_card,
    read_config,
    write_file,
    write_json,
)
from skmm_core.runs.record import default_name, run_id, scored_by

_LIBRARIES = ("torch", "numpy", "scikit-learn", "pandas")


def execute(folder: Path, report: Report = ignore) -> None:
    """Run `config.json` of a folder and write every result file there, `result.json` last.

    A comparison continues from the scores that an interrupted call left.

    Args:
        folder: the run folder.
        report: told of the progress; raise Cancelled from it to stop.

    Raises:
        InputError: the config asks for something that cannot be done, or the data changed since the run was made.
        Cancelled: raised by `report`.
        OSError: the folder cannot be written; no result is left that looks finished.
    """
    config = read_config(folder)
    clear_results(folder)
    job = config.job
    if isinstance(job, EmbedJob):
        result = _run_embedding(folder, config, job, report)
    elif isinstance(job, PaperJob):
        result = _run_paper(folder, config, job, report)
    else:
        _check_job(config, job)
        report(Progress("Reading the data", 0))
        dataset = load_dataset(config.dataset, report=report)
        _check_card(folder, config, dataset.fingerprint)
        if isinstance(job, SelectJob):
            result = _run_selection(folder, config, job, dataset, report)
        else:
            result = _run_comparison(folder, config, job, dataset, report)
    report(Progress("Writing the report", 0))
    write_report(folder, config, result)
    write_json(folder / RESULT, result)


def _check_job(config: RunConfig, job: SelectJob | CompareJob) -> None:
    """Refuse what can be refused before the data are read."""
    resolve_device(config.device)
    methods = _methods_of(job)
    asks = config.gradient.kind == "head" or any(Need.WARM_UP in get_method(key).needs for key in methods)
    if config.warm_up_rows is not None and not asks:
        raise InputError(
            f"warm_up_rows is {config.warm_up_rows}, but {', '.join(methods)} trains no warm-up head; leave it out"
        )
    if isinstance(job, SelectJob):
        get_method(job.method).parse(job.params)
        return
    for method in job.methods:
        get_method(method).parse(job.params.get(method))
    if unused := sorted(set(job.params) - set(job.methods)):
        raise InputError(f"params are given for {unused[0]!r}, which is not among the methods compared")


def _check_card(folder: Path, config: RunConfig, fingerprint: str) -> None:
    """Make sure that earlier results in the folder, and the id of the run, belong to the data as they are now."""
    card = read_card(folder)
    if card is None:
        card = RunCard(
            id=run_id(config, fingerprint),
            name=default_name(config),
            fingerprint=fingerprint,
            created=time.time(),
        )
        write_json(folder / CARD, card.model_dump())
    elif card.fingerprint != fingerprint:
        raise InputError(f"{config.dataset.source} has changed since this run was set up; start a new run")


def _run_selection(folder: Path, config: RunConfig, job: SelectJob, dataset: Dataset, report: Report) -> dict[str, Any]:
    pool = make_pool(
        dataset,
        sketch=config.sketch,
        gradient=config.gradient,
        warm_up_rows=config.warm_up_rows,
        seed=job.seed,
        device=config.device,
        report=report,
    )
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
    c_s = float(selection.objective.get("c_s", selection.params.get("c_s", 1.0)))
    diagnostics = diagnose(pool, selection.indices, selection.weights, c_s=c_s, report=report)
    report(Progress("Drawing the map", 0))
    layout = pca_map(dataset.features[dataset.split.train])
    report(Progress("Writing the results", 0))
    chosen = tables.selection_table(dataset, selection)
    columns = ["order", "id", "row", "weight", "score"]
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
    return _selection_result(config, job, dataset, pool, selection, diagnostics)


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
    config: RunConfig, job: SelectJob, dataset: Dataset, pool: Pool, selection: Selection, diagnostics: Diagnostics
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
        **_origin(config, dataset.notes, dataset.fingerprint),
    }


def _run_comparison(
    folder: Path, config: RunConfig, job: CompareJob, dataset: Dataset, report: Report
) -> dict[str, Any]:
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
    write_file(folder / SUMMARY_CSV, lambda path: done.summary.to_csv(path, index=False, lineterminator="\n"))
    metric = primary_metric(dataset.task)
    label_aware = [
        method for method in job.methods if reads_labels(method, job.params.get(method, {}), config.gradient)
    ]
    return {
        "kind": "compare",
        "dataset": dataset.name,
        "task": dataset.task.value,
        "methods": list(job.methods),
        "scored": list(dict.fromkeys(done.scores["method"])),
        "label_aware": label_aware,
        "budgets": list(job.budgets),
        "seeds": job.seeds,
        "warm_up_rows": _warm_up_rows(config, job, dataset),
        "N": dataset.pool_size,
        "seconds": time.perf_counter() - began,
        "metric": {
            "key": metric.key,
            "title": metric.title,
            "higher_is_better": metric.higher_is_better,
            "unit": metric.unit,
        },
        "full": done.full,
        "savings": done.savings,
        "against_stratified": against_stratified(done.scores, label_aware, dataset.task.value),
        "left_out": done.left_out,
        **_origin(config, [*scored_by(job.finetune), *dataset.notes], dataset.fingerprint),
    }


def _warm_up_rows(config: RunConfig, job: CompareJob, dataset: Dataset) -> int | None:
    """Labelled rows that trained the warm-up head; None when no method that was scored asks one."""
    targets = train_targets(dataset)
    if targets is None or not any(get_method(key).trains_head(dataset.task) for key in job.methods):
        return None
    return warm_up_size(dataset.pool_size, len(targets.unique()), asked=config.warm_up_rows)


def _run_embedding(folder: Path, config: RunConfig, job: EmbedJob, report: Report) -> dict[str, Any]:
    from skmm_core.encoders.embedding import embed, source_fingerprint

    fingerprint = source_fingerprint(config.dataset.source)
    _check_card(folder, config, fingerprint)
    done = embed(config.dataset, job, folder / FEATURES, device=config.device, report=report)
    return {**done, **_origin(config, done["notes"], fingerprint)}


def _run_paper(folder: Path, config: RunConfig, job: PaperJob, report: Report) -> dict[str, Any]:
    from skmm_core.bench.machine import machine
    from skmm_core.paper.plan import plan
    from skmm_core.paper.run import fingerprint, run_paper

    plan(job)
    device = resolve_device(config.device)
    report(Progress("Reading the data", 0))
    found = fingerprint(config, job, report=report)
    _check_card(folder, config, found)
    began = time.perf_counter()
    done = run_paper(config, job, folder, device=config.device, report=report)
    write_file(folder / SUMMARY_CSV, lambda path: done.pop("summary").to_csv(path, index=False, lineterminator="\n"))
    notes = done.pop("notes")
    seconds = time.perf_counter() - began
    return {**done, "seconds": seconds, "machine": machine(device), **_origin(config, notes, found)}


def _origin(config: RunConfig, notes: Sequence[str], fingerprint: str) -> dict[str, Any]:
    """How the result came about, so that it can be made again."""
    return {
        "notes": list(notes),
        "fingerprint": fingerprint,
        "command": command_line(config),
        "config": config.model_dump(mode="json"),
        "device": str(resolve_device(config.device)),
        "versions": {
            "skmm": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
            **plugin_versions(_methods_of(config.job)),
        },
    }


def _methods_of(job: SelectJob | CompareJob | EmbedJob | PaperJob) -> tuple[str, ...]:
    """Keys of the registry that a job names; the rows of the paper's tables are no keys."""
    if isinstance(job, SelectJob):
        return (job.method,)
    return job.methods if isinstance(job, CompareJob) else ()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
