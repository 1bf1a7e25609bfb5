"""Measure random draws of the size of a selection, so that its numbers have a yardstick.

Every draw keeps what the selection was given and picks the rest uniformly, with equal weights. What belongs to the
draws alone is kept by the pool: another method of the same size is set beside the same draws. torch is imported only to
compute, so that a page can name this module before torch is there.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from skmm_core.diagnostics.band import Band, Floats, make_band
from skmm_core.diagnostics.quantities import QUANTITIES
from skmm_core.diagnostics.record import Diagnostics
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.diagnostics.draw_measures import DrawnMoments
    from skmm_core.pool import Pool

DRAWS = 20
LEVELS = 41  # quantiles that are kept of the distances of a draw, from the smallest to the largest
_FITTED = ("error_bound", "represented", "bias", "variance", "bias_term", "variance_term", "rank")


@dataclass(frozen=True)
class _Measured:
    """What was measured of the draws alone, in their order."""

    references: "Tensor"
    distance: Floats
    spread: float
    moments: "DrawnMoments"
    fits: list[dict[str, Any]]
    bounds: Floats | None
    class_tv: list[float] | None

    @property
    def nbytes(self) -> int:
        return int(self.distance.nbytes + self.moments.spectrum.nbytes)


def measure_band(
    pool: "Pool",
    indices: "Tensor",
    found: Diagnostics,
    *,
    fixed: Sequence[int] = (),
    closed: Sequence[int] = (),
    seed: int = 0,
    report: Report = ignore,
) -> tuple[Band, Diagnostics]:
    """Set a measured selection beside 20 random draws of its size.

    Coverage is measured at a sample of the rows of a large pool, and a fit on many points and columns in a sketch of
    these; draws are then scaled by what the selection has on the whole against what it has there, so that its own value
    is the one shown everywhere.

    Args:
        pool: the pool.
        indices: (n,) int64 rows of the selection, those fixed among them.
        found: measurements of these rows.
        fixed: rows that every draw has too.
        closed: rows that no draw may take.
        seed: of the draws; they share no random number with any method.
        report: told before the draws are measured.

    Returns:
        The band, and the measurements with what charts draw of it beside them.

    Raises:
        InputError: a fixed row is not in the selection.
    """
    import torch

    from skmm_core.solvers import at_most_threads

    indices, kept = indices.cpu(), torch.tensor(sorted(fixed), dtype=torch.int64)
    if not torch.isin(kept, indices).all():
        raise InputError("every fixed row must be one of the selection's")
    new = len(indices) - len(kept)
    free = torch.zeros(pool.size, dtype=torch.bool)
    free[pool.drawn.cpu()] = True
    free[torch.tensor([*fixed, *closed], dtype=torch.int64)] = False
    if new <= 0 or int(free.sum()) <= new:
        return Band(new, len(kept), 0, None, seed=seed), found
    key = ("random band", seed, new, tuple(sorted(fixed)), tuple(sorted(closed)))
    report(Progress("Measuring random picks beside it", 0))
    with at_most_threads(1):  # thin products, many of them
        made, _ = pool.kept.get(key, lambda: _measure(pool, new, kept, free, seed))
        values = _values(pool, indices, found, made)
    middle = float(np.median(values["error_bound"][1]))
    scales = {"coverage_mean": made.spread, "moment_error": 1.0, "error_bound": middle, "class_tv": 1.0}
    levels = np.quantile(made.distance, np.linspace(0, 1, LEVELS), axis=1).T
    spectrum = made.moments.spectrum
    drawn = replace(
        found,
        band_spectrum=np.stack([spectrum.min(axis=0), spectrum.max(axis=0)]),
        band_bound=made.bounds,
        band_distance=levels * _factor(found.coverage_mean, _at(found, made)),
    )
    return make_band(new, len(kept), values, scales, seed), drawn


def _measure(pool: "Pool", new: int, fixed: "Tensor", free: "Tensor", seed: int) -> _Measured:
    """All measures of all draws, drawn from the rows in their own order, so that that of a file changes nothing."""
    import torch

    from skmm_core.device import generator
    from skmm_core.diagnostics import draw_measures as of

    order, chance = pool.order.cpu(), generator(seed, "random draws beside a selection")
    choice = order[free[order]]
    draws = of.Draws(pool, [choice[torch.randperm(len(choice), generator=chance)[:new]] for _ in range(DRAWS)], fixed)
    references = of.reference_rows(draws, seed=seed)
    return _Measured(
        references,
        of.distances(draws, references),
        of.spread(pool, references),
        of.drawn_moments(draws),
        *of.drawn_fits(draws),
        of.drawn_imbalance(draws),
    )


def _values(
    pool: "Pool", indices: "Tensor", found: Diagnostics, made: _Measured
) -> dict[str, tuple[float, Sequence[float]]]:
    """By key, the selection's value and those of the draws, scaled where these were measured on a part."""
    factor = _factor(found.coverage_mean, _at(found, made))
    values: dict[str, tuple[float, Sequence[float]]] = {
        "coverage_mean": (found.coverage_mean, [factor * float(row.mean()) for row in made.distance]),
        "moment_error": (found.moment_error, made.moments.error),
        **_fitted(pool, indices, found, made),
    }
    if found.class_tv is not None and made.class_tv is not None:
        values["class_tv"] = (found.class_tv, made.class_tv)
    if made.moments.c_s is not None:
        values["c_s"] = (found.c_s, made.moments.c_s)
    return values


def _fitted(
    pool: "Pool", indices: "Tensor", found: Diagnostics, made: _Measured
) -> dict[str, tuple[float, Sequence[float]]]:
    from skmm_core.diagnostics.draw_measures import FitView

    there: Mapping[str, Any] = vars(found)
    if made.bounds is None:
        view = FitView(pool, len(indices))
        there = view.measured(view.rows(indices))[0]
    values: dict[str, tuple[float, Sequence[float]]] = {}
    for key in _FITTED:
        if QUANTITIES[key].of(vars(found)) is None:
            continue
        whole = _number(key, vars(found))
        factor = _factor(whole, _number(key, there))
        values[key] = (whole, [factor * _number(key, fit) for fit in made.fits])
    return values


def _number(key: str, measured: Mapping[str, Any]) -> float:
    value = QUANTITIES[key].of(measured)
    return math.nan if value is None else float(value)


def _at(found: Diagnostics, made: _Measured) -> float:
    """Mean distance of the reference rows to the nearest point of the selection."""
    if len(made.references) == len(found.distance):
        return found.coverage_mean
    return float(found.distance[made.references.numpy()].mean(dtype=np.float64))


def _factor(whole: float, part: float) -> float:
    return whole / part if part > 0 and whole > 0 else 1.0
