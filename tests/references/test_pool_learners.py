"""Learners that use the pool, against their definitions on dense matrices."""

import numpy as np
import pytest
import torch

from skmm_core.data.dataset import Dataset, Split, content_fingerprint
from skmm_core.data.task import Task
from skmm_core.probes.pool_learners import propagated_scores, score_learner
from skmm_core.probes.views import pool_view
from skmm_core.solvers.classifier import fit_classifier
from skmm_core.solvers.ridge_average import SHARES, average_ridge
from tests.references.test_neighbour_graph import dense, distances


def dataset(x, y, pool, *, numbers=False) -> Dataset:
    """The first `pool` rows are the pool, the others test rows."""
    features = torch.tensor(np.asarray(x), dtype=torch.float32)
    targets = torch.tensor(np.asarray(y), dtype=torch.float32 if numbers else torch.int64)
    rows, ids = torch.arange(len(features)), tuple(map(str, range(len(features))))
    split = Split(rows[:pool], rows[:0], rows[pool:])
    return Dataset(
        name="made",
        task=Task.REGRESSION if numbers else Task.CLASSIFICATION,
        features=features,
        targets=targets,
        ids=ids,
        rows=rows,
        split=split,
        fingerprint=content_fingerprint(features, targets, ids, split),
        source="made",
        class_names=() if numbers else tuple(map(str, range(int(targets.max()) + 1))),
    )


def blobs(pool=120, test=60, classes=3, dims=8, seed=0, apart=2.5):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, pool + test)
    y[:classes] = np.arange(classes)
    x = apart * rng.normal(size=(classes, dims))[y] + rng.normal(size=(pool + test, dims)) * np.linspace(2, 0.5, dims)
    return dataset(x + 10, y, pool)


def curve(pool=120, test=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(pool + test, 5)) * [3, 1, 1, 0.5, 0.2] + 4
    y = np.sin(x[:, 0]) + 0.5 * x[:, 1] + 0.1 * rng.normal(size=len(x))
    return dataset(x, y, pool, numbers=True)


def some(made, each=2):
    """`each` rows of the pool of every class, or rows evenly apart."""
    targets = made.targets[made.split.train].numpy()
    if made.task is Task.REGRESSION:
        return torch.arange(0, len(targets), 7)
    return torch.tensor(np.concatenate([np.flatnonzero(targets == k)[:each] for k in np.unique(targets)]))


class Plain:
    """Pool and test rows by the definitions, float64, whole matrices."""

    def __init__(self, made: Dataset) -> None:
        pool, test = (made.features[part].double().numpy() for part in (made.split.train, made.split.test))
        mean, deviation = pool.mean(axis=0), pool.std(axis=0)
        deviation = np.where(deviation > 0, deviation, np.inf)
        self.spread = np.where(np.isfinite(deviation), deviation, 0)
        self.pool, self.test = (pool - mean) / deviation, (test - mean) / deviation
        energy, directions = np.linalg.eigh(self.pool.T @ self.pool / len(pool))
        scaled = directions * (energy.clip(0) + 0.1 * energy.mean()) ** -0.075
        self.rows, self.asked = (
            z / np.linalg.norm(z, axis=1, keepdims=True) for z in (self.pool @ scaled, self.test @ scaled)
        )
        self.weights, self.reach = dense(self.rows, min(10, len(pool) - 1))
        degree = self.weights.sum(axis=1, keepdims=True)
        self.half = (np.eye(len(pool)) + self.weights / degree) / 2
        near = np.zeros((len(test), len(pool)))
        for row, away in zip(near, distances(self.asked, self.rows), strict=True):
            nearest = np.argsort(away)[:10]
            row[nearest] = np.exp(-(away[nearest] ** 2) / (away[nearest[-1]] * self.reach[nearest]))
        near /= near.sum(axis=1, keepdims=True)
        self.smoothed = self.half @ self.half @ self.pool
        # two steps for a row outside: half of it and half of its neighbours' mean, of what these are after one step
        once_test, once = (self.test + near @ self.pool) / 2, self.half @ self.pool
        self.smoothed_test = (once_test + near @ once) / 2

    def held(self, labelled, indicators):
        degree = self.weights.sum(axis=1)
        sent = np.zeros((len(self.pool), indicators.shape[1]))
        sent[labelled] = indicators / indicators.sum(axis=0)
        found = np.linalg.solve(np.eye(len(sent)) - 0.9 * self.weights / np.sqrt(np.outer(degree, degree)), sent)
        return found / found.sum(axis=1, keepdims=True)

    def spread_fit(self, labelled, indicators):
        """Coefficients of the ridge fit on what rows hold, weighted by 1 - entropy / log K; the intercept last."""
        wanted = self.held(labelled, indicators)
        wanted[labelled] = indicators
        entropy = -np.where(wanted > 0, wanted * np.log(np.where(wanted > 0, wanted, 1)), 0).sum(axis=1)
        w = 1 - entropy / np.log(indicators.shape[1])
        z = np.c_[self.rows, np.ones(len(self.rows))]
        penalty = 0.1 * np.diag([1.0] * self.rows.shape[1] + [0])
        return np.linalg.solve(z.T @ (w[:, None] * z) + penalty, z.T @ (w[:, None] * wanted))

    def scalings(self, rows):
        """Standardised columns, and the same with the spread they came with, at a common unit."""
        return rows, rows * self.spread / np.sqrt((self.spread**2).mean())


@pytest.mark.parametrize("seed", range(3))
def test_the_view_of_a_pool(seed):
    made = blobs(seed=seed)
    view, plain = pool_view(made), Plain(made)
    np.testing.assert_allclose(view.rows @ view.rows.T, plain.rows @ plain.rows.T, atol=1e-5)
    np.testing.assert_allclose(view.test @ view.rows.T, plain.asked @ plain.rows.T, atol=1e-5)
    np.testing.assert_allclose(view.graph.weights.toarray(), plain.weights, atol=1e-4)
    np.testing.assert_allclose(view.smoothed(np.arange(120)), plain.smoothed, atol=1e-4)
    np.testing.assert_allclose(view.smoothed_test, plain.smoothed_test, atol=1e-4)
    np.testing.assert_array_equal(np.sort(view.sample), np.arange(120))
    np.testing.assert_allclose(view.smoothed_sample, plain.smoothed[view.sample], atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("each", [1, 2, 5])
def test_prototypes_are_the_nearest_class_means(seed, each):
    made = blobs(seed=seed)
    chosen, plain = some(made, each), Plain(made)
    labels = made.targets[chosen].numpy()
    means = np.stack([plain.rows[chosen.numpy()[labels == k]].mean(axis=0) for k in range(3)])
    expected = distances(plain.asked, means).argmin(axis=1)
    found = score_learner(made, chosen, "prototype")
    np.testing.assert_array_equal(found.predicted, expected)
    assert found.metrics["accuracy"] == pytest.approx((expected == made.targets[made.split.test].numpy()).mean())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("each", [1, 2, 5])
def test_propagation_adds_a_smoothed_and_a_spread_fit(seed, each):
    made = blobs(seed=seed, apart=1.5)
    chosen, plain = some(made, each).numpy(), Plain(made)
    labels = made.targets[chosen].numpy()
    indicators = np.eye(3)[labels]
    smooth = fit_classifier(plain.smoothed[chosen], labels)
    coef = plain.spread_fit(chosen, indicators)

    def parts(rows, smoothed):
        return smoothed @ smooth.coef + smooth.intercept, np.c_[rows, np.ones(len(rows))] @ coef

    def deviation(scores):
        return (scores - scores.mean(axis=1, keepdims=True)).std()

    whole = parts(plain.rows, plain.smoothed)
    expected = sum(a / deviation(b) for a, b in zip(parts(plain.asked, plain.smoothed_test), whole, strict=True))
    classes, found = propagated_scores(pool_view(made), chosen, labels, None, seed=0)
    np.testing.assert_array_equal(classes, [0, 1, 2])
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    predicted = score_learner(made, torch.tensor(chosen), "propagate").predicted
    np.testing.assert_array_equal(predicted, found.argmax(axis=1))


def likelihoods(rows, targets):
    """Logarithms of L of every penalty, by the covariance that it gives centred targets."""
    z, y = rows - rows.mean(axis=0), targets - targets.mean()
    found = []
    for alpha in SHARES * (z**2).sum():
        covariance = np.eye(len(y)) + z @ z.T / alpha
        found.append(
            -np.linalg.slogdet(covariance)[1] / 2
            - (len(y) - 1) / 2 * np.log(max(y @ np.linalg.solve(covariance, y), 1e-20 * y @ y))
        )
    return np.array(found)


def averaged(scaled, targets, asked):
    """Predictions of all ridge fits, weighted by their likelihood, and the share of each scaling."""
    logs = np.array([likelihoods(rows, targets) for rows in scaled])
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    predicted = np.full(len(asked[0]), targets.mean())
    for rows, test, shares in zip(scaled, asked, weights, strict=True):
        z = rows - rows.mean(axis=0)
        for alpha, share in zip(SHARES * (z**2).sum(), shares, strict=True):
            coef = z.T @ np.linalg.solve(z @ z.T + alpha * np.eye(len(z)), targets - targets.mean())
            predicted += share * ((test - rows.mean(axis=0)) @ coef)
    return predicted, weights.sum(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_numbers_by_ridge_on_smoothed_rows(seed):
    made = curve(seed=seed)
    chosen, plain = some(made), Plain(made)
    y = made.targets[chosen].double().numpy()
    smooth, smooth_test = plain.scalings(plain.smoothed[chosen]), plain.scalings(plain.smoothed_test)
    expected, _ = averaged(smooth, y, smooth_test)
    np.testing.assert_allclose(score_learner(made, chosen, "propagate").predicted, expected, atol=1e-3 * np.ptp(y))
    rows, test = plain.scalings(plain.pool[chosen]), plain.scalings(plain.test)
    expected, shares = averaged([*rows, *smooth], y, [*test, *smooth_test])
    found = score_learner(made, chosen, "auto")
    np.testing.assert_allclose(found.predicted, expected, atol=1e-3 * np.ptp(y))
    assert found.settled == ("propagate" if shares[2:].sum() > 0.5 else "linear")


def kernel_scalings(plain, chosen, sample):
    """Columns whose products are Gaussian kernels at three bandwidths of a sample, whose rows are paired."""
    rows, half = plain.pool[sample], len(sample) // 2
    median = np.median(((rows[:half] - rows[half : 2 * half]) ** 2).sum(axis=1))
    near, far = (distances(each, plain.pool[chosen]) ** 2 for each in (plain.pool[chosen], plain.test))
    scaled, asked = [], []
    for scale in (0.3, 1.0, 3.0):
        energy, vectors = np.linalg.eigh(np.exp(-near / (2 * scale * median)))
        scaled.append(vectors * np.sqrt(energy))  # K = (V √λ)(V √λ)ᵀ
        asked.append(np.exp(-far / (2 * scale * median)) @ (vectors / np.sqrt(energy)))
    return scaled, asked


@pytest.mark.parametrize("seed", range(3))
def test_numbers_by_kernel_ridge(seed):
    """Averaged over three bandwidths and all penalties."""
    made = curve(seed=seed)
    chosen, plain = some(made), Plain(made)
    y = made.targets[chosen].double().numpy()
    scaled, asked = kernel_scalings(plain, chosen.numpy(), pool_view(made).sample)
    expected, _ = averaged(scaled, y, asked)
    np.testing.assert_allclose(score_learner(made, chosen, "kernel").predicted, expected, atol=1e-6 * np.ptp(y))


def test_shares_of_scalings_are_their_likelihoods():
    rng = np.random.default_rng(1)
    rows = [rng.normal(size=(9, 4)), rng.normal(size=(9, 2))]
    y = rows[0] @ [1, 2, -1, 0.5] + 0.1 * rng.normal(size=9)
    expected, shares = averaged(rows, y, rows)
    found = average_ridge(rows, y)
    assert found.shares == pytest.approx(shares, abs=1e-9)
    assert sum(found.shares) == pytest.approx(1)
    np.testing.assert_allclose(found.predict(rows), expected)
    assert average_ridge(rows, np.ones(9)).shares == (0.5, 0.5)


def test_rows_of_one_column_are_told_apart_by_their_length():
    """Of unit length they would be -1 or 1, and two of these four classes never found."""
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(4), 40)
    made = dataset((6.0 * y + rng.uniform(-1, 1, 160))[:, None], y, 120)
    assert score_learner(made, torch.arange(8), "prototype").metrics["accuracy"] == 1
    weights = pool_view(made).graph.weights.toarray()
    assert weights[:, 0].max() > 0
    assert weights[y[:120, None] != y[:120]].max() < 1e-6, "rows of two classes are far apart"
