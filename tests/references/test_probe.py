"""Probes against explicit refits and unrotated fits."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax
from scipy.stats import multivariate_normal
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.linear_model import LogisticRegression, Ridge as SklearnRidge, RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score, root_mean_squared_error

from skmm_core.data.dataset import Dataset, Split
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.probes.linear_probe import score_probe
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.progress import ignore
from skmm_core.solvers.classifier import fit_classifier
from skmm_core.solvers.held_out import HeldOut, Verdict, content_order, judge, stratified_folds
from skmm_core.solvers.logistic import ENOUGH, MODERATE, STRENGTHS, Choice, LogisticFamily, constant_of, with_constant
from skmm_core.solvers.ridge import STRENGTHS as RIDGE_STRENGTHS, RidgeProblem, fit_ridge
from skmm_core.solvers.ridge_average import SHARES, average_ridge
from skmm_core.solvers.softmax import fit_softmax, rotate


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
    # the mean of the four others is off by 5/4 of what the mean of all is
    assert flat.loo_error == pytest.approx(np.mean((np.arange(5) - 2.0) ** 2) * (5 / 4) ** 2)


@pytest.mark.parametrize(("n", "d"), [(12, 4), (9, 20)])
def test_ridge_on_several_targets_leaves_folds_out_as_refits_do(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    features, targets = rng.normal(2, 1, (n, d)), np.eye(3)[rng.integers(0, 3, n)]
    problem, fold = RidgeProblem(features, targets), np.arange(n) % 4
    for alpha in (1e-3, 1.0, 100.0):
        found = problem.held_out(alpha, np.where(fold == 3, -1, fold))
        for each in range(3):
            model = SklearnRidge(alpha=alpha, solver="svd").fit(features[fold != each], targets[fold != each])
            np.testing.assert_allclose(found[fold == each], model.predict(features[fold == each]), atol=1e-8)
    errors = [((problem.held_out(n * strength, np.arange(n)) - targets) ** 2).sum() / n for strength in RIDGE_STRENGTHS]
    assert problem.solve().loo_error == pytest.approx(min(errors), rel=1e-8)


def test_weighted_ridge_leaves_out_as_weighted_refits_do() -> None:
    rng = np.random.default_rng(4)
    features, targets = rng.normal(2, 1, (11, 5)), np.eye(3)[rng.integers(0, 3, 11)]
    weights, fold = rng.uniform(0.2, 3, 11), np.arange(11) % 4
    weights /= weights.mean()
    problem = RidgeProblem(features, targets, 7 * weights)
    for alpha in (1e-3, 1.0, 100.0):
        found = problem.held_out(alpha, fold)
        for each in range(4):
            kept = fold != each
            model = SklearnRidge(alpha=alpha, solver="svd").fit(features[kept], targets[kept], weights[kept])
            np.testing.assert_allclose(found[~kept], model.predict(features[~kept]), atol=1e-8)
    counted = np.arange(11) > 3
    errors = [
        (weights[:, None] * (problem.held_out(11 * strength, np.arange(11)) - targets) ** 2)[counted].sum() / 11
        for strength in RIDGE_STRENGTHS
    ]
    best = problem.solve(counted)
    assert best.loo_error == pytest.approx(min(errors), rel=1e-8)
    model = SklearnRidge(alpha=best.alpha, solver="svd").fit(features, targets, weights)
    np.testing.assert_allclose(best.coef, model.coef_.T, atol=1e-8)


def _slow_average(features: np.ndarray, targets: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Averaged ridge by dense covariances: contrasts of the targets take the mean out, a fine grid the noise."""
    n = len(targets)
    contrasts = np.linalg.svd(np.eye(n) - 1 / n)[0][:, : n - 1].T
    centred = features - features.mean(axis=0)
    seen, logs, predictions = contrasts @ targets, [], []
    variances = np.exp(np.linspace(-30, 30, 6001)) * (seen @ seen)
    for alpha in SHARES * (centred**2).sum():
        covariance = contrasts @ (np.eye(n) + centred @ centred.T / alpha) @ contrasts.T
        # flat in the logarithm of the noise variance; N(0, v C) at all v at once
        shape = seen @ np.linalg.solve(covariance, seen)
        unit = multivariate_normal(np.zeros(n - 1), covariance).logpdf(np.zeros(n - 1))
        each = unit - (n - 1) / 2 * np.log(variances) - shape / (2 * variances)
        logs.append(np.log(np.exp(each - each.max()).sum()) + each.max())
        model = SklearnRidge(alpha=alpha, solver="svd").fit(features, targets)
        predictions.append(model.predict(new))
    weights = np.exp(np.array(logs) - max(logs))
    return np.asarray(weights / weights.sum() @ np.array(predictions))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(2, 3), (5, 2), (6, 40), (20, 4)])
def test_averaged_ridge_equals_its_definition(n: int, d: int, dtype: type) -> None:
    rng = np.random.default_rng(d)
    features = rng.normal(2, 1, (n, d)).astype(dtype).astype(np.float64)
    targets = features[:, 0] + rng.normal(0, 0.3, n) + 1000
    new = rng.normal(2, 1, (7, d))
    fitted = average_ridge([features], targets)
    np.testing.assert_allclose(fitted.predict([new]), _slow_average(features, targets, new), rtol=1e-8)


def test_averaged_ridge_weighs_scalings_by_their_likelihood_and_ignores_units() -> None:
    rng = np.random.default_rng(0)
    spread = np.r_[[30.0, 30.0], np.full(200, 0.3)]
    features = rng.normal(size=(220, 202)) * spread
    targets = features[:, 0] - features[:, 1]
    scaled = [features / spread, features]
    fitted = average_ridge([rows[:20] for rows in scaled], targets[:20])
    error = fitted.predict([rows[20:] for rows in scaled]) - targets[20:]
    assert np.abs(error).mean() < 0.1 * np.abs(targets).mean()
    other = average_ridge([1e6 * rows[:20] for rows in scaled], 1e-6 * targets[:20] + 1)
    again = other.predict([1e6 * rows[20:] for rows in scaled])
    np.testing.assert_allclose((again - 1) * 1e6, fitted.predict([rows[20:] for rows in scaled]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("features", "targets"), [(np.ones((1, 3)), [7.0]), (np.eye(3), [7.0] * 3)])
def test_averaged_ridge_of_one_row_or_equal_targets_is_the_constant_predictor(
    features: np.ndarray, targets: list[float]
) -> None:
    fitted = average_ridge([features], np.array(targets))
    assert list(fitted.predict([np.full((2, 3), 5.0)])) == [7.0, 7.0]
    assert fitted.alpha == math.inf


def test_averaged_ridge_of_rows_without_variance_is_the_mean() -> None:
    fitted = average_ridge([np.ones((4, 3))], np.arange(4.0))
    assert list(fitted.predict([np.full((2, 3), 5.0)])) == [1.5, 1.5]


def test_averaged_ridge_fits_repeated_rows_with_unlike_targets() -> None:
    rows = np.repeat(np.eye(4), 2, axis=0)
    fitted = average_ridge([rows], np.arange(8.0))
    found = fitted.predict([np.eye(4)])
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).all()


def _smoothed(labels: np.ndarray, smoothing: float) -> np.ndarray:
    classes = int(labels.max()) + 1
    return (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes


def _free_optimum(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """(d, K) penalised softmax fit by a general optimiser in plain coordinates."""
    shape = rows.shape[1], targets.shape[1]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w = flat.reshape(shape)
        logs = log_softmax(rows @ w, axis=1)
        gradient = rows.T @ (weights[:, None] * (np.exp(logs) - targets)) + penalty * w
        return -float((weights[:, None] * targets * logs).sum()) + penalty / 2 * float((w**2).sum()), gradient.ravel()

    result = minimize(loss, np.zeros(shape).ravel(), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000})
    return np.asarray(result.x.reshape(shape))


@pytest.mark.parametrize(("n", "d", "penalty"), [(20, 6, 1.0), (8, 25, 30.0), (30, 3, 0.1)])
def test_softmax_fit_in_the_row_space_is_the_optimum(n: int, d: int, penalty: float) -> None:
    features, labels = _blobs(n, d)
    targets, weights = _smoothed(labels, 0.1), np.random.default_rng(0).uniform(0.5, 2, n)
    turned = rotate(features)
    found = turned.basis @ fit_softmax(turned.rows, turned.energy, targets, weights, penalty)
    wanted = _free_optimum(features, targets, weights, penalty)
    # curvature is at least 1 in the coordinates used, so each entry there is off by at most the gradient's norm
    off = (turned.basis.T @ (found - wanted)) * np.sqrt(turned.energy[:, None] / 4 + penalty)
    assert np.abs(off).max() < 1e-4 * np.sqrt(off.size) * (turned.energy.max() / 4 + penalty) / penalty


def test_rotation_is_exact() -> None:
    features = np.random.default_rng(0).normal(size=(6, 25))
    for rows in (features, features.T):
        turned = rotate(rows)
        assert turned.rows.shape == (len(rows), 6)
        np.testing.assert_allclose(turned.rows @ turned.basis.T, rows, atol=1e-12)
        np.testing.assert_allclose(turned.basis.T @ turned.basis, np.eye(6), atol=1e-12)
        np.testing.assert_allclose((turned.rows**2).sum(axis=0), turned.energy, rtol=1e-10)


@pytest.mark.parametrize("even", [True, False])
def test_a_member_of_the_family_is_the_fit_it_says(even: bool) -> None:
    features, labels = _blobs(30, 5, seed=4)
    labels[:12] = 0
    family = LogisticFamily(features, labels, HeldOut(labels, np.arange(30)), ignore)
    coef, intercept = family.fit(Choice(3.0, even))
    unit, column = np.sqrt((features**2).sum(axis=1).mean()), np.sqrt((features**2).mean())
    weights = 30 / (3 * np.bincount(labels)[labels]) if even else np.ones(30)
    smoothing = 1 / (30 / 3 + 2)
    extended = np.hstack([features, np.full((30, 1), column)])
    wanted = _free_optimum(extended, _smoothed(labels, smoothing), weights, unit**2 / 3.0)
    np.testing.assert_allclose(coef, wanted[:-1], atol=1e-4)
    np.testing.assert_allclose(intercept, column * wanted[-1], atol=1e-4)


def test_held_out_scores_are_those_of_refits_and_unseen_classes_have_none() -> None:
    features, labels = _blobs(12, 4, seed=5)
    labels[:] = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    family = LogisticFamily(features, labels, HeldOut(labels, np.arange(12)), ignore)
    choice = Choice(MODERATE, True)
    scores = family.held_out_scores(choice)
    unit, column = np.sqrt((features**2).sum(axis=1).mean()), np.sqrt((features**2).mean())
    extended = np.hstack([features, np.full((12, 1), column)])
    for out in range(12):
        rest = np.arange(12) != out
        seen, within, counts = np.unique(labels[rest], return_inverse=True, return_counts=True)
        weights = 11 / (len(seen) * counts[within])
        wanted = extended[out] @ _free_optimum(
            extended[rest], _smoothed(within, 1 / (12 / 3 + 2)), weights, unit**2 / MODERATE
        )
        # a score moves by at most twice what coefficients do where curvature is about 1, and those by the norm of the
        # gradient over the least curvature there
        least = unit**2 / MODERATE / ((extended**2).sum() / 4 + unit**2 / MODERATE)
        assert np.abs(scores[out, seen] - wanted).max() < 2 * ENOUGH * math.sqrt(5 * len(seen)) / least
        assert np.isneginf(scores[out, np.setdiff1d(np.arange(3), seen)]).all()
    assert len(family.verdict(choice).losses) == 11


def test_a_verdict_is_the_least_loss_over_scales() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    scores = np.eye(3)[truth] * 2 + rng.normal(size=(200, 3))
    target = _smoothed(truth, 0.1)
    scales = np.exp(np.linspace(-5, 5, 2001))
    totals = [-(target * log_softmax(scale * scores, axis=1)).sum() + np.log(scale / 0.5) ** 2 / 2 for scale in scales]
    found = judge(scores, truth, smoothing=0.1, expected=0.5)
    assert found.scale == pytest.approx(scales[int(np.argmin(totals))], rel=6e-3)
    assert found.total == pytest.approx(min(totals) - np.log(found.scale / 0.5) ** 2 / 2, rel=1e-4)
    # only directions count: the same scores in another unit are judged the same
    other = judge(1e6 * scores, truth, smoothing=0.1, expected=0.5e-6)
    assert other.total == pytest.approx(found.total, rel=1e-6)
    assert not found.clearly_beats(other)
    assert found.clearly_beats(judge(rng.normal(size=(200, 3)), truth, smoothing=0.1, expected=0.5))


def test_a_class_that_no_row_is_told_of_has_no_say() -> None:
    """All held-out rows are against the only row of a class: the best fit would be the one that never predicts it."""
    rng = np.random.default_rng(1)
    scores, truth = rng.normal(size=(9, 3)), np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    scores[8, 2] = -np.inf
    known = judge(scores[:8, :2], truth[:8], smoothing=0.1, expected=0.5)
    found = judge(scores, truth, smoothing=0.1, expected=0.5)
    np.testing.assert_allclose(found.losses, known.losses)
    assert found.scale == pytest.approx(known.scale)
    lone = judge(scores[4:8], truth[4:8], smoothing=0.1, expected=0.5)
    assert (lone.total, lone.scale) == (0.0, 0.5)


@pytest.mark.parametrize("data", [load_breast_cancer, load_wine])
@pytest.mark.parametrize("many", [7, 15])
def test_one_row_beside_many_is_not_forgotten(data, many) -> None:
    """The probe once scored .49 to .57 here, where ridge on indicators scores .68 to .78 and a coin .33 to .5."""
    features, labels = data(return_X_y=True)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    gains = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        chosen = np.concatenate(
            [
                rng.choice(np.flatnonzero(labels == label), many if label == seed % (labels.max() + 1) else 1, False)
                for label in range(labels.max() + 1)
            ]
        )
        fits = fit_classifier(features[chosen], labels[chosen]), RidgeClassifier().fit(features[chosen], labels[chosen])
        probe, ridge = (float((fit.predict(features) == labels).mean()) for fit in fits)
        gains.append(probe - ridge)
    assert np.mean(gains) > -2 * np.std(gains) / 4


@pytest.mark.parametrize(("n", "seed"), [(40, 0), (90, 1), (300, 2)])
def test_the_strength_chosen_is_not_clearly_worse_than_the_best(n: int, seed: int) -> None:
    features, labels = _blobs(n, 10, seed=seed)
    family = LogisticFamily(features, labels, HeldOut(labels, stratified_folds(labels, 5, 0)), ignore)
    chosen = family.verdict(family.tune())
    best = min((family.verdict(Choice(strength, True)) for strength in STRENGTHS), key=lambda verdict: verdict.total)
    assert not best.clearly_beats(chosen)
    moderate = family.verdict(Choice(MODERATE, True))
    assert chosen is moderate or chosen.clearly_beats(moderate)


@pytest.mark.parametrize("counts", [[10, 10, 10], [1, 2, 30], [3], [1, 1]])
def test_folds_are_stratified_even_and_seeded(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    folds = stratified_folds(labels, 5, 0)
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 1
    for label, count in enumerate(counts):
        inside = np.bincount(folds[labels == label], minlength=len(sizes))
        assert inside.max() <= math.ceil(count / len(sizes))
    np.testing.assert_array_equal(folds, stratified_folds(labels, 5, 0))
    if len(labels) > 10:
        assert (folds != stratified_folds(labels, 5, 1)).any()


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
    one_class = len(np.unique(labels[:n])) == 1
    assert found.validation_rows == (0 if one_class else validation)
    assert found.tuned_on.startswith("validation rows" if found.validation_rows else "inner folds of the selection")
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


def test_columns_that_are_constant_in_the_pool_have_no_say() -> None:
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
    with pytest.raises(InputError, match=r"has no targets to score with; .* not the same in every row"):
        score_probe(_dataset(features, None, Task.UNLABELLED, pool=20), torch.arange(3))
    with pytest.raises(InputError, match="no points are chosen"):
        score_probe(_dataset(features, labels, Task.CLASSIFICATION, pool=20), torch.arange(0))


def _scores(features: np.ndarray, targets: np.ndarray, task: Task, chosen: np.ndarray) -> dict[str, float]:
    return score_probe(_dataset(features, targets, task, pool=150), torch.as_tensor(chosen)).metrics


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
@pytest.mark.parametrize("n", [3, 7, 30, 120])
def test_the_order_of_rows_changes_nothing(task: Task, n: int) -> None:
    features, labels = _blobs(400, 12)
    features[20:26] = features[7]  # repeated rows, under different labels too
    targets = labels if task is Task.CLASSIFICATION else features[:, 0] + labels
    rng = np.random.default_rng(n)
    chosen = rng.permutation(150)[:n]
    wanted = _scores(features, targets, task, chosen)
    assert _scores(features, targets, task, rng.permutation(chosen)) == wanted
    order = np.concatenate([rng.permutation(150), np.arange(150, 400)])
    moved = np.argsort(order)[chosen]
    found = _scores(features[order], targets[order], task, moved)
    # sums over the pool round differently; a test row on the boundary may then change sides
    assert all(abs(found[key] - wanted[key]) < (0.005 if task is Task.CLASSIFICATION else 1e-6) for key in wanted)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
@pytest.mark.parametrize(("scale", "offset"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e4), (1e-6, 1e-2)])
@pytest.mark.parametrize("n", [4, 30])
def test_units_and_offsets_change_nothing_but_the_last_digits(task: Task, scale: float, offset: float, n: int) -> None:
    features, labels = _blobs(400, 12)
    targets = labels if task is Task.CLASSIFICATION else features[:, 0] + labels
    wanted, found = (_scores(rows, targets, task, np.arange(n)) for rows in (features, scale * features + offset))
    # float32 keeps a spread of 1 beside 1e4 to 1e-3: test rows that near the boundary may change sides
    assert all(abs(found[key] - wanted[key]) < 0.01 for key in wanted)


@pytest.mark.parametrize("classes", [2, 5])
def test_one_row_a_class_is_a_fit_by_nearness(classes: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % classes
    features = rng.normal(size=(400, 60)) + 4 * rng.normal(size=(classes, 60))[labels] + 100
    for validation in (0, 50):
        dataset = _dataset(features, labels, Task.CLASSIFICATION, pool=150, validation=validation)
        assert score_probe(dataset, torch.arange(classes)).metrics["accuracy"] > 0.95


def test_a_class_of_one_row_breaks_no_fold() -> None:
    features, labels = _blobs(400, 30)
    features += 5 * np.eye(30)[labels]
    many = np.flatnonzero(labels[:150] < 2)[:30]
    chosen = np.append(many, np.flatnonzero(labels[:150] == 2)[0])
    found = _scores(features, labels, Task.CLASSIFICATION, chosen)
    assert found["accuracy"] > 0.85
    assert found["macro_f1"] > 0.85  # the class of one row is predicted too


def test_rows_are_sorted_by_content() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.integers(0, 2, (60, 4)).astype(float), rng.integers(0, 3, 60)
    order = rng.permutation(60)
    for features in (rows, rng.normal(size=(60, 500))):
        first, second = content_order(features, labels), content_order(features[order], labels[order])
        np.testing.assert_array_equal(features[first], features[order][second])
        np.testing.assert_array_equal(labels[first], labels[order][second])


@pytest.mark.parametrize("per_class", [1, 2, 5])
def test_few_labels_are_used_as_well_as_by_ridge_and_by_a_fixed_strength(per_class: int) -> None:
    """Where there are more columns than rows; the margin is two standard errors of the paired difference."""
    ours, others = [], []
    for seed in range(12):
        rng = np.random.default_rng([per_class, seed])
        labels = rng.integers(0, 5, 700)
        features = rng.normal(size=(700, 120)) + rng.normal(size=(5, 120))[labels] * 0.6
        chosen = rng.permutation(200)[: 5 * per_class]
        ours.append(
            score_probe(_dataset(features, labels, Task.CLASSIFICATION, pool=200), torch.as_tensor(chosen)).metrics[
                "accuracy"
            ]
        )
        centred = (features - features[:200].mean(axis=0)) / features[:200].std(axis=0)
        ridge = fit_ridge(centred[chosen], np.eye(5)[labels[chosen]])
        fixed = LogisticRegression(C=0.01, max_iter=1000).fit(centred[chosen], labels[chosen])
        others.append(
            [
                (ridge.predict(centred[200:]).argmax(axis=1) == labels[200:]).mean(),
                (fixed.predict(centred[200:]) == labels[200:]).mean(),
            ]
        )
    for other in np.array(others).T:
        gain = np.array(ours) - other
        assert gain.mean() > -2 * gain.std(ddof=1) / math.sqrt(len(gain))


def test_validation_rows_of_classes_not_chosen_tell_nothing() -> None:
    features, labels = _blobs(120, 6, classes=4)
    chosen = np.flatnonzero(labels[:60] < 2)
    known = labels[60:] < 2
    fits = [
        fit_classifier(features[chosen], labels[chosen], validation=(features[60:][kept], labels[60:][kept]))
        for kept in (np.ones(60, bool), known)
    ]
    np.testing.assert_array_equal(fits[0].coef, fits[1].coef)


@pytest.mark.parametrize("seed", range(5))
def test_two_rows_say_nothing_of_alpha_so_the_strongest_is_told(seed):
    rows = np.random.default_rng(seed).normal(size=(2, 6))
    energy = float(((rows - rows.mean(axis=0)) ** 2).sum())
    assert average_ridge([rows], np.array([0.0, 1.0])).alpha == pytest.approx(SHARES[-1] * energy)


@pytest.mark.parametrize("seed", range(4))
def test_where_one_fit_is_taken_alone_it_is_the_better_one_and_not_nothing(seed, monkeypatch):
    """Were both better than their sum, both were dropped once, and every row was told to be of the first class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), 6)
    rows = rng.normal(size=(18, 5)) + 2 * np.eye(5)[labels]
    monkeypatch.setattr(Verdict, "clearly_beats", lambda self, other: True)
    found = fit_classifier(rows, labels).coef
    assert np.ptp(found, axis=1).max() > 0
    order = content_order(rows, labels)
    family = LogisticFamily(rows[order], labels[order], HeldOut(labels, stratified_folds(labels, 10, 0)), ignore)
    extended = with_constant(rows, constant_of(rows))
    ridge = RidgeProblem(extended, np.eye(3)[labels], origin=1 / 3).solve().coef[:-1]
    alone = family.fit(family.tune())[0], ridge
    aligned = [float((found * one).sum() / np.linalg.norm(found) / np.linalg.norm(one)) for one in alone]
    assert max(aligned) == pytest.approx(1, abs=1e-9), aligned
