"""Labels spread over a graph, and the fit to them, against dense inverses and plain weighted ridge."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skmm_core.solvers.label_spreading import SPREAD, fit_spread, solve_spread, spread_labels
from skmm_core.solvers.nearest_neighbours import NeighbourGraph, neighbour_graph


def blobs(size=80, dims=5, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size)
    labels[:classes] = np.arange(classes)
    return 3 * rng.normal(size=(classes, dims))[labels] + rng.normal(size=(size, dims)), labels


def dense_symmetric(graph):
    weights = graph.weights.toarray()
    degree = weights.sum(axis=1)
    return weights / np.sqrt(np.outer(np.where(degree > 0, degree, 1), np.where(degree > 0, degree, 1)))


def dense_spread(graph, labelled, indicators, share=0.9):
    sent = np.zeros((graph.weights.shape[0], indicators.shape[1]))
    sent[labelled] = indicators / indicators.sum(axis=0)
    held = np.linalg.inv(np.eye(len(sent)) - share * dense_symmetric(graph)) @ sent
    held = held.clip(min=0)
    total = held.sum(axis=1, keepdims=True)
    return np.divide(held, total, out=np.zeros_like(held), where=total > 1e-12)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("size", [30, 80, 200])
def test_chebyshev_solves_the_system(share, size):
    x, _ = blobs(size)
    graph = neighbour_graph(x)
    sent = np.random.default_rng(1).uniform(size=(size, 4))
    exact = np.linalg.solve(np.eye(size) - share * dense_symmetric(graph), sent)
    found = solve_spread(graph.normalised, sent, share)
    # the error in the norm of the symmetric system is 1e-6 of where it began, which is at F = Y
    assert np.linalg.norm(found - exact) <= 4e-6 * np.linalg.norm(exact - sent) / (1 - share)


@pytest.mark.parametrize("extreme", [1.0, -1.0, 0.0])
def test_chebyshev_at_the_ends_of_the_spectrum(extreme):
    """Eigenvalues of S of exactly ±1 and 0, where the error is largest."""
    swapped = csr_array(extreme * np.array([[0.0, 1], [1, 0]]))
    for sent in ([[1.0], [1]], [[1.0], [-1]], [[1.0], [0]]):
        exact = np.linalg.solve(np.eye(2) - SPREAD * swapped.toarray(), np.array(sent))
        np.testing.assert_allclose(solve_spread(swapped, np.array(sent), SPREAD), exact, atol=4e-6 * 10)


@pytest.mark.parametrize("each", [1, 3, "uneven"])
def test_what_rows_hold(each):
    x, labels = blobs()
    graph = neighbour_graph(x)
    rng = np.random.default_rng(2)
    counts = {0: 1, 1: 4, 2: 9} if each == "uneven" else dict.fromkeys(range(3), each)
    labelled = np.concatenate([rng.choice(np.flatnonzero(labels == k), n, replace=False) for k, n in counts.items()])
    indicators = np.eye(3)[labels[labelled]]
    found = spread_labels(graph, labelled, indicators)
    expected = dense_spread(graph, labelled, indicators)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    sure = np.sort(expected, axis=1)[:, -1] - np.sort(expected, axis=1)[:, -2] > 0.01
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[sure].all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_how_often_a_class_was_labelled_does_not_spread_further():
    """Two equal blobs, far from each other and joined by nothing: a row holds its own class whatever the counts."""
    rng = np.random.default_rng(3)
    x = np.r_[rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 100]
    graph = neighbour_graph(x)
    labelled = np.r_[0:1, 30:50]
    held = spread_labels(graph, labelled, np.eye(2)[(labelled >= 30).astype(int)])
    np.testing.assert_allclose(held, np.repeat(np.eye(2), 30, axis=0), atol=1e-9)


def test_rows_that_no_label_reaches_hold_nothing_and_have_no_say():
    rng = np.random.default_rng(4)
    x = np.r_[rng.normal(size=(40, 3)), rng.normal(size=(20, 3)) + 100]
    graph = neighbour_graph(x)
    labelled = np.array([0, 1])
    held = spread_labels(graph, labelled, np.eye(2))
    assert not held[40:].any()
    moved = x.copy()
    moved[40:] += 7  # rows without a say may be anywhere, but for the size of a row, which sets the penalty
    size = (x**2).sum(axis=1).mean(), (moved**2).sum(axis=1).mean()
    one, other = (plain_fit(rows, held, labelled, np.eye(2), 0.1 * size[0]) for rows in (x, moved))
    np.testing.assert_allclose(one[0], other[0])
    found = fit_spread(x, held, labelled, np.eye(2))
    np.testing.assert_allclose(found.coef, one[0], atol=1e-9)


def test_isolated_rows_alone():
    """A graph without edges: labelled rows hold their labels, all others nothing."""
    graph = NeighbourGraph(csr_array((5, 5)), np.zeros(5))
    held = spread_labels(graph, np.array([1, 3]), np.eye(2))
    np.testing.assert_allclose(held, [[0, 0], [1, 0], [0, 0], [0, 1], [0, 0]])


def plain_fit(x, held, labelled, indicators, penalty):
    """Weighted least squares with a free intercept, row by row of the definition."""
    wanted = held.copy()
    wanted[labelled] = indicators
    weights = np.zeros(len(x))
    for i, row in enumerate(wanted):
        if row.sum() > 0:
            entropy = -sum(p * np.log(p) for p in row if p > 0)
            weights[i] = max(0.0, 1 - entropy / np.log(len(row)))
    z = np.c_[x, np.ones(len(x))]
    gram = z.T @ (weights[:, None] * z) + penalty * np.diag([1.0] * x.shape[1] + [0])
    solved = np.linalg.solve(gram, z.T @ (weights[:, None] * wanted))
    return solved[:-1], solved[-1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_the_fit_is_ridge_weighted_by_how_sure_rows_are(seed, unit):
    x, labels = blobs(seed=seed)
    x = unit * x
    labelled = np.array([np.flatnonzero(labels == k)[0] for k in range(3)])
    held = spread_labels(neighbour_graph(x), labelled, np.eye(3))
    found = fit_spread(x, held, labelled, np.eye(3))
    coef, intercept = plain_fit(x, held, labelled, np.eye(3), 0.1 * (x**2).sum(axis=1).mean())
    np.testing.assert_allclose(found.coef * unit, coef * unit, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.intercept, intercept, atol=1e-8)
    np.testing.assert_allclose(found.scores(x[:4]), x[:4] @ coef + intercept, atol=1e-8)
    np.testing.assert_allclose(found.scores(x).sum(axis=1), 1, atol=0.35)  # rows hold 1 in all, or nothing


def test_rows_that_are_all_zero_give_the_mean_of_what_is_held():
    x = np.zeros((6, 2))
    found = fit_spread(x, np.zeros((6, 2)), np.array([0, 1]), np.eye(2))
    np.testing.assert_allclose(found.scores(x), 0.5)


def test_scores_do_not_depend_on_the_order_of_rows():
    x, labels = blobs()
    labelled = np.array([np.flatnonzero(labels == k)[0] for k in range(3)])
    order = np.random.default_rng(5).permutation(len(x))
    place = np.argsort(order)
    here = fit_spread(x, spread_labels(neighbour_graph(x), labelled, np.eye(3)), labelled, np.eye(3))
    moved, at = x[order], place[labelled]
    there = fit_spread(moved, spread_labels(neighbour_graph(moved), at, np.eye(3)), at, np.eye(3))
    np.testing.assert_allclose(there.scores(x), here.scores(x), atol=1e-9)
