"""What models say of labelled rows that they were not trained on, with the rows' place in the pool still seen.

Only the label of a held-out row is hidden: the graph of neighbours and the columns' spread are those of the whole pool,
as they are for every row without a label.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmm_core.data import Task
from skmm_core.estimates.labelled import LabelledRows
from skmm_core.estimates.working_pool import WorkingPool
from skmm_core.probes import class_scores, number_scores
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import stratified_folds

Labels = NDArray[np.int64]
Array = NDArray[np.float64]
FOLDS = 10
_REPEATS = ((60, 3), (200, 2))  # up to so many labels so often: with more, another deal changes little
_GROUP = 5  # numbers are dealt like classes of five neighbouring values


@dataclass(frozen=True)
class OutOfFold:
    """Scores of labelled rows by models that did not see their labels.

    Attributes:
        scores: (R, n, K) of the classes, -∞ for a class that a model has not seen; (R, n) predictions for numbers. R
            deals into folds.
    """

    scores: Array

    @property
    def repeats(self) -> int:
        """R."""
        return len(self.scores)


def deal(rows: LabelledRows, folds: int, seed: int) -> Labels:
    """(n,) fold of every labelled row, classes (or ranks of numbers) dealt out evenly."""
    if rows.task is Task.CLASSIFICATION:
        return stratified_folds(rows.classes, folds, seed)
    ranks = np.argsort(np.argsort(rows.values, kind="stable"), kind="stable")
    return stratified_folds(ranks // _GROUP, folds, seed)


def out_of_fold(
    pool: WorkingPool, rows: LabelledRows, learner: str, *, seed: int = 0, report: Report = ignore
) -> OutOfFold:
    """Hold out each labelled row once in every deal; ten folds, or one a row where there are fewer than ten.

    Args:
        pool: that the rows are in.
        rows: at least 2.
        learner: that is settled.
        seed: of the deals and of inner folds.
        report: told of every fold.
    """
    repeats = next((often for most, often in _REPEATS if len(rows) <= most), 1)
    folds = [deal(rows, FOLDS, seed + each) for each in range(repeats)]
    total, found = sum(int(fold.max()) + 1 for fold in folds), []
    for each, fold in enumerate(folds):
        of_deal = []
        for out in range(int(fold.max()) + 1):
            report(Progress("Holding out labels", each * (int(fold.max()) + 1) + out, total))
            of_deal.append((fold == out, held_out_scores(pool, rows, fold != out, fold == out, learner, seed)))
        joined = np.empty((len(rows), *of_deal[0][1].shape[1:]))
        for out_rows, scores in of_deal:
            joined[out_rows] = scores
        found.append(joined)
    return OutOfFold(np.stack(found))


def held_out_scores(
    pool: WorkingPool,
    rows: LabelledRows,
    trained_on: NDArray[np.bool_] | Labels,
    asked: NDArray[np.bool_],
    learner: str,
    seed: int,
) -> Array:
    """Scores (m, K), or predictions (m,), of some labelled rows by a model of others.

    Args:
        pool: that the rows are in.
        rows: all labelled ones.
        trained_on: which of them train.
        asked: (n,) bool, m of them.
        learner: that is settled.
        seed: of inner folds.
    """
    chosen, places = pool.labelled[trained_on], pool.labelled[asked]
    if rows.task is Task.REGRESSION:
        return number_scores(pool.view, chosen, rows.values.astype(np.float64)[trained_on], learner)[places]
    scores = np.full((len(places), len(rows.class_names)), -np.inf)
    seen, found = class_scores(pool.view, chosen, rows.classes[trained_on], learner, seed=seed)
    scores[:, seen] = found[places]
    return scores
