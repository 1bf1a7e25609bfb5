"""Labels for all rows without one, each with how sure it is; the least sure first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmm_core.data import Dataset
from skmm_core.estimates.labelled import LabelledRows

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
COVERAGE = 0.9  # of the intervals of predicted numbers
_LEAST_FOR_INTERVAL = 9  # labels: of fewer, no held-out error is as large as nine in ten


@dataclass(frozen=True)
class Intervals:
    """How far predicted numbers may be off.

    Attributes:
        quantile: of held-out errors over the error to be expected at their place; ∞ where labels are too few.
        expected: (N,) error to be expected at each row of the pool, in the unit of the targets.
    """

    quantile: float
    expected: Array

    @property
    def half_widths(self) -> Array:
        """(N,) half the width of each interval."""
        if not np.isfinite(self.quantile):
            return np.full(len(self.expected), np.inf)
        return self.quantile * self.expected


def class_table(dataset: Dataset, rows: LabelledRows, chances: Array) -> pd.DataFrame:
    """One row a point without a label.

    Columns: id, row (0-based, in the input file), position (0-based, in the pool), prediction, probability, runner_up,
    runner_up_probability. A model of one class has neither probability nor runner-up; the least sure come first.

    Args:
        dataset: whose pool it is.
        rows: labelled ones.
        chances: (N, K) calibrated probabilities of the classes.
    """
    open_rows = _open(dataset, rows)
    order = np.argsort(-chances[open_rows], axis=1, kind="stable")
    names = np.array(rows.class_names, dtype=object)
    best = np.take_along_axis(chances[open_rows], order[:, :1], axis=1)[:, 0]
    table = _head(dataset, open_rows)
    table["prediction"] = pd.array(names[order[:, 0]], dtype="string")
    if chances.shape[1] == 1:
        table["probability"] = np.nan
        table["runner_up"] = pd.array([pd.NA] * len(table), dtype="string")
        table["runner_up_probability"] = np.nan
        return table
    table["probability"] = best
    table["runner_up"] = pd.array(names[order[:, 1]], dtype="string")
    table["runner_up_probability"] = np.take_along_axis(chances[open_rows], order[:, 1:2], axis=1)[:, 0]
    return table.sort_values("probability", kind="stable", ignore_index=True)


def number_table(dataset: Dataset, rows: LabelledRows, predicted: Array, intervals: Intervals) -> pd.DataFrame:
    """One row a point without a label: id, row, position, prediction, low, high; the widest interval first.

    Args:
        dataset: whose pool it is.
        rows: labelled ones.
        predicted: (N,) values.
        intervals: of 90 %; low and high are empty where labels are too few for them.
    """
    open_rows = _open(dataset, rows)
    table = _head(dataset, open_rows)
    half = intervals.half_widths[open_rows]
    half = np.where(np.isfinite(half), half, np.nan)
    table["prediction"] = predicted[open_rows]
    table["low"], table["high"] = predicted[open_rows] - half, predicted[open_rows] + half
    order = np.argsort(-intervals.expected[open_rows], kind="stable")
    return table.iloc[order].reset_index(drop=True)


def number_intervals(errors: Array, near: Labels, own_near: Labels) -> Intervals:
    """Intervals by split-conformal prediction with errors taken relative to what is usual nearby.

    Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018), Distribution-free predictive inference for regression, section
    5.2, on errors of cross-validation. What is usual is the mean error of the nearest labelled rows, half way to that
    of all, so that few neighbours do not decide alone.

    Args:
        errors: (n,) absolute errors of held-out labels.
        near: (N, k) labelled rows nearest to each row of the pool.
        own_near: (n, k') the same for the labelled rows, none of which is near itself.
    """
    usual = float(errors.mean())
    expected = (errors[near].mean(axis=1) + usual) / 2
    own = (errors[own_near].mean(axis=1) + usual) / 2 if own_near.shape[1] else np.full(len(errors), usual)
    if len(errors) < _LEAST_FOR_INTERVAL:
        return Intervals(np.inf, expected)
    if not usual > 0:  # every held-out label was met exactly
        return Intervals(0.0, expected)
    rank = int(np.ceil((len(errors) + 1) * COVERAGE))
    ratio = np.sort(errors / own)
    return Intervals(float(ratio[rank - 1]) if rank <= len(errors) else np.inf, expected)


def _open(dataset: Dataset, rows: LabelledRows) -> Labels:
    return np.setdiff1d(np.arange(dataset.pool_size), rows.positions)


def _head(dataset: Dataset, open_rows: Labels) -> pd.DataFrame:
    train = dataset.split.train.numpy()[open_rows]
    ids = pd.array([dataset.ids[row] for row in train.tolist()], dtype="string")
    return pd.DataFrame({"id": ids, "row": dataset.rows.numpy()[train], "position": open_rows})
