"""Run the config of a run folder, whatever its kind, and write its results there."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from skmm_core.config import CompareJob, EmbedJob, EstimateJob, PaperJob, RunConfig, SelectJob
from skmm_core.data import Dataset, load_dataset, rows_beyond_memory
from skmm_core.device import resolve_device
from skmm_core.errors import InputError
from skmm_core.jobs.labels_of_run import labels_of_run, read_as
from skmm_core.jobs.origin import methods_of, origin
from skmm_core.jobs.who_works import workers_of
from skmm_core.labels import LabelsRead
from skmm_core.methods import Need, get_method
from skmm_core.progress import Progress, Report, ignore
from skmm_core.report import write_report
from skmm_core.runs import (
    CARD,
    FEATURES,
    RESULT,
    SUMMARY_CSV,
    RunCard,
    clear_results,
    default_name,
    read_card,
    read_config,
    run_id,
)
from skmm_core.storage import write_file, write_json


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
        if not isinstance(job, EstimateJob):
            _check_job(config, job)
        _check_size(config, job)
        labels = labels_of_run(folder, job) if isinstance(job, SelectJob | EstimateJob) else None
        report(Progress("Reading the data", 0))
        workers, told = workers_of(config)
        dataset = load_dataset(read_as(config), workers=workers, report=report)
        dataset = replace(dataset, notes=(*dataset.notes, *told))
        _check_card(folder, config, dataset.fingerprint)
        result = _run_on(dataset, folder, config, labels, report)
    if not isinstance(job, EstimateJob):  # pages show an estimate; it changes with every label
        report(Progress("Writing the report", 0))
        write_report(folder, config, result)
    write_json(folder / RESULT, result)


def _run_on(
    dataset: Dataset, folder: Path, config: RunConfig, labels: LabelsRead | None, report: Report
) -> dict[str, Any]:
    """Have the job do its work; each kind loads libraries that the others need not."""
    job = config.job
    if isinstance(job, SelectJob):
        from skmm_core.jobs.selection import run_selection

        return run_selection(folder, config, job, dataset, report, labels)
    if isinstance(job, EstimateJob):
        from skmm_core.jobs.estimate import run_estimate

        return run_estimate(folder, config, job, dataset, report, labels)
    if isinstance(job, CompareJob):
        from skmm_core.jobs.comparison import run_comparison

        return run_comparison(folder, config, job, dataset, report)
    raise TypeError(f"{job.kind} reads no dataset")


def _check_job(config: RunConfig, job: SelectJob | CompareJob) -> None:
    """Refuse what can be refused before the data are read."""
    resolve_device(config.device)
    methods = methods_of(job)
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


def _check_size(config: RunConfig, job: SelectJob | CompareJob | EstimateJob) -> None:
    """Refuse what cannot be done with a pool that memory cannot hold, before it is read."""
    rows = rows_beyond_memory(config.dataset)
    if rows is None:
        return
    if isinstance(job, SelectJob):
        get_method(job.method).check_size(rows)
        return
    what = "estimates need" if isinstance(job, EstimateJob) else "a comparison needs"
    raise InputError(
        f"{config.dataset.source} has {rows:,} rows, more than memory holds, and {what} every one; save a random part "
        "of them as a file of its own"
    )


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


def _run_embedding(folder: Path, config: RunConfig, job: EmbedJob, report: Report) -> dict[str, Any]:
    from skmm_core.data import source_fingerprint
    from skmm_core.encoders import embed

    fingerprint = source_fingerprint(config.dataset.source)
    _check_card(folder, config, fingerprint)
    done = embed(config.dataset, job, folder / FEATURES, device=config.device, report=report)
    return {**origin(config, done["notes"], fingerprint), **done}


def _run_paper(folder: Path, config: RunConfig, job: PaperJob, report: Report) -> dict[str, Any]:
    from skmm_core.bench import machine
    from skmm_core.paper import fingerprint, plan, run_paper

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
    return {**done, "seconds": seconds, "machine": machine(device), **origin(config, notes, found)}
