"""Probes against explicit refits and unrotated fits."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score, root_mean_squared_error

from skmm_core.data.dataset import Dataset, Split, Task
from skmm_core.errors import InputError
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.solvers.logistic import FOLDS, STRENGTHS, fit_logistic, rotate, stratified_folds
from skmm_core.solvers.ridge import STRENGTHS as RIDGE_STRENGTHS, fit_ridge


def _dataset(
    features: np.ndarray, targets: np.ndarray | None, task: Task, *, pool: int, validation: int = 0
) -> Dataset:
    rows = torch.arange(len(features))
    n_classes = 0 if targets is None or task is not Task.CLASSIFICATION else int(targets.max()) + 1
    return Dataset(
        name="made",
        task=task,
        features=torch.tensor(features, dtype=torch.float32),
        targets=None if targets is None else torch.tensor(targets, dtype=torch.int64 if n_classes else torch.float32),
        ids=tuple(map(str, range(len(features)))),
        rows=rows,
        split=Split(rows[:pool], rows[pool : pool + validation], rows[pool + validation :]),
        fingerprint="sha256:made",
        source="made",
        class_names=tuple(map(str, range(n_classes))),
    )


def _blobs(n: int, d: int, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    return rng.normal(size=(n, d)) + rng.normal(0, 1.5, (classes, d))[labels], labels


@pytest.mark.parametrize(("n", "d"), [(12, 4), (8, 20), (2, 3), (5, 5)])
def test_leave_one_out_equals_explicit_refits(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    features, targets = rng.normal(2, 1, (n, d)), rng.normal(50, 3, n)
    fitted = fit_ridge(features, targets)

    def refits(alpha: float) -> float:
        errors = []
        for i in range(n):
            rest = np.arange(n) != i
            model = SklearnRidge(alpha=alpha, solver="svd").fit(features[rest], targets[rest])
            errors.append((model.predict(features[[i]])[0] - targets[i]) ** 2)
        return float(np.mean(errors))

    assert fitted.loo_error == pytest.approx(refits(fitted.alpha), rel=1e-6)
    for strength in RIDGE_STRENGTHS[::3]:
        assert fitted.loo_error <= refits(n * strength) * (1 + 1e-6)
    whole = SklearnRidge(alpha=fitted.alpha, solver="svd").fit(features, targets)
    np.testing.assert_allclose(fitted.predict(features), whole.predict(features), rtol=1e-6)


def test_ridge_of_one_row_or_no_variance_is_the_constant_predictor() -> None:
    one = fit_ridge(np.ones((1, 4)), np.array([7.0]))
    assert list(one.predict(np.zeros((2, 4)))) == [7.0, 7.0]
    flat = fit_ridge(np.ones((5, 4)), np.arange(5.0))
    assert list(flat.predict(np.full((1, 4), 9.0))) == [2.0]
    assert flat.alpha == math.inf


def _sklearn_free_optimum(features: np.ndarray, labels: np.ndarray, strength: float) -> np.ndarray:
    """Multinomial logistic by a general optimiser: (d + 1, K) parameters, the last row being the intercept."""
    d = features.shape[1]
    classes = int(labels.max()) + 1
    truth = np.eye(classes)[labels]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(d + 1, classes)
        scores = features @ w[:d] + w[d]
        scores -= scores.max(axis=1, keepdims=True)
        probability = np.exp(scores)
        probability /= probability.sum(axis=1, keepdims=True)
        gap = strength * (probability - truth)
        value = -strength * np.log(probability[truth > 0]).sum() + (w[:d] ** 2).sum() / 2
        return value, np.vstack([features.T @ gap + w[:d], gap.sum(axis=0)]).ravel()

    result = minimize(
        loss, np.zeros((d + 1) * classes), jac=True, method="L-BFGS-B", options={"gtol": 1e-10, "ftol": 0.0}
    )
    return np.asarray(result.x.reshape(d + 1, classes))


def test_rotated_logistic_predicts_as_the_unrotated_optimum() -> None:
    features, labels = _blobs(20, 60)
    held_out = _blobs(50, 60, seed=1)
    fitted = fit_logistic(features, labels, validation=held_out)
    optimum = _sklearn_free_optimum(features, labels, fitted.strength)
    # the loss is (1 / (C n))-strongly convex in the coefficients, so a gradient of at most tol bounds their error
    bound = 1e-5 * fitted.strength * 20 * np.sqrt(60 * 3)
    gap = fitted.coef - optimum[:-1]
    assert np.linalg.norm(gap - gap.mean(axis=1, keepdims=True)) < bound
    grid = np.random.default_rng(2).normal(size=(500, 60))
    assert (fitted.predict(grid) == (grid @ optimum[:-1] + optimum[-1]).argmax(axis=1)).mean() > 0.97


def test_rotation_is_exact() -> None:
    features = np.random.default_rng(0).normal(size=(6, 25))
    coordinates, basis = rotate(features)
    assert coordinates.shape == (6, 6)
    assert basis is not None
    np.testing.assert_allclose(coordinates @ basis.T, features, atol=1e-12)
    np.testing.assert_allclose(basis.T @ basis, np.eye(6), atol=1e-12)
    assert rotate(features.T)[1] is None


def test_strength_is_the_best_on_the_validation_rows() -> None:
    features, labels = _blobs(60, 10, seed=3)
    validation = _blobs(300, 10, seed=3)
    fitted = fit_logistic(features, labels, validation=validation)
    scores = {}
    for strength in STRENGTHS:
        optimum = _sklearn_free_optimum(features, labels, float(strength))
        scores[strength] = ((validation[0] @ optimum[:-1] + optimum[-1]).argmax(axis=1) == validation[1]).mean()
    assert scores[fitted.strength] >= max(scores.values()) - 1 / 300


@pytest.mark.parametrize("counts", [[10, 10, 10], [1, 2, 30], [3], [1, 1]])
def test_folds_are_stratified_even_and_seeded(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    folds = stratified_folds(labels, FOLDS, 0)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    for label, count in enumerate(counts):
        inside = np.bincount(folds[labels == label], minlength=len(sizes))
        assert inside.max() <= math.ceil(count / len(sizes))
    np.testing.assert_array_equal(folds, stratified_folds(labels, FOLDS, 0))
    if len(labels) > 10:
        assert (folds != stratified_folds(labels, FOLDS, 1)).any()


def test_metrics_equal_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 5, 200), rng.integers(1, 7, 200)
    found = classification_metrics(truth, predicted)
    assert found["accuracy"] == accuracy_score(truth, predicted)
    assert found["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    values, guesses = rng.normal(size=50), rng.normal(size=50)
    errors = regression_metrics(values, guesses)
    assert errors["mae"] == pytest.approx(mean_absolute_error(values, guesses))
    assert errors["rmse"] == pytest.approx(root_mean_squared_error(values, guesses))
    assert errors["r2"] == pytest.approx(r2_score(values, guesses))
    assert regression_metrics(np.ones(3), np.zeros(3))["r2"] == 0.0


@pytest.mark.parametrize("validation", [0, 60])
@pytest.mark.parametrize("n", [1, 2, 3, 30, 150])
def test_classification_works_at_every_size(n: int, validation: int) -> None:
    features, labels = _blobs(300, 8)
    features[:, 3] = 5.0
    dataset = _dataset(features, labels, Task.CLASSIFICATION, pool=150, validation=validation)
    found = score_probe(dataset, torch.arange(n))
    assert set(found.metrics) == {"accuracy", "macro_f1"}
    assert all(0 <= value <= 1 for value in found.metrics.values())
    assert found.tuned_on == ("validation rows" if validation else "inner folds of the selection")
    if n >= 30:
        assert found.metrics["accuracy"] > 0.8
    assert found == score_probe(dataset, torch.arange(n))


def test_selection_of_one_class_predicts_it_always() -> None:
    features, labels = _blobs(200, 5)
    dataset = _dataset(features, labels, Task.CLASSIFICATION, pool=100)
    chosen = torch.tensor(np.flatnonzero(labels[:100] == 2)[:7])
    found = score_probe(dataset, chosen)
    assert found.metrics["accuracy"] == (labels[100:] == 2).mean()
    assert found.alpha == math.inf


def test_classes_absent_in_the_selection_are_never_predicted_and_do_not_crash() -> None:
    features, labels = _blobs(400, 5, classes=4)
    dataset = _dataset(features, labels, Task.CLASSIFICATION, pool=200, validation=100)
    chosen = torch.tensor(np.flatnonzero(np.isin(labels[:200], [1, 3]))[:40])
    accuracy = score_probe(dataset, chosen).metrics["accuracy"]
    reachable = np.isin(labels[300:], [1, 3]).mean()
    assert 0.8 * reachable < accuracy <= reachable


@pytest.mark.parametrize("n", [1, 2, 5, 200])
def test_regression_works_at_every_size(n: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 6)) * [1, 10, 100, 0.1, 1, 1]
    features[:, 5] = -3.0
    targets = features @ [1, 0.1, 0.01, 10, 0, 0] + 20
    dataset = _dataset(features, targets, Task.REGRESSION, pool=200)
    found = score_probe(dataset, torch.arange(n))
    assert set(found.metrics) == {"mae", "rmse", "r2"}
    assert all(math.isfinite(value) for value in found.metrics.values())
    if n == 200:
        assert found.metrics["r2"] > 0.999


def test_ridge_scales_columns_as_the_selection_asks() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(200, 2))
    tiny_noise = rng.normal(size=(200, 400)) * 1e-3
    unequal = np.hstack([signal * [1, 1000], rng.normal(size=(200, 3)) * [1, 30, 3000]])
    for features in (np.hstack([signal, tiny_noise]), unequal):
        dataset = _dataset(features, signal @ [1.0, -1.0], Task.REGRESSION, pool=100)
        assert score_probe(dataset, torch.arange(20)).metrics["r2"] > 0.98


def test_columns_that_are_constant_in_the_selection_have_no_say() -> None:
    features, labels = _blobs(200, 5)
    changed = features.copy()
    changed[:100, 2] = 0.1
    changed[100:, 2] = 1e6
    without = np.delete(features, 2, axis=1)
    scores = [
        score_probe(_dataset(rows, labels, Task.CLASSIFICATION, pool=100), torch.arange(40)).metrics
        for rows in (changed, without)
    ]
    assert scores[0] == scores[1]


def test_test_rows_never_touch_the_fit() -> None:
    features, labels = _blobs(300, 5)
    dataset = _dataset(features, labels, Task.CLASSIFICATION, pool=150, validation=50)
    wrong = labels.copy()
    wrong[200:] = (wrong[200:] + 1) % 3
    swapped = _dataset(features, wrong, Task.CLASSIFICATION, pool=150, validation=50)
    first, second = score_probe(dataset, torch.arange(50)), score_probe(swapped, torch.arange(50))
    assert first.alpha == second.alpha
    assert first.metrics["accuracy"] > 0.8
    assert second.metrics["accuracy"] < 0.2


def test_datasets_that_cannot_be_scored_say_what_to_add() -> None:
    features, labels = _blobs(30, 4)
    with pytest.raises(InputError, match="has no test rows to score on; hold some out"):
        score_probe(_dataset(features, labels, Task.CLASSIFICATION, pool=30), torch.arange(3))
    with pytest.raises(InputError, match="has no targets to score with; add a target column"):
        score_probe(_dataset(features, None, Task.UNLABELLED, pool=20), torch.arange(3))
    with pytest.raises(InputError, match="no points are chosen"):
        score_probe(_dataset(features, labels, Task.CLASSIFICATION, pool=20), torch.arange(0))
