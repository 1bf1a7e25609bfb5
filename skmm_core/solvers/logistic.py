"""Multinomial logistic regression with L2, tuned along a warm-started path."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from skmm_core.progress import Progress, Report, ignore

STRENGTHS = np.logspace(-4, 1, 6)  # C of scikit-learn: weight of the summed loss against ½‖coef‖²
FOLDS = 5
_PATIENCE = 2  # the path ends once the score was below its best this many times in a row
_MAX_ITER = 300
_TOL = 1e-5  # largest entry of the mean loss's gradient; the default 1e-4 leaves the intercept visibly off
_ONE_FOLD_ABOVE = 2_000  # rows: one fold then holds out hundreds, and four more would only cost time
_ONE_THREAD_BELOW = 1_000_000_000  # numbers a pass: rows × columns × classes
Rows = NDArray[np.floating]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class LinearClassifier:
    """Predicts the class with the largest linear score.

    Attributes:
        classes: (K,) class indices it can predict: those seen in training.
        coef: (d, K).
        intercept: (K,).
        strength: C; 0 for the constant predictor of a selection with one class.
    """

    classes: Labels
    coef: Rows
    intercept: Rows
    strength: float

    def predict(self, features: Rows) -> Labels:
        """(M,) classes of (M, d) rows."""
        picked: Labels = self.classes[np.argmax(features @ self.coef + self.intercept, axis=1)]
        return picked


def fit_logistic(
    features: Rows,
    labels: Labels,
    *,
    validation: tuple[Rows, Labels] | None = None,
    seed: int = 0,
    report: Report = ignore,
) -> LinearClassifier:
    """Fit with the C of a log grid that predicts best on rows it was not trained on.

    Rows are first rotated into their own row space, which changes neither loss nor penalty, so the cost is that of
    min(n, d) columns. The grid is walked from strong to weak penalty, each fit starting at the one before, and the
    walk ends when the score keeps falling. Of equal scores the strongest penalty wins.

    Args:
        features: (n, d) standardised training rows.
        labels: (n,) int64 classes.
        validation: rows and labels to choose C on; without them 5 stratified inner folds of the training rows, or one
            such fold held out when there are more than 2,000 rows.
        seed: of the folds.
        report: told of every fit.
    """
    classes = len(np.unique(labels))
    if classes == 1:
        return _constant(labels, features.shape[1])
    # thin products gain nothing from more threads, and lose fortyfold when the cores are busy with other work
    threads = 1 if features.shape[0] * min(features.shape) * classes < _ONE_THREAD_BELOW else None
    with threadpool_limits(threads):
        return _tuned(features, labels, validation, seed, report)


def _tuned(
    features: Rows, labels: Labels, validation: tuple[Rows, Labels] | None, seed: int, report: Report
) -> LinearClassifier:
    rows, basis = rotate(features)
    if validation is not None:
        held_out = validation[0] if basis is None else validation[0] @ basis
        strength, best = _walk([_Path(rows, labels, held_out, validation[1])], report)
    else:
        folds = stratified_folds(labels, FOLDS, seed)
        parts = [folds == k for k in range(1 if len(labels) > _ONE_FOLD_ABOVE else int(folds.max()) + 1)]
        strength, _ = _walk([_Path(rows[~out], labels[~out], rows[out], labels[out]) for out in parts], report)
        best = _Path(rows, labels, rows[:0], labels[:0]).fit(strength)
    coef = best.coef if basis is None else basis @ best.coef
    return LinearClassifier(best.classes, coef, best.intercept, strength)


def rotate(features: Rows) -> tuple[Rows, Rows | None]:
    """Coordinates of n rows in an orthonormal basis of their row space.

    Args:
        features: (n, d) rows.

    Returns:
        (n, n) coordinates and the (d, n) basis when n < d, else the rows themselves and None. X = coordinates @ basisᵀ.
    """
    if features.shape[0] >= features.shape[1]:
        return features, None
    basis, triangle = np.linalg.qr(features.T)
    return triangle.T, basis


def stratified_folds(labels: Labels, folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) fold of every row: each class is dealt out evenly, in seeded order, and so are the rows as a whole."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[dealt] = np.arange(len(labels)) % min(folds, len(labels))
    return fold


class _Path:
    """One training part and its held-out part, fitted for one C after another."""

    def __init__(self, rows: Rows, labels: Labels, held_out: Rows, truth: Labels) -> None:
        self._rows, self._labels, self._held_out, self._truth = rows, labels, held_out, truth
        self._classes = np.unique(labels)
        self._model = LogisticRegression(warm_start=True, max_iter=_MAX_ITER, tol=_TOL, solver="lbfgs")

    def fit(self, strength: float) -> LinearClassifier:
        if len(self._classes) == 1:  # an inner fold may lack all classes but one
            return _constant(self._labels, self._rows.shape[1])
        self._model.set_params(C=strength)
        with warnings.catch_warnings():  # stopping at max_iter is one more, harmless, form of regularisation
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(self._rows, self._labels)
        coef, intercept = self._model.coef_.T, self._model.intercept_
        if len(self._classes) == 2:  # scikit-learn keeps the score of the second class only
            coef, intercept = np.hstack([0 * coef, coef]), np.append(0.0, intercept)
        return LinearClassifier(self._classes, coef.copy(), intercept.copy(), strength)

    def hits(self, fitted: LinearClassifier) -> int:
        return int((fitted.predict(self._held_out) == self._truth).sum())


def _walk(paths: list[_Path], report: Report) -> tuple[float, LinearClassifier]:
    """The strength with the most hits over all paths, and the first path's fit there."""
    best, best_hits, worse = (0.0, _constant(np.zeros(1, np.int64), 0)), -1, 0
    for strength in map(float, STRENGTHS):
        fits = []
        for path in paths:
            report(Progress("Training the probe", 0))
            fits.append(path.fit(strength))
        hits = sum(path.hits(fitted) for path, fitted in zip(paths, fits, strict=True))
        worse = worse + 1 if hits < best_hits else 0
        if hits > best_hits:
            best, best_hits = (strength, fits[0]), hits
        if worse >= _PATIENCE:
            break
    return best


def _constant(labels: Labels, dims: int) -> LinearClassifier:
    return LinearClassifier(np.unique(labels), np.zeros((dims, 1)), np.zeros(1), 0.0)
