"""What learners know of a pool before any label: its main directions and its graph of neighbours, made once a pool."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array
from sklearn.random_projection import SparseRandomProjection
from torch import Tensor

from skmm_core.data import Dataset
from skmm_core.device import generator
from skmm_core.pool import make_pool, principal_map
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import NeighbourGraph, averaging_over, neighbour_graph, on_one_line

Array = NDArray[np.float64]
Rows = NDArray[np.float32]
RANK, POWER = 256, 0.15  # of the directions in which rows are compared
_BLOCK_ROWS, _SAMPLE = 8_192, 2_000
_MOST_VIEWS = 2
_WIDEST = 2_048  # columns: of more, distances are those of a sparse random projection (Achlioptas 2003; Li et al. 2006)


@dataclass(frozen=True)
class PoolView:
    """The pool and the test rows of a dataset as learners see them; of test rows nothing flows into anything shared.

    Attributes:
        dataset: with test rows.
        rows: (N, p) float32 of the pool, in its leading principal directions, partly whitened, of unit length
            unless they lie on one line.
        test: (T, p) the same of the test rows.
        graph: of the rows.
        sample: (M,) up to 2,000 rows of the pool, the same points in whatever order they stand: what the spread of
            scores and the distances between rows are measured on.
    """

    dataset: Dataset
    rows: Rows
    test: Rows
    graph: NeighbourGraph
    sample: NDArray[np.int64]

    @cached_property
    def _half(self) -> csr_array:
        """One step of smoothing, (N, N): half a row, half the mean of its neighbours."""
        return csr_array((eye_array(len(self.rows)) + self.graph.averaging) / 2)

    def smoothed(self, chosen: NDArray[np.int64]) -> Array:
        """(n, d) standardised rows of the pool after two steps of smoothing over the graph (Wu et al. 2019)."""
        return self._of_pool(csr_array(self._half[chosen] @ self._half))

    @cached_property
    def smoothed_test(self) -> Array:
        """(T, d) the same of the test rows, each joined with its nearest rows of the pool."""
        own, joined = self._joined_test
        rows = self.dataset.scaler(self.dataset.features[self.dataset.split.test]).numpy()
        return np.asarray(own * rows + self._of_pool(joined))

    @cached_property
    def _joined_test(self) -> tuple[Array, csr_array]:
        """(T, 1) what a test row keeps of itself, all of it without a near row; (T, N) what it takes of the pool."""
        near = averaging_over(self.graph, self.rows, self.test)
        own = 1 - 3 / 4 * np.asarray(near.sum(axis=1)).reshape(-1, 1)
        return own, csr_array(near / 4 + near @ self._half / 2)

    @cached_property
    def smoothed_sample(self) -> Array:
        """(M, d) smoothed rows of the sample."""
        return self.smoothed(self.sample)

    def standardised(self, positions: NDArray[np.int64]) -> Array:
        """(n, d) standardised rows of the pool."""
        return self._standardised(self.dataset.split.train[torch.from_numpy(positions)])

    def plain_scores(self, coef: Array, intercept: Array | float, *, test: bool = False) -> Array:
        """(N, K) or (N,) what a linear predictor of standardised rows says of every row of the pool, or of the test."""
        rows = self.dataset.split.test if test else self.dataset.split.train
        return np.concatenate([self._standardised(block) @ coef + intercept for block in rows.split(_BLOCK_ROWS)])

    def smooth_scores(self, coef: Array, intercept: Array | float, *, test: bool = False) -> Array:
        """The same of smoothed rows: smoothing what is said is saying it of smoothed rows, and far less work."""
        said = self.plain_scores(coef, intercept)
        if not test:
            return np.asarray(self._half @ (self._half @ said))
        own, joined = self._joined_test
        alone = self.plain_scores(coef, intercept, test=True)
        return np.asarray((own if alone.ndim > 1 else own[:, 0]) * alone + joined @ said)

    def _standardised(self, rows: Tensor) -> Array:
        return np.asarray(self.dataset.scaler(self.dataset.features[rows]).numpy())

    def _of_pool(self, averaging: csr_array) -> Array:
        """(M, d) averages of standardised rows of the pool, a block of these at a time."""
        found = np.zeros((averaging.shape[0], self.dataset.features.shape[1]))
        needed = np.unique(averaging.indices)
        for start in range(0, len(needed), _BLOCK_ROWS):
            block = needed[start : start + _BLOCK_ROWS]
            found += averaging[:, block] @ self.standardised(block.astype(np.int64))
        return found


_VIEWS: OrderedDict[str, PoolView] = OrderedDict()
_LOCK = threading.Lock()


def pool_view(dataset: Dataset, report: Report = ignore) -> PoolView:
    """The view of a dataset; of the last two datasets it is here already."""
    with _LOCK:
        if dataset.fingerprint in _VIEWS:
            _VIEWS.move_to_end(dataset.fingerprint)
            return _VIEWS[dataset.fingerprint]
    report(Progress("Joining neighbours", 0))
    view = _make(dataset)
    with _LOCK:
        _VIEWS[dataset.fingerprint] = view
        while len(_VIEWS) > _MOST_VIEWS:
            _VIEWS.popitem(last=False)
    return view


def _make(dataset: Dataset) -> PoolView:
    parts = [dataset.scaler.copy(dataset.features[part]) for part in (dataset.split.train, dataset.split.test)]
    if parts[0].shape[1] > _WIDEST:
        sketch = SparseRandomProjection(_WIDEST, random_state=0).fit(np.zeros((1, parts[0].shape[1])))
        parts = [torch.from_numpy(sketch.transform(part.numpy())) for part in parts]
    directions = principal_map(parts[0], RANK, power=POWER)
    rows, test = (directions(part).float() for part in parts)
    if not on_one_line(rows):
        rows, test = (torch.nn.functional.normalize(part, dim=1) for part in (rows, test))
    drawn = torch.randperm(len(rows), generator=generator(0, "learner:sample"))[:_SAMPLE]
    order = make_pool(parts[0]).order
    return PoolView(dataset, rows.numpy(), test.numpy(), neighbour_graph(rows.numpy()), order[drawn].numpy())
