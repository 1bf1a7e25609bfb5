"""A linear classifier for anything from one row a class to thousands: logistic and ridge regression, added up.

With few rows either may be far ahead: ridge on indicators where there are more columns than rows, logistic regression
where classes lie in a row or columns are few. Held-out rows are then too few to choose by, while the sum of both, each
scaled as held-out rows ask, stays near the better one and is a linear predictor as well.

How often a class was chosen tells little of how often it occurs. In the logistic part classes weigh alike; in the ridge
part as the root of their numbers of rows, between alike and as they came; a class of one row has no say in any choice.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmm_core.progress import Report, ignore
from skmm_core.solvers.held_out import HeldOut, content_order, stratified_folds
from skmm_core.solvers.linear_classifier import LinearClassifier
from skmm_core.solvers.logistic import LogisticFamily, constant_of, with_constant
from skmm_core.solvers.ridge import RidgeProblem
from skmm_core.solvers.threads import at_most_threads

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
_FOLDS, _TEN_FOLDS_UP_TO = 5, 50  # rows: fewer are dealt into ten folds, ten or fewer are left out one at a time
_WIDE = 8  # columns: among fewer, the middle of the pool may lie deep inside one class
_ONE_FOLD_ABOVE = 2_000  # rows: one fold then holds out hundreds, and four more would only cost time
_ONE_THREAD_BELOW = 1_000_000_000  # numbers a pass: rows × columns × classes


def fit_classifier(
    features: NDArray[np.floating],
    labels: Labels,
    *,
    validation: tuple[NDArray[np.floating], Labels] | None = None,
    seed: int = 0,
    report: Report = ignore,
) -> LinearClassifier:
    """Fit logistic regression and ridge on indicators, and add up their scores.

    The strength of the logistic part is chosen by log-loss on rows that the fit has not seen, pooled over all folds; α
    of ridge by exact leave-one-out of the rows that are not the only ones of their class. The order of the rows changes
    nothing, as they are sorted by content first, and neither do columns that are 0 in all of them.

    Args:
        features: (n, d) training rows, columns on comparable scales, and 0 where all classes are about as likely.
        labels: (n,) int64 classes.
        validation: rows and labels to choose by; rows of classes that the training rows lack tell nothing. Without them
            inner folds of the training rows are used: each row for itself up to 10 rows, ten folds up to 50, five
            above, and one such fold when there are more than 2,000 rows.
        seed: of the folds.
        report: told of every fit.
    """
    classes, within = np.unique(labels, return_inverse=True)
    if len(classes) == 1:
        return LinearClassifier(classes, np.zeros((features.shape[1], 1)), np.zeros(1), np.inf)
    # thin products gain nothing from more threads, and lose fortyfold when the cores are busy with other work
    threads = 1 if features.shape[0] * min(features.shape) * len(classes) < _ONE_THREAD_BELOW else None
    with at_most_threads(threads):
        # columns without values would still count in the size of a column, and change the order and with it the folds
        told = np.flatnonzero(features.any(axis=0))
        rows = features[:, told].astype(np.float64)
        order = content_order(rows, within)
        rows, within = rows[order], within[order].astype(np.int64)
        if validation is None:
            held_out = HeldOut(within, _inner_folds(within, seed))
        else:
            known = np.isin(validation[1], classes)
            other = validation[0][known][:, told].astype(np.float64)
            held_out = HeldOut(np.searchsorted(classes, validation[1][known]), np.empty(0, np.int64), other)
        fitted = _fit(classes, rows, within, held_out, report)
    coef = np.zeros((features.shape[1], len(classes)))
    coef[told] = fitted.coef
    return replace(fitted, coef=coef)


def _inner_folds(labels: Labels, seed: int) -> Labels:
    fold = stratified_folds(labels, 2 * _FOLDS if len(labels) <= _TEN_FOLDS_UP_TO else _FOLDS, seed)
    return np.where(fold > 0, -1, 0) if len(labels) > _ONE_FOLD_ABOVE else fold


def _fit(classes: Labels, rows: Array, labels: Labels, held_out: HeldOut, report: Report) -> LinearClassifier:
    family = LogisticFamily(rows, labels, held_out, report)
    choice = family.tune()
    coef, intercept = family.fit(choice)
    logistic, logistic_scores = family.verdict(choice), family.held_out_scores(choice)
    counts = np.bincount(labels)[labels]
    constant = constant_of(rows)
    indicators = np.eye(len(classes))[labels]
    extended = with_constant(rows, constant)
    # more rows than columns tell where the classes meet; fewer do not, and the pool's middle is then taken for it
    wide = rows.shape[1] >= max(len(rows), _WIDE)
    origin = 1 / len(classes) if wide else None
    problem = RidgeProblem(extended, indicators, 1 / np.sqrt(counts), origin=origin)
    fitted = problem.solve(counts > 1 if counts.max() > 1 else None)
    other = held_out.rows
    scores = (
        problem.held_out(fitted.alpha, held_out.fold)
        if other is None
        else fitted.predict(with_constant(other, constant))
    )
    scores = np.where(np.isfinite(logistic_scores), scores, -np.inf)
    ridge = family.judge(scores, _spread(rows @ coef + intercept) / _spread(fitted.predict(extended)))
    both = family.judge(logistic.scale * logistic_scores + ridge.scale * scores, 1.0)
    better = min((logistic, ridge), key=lambda each: each.total)
    alone = better.clearly_beats(both)
    weights = tuple(0.0 if alone and each is not better else each.scale for each in (logistic, ridge))
    return LinearClassifier(
        classes,
        weights[0] * coef + weights[1] * fitted.coef[:-1],
        weights[0] * intercept + weights[1] * (fitted.intercept + constant * fitted.coef[-1]),
        family.penalty(choice),
    )


def _spread(scores: Array) -> float:
    """Standard deviation of scores about the mean of their row; 1 where there is none."""
    return float(np.std(scores - scores.mean(axis=1, keepdims=True))) or 1.0
