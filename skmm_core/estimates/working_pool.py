"""The pool as learners see it, or of a large one a part with all labelled rows, beside which the rest is predicted."""

import hashlib
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from skmm_core.data import Dataset, Split, empty_rows
from skmm_core.device import generator
from skmm_core.probes import PoolView, pool_view
from skmm_core.progress import Report, ignore

Labels = NDArray[np.int64]
Array = NDArray[np.float64]
_Value = TypeVar("_Value", bound=np.generic)
_WHOLE_UP_TO, _PART = (
    15_000,
    10_000,
)  # rows: joining all rows of a pool with their neighbours takes their number squared
NEAR = 10  # labelled rows that are near a row
EQUAL = 1e-5  # of the length of a row: rows nearer than this are the same


@dataclass(frozen=True)
class WorkingPool:
    """What learners are fitted in.

    Attributes:
        view: of the part; its test rows are the rest of the pool, in `beside`.
        part: (M,) rows of the pool that the view's pool has, sorted.
        beside: (N - M,) the other rows of the pool; empty where the part is the whole.
        labelled: (n,) labelled rows, as places in the part.
    """

    view: PoolView
    part: Labels
    beside: Labels
    labelled: Labels

    def in_order(self, of_all: NDArray[_Value]) -> NDArray[_Value]:
        """Values of the part and then of the rest, in the order of the pool."""
        found = np.empty_like(of_all)
        found[np.concatenate([self.part, self.beside])] = of_all
        return found

    def near_labelled(self) -> tuple[Labels, Array]:
        """(N, k) labelled rows nearest to each row of the pool, the nearest first, and their distances; k <= 10."""
        rows = self.view.rows[self.labelled]
        search = NearestNeighbors(n_neighbors=min(NEAR, len(rows)), algorithm="brute").fit(rows)
        of_all = [self.view.rows, *([self.view.test] if len(self.beside) else [])]
        apart, near = search.kneighbors(np.concatenate(of_all))
        return self.in_order(near.astype(np.int64)), self.in_order(apart.astype(np.float64))

    def near_each_other(self) -> tuple[Labels, Array]:
        """(n, k) labelled rows nearest to each labelled row, itself left out, and their distances; k <= 10.

        Distances are from differences, so that those of equal rows are 0, in units of the length of a row. Learners see
        rows in unit length; of those that are equal there, the distance is that of the standardised rows themselves.
        """
        rows = self.view.rows[self.labelled]
        count = min(NEAR, len(rows) - 1)
        if count < 1:
            return np.empty((len(rows), 0), np.int64), np.empty((len(rows), 0))
        search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows)
        near = search.kneighbors(return_distance=False).astype(np.int64)
        apart = np.linalg.norm(rows[:, None].astype(np.float64) - rows[near], axis=2)
        apart /= float(np.linalg.norm(rows, axis=1).mean()) or 1.0
        for neighbours, distances in zip(near.T, apart.T, strict=True):
            close = np.flatnonzero(distances <= EQUAL)
            if len(close):
                distances[close] = self._apart(close, neighbours[close])
        return near, apart

    def _apart(self, first: Labels, second: Labels) -> Array:
        """Distances (m,) of pairs of labelled rows as they are, standardised, in units of their mean length."""
        one, other = (self.view.standardised(self.labelled[part]) for part in (first, second))
        length = float(np.linalg.norm(one, axis=1).mean()) or 1.0
        return np.asarray(np.linalg.norm(one - other, axis=1) / length)


def working_pool(dataset: Dataset, positions: Labels, *, seed: int = 0, report: Report = ignore) -> WorkingPool:
    """Join neighbours of the whole pool up to 15,000 rows, of a seeded part of 10,000 and all labelled rows above.

    Args:
        dataset: whose pool it is.
        positions: (n,) labelled rows of the pool.
        seed: of the part.
        report: told of the work.
    """
    size = dataset.pool_size
    part, beside = np.arange(size), np.empty(0, np.int64)
    if size > _WHOLE_UP_TO:
        drawn = torch.randperm(size, generator=generator(seed, "estimate:part"))[:_PART].numpy()
        part = np.union1d(drawn, positions)
        beside = np.setdiff1d(np.arange(size), part)
    train = dataset.split.train
    rest = train[torch.from_numpy(beside)] if len(beside) else empty_rows()
    digest = hashlib.sha256(part.tobytes()).hexdigest()[:16] if len(beside) else "whole"
    made = replace(
        dataset,
        split=Split(train[torch.from_numpy(part)], empty_rows(), rest),
        fingerprint=f"{dataset.fingerprint}:{digest}",  # its test rows are others than the dataset's own
    )
    return WorkingPool(pool_view(made, report), part, beside, np.searchsorted(part, positions))
