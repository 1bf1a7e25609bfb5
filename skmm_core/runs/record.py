"""One row of the run index: its state (queued, running, done, failed, cancelled), id, name and words for lists."""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from skmm_core.config import CompareJob, EmbedJob, EstimateJob, FinetuneParams, PaperJob, RunConfig, SelectJob
from skmm_core.errors import InputError

_ID = re.compile(r"[0-9a-f]{12}")
_FILE_SUFFIXES = (".npz", ".npy", ".csv", ".parquet")


class RunState(StrEnum):
    """Where a run is in its life: queued → running → done | failed | cancelled."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless the run is started again."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class RunRecord:
    """One row of the index.

    Attributes:
        id: 12 hex digits made of config and dataset fingerprint.
        name: given by the person, or made of dataset, method and budget.
        kind: "select", "compare", "embed", "estimate" or "paper".
        dataset: short text for lists, such as "digits".
        method: registry keys, comma separated; the encoder of an embedding.
        budget: numbers of points, comma separated; empty for an embedding.
        state: see :class:`RunState`.
        created: epoch seconds.
        started: epoch seconds, None before.
        finished: epoch seconds, None before.
        pid: process that runs it or ran it.
        heartbeat: epoch seconds of the last sign of life.
        error: one line that says why it failed.
        config: everything that decides the result.
        fingerprint: of the dataset.
        folder: where its files are.
    """

    id: str
    name: str
    kind: str
    dataset: str
    method: str
    budget: str
    state: RunState
    created: float
    started: float | None
    finished: float | None
    pid: int | None
    heartbeat: float | None
    error: str | None
    config: RunConfig
    fingerprint: str
    folder: Path


def run_id(config: RunConfig, fingerprint: str) -> str:
    """First 12 hex digits of a hash of config and dataset: the same question has the same id, hence one answer.

    Options at their defaults do not count, so runs keep their ids when a later version brings new options. The pool and
    the learners of a comparison are the exceptions: what is the default now was not known once, so that it counts, and
    what every comparison then did does not.
    """
    asked = config.model_dump(mode="json", exclude_defaults=True, exclude={"cluster"})  # who reads changes no result
    job = asked.setdefault("job", {})
    job["kind"] = config.job.kind
    if "labels_hash" in job:
        job.pop("labels")  # what they say counts, not where they lie
    if isinstance(config.job, CompareJob):
        job.pop("fixed_pool", None)
        job.pop("learners", None)
        job |= {} if config.job.fixed_pool else {"fixed_pool": False}
        once = config.job.learners == (config.job.single_learner,)
        job |= {} if once else {"learners": list(config.job.learners)}
    canonical = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{canonical}\n{fingerprint}".encode()).hexdigest()[:12]


def check_id(id_: str) -> str:
    """Return the id when it has the form of one.

    Raises:
        InputError: it has not; so an id from a URL never becomes a path of its own.
    """
    if not _ID.fullmatch(id_):
        raise InputError(f"run id {id_[:40]!r} is not 12 hex digits; `runs list` shows all ids")
    return id_


def dataset_text(config: RunConfig) -> str:
    """Dataset of a run for a list: its own name, a built-in with its options, or the file's name without its folder."""
    source = config.dataset.source
    if config.dataset.name:
        return config.dataset.name
    is_file = isinstance(config.job, EmbedJob) or source.lower().endswith(_FILE_SUFFIXES)
    return Path(source).name if is_file else source


def method_text(config: RunConfig) -> str:
    """Method keys of a run, comma separated; the encoder of an embedding."""
    job = config.job
    if isinstance(job, EmbedJob):
        return _encoder(job)
    if isinstance(job, PaperJob):
        return f"paper {job.experiment}"
    if isinstance(job, EstimateJob):
        return job.learner
    return job.method if isinstance(job, SelectJob) else ", ".join(job.methods)


def encoder_text(model: str) -> str:
    """What people call an encoder."""
    return "the built-in map" if model == "offline" else model


def _encoder(job: EmbedJob) -> str:
    """What people call the encoder of a job; a folder by its name."""
    return encoder_text(job.model if job.reads == "pictures" else Path(job.model).name)


def budget_text(config: RunConfig) -> str:
    """Budgets of a run, comma separated; empty for an embedding and for an estimate."""
    job = config.job
    if isinstance(job, EmbedJob | EstimateJob):
        return ""
    return str(job.budget) if isinstance(job, SelectJob) else ", ".join(str(budget) for budget in job.budgets)


def default_name(config: RunConfig) -> str:
    """Name of a run that the person has not named."""
    job = config.job
    if isinstance(job, EmbedJob):
        return f"{dataset_text(config)} · features by {_encoder(job)}"
    if isinstance(job, EstimateJob):
        return f"{dataset_text(config)} · what the labels are worth"
    if isinstance(job, PaperJob):
        return f"The paper's table: {job.experiment}"
    count = 1 if isinstance(job, SelectJob) else len(job.methods)
    what = job.method if isinstance(job, SelectJob) else f"{count} method{'s' * (count != 1)}"
    points = budget_text(config)
    tuned = f" · {_learners(job)}" if isinstance(job, CompareJob) and _learners(job) else ""
    tuned += f" · {job.rounds} rounds" if isinstance(job, CompareJob) and job.rounds > 1 else ""
    tuned += " · this very pool" if isinstance(job, CompareJob) and job.fixed_pool else ""
    return f"{dataset_text(config)} · {what} · {points} point{'s' * (points != '1')}{tuned}"


def _learners(job: CompareJob) -> str:
    """Learners in the name of a comparison; none where all that fit were asked for, or the linear probe alone."""
    if job.learners in ((), ("linear",)):
        return "" if job.finetune is None else "finetuned too"
    return "finetuned" if job.learners == ("finetune",) else ", ".join(job.learners)


def scored_by(finetune: FinetuneParams | None) -> list[str]:
    """A note on what the learner finetune trains; empty where it is not among the learners."""
    if finetune is None:
        return []
    what = "a linear head on the features"
    if finetune.layers == 2 and finetune.encoder is not None:
        what = f"a linear head and the last block of {finetune.encoder.model}"
    return [f"Finetuning (FT) trains, on every selection, {what}."]
