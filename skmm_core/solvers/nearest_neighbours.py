"""The graph of nearest neighbours of a pool: who is near whom, and how near, as sparse matrices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.neighbors import NearestNeighbors

Array = NDArray[np.float64]
Rows = NDArray[np.floating]
Indices = NDArray[np.integer]
NEIGHBOURS = 10
EXACT_LIMIT = 50_000  # rows: with more, comparing all of them with each other takes minutes
_BLOCK_ROWS = 1_024


@dataclass(frozen=True)
class NeighbourGraph:
    """Weights between near rows of a pool.

    Attributes:
        weights: (N, N) symmetric, sparse, in 0..1: exp(-d²/(σ_i σ_j)) where either row is among the nearest of the
            other, σ being the distance to the farthest of a row's nearest ones (Zelnik-Manor & Perona 2004).
        reach: (N,) σ.
    """

    weights: csr_array
    reach: Array

    @property
    def averaging(self) -> csr_array:
        """(N, N) weights whose rows sum to 1; a row without neighbours, or only with ones of weight 0, has itself."""
        alone = np.asarray(self.weights.sum(axis=1)).ravel() == 0
        return csr_array(_rows_to_one(self.weights) + diags_array(alone.astype(np.float64)))

    @property
    def normalised(self) -> csr_array:
        """(N, N) D^(-1/2) W D^(-1/2), symmetric, with eigenvalues in -1..1."""
        degree = np.asarray(self.weights.sum(axis=1)).ravel()
        root = 1 / np.sqrt(np.where(degree > 0, degree, 1.0))
        return csr_array(self.weights.multiply(root[:, None]).multiply(root[None, :]))


def neighbour_graph(rows: Rows, *, neighbours: int = NEIGHBOURS) -> NeighbourGraph:
    """Join every row of a pool with its nearest ones.

    Exact up to 50,000 rows, O(N² p) in blocks; above by nearest-neighbour descent (Dong, Moses & Li 2011).

    Args:
        rows: (N, p), distances between which mean something.
        neighbours: how many nearest rows, itself not counted; fewer in a smaller pool.
    """
    size = len(rows)
    count = min(neighbours, size - 1)
    if count < 1:
        return NeighbourGraph(csr_array((size, size)), np.zeros(size))
    near = _nearest_of_each(rows, count)
    squared = _squared(rows, rows, near)
    reach = np.sqrt(squared.max(axis=1))
    weights = _weights(squared, reach, reach, near, size)
    return NeighbourGraph(csr_array(weights.maximum(weights.T)), reach)


def averaging_over(graph: NeighbourGraph, rows: Rows, others: Rows, *, neighbours: int = NEIGHBOURS) -> csr_array:
    """(M, N) weights of the rows of the pool nearest to each of (M, p) other rows; they sum to 1 or are all 0."""
    count = min(neighbours, len(rows))
    near = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows).kneighbors(others, return_distance=False)
    squared = _squared(others, rows, near)
    return _rows_to_one(_weights(squared, np.sqrt(squared.max(axis=1)), graph.reach, near, len(rows)))


def _nearest_of_each(rows: Rows, count: int) -> Indices:
    """(N, count) rows nearest to each; no row is its own neighbour."""
    if len(rows) <= EXACT_LIMIT:
        search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows)
        exact: Indices = search.kneighbors(return_distance=False)
        return exact
    from pynndescent import NNDescent

    near = NNDescent(rows, n_neighbors=count + 1, random_state=0).neighbor_graph[0]
    own = near == np.arange(len(rows))[:, None]
    own[~own.any(axis=1), -1] = True  # among many equal rows one may not find itself; its farthest then goes
    found: Indices = near[~own].reshape(-1, count)
    return found


def _squared(some: Rows, rows: Rows, near: Indices) -> Array:
    """(M, count) squared distances to the rows that are near, from differences, so that those of equal rows are 0.

    Searches take them from products: equal rows are then as far apart as the root of what rounding leaves, and where a
    σ is as small, chance would decide what such rows weigh.
    """
    found = np.empty(near.shape)
    for start in range(0, len(some), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        apart = some[part, None].astype(np.float64) - rows[near[part]]
        found[part] = np.einsum("ikp,ikp->ik", apart, apart)
    return found


def _weights(squared: Array, own: Array, reach: Array, near: Indices, size: int) -> csr_array:
    """(M, size) sparse exp(-d²/(own σ · their σ)); 1 between equal rows, also where a σ is 0."""
    scale = own[:, None] * reach[near]
    ratio = np.divide(squared, scale, out=np.where(squared > 0, np.inf, 0.0), where=scale > 0)
    starts = np.arange(0, near.size + 1, near.shape[1])
    return csr_array((np.exp(-ratio).ravel(), near.ravel(), starts), shape=(len(near), size))


def _rows_to_one(weights: csr_array) -> csr_array:
    total = np.asarray(weights.sum(axis=1)).ravel()
    return csr_array(weights.multiply((1 / np.where(total > 0, total, 1.0))[:, None]))
