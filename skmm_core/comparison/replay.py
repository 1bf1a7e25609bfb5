"""Replay the loop on a pool whose labels are known: pick, read the labels of what was picked, pick again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from skmm_core.comparison.rounds import asks_labels_first
from skmm_core.comparison.summary import REFERENCE
from skmm_core.data import Dataset, KnownTargets, Task
from skmm_core.methods import MethodSpec, compute_shared, get_method, select
from skmm_core.pool import Pool
from skmm_core.progress import Report


@dataclass(frozen=True)
class Picked:
    """All points of the rounds so far, in the order picked, and the seconds that picking them took."""

    indices: Tensor
    seconds: float


class Replay:
    """The rounds of several methods on the pool of one seed; what was picked is kept, so that a round runs once.

    Args:
        dataset: whose train split is the pool, with a target in every row.
        pool: the same rows without targets.
        ends: points picked after each round, ascending.
        params: by method key.
        seed: of every round.
    """

    def __init__(
        self, dataset: Dataset, pool: Pool, ends: Sequence[int], params: Mapping[str, Mapping[str, Any]], *, seed: int
    ) -> None:
        self._dataset, self._pool, self._ends, self._params, self._seed = dataset, pool, tuple(ends), params, seed
        self._picked: dict[tuple[str, int], Picked] = {}

    def picks(self, spec: MethodSpec, end: int, report: Report) -> Picked:
        """What a method has picked after the round that ends at `end` points.

        A method that asks labels first picks at random while they are of fewer than two classes.
        """
        known = self._picked.get((spec.key, end))
        if known is None:
            place = self._ends.index(end)
            before = Picked(torch.zeros(0, dtype=torch.int64), 0.0)
            if place:
                before = self.picks(spec, self._ends[place - 1], report)
            known = self._picked[spec.key, end] = self._round(spec, before, end, report)
        return known

    def _round(self, spec: MethodSpec, before: Picked, end: int, report: Report) -> Picked:
        labels = labels_of(self._dataset, before.indices)
        params = self._params.get(spec.key)
        if asks_labels_first(spec) and (labels is None or len(labels.class_names) < 2):
            spec, params = get_method(REFERENCE), None
        pool = self._pool
        if labels is not None and spec.uses_labels:
            pool = pool.knowing(labels.to(pool.features.device), report=report)
            compute_shared(pool, [spec])  # so that no method is timed for the head
        given = before.indices.sort().values.tolist()  # as from a table of labels, which knows no order
        rest = end - len(given)
        new = select(pool, spec.key, rest, params=params, seed=self._seed, given=given, report=report)
        return Picked(torch.cat([before.indices, new.indices]), before.seconds + new.seconds)


def without_labels(dataset: Dataset) -> Dataset:
    """The dataset as it is before its first round."""
    return replace(dataset, task=Task.UNLABELLED, targets=None, class_names=(), known_labels=None)


def labels_of(dataset: Dataset, rows: Tensor) -> KnownTargets | None:
    """Targets of these rows of the pool, as a pool in which they alone have a label knows them; None for no rows."""
    if not len(rows) or dataset.targets is None:
        return None
    rows = rows.sort().values
    values = dataset.targets[dataset.split.train[rows]]
    if dataset.task is not Task.CLASSIFICATION:
        return KnownTargets(dataset.task, rows, values)
    classes, values = values.unique(return_inverse=True)
    return KnownTargets(dataset.task, rows, values, tuple(dataset.class_names[at] for at in classes.tolist()))
