"""What a job of the paper comes to, known before anything is computed. No torch here."""

from dataclasses import dataclass

from skmm_core.config import EmbedJob, FinetuneParams, PaperJob, RunConfig
from skmm_core.data import holds_features
from skmm_core.errors import InputError
from skmm_core.paper.experiments import Experiment, Row, chosen_rows, get_experiment
from skmm_core.probes import METRICS


@dataclass(frozen=True)
class Plan:
    """What a job comes to.

    Attributes:
        experiment: which.
        rows: of the table.
        budgets: ascending.
        seeds: of the selection.
        data_seeds: draws of the data; 1 unless they are made.
        notes: what a person should know, such as budgets that the pool is too small for.
    """

    experiment: Experiment
    rows: tuple[Row, ...]
    budgets: tuple[int, ...]
    seeds: int
    data_seeds: int
    notes: tuple[str, ...] = ()

    @property
    def cells(self) -> int:
        """Number of selections to make and score."""
        return len(self.rows) * len(self.budgets) * self.seeds * self.data_seeds


def plan(job: PaperJob, pool_size: int | None = None) -> Plan:
    """Check a job.

    Args:
        job: what is asked.
        pool_size: N, once it is known; without it budgets are only checked to be positive.

    Raises:
        InputError: an unknown row, or a budget that was asked for and does not fit the pool.
    """
    experiment = get_experiment(job.experiment)
    rows = chosen_rows(experiment, job.methods)
    budgets = tuple(sorted(set(job.budgets or experiment.budgets)))
    if budgets[0] < 1:
        raise InputError(f"--budgets {budgets[0]}: budgets are at least 1")
    notes: tuple[str, ...] = ()
    if pool_size is not None and (large := [budget for budget in budgets if budget > pool_size]):
        if job.budgets or len(large) == len(budgets):
            raise InputError(f"budget {large[0]} is outside 1..{pool_size}; give --budgets that fit the pool")
        budgets = tuple(budget for budget in budgets if budget <= pool_size)
        notes = (f"The pool has {pool_size:,} points, so n = {', '.join(map(str, large))} is left out.",)
    drawn = job.data_seeds if experiment.task == "mixture" else 1
    return Plan(experiment, rows, budgets, job.seeds, drawn, notes)


def has_images(config: RunConfig, job: PaperJob) -> bool:
    """Whether the job starts at pictures rather than at features."""
    return get_experiment(job.experiment).needs_data and not holds_features(config.dataset.source)


def encoding(job: PaperJob) -> EmbedJob:
    """How the pictures of a job become features."""
    pattern = "utkface" if get_experiment(job.experiment).pattern else None
    return EmbedJob(model=job.model, pretrained=job.pretrained, architecture=job.architecture, pattern=pattern)


def finetunings(config: RunConfig, job: PaperJob) -> list[FinetuneParams]:
    """What is finetuned beside the linear probe, one a number of layers."""
    return [
        FinetuneParams.model_validate({"layers": layers, "images": config.dataset.source, "encoder": encoding(job)})
        for layers in job.finetune
    ]


def metrics_of(task: str, job: PaperJob) -> list[str]:
    """Keys of the scores that make a cell complete."""
    left_out = [f"_ft{layers}" for layers in (1, 2) if layers not in job.finetune]
    return [metric.key for metric in METRICS[task] if not metric.key.endswith(tuple(left_out))]
