"""The intercept of the probe for classes: penalised like one column, and what that is worth at few labels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from skmm_core.progress import ignore
from skmm_core.solvers.classifier import fit_classifier
from skmm_core.solvers.held_out import HeldOut
from skmm_core.solvers.logistic import MODERATE, Choice, LogisticFamily, constant_of, with_constant
from skmm_core.solvers.ridge import STRENGTHS, RidgeProblem

Array = NDArray[np.float64]


def _normal_equations(rows: Array, targets: Array, weights: Array, alpha: float, origin: float) -> Array:
    """(d, C) least of Σ w ‖rows @ W + origin - targets‖² + α ‖W‖²; no column is centred and there is no intercept."""
    gram = (rows.T * weights) @ rows + alpha * np.eye(rows.shape[1])
    return np.asarray(np.linalg.solve(gram, (rows.T * weights) @ (targets - origin)))


def _problem(n: int, d: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng([n, d])
    return rng.normal(0.5, 1, (n, d)), np.eye(3)[rng.integers(0, 3, n)], rng.uniform(0.2, 3, n)


@pytest.mark.parametrize(("n", "d"), [(12, 4), (9, 20), (2, 3), (5, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_about_a_known_origin_is_what_refits_make_of_it(n: int, d: int, weighted: bool) -> None:
    """The fit, every fold left out and every row left out, each by a refit of its own over the whole grid of α."""
    rows, targets, weights = _problem(n, d)
    used = weights / weights.mean() if weighted else np.ones(n)
    problem = RidgeProblem(rows, targets, weights if weighted else None, origin=1 / 3)
    for alpha in (1e-2, 1.0, 100.0):
        for fold in (np.arange(n), np.arange(n) % 2, np.where(np.arange(n) % 3 == 2, -1, np.arange(n) % 3)):
            found = problem.held_out(alpha, fold)
            for each in np.unique(fold):
                kept = fold != each if each >= 0 else np.ones(n, bool)
                coef = _normal_equations(rows[kept], targets[kept], used[kept], alpha, 1 / 3)
                wanted = rows[fold == each] @ coef + 1 / 3
                np.testing.assert_allclose(found[fold == each], wanted, atol=1e-8)

    def left_out(alpha: float) -> Array:
        kept = ~np.eye(n, dtype=bool)
        fits = [_normal_equations(rows[rest], targets[rest], used[rest], alpha, 1 / 3) for rest in kept]
        return np.array([used[i] * ((rows[i] @ fits[i] + 1 / 3 - targets[i]) ** 2).sum() for i in range(n)])

    for counted in (np.ones(n, bool), np.arange(n) > 0):
        errors = [left_out(n * strength)[counted].sum() / n for strength in STRENGTHS]
        best = problem.solve(counted)
        assert best.loo_error == pytest.approx(min(errors), rel=1e-5)
        coef = _normal_equations(rows, targets, used, best.alpha, 1 / 3)
        np.testing.assert_allclose(best.predict(rows), rows @ coef + 1 / 3, atol=1e-6)
        np.testing.assert_allclose(best.predict(np.zeros((1, d))), [[1 / 3] * 3], atol=1e-15)


def test_without_an_origin_the_mean_is_fitted_and_free() -> None:
    rows, targets, _ = _problem(12, 4)
    far = RidgeProblem(rows, targets, None).held_out(1e12, np.arange(12))
    np.testing.assert_allclose(far, (targets.sum(axis=0) - targets) / 11, atol=1e-8)
    far = RidgeProblem(rows, targets, None, origin=0.2).held_out(1e12, np.arange(12))
    np.testing.assert_allclose(far, np.full((12, 3), 0.2), atol=1e-8)


def test_the_constant_column_is_as_large_as_another() -> None:
    rows = np.random.default_rng(0).normal(0, 3, (50, 40))
    wide = with_constant(rows, constant_of(rows))
    np.testing.assert_array_equal(wide[:, :-1], rows)
    assert np.ptp(wide[:, -1]) == 0
    assert (wide[:, -1] ** 2).sum() == pytest.approx((rows**2).sum(axis=0).mean())
    assert constant_of(np.zeros((4, 3))) == constant_of(np.zeros((4, 0))) == 1.0


@pytest.mark.parametrize("validated", [False, True])
def test_columns_without_values_change_no_fit(validated: bool) -> None:
    """Were they counted, the intercept's column would shrink; were they sorted by, the folds would be others."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 40)
    rows, more = (rng.normal(size=(40, 4)) + 2 * np.eye(4)[labels] for _ in range(2))
    places = [0, 0, 2, 4, 4, 4]
    wide, wide_more = np.insert(rows, places, 0.0, axis=1), np.insert(more, places, 7.0, axis=1)
    plain = fit_classifier(rows, labels, validation=(more, labels) if validated else None)
    found = fit_classifier(wide, labels, validation=(wide_more, labels) if validated else None)
    np.testing.assert_array_equal(found.coef, np.insert(plain.coef, places, 0.0, axis=0))
    np.testing.assert_array_equal(found.intercept, plain.intercept)


def test_rows_without_any_values_tell_only_how_often_classes_occur() -> None:
    found = fit_classifier(np.zeros((5, 3)), np.array([0, 1, 1, 1, 1]))
    assert np.isfinite(found.intercept).all()
    np.testing.assert_array_equal(found.coef, np.zeros((3, 2)))
    np.testing.assert_array_equal(found.predict(np.ones((2, 3))), [1, 1])


def _picks(seed: int) -> tuple[Array, NDArray[np.int64], Array, NDArray[np.int64]]:
    """Eight clusters in 200 columns, standardised by their pool: eight rows picked at random, and 1000 test rows."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 8, 1500)
    rows = rng.normal(size=(1500, 200)) + 0.6 * rng.normal(size=(8, 200))[labels]
    rows = (rows - rows[:500].mean(axis=0)) / rows[:500].std(axis=0)
    chosen = rng.permutation(500)[:8]
    return rows[chosen], labels[chosen], rows[500:], labels[500:]


def _with_free_intercept(rows: Array, labels: NDArray[np.int64], strength: float, *, even: bool) -> Array:
    """(d + 1, K) smoothed, weighted softmax fit of the same strength whose intercept is not penalised."""
    (n, d), k = rows.shape, int(labels.max()) + 1
    smoothing = 1 / (n / k + 2)
    targets = (1 - smoothing) * np.eye(k)[labels] + smoothing / k
    weights = n / (k * np.bincount(labels)[labels]) if even else np.ones(n)
    penalty = (rows**2).sum(axis=1).mean() / strength
    wide = np.c_[rows, np.ones(n)]

    def loss(flat: Array) -> tuple[float, Array]:
        coef = flat.reshape(d + 1, k)
        logs, kept = log_softmax(wide @ coef, axis=1), np.vstack([coef[:-1], np.zeros((1, k))])
        gradient = wide.T @ (weights[:, None] * (np.exp(logs) - targets)) + penalty * kept
        return float(penalty / 2 * (kept**2).sum() - (weights[:, None] * targets * logs).sum()), gradient.ravel()

    start = np.zeros((d + 1) * k)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "gtol": 1e-7})
    return np.asarray(found.x.reshape(d + 1, k))


def test_at_one_label_a_class_it_is_worth_more_than_a_free_intercept() -> None:
    """Eight random rows hold some classes twice and more; a free intercept then tells these of most test rows."""
    gains = []
    for seed in range(12):
        rows, labels, new, truth = _picks(seed)
        classes, within = np.unique(labels, return_inverse=True)
        column, weights = constant_of(rows), 1 / np.sqrt(np.bincount(within)[within])

        def accuracy(scores: Array, classes: Array = classes, truth: Array = truth) -> float:
            return float((classes[scores.argmax(axis=1)] == truth).mean())

        family = LogisticFamily(rows, within, HeldOut(within, np.arange(len(rows))), ignore)
        ours, free = [], []
        for even in (True, False):
            coef, intercept = family.fit(Choice(MODERATE, even))
            ours.append(accuracy(new @ coef + intercept))
            freed = _with_free_intercept(rows, within, MODERATE, even=even)
            free.append(accuracy(new @ freed[:-1] + freed[-1]))
        indicators = np.eye(len(classes))[within]
        anchored = RidgeProblem(with_constant(rows, column), indicators, weights, origin=1 / len(classes)).solve()
        ours.append(accuracy(anchored.predict(with_constant(new, column))))
        free.append(accuracy(RidgeProblem(rows, indicators, weights).solve().predict(new)))
        whole = float((fit_classifier(rows, labels).predict(new) == truth).mean())
        gains.append(np.append(np.array(ours) - free, whole - max(free)))
    found = np.array(gains)
    assert (found.mean(axis=0) > 3 * found.std(axis=0, ddof=1) / np.sqrt(len(found))).all(), found.mean(axis=0)
