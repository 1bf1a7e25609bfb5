"""Labels by id, found in a pool and understood: as classes or as numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmm_core.data import Dataset, Task, classes_of, what_words_ask
from skmm_core.errors import InputError

Labels = NDArray[np.int64]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledRows:
    """The labelled rows of a pool, in the order of the pool.

    Attributes:
        task: classification or regression.
        positions: (n,) rows of the pool.
        values: (n,) int64 classes 0..K-1, or float64 numbers.
        class_names: K names in sorted order; empty for numbers.
        batches: (n,) int64 batch of each, 0 where it is in none.
        unknown: ids with a label that the pool does not have.
    """

    task: Task
    positions: Labels
    values: Labels | Array
    class_names: tuple[str, ...]
    batches: Labels
    unknown: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def classes(self) -> Labels:
        """(n,) int64 classes."""
        return self.values.astype(np.int64)

    @property
    def counts(self) -> Labels:
        """(K,) labels of each class."""
        return np.bincount(self.classes, minlength=len(self.class_names))


def labelled_rows(
    dataset: Dataset, labels: Mapping[str, str], *, batches: Mapping[str, int] | None = None, task: str = "auto"
) -> LabelledRows:
    """Find the labelled rows of a pool.

    A pool that is labelled in part brings the labels of its own file; `labels` wins where both have one.

    Args:
        dataset: whose pool it is about; targets of a fully labelled one are not read.
        labels: id → label in words.
        batches: id → batch in which it was picked.
        task: "auto", "classification" or "regression"; see :func:`skmm_core.data.what_words_ask`.

    Raises:
        InputError: no label is of a row of the pool, or labels that are to be numbers are none.
    """
    place = {dataset.ids[row]: at for at, row in enumerate(dataset.split.train.tolist())}
    own = dataset.pool_labels or ()
    given = {at: label for at, label in enumerate(own) if label is not None}
    unknown = tuple(id_ for id_ in labels if id_ not in place)
    given |= {place[id_]: label.strip() for id_, label in labels.items() if id_ in place and label.strip()}
    if not given:
        raise InputError(_none_found(dataset, tuple(labels)))
    positions = np.array(sorted(given), dtype=np.int64)
    words = [given[at] for at in positions.tolist()]
    numbered = {place[id_]: number for id_, number in (batches or {}).items() if id_ in place}
    of_batch = np.array([numbered.get(at, 0) for at in positions.tolist()], dtype=np.int64)
    asked = dataset.task.value if task == "auto" and dataset.task is not Task.UNLABELLED else task
    found, raw = what_words_ask(words, task=asked, where=dataset.name)
    if found is Task.REGRESSION:
        plain = words if raw.levels is not None else raw.values.tolist()
        values = np.array([_number(word) for word in plain], dtype=np.float64)
        return LabelledRows(Task.REGRESSION, positions, values, (), of_batch, unknown)
    names, codes = classes_of(raw)
    return LabelledRows(Task.CLASSIFICATION, positions, codes, names, of_batch, unknown)


def class_counts(rows: LabelledRows) -> dict[str, int]:
    """Labels of each class by name, the most first; empty for numbers."""
    return dict(Counter(rows.class_names[code] for code in rows.classes.tolist()).most_common()) if _named(rows) else {}


def _named(rows: LabelledRows) -> bool:
    return rows.task is Task.CLASSIFICATION


def _number(word: str | float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"the label {str(word)[:40]!r} is no number; take --task classification, or mend it")
    return value


def _none_found(dataset: Dataset, ids: tuple[str, ...]) -> str:
    if not ids:
        return f"no row of {dataset.name} has a label yet; label some rows first, or give a file of id and label"
    first = dataset.ids[int(dataset.split.train[0])]
    return (
        f"none of the {len(ids):,} labels is of a row of {dataset.name}: they say {ids[0][:40]!r}, the pool says "
        f"{first[:40]!r}; give the file of this pool's labels"
    )
