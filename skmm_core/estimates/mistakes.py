"""Labels that held-out models and neighbours contradict: likely mistakes, the likeliest first."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmm_core.data import Dataset
from skmm_core.estimates.labelled import LabelledRows
from skmm_core.estimates.working_pool import EQUAL

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_HARDLY = 0.05  # chance of a label below which it is listed: higher ones list more right labels than wrong ones
_ODD = 4.0  # times what is usual nearby: an error that few rows of right labels have


def class_mistakes(dataset: Dataset, rows: LabelledRows, chances: Array, near: Labels, apart: Array) -> pd.DataFrame:
    """Every label, the most doubtful first.

    A label is likely wrong where a model that did not see it, with calibrated probabilities, gives it hardly any chance
    (self-confidence; Northcutt, Jiang & Chuang 2021, Confident learning), or where an equal row has another label.

    Columns: id, position, label, suggestion, probability (of the suggestion), given_probability (of the label), likely
    (whether it is worth another look), reason (a sentence).

    Args:
        dataset: whose pool it is.
        rows: labelled ones.
        chances: (n, K) calibrated probabilities of held-out rows.
        near: (n, k) labelled rows nearest to each, not itself.
        apart: (n, k) their distances.
    """
    given = rows.classes
    mine = chances[np.arange(len(given)), given]
    best = chances.argmax(axis=1)
    sure = chances[np.arange(len(given)), best]
    twin, agree = _twins(given, near, apart), (given[near] == given[:, None]).sum(axis=1)
    alone = rows.counts[given] == 1  # no held-out model can have said it
    likely = (best != given) & (mine < _HARDLY) & ~alone | (twin >= 0)
    order = np.lexsort((np.arange(len(given)), mine, twin < 0, ~likely, alone & (twin < 0)))
    names, ids = rows.class_names, _ids(dataset, rows)
    said = [
        _reason(names, given, int(best[i]), float(sure[i]), int(agree[i]), near.shape[1], twin[i], ids)
        if likely[i]
        else ""
        for i in order.tolist()
    ]
    return pd.DataFrame(
        {
            "id": pd.array([ids[i] for i in order.tolist()], dtype="string"),
            "position": rows.positions[order],
            "label": pd.array([names[given[i]] for i in order.tolist()], dtype="string"),
            "suggestion": pd.array([names[best[i]] for i in order.tolist()], dtype="string"),
            "probability": sure[order],
            "given_probability": mine[order],
            "likely": likely[order],
            "reason": pd.array(said, dtype="string"),
        }
    )


def number_mistakes(dataset: Dataset, rows: LabelledRows, predicted: Array, expected: Array) -> pd.DataFrame:
    """Every label, the farthest from what others say first: id, position, label, suggestion, times, likely, reason.

    Args:
        dataset: whose pool it is.
        rows: labelled ones.
        predicted: (n,) values of held-out rows.
        expected: (n,) error that is usual near each.
    """
    values = rows.values.astype(np.float64)
    errors = np.abs(predicted - values)
    times = np.divide(errors, expected, out=np.zeros(len(errors)), where=expected > 0)
    order = np.lexsort((np.arange(len(times)), -times))
    likely, ids = times >= _ODD, _ids(dataset, rows)
    said = [
        f"Others like it say {predicted[i]:.4g}: {times[i]:.1f} times as far off as is usual nearby."
        if likely[i]
        else ""
        for i in order.tolist()
    ]
    return pd.DataFrame(
        {
            "id": pd.array([ids[i] for i in order.tolist()], dtype="string"),
            "position": rows.positions[order],
            "label": values[order],
            "suggestion": predicted[order],
            "times": times[order],
            "likely": likely[order],
            "reason": pd.array(said, dtype="string"),
        }
    )


def _twins(given: Labels, near: Labels, apart: Array) -> Labels:
    """(n,) a labelled row that is the same as each and has another label; -1 where there is none."""
    odd = (apart <= EQUAL) & (given[near] != given[:, None])
    first = odd.argmax(axis=1) if odd.shape[1] else np.zeros(len(given), np.int64)
    return np.where(odd.any(axis=1), near[np.arange(len(given)), first] if odd.shape[1] else -1, -1)


def _reason(
    names: tuple[str, ...], given: Labels, best: int, sure: float, agree: int, of: int, twin: int, ids: list[str]
) -> str:
    if twin >= 0:
        return f"{ids[twin]} is the same and is labelled {names[given[twin]]}."
    other = f"{names[best]} ({100 * sure:.0f} %)"
    return f"Without this label it would be {other}; {agree} of its {of} nearest labels agree."


def _ids(dataset: Dataset, rows: LabelledRows) -> list[str]:
    return [dataset.ids[row] for row in dataset.split.train.numpy()[rows.positions].tolist()]
