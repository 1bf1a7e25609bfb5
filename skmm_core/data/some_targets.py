"""Known labels of a partly labelled pool as targets: what they ask for, and which rows have one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from skmm_core.data.column_offsets import float32_holds
from skmm_core.data.dataset import Dataset
from skmm_core.data.known_labels import number_word
from skmm_core.data.rows import RawTargets
from skmm_core.data.targets import as_numbers, auto_task
from skmm_core.data.task import Task
from skmm_core.errors import InputError


@dataclass(frozen=True)
class KnownTargets:
    """Targets of the rows that have a label.

    Attributes:
        task: what they ask for.
        rows: (L,) int64 rows of the pool that have one, ascending.
        values: (L,) int64 classes 0..K-1, every one of which occurs, or float32 values (float64 ones where float32
            would lose how they differ).
        class_names: K names; empty for a regression.
    """

    task: Task
    rows: Tensor
    values: Tensor
    class_names: tuple[str, ...] = ()

    def to(self, device: torch.device) -> "KnownTargets":
        """The same on another device."""
        return replace(self, rows=self.rows.to(device), values=self.values.to(device))

    def of(self, rows: Tensor) -> "KnownTargets | None":
        """Those of some rows, numbered anew; None where none of them has one.

        Args:
            rows: (M,) int64, in any order: row i of the part is rows[i] of the whole.
        """
        among = torch.full((1 + max(int(rows.max()), int(self.rows.max())),), -1, dtype=torch.int64)
        among[self.rows.cpu()] = torch.arange(len(self.rows))
        place = among[rows.cpu()]
        here = (place >= 0).nonzero().squeeze(1)
        if not len(here):
            return None
        values = self.values[place[here].to(self.values.device)]
        return replace(self, rows=here.to(self.rows.device), values=values)


def known_targets(dataset: Dataset) -> KnownTargets | None:
    """Targets of the pool's labelled rows; None unless the pool is partly labelled.

    Raises:
        InputError: the labels cannot be what the task asks.
    """
    labels = dataset.pool_labels
    return None if labels is None else understand_known(labels, task=dataset.known_task, where=dataset.name)


def understand_known(labels: Sequence[str | None], *, task: str, where: str) -> KnownTargets | None:
    """Turn labels in words into classes or values.

    Args:
        labels: of every row of the pool in words, None for none.
        task: "auto", "classification" or "regression"; see :func:`what_words_ask`.
        where: name of the data for messages.

    Returns:
        None where no row has a label.

    Raises:
        InputError: a regression is asked for and the labels are no numbers.
    """
    rows = np.array([row for row, label in enumerate(labels) if label is not None], np.int64)
    if not len(rows):
        return None
    asked, raw = what_words_ask([label for label in labels if label is not None], task=task, where=where)
    at = torch.from_numpy(rows)
    if asked is Task.REGRESSION:
        if raw.levels is not None:
            raise InputError(f"{where}: the labels are words, such as {raw.levels[0]!r}; a regression needs numbers")
        if not np.isfinite(raw.values).all():
            raise InputError(f"{where}: a label is infinite; a regression needs numbers")
        kind = np.float32 if float32_holds(raw.values) else np.float64
        return KnownTargets(Task.REGRESSION, at, torch.from_numpy(raw.values.astype(kind)))
    names, classes = classes_of(raw)
    return KnownTargets(Task.CLASSIFICATION, at, torch.from_numpy(classes), names)


def what_words_ask(words: Sequence[str], *, task: str, where: str) -> tuple[Task, RawTargets]:
    """What known labels ask for, the same for all that read them: classes or numbers.

    Few labels tell less than a whole column does, so single digits are classes however often they occur: more labels
    of their kind could only repeat them.

    Args:
        words: at least one.
        task: "auto", "classification" or "regression".
        where: name of the data for messages.

    Returns:
        The task, and the labels as numbers where all of them are, else with their words as levels.
    """
    levels, codes = np.unique(np.array(words, dtype=object), return_inverse=True)
    raw = as_numbers(
        RawTargets(codes.astype(np.int64), np.zeros(len(words), bool), tuple(levels.tolist()), "the labels")
    )
    if task == "auto":
        task = "classification" if raw.levels is None and _digits(raw.values) else auto_task(raw, (), where)[0]
    return Task(task), raw


def classes_of(raw: RawTargets) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes that known labels name, and (n,) int64 class of each; 1 and 1.0 are one class."""
    if raw.levels is not None:
        return raw.levels, raw.values
    values, classes = np.unique(raw.values, return_inverse=True)
    return tuple(number_word(value) for value in values.tolist()), classes.astype(np.int64)


def _digits(values: np.ndarray) -> bool:
    return bool(((values == np.round(values)) & (values >= 0) & (values <= 9)).all())
