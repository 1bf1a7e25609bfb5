"""The labels of a selection or an estimate: read, checked against what the run was set up with, kept in its folder."""

from pathlib import Path

from skmm_core.config import DatasetConfig, EstimateJob, RunConfig, SelectJob
from skmm_core.data import file_path
from skmm_core.errors import InputError
from skmm_core.labels import LabelsRead, read_labels
from skmm_core.runs import LABELS_CSV
from skmm_core.storage import write_text


def with_labels_hash(config: RunConfig) -> RunConfig:
    """Note in a config what its labels say now, so that other labels are another run.

    Raises:
        InputError: the labels cannot be read.
    """
    job = config.job
    if not isinstance(job, SelectJob | EstimateJob) or job.labels is None or job.labels_hash is not None:
        return config
    digest = read_labels(job.labels).digest
    return config.model_copy(update={"job": job.model_copy(update={"labels_hash": digest})})


def read_as(config: RunConfig) -> DatasetConfig:
    """How the dataset of a run is read: where labels are given, what they ask for is theirs to say."""
    of_labels = isinstance(config.job, SelectJob | EstimateJob) and config.job.labels is not None
    return config.dataset.model_copy(update={"task": "auto"}) if of_labels else config.dataset


def labels_of_run(folder: Path, job: SelectJob | EstimateJob) -> LabelsRead | None:
    """The labels that a run was set up with; a copy is kept in its folder, so that it repeats elsewhere.

    Raises:
        InputError: the file of labels says something else by now, or cannot be read, and there is no copy.
    """
    kept = folder / LABELS_CSV
    if job.labels is None:
        kept.unlink(missing_ok=True)
        return None
    if kept.exists() and (copy := read_labels(kept)).digest == job.labels_hash:
        return copy
    if job.labels_hash is None and kept.exists() and not file_path(job.labels).exists():
        return read_labels(kept)
    read = read_labels(job.labels)
    if job.labels_hash is not None and read.digest != job.labels_hash:
        raise InputError(f"{job.labels} has changed since this run was set up; start a new run")
    write_text(kept, read.text)
    return read
