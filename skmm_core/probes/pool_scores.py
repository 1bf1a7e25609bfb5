"""Train a learner on some labelled rows of a pool and say what it makes of every row of the pool.

Unlike the scores of a comparison, nothing here reads a label but those it is given: no validation or test rows.
"""

import numpy as np
from numpy.typing import NDArray

from skmm_core.errors import InputError
from skmm_core.probes.linear_probe import number_scalings
from skmm_core.probes.pool_learners import fit_propagation, linear_is_better
from skmm_core.probes.views import PoolView
from skmm_core.progress import Report, ignore
from skmm_core.solvers import average_ridge, content_order, fit_classifier

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
OF_CLASSES, OF_NUMBERS = ("linear", "prototype", "propagate", "auto"), ("linear", "propagate", "auto")


def settle(view: PoolView, chosen: Labels, labels: Labels, learner: str, *, seed: int, report: Report = ignore) -> str:
    """The learner of classes that an automatic choice comes to with these labels; any other is itself.

    Args:
        view: of the pool.
        chosen: (n,) labelled rows of the pool.
        labels: (n,) their classes.
        learner: of `OF_CLASSES`.
        seed: of the folds that choose.
        report: told of every fit.

    Raises:
        InputError: the learner does not fit classes, or needs rows besides those of the pool.
    """
    _check(learner, OF_CLASSES, "classes")
    if learner != "auto":
        return learner
    return "linear" if linear_is_better(view, chosen, labels, seed, report) else "propagate"


def class_scores(
    view: PoolView,
    chosen: Labels,
    labels: Labels,
    learner: str,
    *,
    seed: int,
    test: bool = False,
    report: Report = ignore,
) -> tuple[Labels, Array]:
    """Scores of the classes for every row of the pool, by a learner that is settled.

    Args:
        view: of the pool.
        chosen: (n,) labelled rows of the pool.
        labels: (n,) their classes.
        learner: "linear", "prototype" or "propagate".
        seed: of the inner folds.
        test: whether the T test rows are scored too, after the rows of the pool.
        report: told of every fit.

    Returns:
        (K,) classes among the labels, and (N, K) or (N + T, K) scores, the larger the likelier; all 0 for one class.
    """
    classes, within = np.unique(labels, return_inverse=True)
    parts = (False, True) if test else (False,)
    rows = [view.test if part else view.rows for part in parts]
    if len(classes) == 1:
        return classes, np.zeros((sum(map(len, rows)), 1))
    if learner == "prototype":
        means = np.stack([view.rows[chosen[within == k]].astype(np.float64).mean(axis=0) for k in range(len(classes))])
        return classes, np.concatenate([each @ means.T - (means**2).sum(axis=1) / 2 for each in rows])
    if learner == "linear":
        fitted = fit_classifier(view.standardised(chosen), labels, seed=seed, report=report)
        scores = [view.plain_scores(fitted.coef, fitted.intercept, test=part) for part in parts]
        return classes, np.concatenate(scores)
    both = fit_propagation(view, chosen, labels, None, seed, report)
    smooth = [view.smooth_scores(both.smooth.coef, both.smooth.intercept, test=part) for part in parts]
    spread = [both.spread.scores(each) for each in rows]
    return classes, both.weights[0] * np.concatenate(smooth) + both.weights[1] * np.concatenate(spread)


def number_scores(view: PoolView, chosen: Labels, values: Array, learner: str, *, test: bool = False) -> Array:
    """(N,) values predicted for every row of the pool, or (N + T,) with the test rows after them.

    Args:
        view: of the pool.
        chosen: (n,) labelled rows of the pool.
        values: (n,) float64.
        learner: of `OF_NUMBERS`.
        test: whether the test rows are predicted too.

    Raises:
        InputError: the learner does not fit numbers.
    """
    _check(learner, OF_NUMBERS, "numbers")
    plain = () if learner == "propagate" else number_scalings(view.dataset, view.standardised(chosen))
    smooth = () if learner == "linear" else number_scalings(view.dataset, view.smoothed(chosen))
    columns = [*plain, *smooth]
    order = content_order(columns[0], values)
    fitted = average_ridge([each[order] for each in columns], values[order])
    # what a scaling multiplies a column by goes into its coefficients: each kind of rows is then read once
    units = number_scalings(view.dataset, np.ones((1, columns[0].shape[1])))
    coefs = [unit[0] * coef for unit, coef in zip([*units, *units][: len(columns)], fitted.coefs, strict=True)]
    found = []
    for part in (False, True) if test else (False,):
        said = np.full(len(view.test if part else view.rows), fitted.intercept)
        said += view.plain_scores(coefs[0] + coefs[1], 0.0, test=part) if plain else 0.0
        said += view.smooth_scores(coefs[-2] + coefs[-1], 0.0, test=part) if smooth else 0.0
        found.append(said)
    return np.concatenate(found)


def _check(learner: str, fitting: tuple[str, ...], what: str) -> None:
    if learner not in fitting:
        raise InputError(f"learner {learner} does not predict {what} in a pool; choose {', '.join(fitting)}")
