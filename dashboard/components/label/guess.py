"""What a model trained on the labels so far would answer; shown only to those who ask."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dashboard.components.label.classes import is_number
from dashboard.components.label.point import row_of
from dashboard.components.shared.theme import fmt_number

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_NEAREST = 5  # labelled points whose mean number is a guess


def guesses(dataset: "Dataset", labels: Mapping[str, str], items: Sequence[str], *, numbers: bool) -> dict[str, str]:
    """The class whose mean over the labelled points is nearest (Snell et al. 2017), or the mean of the nearest numbers.

    Args:
        dataset: the pool.
        labels: of points so far; those of the points asked for are left out.
        items: points to guess.
        numbers: whether labels are numbers.

    Returns:
        A guess for each point; none at all while fewer than two classes, or no numbers, are known.
    """
    known = {row: label for item, label in labels.items() if (row := row_of(dataset, item)) is not None}
    asked = {item: row for item in items if (row := row_of(dataset, item)) is not None}
    for row in asked.values():
        known.pop(row, None)
    if numbers:
        known = {row: label for row, label in known.items() if is_number(label)}
    if len(known if numbers else set(known.values())) < (1 if numbers else 2) or not asked:
        return {}
    rows = _standardised(dataset, list(known))
    wanted = _standardised(dataset, list(asked.values()))
    given = list(known.values())
    found = _numbers(rows, given, wanted) if numbers else _classes(rows, given, wanted)
    return dict(zip(asked, found, strict=True))


def _standardised(dataset: "Dataset", rows: Sequence[int]) -> np.ndarray:
    return np.asarray(dataset.scaler(dataset.features[list(rows)]), dtype=np.float64)


def _classes(rows: np.ndarray, labels: Sequence[str], wanted: np.ndarray) -> list[str]:
    names, within = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
    means = np.stack([rows[within == number].mean(axis=0) for number in range(len(names))])
    return [str(names[nearest]) for nearest in _distances(wanted, means).argmin(axis=1)]


def _numbers(rows: np.ndarray, labels: Sequence[str], wanted: np.ndarray) -> list[str]:
    values = np.array([float(label) for label in labels])
    nearest = np.argsort(_distances(wanted, rows), axis=1, kind="stable")[:, :_NEAREST]
    return [fmt_number(float(values[each].mean())) for each in nearest]


def _distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.asarray((left**2).sum(axis=1)[:, None] - 2 * left @ right.T + (right**2).sum(axis=1)[None, :])
