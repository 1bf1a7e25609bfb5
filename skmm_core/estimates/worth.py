"""What the labels so far are worth, in one go: score, curve, forecasts, labels for the rest, likely mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmm_core.data import Dataset, Task
from skmm_core.estimates.calibration import calibration_error, fitted_scale, probabilities, unseen_share
from skmm_core.estimates.expected_score import (
    ExpectedScore,
    expected_accuracy,
    expected_error,
    pool_shares,
)
from skmm_core.estimates.labelled import LabelledRows
from skmm_core.estimates.learning_curve import Forecast, LearningCurve, forecasts, learning_curve
from skmm_core.estimates.mistakes import class_mistakes, number_mistakes
from skmm_core.estimates.out_of_fold import OutOfFold, out_of_fold
from skmm_core.estimates.predictions import class_table, number_intervals, number_table
from skmm_core.estimates.row_losses import row_losses
from skmm_core.estimates.working_pool import WorkingPool, working_pool
from skmm_core.probes import class_scores, number_scores, primary_metric, settle
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import at_most_threads

Array = NDArray[np.float64]
NEXT = (50, 100, 200)


@dataclass(frozen=True)
class Estimate:
    """What labels are worth.

    Attributes:
        rows: the labelled ones.
        learner: that was asked for.
        settled: that was trained.
        score: expected on the rows without a label.
        curve: measured; None where labels are too few to train on some of them.
        next: expected of more labels; empty where nothing can be said.
        predictions: see :func:`class_table` and :func:`number_table`.
        mistakes: see :func:`class_mistakes` and :func:`number_mistakes`; empty where no label could be held out.
        calibration: how far probabilities and held-out labels lie apart (ECE, 0..1); NaN for numbers, and where no
            label could be held out.
    """

    rows: LabelledRows
    learner: str
    settled: str
    score: ExpectedScore
    curve: LearningCurve | None
    next: tuple[Forecast, ...]
    predictions: pd.DataFrame
    mistakes: pd.DataFrame
    calibration: float


def estimate(
    dataset: Dataset,
    rows: LabelledRows,
    *,
    learner: str = "auto",
    more: Sequence[int] = NEXT,
    with_curve: bool = True,
    seed: int = 0,
    report: Report = ignore,
) -> Estimate:
    """Say what the labels so far are worth.

    Args:
        dataset: whose pool it is; nothing is read of its targets, validation or test rows.
        rows: the labelled rows, see :func:`labelled_rows`.
        learner: of `OF_CLASSES` or `OF_NUMBERS`.
        more: how many more labels to look ahead.
        with_curve: whether the learning curve is measured; without it nothing is said of more labels.
        seed: of folds and draws.
        report: told of the work.

    Raises:
        InputError: the learner does not fit.
        Cancelled: raised by `report`.
    """
    pool = working_pool(dataset, rows.positions, seed=seed, report=report)
    with at_most_threads(1 if pool.view.rows.size < 10_000_000 else None):
        if rows.task is Task.REGRESSION:
            return _of_numbers(dataset, pool, rows, learner, more, with_curve, seed, report)
        return _of_classes(dataset, pool, rows, learner, more, with_curve, seed, report)


def _of_classes(
    dataset: Dataset,
    pool: WorkingPool,
    rows: LabelledRows,
    learner: str,
    more: Sequence[int],
    with_curve: bool,
    seed: int,
    report: Report,
) -> Estimate:
    metric = primary_metric(rows.task.value)
    report(Progress("Choosing the learner", 0))
    settled = settle(pool.view, pool.labelled, rows.classes, learner, seed=seed, report=report)
    scores = pool.in_order(
        class_scores(pool.view, pool.labelled, rows.classes, settled, seed=seed, test=bool(len(pool.beside)))[1]
    )
    if why_not := _nothing_to_hold_out(rows):
        unknown = ExpectedScore(metric, np.nan, np.nan, np.nan, np.nan, 0.0, why_not)
        table = class_table(dataset, rows, probabilities(scores, 1.0 / (float(scores.std()) or 1.0)))
        table[["probability", "runner_up_probability"]] = np.nan  # no held-out label says how sure the model may be
        return Estimate(rows, learner, settled, unknown, None, (), table, pd.DataFrame(), np.nan)
    held_out = out_of_fold(pool, rows, settled, seed=seed, report=report)
    scale, unseen = fitted_scale(held_out, rows.classes), unseen_share(rows.counts)
    chances, own = probabilities(scores, scale, unseen), probabilities(held_out.scores, scale, unseen)
    shares = pool_shares(pool.near_labelled()[0][:, 0], len(rows))
    losses = row_losses(rows, held_out.scores)
    confidence = own.max(axis=-1)
    unlabelled = np.setdiff1d(np.arange(dataset.pool_size), rows.positions)
    sure = confidence.mean(axis=0)
    over = chances[unlabelled].max(axis=1).mean() if len(unlabelled) else shares @ sure  # of rows it was not fitted to
    score = expected_accuracy(metric, 1 - losses.mean(axis=0), sure, float(over), shares)
    curve, ahead = _ahead(pool, rows, settled, held_out, score, more if with_curve else None, shares, seed, report)
    return Estimate(
        rows,
        learner,
        settled,
        score,
        curve,
        ahead,
        class_table(dataset, rows, chances),
        class_mistakes(dataset, rows, own.mean(axis=0), *pool.near_each_other()),
        calibration_error(confidence.ravel(), 1 - losses.ravel()),
    )


def _of_numbers(
    dataset: Dataset,
    pool: WorkingPool,
    rows: LabelledRows,
    learner: str,
    more: Sequence[int],
    with_curve: bool,
    seed: int,
    report: Report,
) -> Estimate:
    metric, values = primary_metric(rows.task.value), rows.values.astype(np.float64)
    predicted = pool.in_order(number_scores(pool.view, pool.labelled, values, learner, test=bool(len(pool.beside))))
    near, own_near = pool.near_labelled()[0], pool.near_each_other()[0]
    if len(rows) < 2:
        why_not = "There is one label: a model of it says the same of every row; label more."
        unknown = ExpectedScore(metric, np.nan, np.nan, np.nan, np.nan, 0.0, why_not)
        none = number_intervals(np.full(len(rows), np.inf), near, own_near)
        table = number_table(dataset, rows, predicted, none)
        return Estimate(rows, learner, learner, unknown, None, (), table, pd.DataFrame(), np.nan)
    held_out = out_of_fold(pool, rows, learner, seed=seed, report=report)
    losses = row_losses(rows, held_out.scores).mean(axis=0)
    shares = pool_shares(near[:, 0], len(rows))
    score = expected_error(metric, losses, shares)
    intervals = number_intervals(losses, near, own_near)
    curve, ahead = _ahead(pool, rows, learner, held_out, score, more if with_curve else None, shares, seed, report)
    usual = number_intervals(losses, own_near, own_near).expected
    return Estimate(
        rows,
        learner,
        learner,
        score,
        curve,
        ahead,
        number_table(dataset, rows, predicted, intervals),
        number_mistakes(dataset, rows, held_out.scores.mean(axis=0), usual),
        np.nan,
    )


def _ahead(
    pool: WorkingPool,
    rows: LabelledRows,
    learner: str,
    held_out: OutOfFold,
    score: ExpectedScore,
    more: Sequence[int] | None,
    shares: Array,
    seed: int,
    report: Report,
) -> tuple[LearningCurve | None, tuple[Forecast, ...]]:
    if more is None or len(rows) < 2 * LEAST_FOR_CURVE:
        return None, ()
    losses = row_losses(rows, held_out.scores).mean(axis=0)
    curve = learning_curve(pool, rows, learner, losses, shares, seed=seed, report=report)
    return curve, tuple(forecasts(curve, score, more))


LEAST_FOR_CURVE = 4  # labels at the small end of a curve


def _nothing_to_hold_out(rows: LabelledRows) -> str:
    """Why no label of a class can be held out; empty where some can."""
    if len(rows.class_names) == 1:
        return (
            f"All labels so far are {rows.class_names[0]}: a model of one class says the same of every row; label on "
            "until there are two."
        )
    if rows.counts.max() == 1:
        return "Every class has one label, so none can be held out to see whether a model finds it; label more."
    return ""
