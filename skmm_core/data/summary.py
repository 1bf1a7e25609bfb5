"""What a person wants to know of a dataset before anything long starts."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from skmm_core.data.dataset import Dataset, train_targets
from skmm_core.data.task import Task


@dataclass(frozen=True)
class DatasetSummary:
    """A dataset in plain numbers.

    Attributes:
        name: short name.
        source: what `--dataset` takes.
        task: what the targets ask for.
        rows: rows in all.
        pool: rows to pick from.
        validation: rows for choosing hyper-parameters.
        test: rows for the final score.
        dims: feature columns.
        class_counts: rows of the pool by class name, in class order; empty unless the task is classification.
        target_min: of the pool's targets, None unless the task is regression; so are the next two.
        target_mean: see target_min.
        target_max: see target_min.
        feature_names: column names, or empty.
        has_images: whether rows have thumbnails.
        notes: one line each for what a person should know of the reading.
        fingerprint: "sha256:…" of the content.
    """

    name: str
    source: str
    task: Task
    rows: int
    pool: int
    validation: int
    test: int
    dims: int
    class_counts: Mapping[str, int]
    target_min: float | None
    target_mean: float | None
    target_max: float | None
    feature_names: tuple[str, ...]
    has_images: bool
    notes: tuple[str, ...]
    fingerprint: str


def describe(dataset: Dataset) -> DatasetSummary:
    """Summarise a dataset; nothing in the answer holds a tensor."""
    targets = train_targets(dataset)
    counts: dict[str, int] = {}
    low = mean = high = None
    if targets is not None and dataset.task is Task.CLASSIFICATION:
        found = torch.bincount(targets, minlength=dataset.n_classes).tolist()
        counts = dict(zip(dataset.class_names, found, strict=True))
    elif targets is not None:
        low, mean, high = float(targets.min()), float(targets.double().mean()), float(targets.max())
    return DatasetSummary(
        name=dataset.name,
        source=dataset.source,
        task=dataset.task,
        rows=len(dataset.features),
        pool=dataset.pool_size,
        validation=len(dataset.split.validation),
        test=len(dataset.split.test),
        dims=dataset.features.shape[1],
        class_counts=counts,
        target_min=low,
        target_mean=mean,
        target_max=high,
        feature_names=dataset.feature_names,
        has_images=dataset.images is not None,
        notes=dataset.notes,
        fingerprint=dataset.fingerprint,
    )
