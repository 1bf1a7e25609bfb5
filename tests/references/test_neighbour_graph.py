"""The graph of nearest neighbours against its definition on whole matrices."""

import numpy as np
import pytest

from skmm_core.solvers import nearest_neighbours
from skmm_core.solvers.nearest_neighbours import averaging_over, neighbour_graph

SINGLE = float(np.finfo(np.float32).eps)


def rows(size=60, dims=4, seed=0):
    return np.random.default_rng(seed).normal(size=(size, dims))


def distances(a, b):
    return np.linalg.norm(a[:, None] - b[None], axis=2)


def weight(squared, scale):
    """exp(-d²/(σ σ')); 1 between equal rows, also where a σ is 0, and 0 to a row beside which only equal ones lie."""
    return np.where(squared == 0, 1.0, np.where(scale > 0, np.exp(-squared / np.where(scale > 0, scale, 1.0)), 0.0))


def dense(x, neighbours):
    """(N, N) weights and (N,) σ, with every pair looked at; rows without equal distances."""
    apart = distances(x, x)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1)[:, :neighbours]
    reach = np.take_along_axis(apart, near[:, -1:], axis=1).ravel()
    edge = np.zeros_like(apart, dtype=bool)
    np.put_along_axis(edge, near, True, axis=1)
    edge |= edge.T
    np.fill_diagonal(apart, 0)
    return edge * weight(apart**2, np.outer(reach, reach)), reach


@pytest.mark.parametrize("neighbours", [1, 3, 10])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_weights(neighbours, kind, unit):
    x = (unit * rows()).astype(kind)
    graph = neighbour_graph(x, neighbours=neighbours)
    weights, reach = dense(x.astype(np.float64), neighbours)
    rounding = 64 * float(np.finfo(kind).eps)
    np.testing.assert_allclose(graph.weights.toarray(), weights, rtol=0, atol=rounding)
    np.testing.assert_allclose(graph.reach, reach, rtol=rounding)
    assert (graph.weights != graph.weights.T).nnz == 0
    averaging = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(graph.averaging.toarray(), averaging, atol=8 * rounding)
    degree = weights.sum(axis=1)
    np.testing.assert_allclose(
        graph.normalised.toarray(), weights / np.sqrt(np.outer(degree, degree)), atol=8 * rounding
    )
    assert np.abs(np.linalg.eigvalsh(graph.normalised.toarray())).max() <= 1 + rounding


def test_new_rows_are_joined_with_their_nearest_rows_of_the_pool():
    x, others = rows(), rows(7, seed=1)
    graph = neighbour_graph(x, neighbours=5)
    found = averaging_over(graph, x, others, neighbours=5).toarray()
    apart = distances(others, x)
    for row, away in zip(found, apart, strict=True):
        near = np.argsort(away)[:5]
        weights = np.exp(-(away[near] ** 2) / (away[near[-1]] * graph.reach[near]))
        expected = np.zeros(60)
        expected[near] = weights / weights.sum()
        np.testing.assert_allclose(row, expected, atol=1e-12)


def test_a_row_that_is_in_the_pool_is_its_own_nearest():
    x = rows()
    graph = neighbour_graph(x)
    found = averaging_over(graph, x, x[:5]).toarray()
    assert (found.argmax(axis=1) == np.arange(5)).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [2, 10, 11, 20])
def test_duplicates(copies, kind):
    """Up to ten copies have others among their ten nearest; from eleven on σ is 0, and copies weigh 1, others 0."""
    x = np.repeat(rows(6), copies, axis=0).astype(kind)
    graph = neighbour_graph(x)
    weights = graph.weights.toarray()
    assert np.isfinite(weights).all()
    assert weights.min() >= 0
    assert weights.max() == pytest.approx(1)
    assert not weights.diagonal().any(), "no row is its own neighbour"
    same = np.kron(np.eye(6), np.ones((copies, copies))) > 0
    assert (weights[same & (weights > 0)] == 1).all()
    assert (graph.reach == 0).all() == (copies >= 11)
    if copies >= 11:
        assert (weights * same > 0).sum(axis=1).min() >= 10, "no edge between equal rows is lost"
        assert not weights[~same].any()
        joined = averaging_over(graph, x, x[::copies])
        np.testing.assert_allclose(np.asarray(joined.sum(axis=1)).ravel(), 1)
    assert np.isfinite(graph.averaging.toarray()).all()
    assert np.isfinite(graph.normalised.toarray()).all()


@pytest.mark.parametrize("size", [1, 2, 5, 10])
def test_pools_of_fewer_rows_than_neighbours_join_all(size):
    x = rows(size)
    graph = neighbour_graph(x)
    assert graph.weights.shape == (size, size)
    assert graph.weights.nnz == size * (size - 1)
    if size > 1:
        np.testing.assert_allclose(graph.reach, distances(x, x).max(axis=1))
    joined = averaging_over(graph, x, rows(3, seed=2)).toarray()
    assert np.isfinite(joined).all()
    assert (joined.sum(axis=1) == pytest.approx(1)) if size > 1 else (joined.sum(axis=1) <= 1).all()


def test_a_row_far_from_all_hangs_on_its_nearest_ones():
    """Its σ is as large as its distances, and theirs small: what it weighs may be 0, which no later step divides by."""
    x = np.r_[rows(40), np.full((1, 4), 1e6)]
    graph = neighbour_graph(x)
    assert np.isfinite(graph.normalised.toarray()).all()
    assert np.isfinite(graph.averaging.toarray()).all()
    near, _ = dense(x[:40], 10)
    np.testing.assert_allclose(graph.weights.toarray()[:40, :40], near, atol=1e-6)


def test_another_order_of_rows_is_the_same_graph():
    x = rows()
    order = np.random.default_rng(3).permutation(60)
    here, there = neighbour_graph(x), neighbour_graph(x[order])
    np.testing.assert_allclose(there.weights.toarray(), here.weights.toarray()[np.ix_(order, order)], atol=1e-12)
    np.testing.assert_allclose(there.reach, here.reach[order])


def test_large_pools_find_most_of_the_nearest(monkeypatch):
    """By nearest-neighbour descent: no row beside itself, σ never below the exact one, 95 % of the edges."""
    rng = np.random.default_rng(4)
    x = (rng.normal(size=(20, 8))[rng.integers(0, 20, 1_500)] * 3 + rng.normal(size=(1_500, 8))).astype(np.float32)
    exact = neighbour_graph(x)
    monkeypatch.setattr(nearest_neighbours, "EXACT_LIMIT", 1_000)
    found = neighbour_graph(x)
    again = neighbour_graph(x)
    assert (found.weights != again.weights).nnz == 0
    assert not found.weights.diagonal().any()
    assert (found.weights != found.weights.T).nnz == 0
    assert (found.reach >= exact.reach * (1 - 1e-4)).all()
    shared = ((found.weights > 0).multiply(exact.weights > 0)).nnz
    assert shared >= 0.95 * exact.weights.nnz
    assert np.median(found.reach / exact.reach) == pytest.approx(1, abs=1e-3)


def test_many_equal_rows_in_large_pools(monkeypatch):
    monkeypatch.setattr(nearest_neighbours, "EXACT_LIMIT", 100)
    x = np.repeat(rows(20), 30, axis=0).astype(np.float32)
    found = neighbour_graph(x)
    assert not found.weights.diagonal().any()
    weights = found.weights.toarray()
    assert np.isfinite(weights).all()
    same = np.kron(np.eye(20), np.ones((30, 30))) > 0
    assert (weights[same & (weights > 0)] == 1).all()
