"""The paper's synthetic experiment: ridge on chosen rows of a Gaussian mixture, its risk over the whole pool."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from threadpoolctl import threadpool_limits
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.data import GmmOptions, gaussian_mixture
from skmm_core.methods import get_method, select
from skmm_core.paper.experiments import Row
from skmm_core.pool import Pool, make_pool
from skmm_core.progress import Progress, Report, ignore

Array = NDArray[np.float64]
ALPHAS: Array = np.logspace(-6, 4, 41)
SKETCH = SketchParams(dim=32)
_LEVERAGE = ("leverage", "ridge_leverage")


class PoolRidge:
    """Ridge without intercept on chosen rows of one pool, through the pool's Gram matrix XXᵀ.

    Args:
        features: (N, r) float64.
        targets: (N,) float64.
    """

    def __init__(self, features: Array, targets: Array) -> None:
        self.gram = features @ features.T
        self.targets = targets
        self.full_risk = self.risk(np.arange(len(targets)), seed=0)

    def risk(self, chosen: NDArray[np.int64], *, seed: int) -> float:
        """Fixed-design risk ‖Xθ - y‖²/N over the pool, α by 2-fold grid search inside the chosen rows.

        Args:
            chosen: (n,) distinct rows; with one row there are no folds, and α is the smallest.
            seed: of the folds.
        """
        alpha = self.alpha(chosen, seed=seed)
        gram = self.gram[np.ix_(chosen, chosen)]
        gram[np.diag_indices_from(gram)] += alpha
        # NumPy's factor, since SciPy's keeps other threads waiting; transposed, it is solved without a copy
        factor = np.linalg.cholesky(gram).T
        dual = np.zeros_like(self.targets)
        dual[chosen] = cho_solve((factor, False), self.targets[chosen], check_finite=False)
        return float(((self.gram @ dual - self.targets) ** 2).mean())

    def alpha(self, chosen: NDArray[np.int64], *, seed: int) -> float:
        """α with the smallest squared error over the two folds."""
        shuffled = np.random.default_rng(seed).permutation(chosen)
        halves = np.array_split(shuffled, 2)
        if not len(halves[1]):
            return float(ALPHAS[0])
        errors = self._errors(halves[0], halves[1]) + self._errors(halves[1], halves[0])
        return float(ALPHAS[int(np.argmin(errors))])

    def _errors(self, fit: NDArray[np.int64], score: NDArray[np.int64]) -> Array:
        """Summed squared error on the rows `score` after a fit on the rows `fit`, for every α."""
        energy, vectors = np.linalg.eigh(self.gram[np.ix_(fit, fit)])
        projected = vectors.T @ self.targets[fit]
        dual = projected[:, None] / (energy.clip(0)[:, None] + ALPHAS)
        predictions = self.gram[np.ix_(score, fit)] @ (vectors @ dual)
        return np.asarray(((predictions - self.targets[score][:, None]) ** 2).sum(axis=0))


@dataclass(frozen=True)
class Cell:
    """One selection that is to be made and scored."""

    row: Row
    budget: int
    data_seed: int
    seed: int


class Mixture:
    """One draw of the mixture, with what its selections share."""

    def __init__(self, data_seed: int, options: GmmOptions) -> None:
        (features, *_), (targets, *_) = gaussian_mixture(options.model_copy(update={"seed": data_seed}))
        self.ridge = PoolRidge(features.double().numpy(), targets.double().numpy())
        self.pool = make_pool(features, targets=targets, sketch=SKETCH, device="cpu")
        self._fixed = _Fixed()

    def run(self, cells: Sequence[Cell], *, report: Report = ignore) -> Iterator[tuple[Cell, dict[str, float], float]]:
        """Make and score the selections of one seed: cell, metrics, seconds of the selection.

        Args:
            cells: of this draw and one seed.
            report: told of the work inside; raise Cancelled from it to stop.
        """
        pool = self.pool.reseeded(cells[0].seed)
        chooser = _Chooser(pool, cells, self._fixed, report)
        for cell in cells:
            chosen, seconds = chooser(cell)
            risk = self.ridge.risk(chosen.numpy(), seed=cell.seed)
            yield cell, {"log_ratio": float(np.log10(risk / self.ridge.full_risk)), "risk": risk}, seconds


class _Chooser:
    """Makes the selections of one seed; of a nested row only the largest, whose beginnings are the smaller ones."""

    def __init__(self, pool: Pool, cells: Sequence[Cell], fixed: "_Fixed", report: Report) -> None:
        self._pool, self._fixed, self._report = pool, fixed, report
        self._most = {cell.row.key: max(c.budget for c in cells if c.row == cell.row) for cell in cells}
        self._nested: dict[str, tuple[Tensor, float]] = {}

    def __call__(self, cell: Cell) -> tuple[Tensor, float]:
        row = cell.row
        if not row.nested:
            return self._select(row, cell.budget)
        if row.key not in self._nested:
            most = self._most[row.key]
            self._nested[row.key] = self._fixed(row, most, self._select) if is_fixed(row) else self._select(row, most)
        indices, seconds = self._nested[row.key]
        return indices[: cell.budget], seconds

    def _select(self, row: Row, budget: int) -> tuple[Tensor, float]:
        found = select(self._pool, row.method, budget, params=row.params, seed=self._pool.seed, report=self._report)
        return found.indices, found.seconds


class _Fixed:
    """Selections that are the same for every seed of a draw, made once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[Tensor, float]] = {}

    def __call__(
        self, row: Row, budget: int, choose: Callable[[Row, int], tuple[Tensor, float]]
    ) -> tuple[Tensor, float]:
        with self._lock:
            found = self._found.get(row.key)
            if found is None or len(found[0]) < budget:
                found = self._found[row.key] = choose(row, budget)
            return found


def run_mixtures(
    cells: Sequence[Cell],
    options: GmmOptions,
    *,
    workers: int,
    keep: Callable[[Cell, dict[str, float], float], None],
    full: Callable[[int, float], None],
    report: Report = ignore,
) -> None:
    """Make and score selections, the seeds of one draw side by side.

    A row that is not random is chosen once a draw and scored for every seed, since the folds differ.

    Args:
        cells: what to do.
        options: of the mixture; its seed is that of the draw.
        workers: threads.
        keep: told of every finished cell, one at a time.
        full: told of every draw's full-data risk.
        report: told of the progress; raise Cancelled from it to stop.
    """
    lock, done = threading.Lock(), 0
    stopped = threading.Event()

    def beat(progress: Progress) -> None:
        if stopped.is_set():
            raise _Stopped

    def serve(mixture: Mixture, some: Sequence[Cell]) -> None:
        nonlocal done
        for cell, metrics, seconds in mixture.run(some, report=beat):
            with lock:
                beat(Progress("", 0))
                keep(cell, metrics, seconds)
                done += 1

    with _single_threads(), ThreadPoolExecutor(workers, thread_name_prefix="mixture") as threads:
        for data_seed in sorted({cell.data_seed for cell in cells}):
            mine = [cell for cell in cells if cell.data_seed == data_seed]
            report(Progress(f"Drawing mixture {data_seed + 1}", done, len(cells)))
            mixture = Mixture(data_seed, options)
            _ = mixture.pool.ordered
            if any(cell.row.method in _LEVERAGE for cell in mine):
                _ = mixture.pool.ordered.feature_basis  # once for all seeds, which take it over
            if any(cell.row.method == "adaptive" for cell in mine):
                _ = mixture.pool.ordered.feature_products
            full(data_seed, mixture.ridge.full_risk)
            seeds = sorted({cell.seed for cell in mine})
            futures = [threads.submit(serve, mixture, [c for c in mine if c.seed == seed]) for seed in seeds]
            try:
                for future in futures:
                    while not future.done():
                        report(Progress(f"Choosing from mixture {data_seed + 1}", done, len(cells)))
                        stopped.wait(0.1)
                    future.result()
            except BaseException:
                stopped.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise


class _Stopped(Exception):
    """Ends the threads after the caller stopped."""


@contextmanager
def _single_threads() -> Iterator[None]:
    """One thread a library call: the seeds already keep all cores busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def is_fixed(row: Row) -> bool:
    """Whether every seed gives the same points: the method is not random and reads no sketch."""
    return not get_method(row.method).random and not row.skmm
