"""What is measured of many draws of one size at once, with the work that they share done once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmm_core.data import Task
from skmm_core.device import generator
from skmm_core.pool import Pool, PoolFit, curve_weights, represented, risk_curve, selection_basis
from skmm_core.sketches import Sketch, draw_sketch
from skmm_core.solvers import certificate, moment_error, second_moment

Floats = NDArray[np.float64]
_FEWEST_REFERENCES, _MOST_REFERENCES = 256, 2_048
_WORK = 2e9  # multiplications for the distances, above the fewest reference rows
_MOST_RANKS = 384  # of a fit as it is; beyond, it is seen through a sketch
_FIT_SKETCH = 256
_MOST_CERTIFIED = 128  # directions: an eigenproblem of their number for every draw


@dataclass(frozen=True)
class Draws:
    """Draws of one size from a pool.

    Attributes:
        pool: the pool.
        picked: (n,) int64 rows of each draw, on the CPU.
        fixed: (F,) int64 rows that all of them have besides, on the CPU.
    """

    pool: Pool
    picked: Sequence[Tensor]
    fixed: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64))

    @property
    def size(self) -> int:
        """Points of each, fixed ones included."""
        return len(self.picked[0]) + len(self.fixed)


def distances(draws: Draws, references: Tensor) -> Floats:
    """(draws, R) distance of (R,) rows of the pool to the nearest point of every draw.

    One product gives those to the points of all draws; the nearest ones' are then taken anew from the rows, as products
    lose to rounding what lies close.
    """
    features = draws.pool.features
    every = torch.cat([draws.fixed, *draws.picked]).unique()
    place = torch.empty(draws.pool.size, dtype=torch.int64)
    place[every] = torch.arange(len(every))
    rows = features[references.to(features.device)]
    centre = rows.median(dim=0).values
    anchors = features[every.to(features.device)] - centre
    gaps = torch.addmm(anchors.square().sum(dim=1) / 2, rows - centre, anchors.T, alpha=-1)
    shared = place[draws.fixed].to(features.device)
    first = gaps[:, shared].min(dim=1) if len(shared) else None
    found = []
    for picked in draws.picked:
        columns = place[picked].to(features.device)
        least, at = gaps[:, columns].min(dim=1)
        nearest = columns[at]
        if first is not None:
            nearest = torch.where(first.values < least, shared[first.indices], nearest)
        found.append((rows - features[every.to(features.device)[nearest]]).norm(dim=1).cpu().double())
    return torch.stack(found).numpy()


def reference_rows(draws: Draws, *, seed: int) -> Tensor:
    """(R,) int64 rows at which coverage is measured: all of a small pool, else a seeded sample.

    The sample is the same in whatever order a file has its rows.
    """
    pool = draws.pool
    points = min(pool.size, len(draws.fixed) + sum(map(len, draws.picked)))
    wanted = int(_WORK / (points * pool.features.shape[1]))
    drawn = pool.drawn.cpu()
    count = min(len(drawn), max(_FEWEST_REFERENCES, min(_MOST_REFERENCES, wanted)))
    if count == len(drawn):
        return drawn
    order = pool.order.cpu()
    order = order[torch.isin(order, drawn)]
    return order[torch.randperm(len(order), generator=generator(seed, "rows to reach"))[:count]]


def spread(pool: Pool, references: Tensor) -> float:
    """Root mean square distance of rows to their centre."""
    rows = pool.features[references.to(pool.features.device)].cpu().double()
    return float((rows - rows.mean(dim=0)).square().sum(dim=1).mean().sqrt())


@dataclass(frozen=True)
class DrawnMoments:
    """Second moments of draws in the sketch: `spectrum` (draws, k), `error` and, where it was taken, `c_s` of each."""

    spectrum: Floats
    error: list[float]
    c_s: list[float] | None


def drawn_moments(draws: Draws) -> DrawnMoments:
    """Measure the second moments of every draw, all points with equal weights."""
    pool, moments = draws.pool, draws.pool.moments
    k = len(moments.eigenvalues)
    scale = moments.eigenvectors * moments.eigenvalues.rsqrt()
    fixed = _gram(pool.sketched_rows(draws.fixed), scale) if len(draws.fixed) else torch.zeros(k, k).double()
    wanted = draws.size >= k and k <= _MOST_CERTIFIED
    achieved, errors, bounds = [], [], []
    for picked in draws.picked:
        whitened = (fixed + _gram(pool.sketched_rows(picked), scale)) / draws.size
        achieved.append(moments.eigenvalues * whitened.diagonal())
        errors.append(moment_error(moments, whitened) if k else 0.0)
        if wanted:
            bounds.append(certificate(whitened))
    return DrawnMoments(torch.stack(achieved).numpy(), errors, bounds if wanted else None)


def _gram(rows: Tensor, scale: Tensor) -> Tensor:
    coordinates = rows.cpu().double() @ scale
    return second_moment(coordinates) * len(rows)


@dataclass(frozen=True)
class FitView:
    """How a fit on so many points is seen: as it is, or through a sketch where it would take long.

    Attributes:
        pool: the pool.
        points: of each selection that is fitted.
    """

    pool: Pool
    points: int

    @property
    def exact(self) -> bool:
        """Whether it is seen as it is."""
        return min(self.points, self.pool.fit_rows.shape[1]) <= _MOST_RANKS

    @cached_property
    def _sketch(self) -> Sketch:
        return draw_sketch("gaussian", self.pool.fit_rows.shape[1], _FIT_SKETCH, seed=self.pool.seed)

    @cached_property
    def _fit(self) -> PoolFit:
        if self.exact:
            return self.pool.fit
        half = self._sketch(self.pool.fit.moment)
        mean = self.pool.fit.mean
        moment = self._sketch(half.T.contiguous()).T.contiguous()
        return replace(self.pool.fit, moment=moment, mean=None if mean is None else self._sketch(mean[None])[0])

    def rows(self, indices: Tensor) -> Tensor:
        """(n, r) rows to fit on."""
        rows = self.pool.fit_rows[indices.to(self.pool.fit_rows.device)]
        return rows if self.exact else self._sketch(rows)

    def shortened(self, indices: Tensor) -> Tensor:
        """At most r rows with the same second moment as these: the triangle of their QR decomposition."""
        rows = self.rows(indices)
        if len(rows) <= rows.shape[1]:
            return rows
        triangle: Tensor = torch.linalg.qr(rows.cpu().double(), mode="r").R
        return triangle.to(rows)

    def measured(self, rows: Tensor) -> tuple[dict[str, Any], Floats]:
        """Fit on (n, r) :meth:`rows`.

        Returns:
            Bias, variance, rank and their weights under the names that :class:`~skmm_core.diagnostics.Diagnostics` has
            for them; and the bound on the error at the ranks 1..K.
        """
        basis = selection_basis(rows, self._fit)
        curve = risk_curve(basis, self._fit)
        bias_weight, variance_weight = curve_weights(self.pool.fit)
        bound = bias_weight * curve.bias + variance_weight * curve.variance
        best = int(bound.argmin())
        at_best = {
            "bias": float(curve.bias[best]),
            "variance": float(curve.variance[best]),
            "rank": int(curve.ranks[best]),
            "represented": represented(basis, self._fit, int(curve.ranks[best])),
            "bias_weight": bias_weight,
            "variance_weight": variance_weight,
        }
        return at_best, bound.numpy()


def drawn_fits(draws: Draws) -> tuple[list[dict[str, Any]], Floats | None]:
    """Fit on every draw.

    Returns:
        What :meth:`FitView.measured` says of each; and (2, K) the smallest and the largest bound at the ranks 1..K that
        a fit on each draw has, None where it was seen through a sketch.
    """
    view = FitView(draws.pool, draws.size)
    fixed = view.shortened(draws.fixed)
    found = [view.measured(torch.cat([fixed, view.rows(picked)])) for picked in draws.picked]
    if not view.exact:
        return [at_best for at_best, _ in found], None
    ranks = min(len(bound) for _, bound in found)
    bounds = np.stack([bound[:ranks] for _, bound in found])
    return [at_best for at_best, _ in found], np.stack([bounds.min(axis=0), bounds.max(axis=0)])


def drawn_imbalance(draws: Draws) -> list[float] | None:
    """Total variation between the class shares of every draw and of the pool; None where not every class is known."""
    pool = draws.pool
    if pool.task is not Task.CLASSIFICATION or pool.targets is None:
        return None
    labels, drawn = pool.targets.cpu(), pool.drawn.cpu()
    whole = torch.bincount(labels[drawn], minlength=pool.n_classes).double() / len(drawn)
    fixed = torch.bincount(labels[draws.fixed], minlength=pool.n_classes)
    parts = [torch.bincount(labels[picked], minlength=pool.n_classes) + fixed for picked in draws.picked]
    return [float((whole - part.double() / draws.size).abs().sum() / 2) for part in parts]
