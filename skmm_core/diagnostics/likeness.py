"""Which points of a pool are alike: nearest ones, near-duplicates, and points that lie far from all others.

Likeness is measured between rows as a person would expect of them: standardised columns of a table by Euclidean
distance, embeddings by their angle. Both are reduced to their leading principal directions, so that one row is compared
with 100,000 others at once.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from skmm_core.data import Dataset
from skmm_core.pool import principal_map

Rows = NDArray[np.float32]
DIRECTIONS = 64
NEIGHBOURS = 10
COMPARED_LIMIT = 20_000  # rows: of larger pools every row is compared with a sample of this size
NEAR_SHARE = 0.2  # of the usual distance to the nearest point: closer is a near-duplicate
_FAR_DEVIATIONS = 3.5  # of log distance, robustly: Iglewicz & Hoaglin (1993)
_NORMAL = 1.4826  # standard deviation of normal values whose median absolute deviation is 1
_BLOCK_ROWS = 16_384


def likeness_rows(dataset: Dataset) -> Rows:
    """(N, p) float32 rows of the pool, p <= 64, between which Euclidean distance says how alike points are.

    Named columns are standardised; rows of an embedding, whose columns have no names, come in unit length.
    """
    pool = dataset.split.of_pool(dataset.features)
    rows = dataset.scaler.copy(pool) if dataset.feature_names else torch.nn.functional.normalize(pool.float(), dim=1)
    if rows.shape[1] > DIRECTIONS:
        rows = principal_map(rows, DIRECTIONS)(rows)
    return np.ascontiguousarray(rows.float().numpy())


@dataclass(frozen=True)
class Nearness:
    """The points nearest to each point of a pool.

    Attributes:
        near: (N, k) int64 positions, nearest first.
        distance: (N, k) float64, to each of them.
        compared: number of points that each was compared with: N, or less where a pool is large.
        repeated: (N,) bool, points whose row stands in the pool more than once.
    """

    near: NDArray[np.int64]
    distance: NDArray[np.float64]
    compared: int
    repeated: NDArray[np.bool_]

    @cached_property
    def twin_distance(self) -> float:
        """How close two points are at most apart that are called near-duplicates; 0 leaves equal rows alone."""
        if not self.distance.size:
            return 0.0
        apart = self.distance[:, 0][self.distance[:, 0] > 0]
        return float(NEAR_SHARE * np.median(apart)) if len(apart) else 0.0

    @cached_property
    def duplicates(self) -> NDArray[np.bool_]:
        """(N,) bool, points with a near-duplicate."""
        if not self.distance.size:
            return self.repeated
        return np.asarray(self.repeated | (self.distance[:, 0] <= self.twin_distance))

    @cached_property
    def remoteness(self) -> NDArray[np.float64]:
        """(N,) mean distance to the nearest points (Angiulli & Pizzuti 2002)."""
        return self.distance.mean(axis=1) if self.distance.size else np.zeros(len(self.repeated))

    @cached_property
    def outliers(self) -> NDArray[np.bool_]:
        """(N,) bool, points much farther from their nearest points than is usual in this pool."""
        found = np.zeros(len(self.remoteness), bool)
        some = self.remoteness > 0
        if some.sum() < NEIGHBOURS:
            return found
        logs = np.log(self.remoteness[some])
        middle = np.median(logs)
        spread = _NORMAL * np.median(np.abs(logs - middle))
        found[some] = logs - middle > max(_FAR_DEVIATIONS * spread, np.log(1.5))
        return found


def nearness(rows: Rows, *, neighbours: int = NEIGHBOURS, limit: int = COMPARED_LIMIT) -> Nearness:
    """Compare every point with every other, or in a large pool with a seeded sample of them.

    Args:
        rows: (N, p) of :func:`likeness_rows`.
        neighbours: how many nearest points, itself not counted; fewer in a smaller pool.
        limit: most points that each is compared with.
    """
    from sklearn.neighbors import NearestNeighbors

    size = len(rows)
    repeated = _repeated(rows)
    compared = np.arange(size)
    if size > limit:
        compared = np.sort(np.random.default_rng(0).permutation(size)[:limit])
    count = min(neighbours, len(compared) - 1)
    if count < 1:
        return Nearness(np.zeros((size, 0), np.int64), np.zeros((size, 0)), len(compared), repeated)
    search = NearestNeighbors(n_neighbors=count + 1, algorithm="brute").fit(rows[compared])
    near = np.empty((size, count), np.int64)
    distance = np.empty((size, count))
    for start in range(0, size, _BLOCK_ROWS):
        own = np.arange(start, min(start + _BLOCK_ROWS, size))
        found = compared[search.kneighbors(rows[own], return_distance=False)]
        found = _without_self(found, own)
        apart = np.sqrt(((rows[own, None].astype(np.float64) - rows[found]) ** 2).sum(axis=2))
        order = np.argsort(apart, axis=1, kind="stable")  # searches round: equal rows are 0 apart only here
        near[own] = np.take_along_axis(found, order, axis=1)
        distance[own] = np.take_along_axis(apart, order, axis=1)
    return Nearness(near, distance, len(compared), repeated)


def distances_to(rows: Rows, position: int) -> NDArray[np.float32]:
    """(N,) distances of all points of a pool to one of them."""
    found = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _BLOCK_ROWS):
        apart = rows[start : start + _BLOCK_ROWS] - rows[position]
        found[start : start + _BLOCK_ROWS] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return found


def nearest_to(distances: NDArray[np.float32], among: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Positions of the points with the smallest distances among some, nearest first, at most `count`."""
    places = np.flatnonzero(among)
    if len(places) > count:
        places = places[np.argpartition(distances[places], count - 1)[:count]]
        places.sort()
    return places[np.argsort(distances[places], kind="stable")]


def _without_self(found: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """One column less: a point itself, or its farthest where it is not among its nearest (of equal rows, a sample)."""
    same = found == own[:, None]
    same[~same.any(axis=1), -1] = True
    return np.asarray(found[~same].reshape(len(own), -1))


def _repeated(rows: Rows) -> NDArray[np.bool_]:
    """(N,) bool, rows that stand there more than once, bit by bit."""
    plain = np.ascontiguousarray(rows + np.float32(0))  # -0 is 0
    keys = plain.view(np.dtype((np.void, plain.shape[1] * plain.itemsize))).ravel()
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)
