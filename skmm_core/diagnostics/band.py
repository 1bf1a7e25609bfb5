"""A selection beside random draws of the same size: what each measure says, and the one verdict over all of them.

The numbers are NumPy's, so that a page can read an old run before torch is there. How the draws are made and measured:
`random_band`; why the verdict is made this way: `assets/docs/verdict.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

JUDGED = ("coverage_mean", "moment_error", "error_bound", "class_tv")  # smaller is better in each
_TIE = 1e-6  # of the scale of a measure: what differs by less is rounding
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BandMeasure:
    """One measure of a selection, and of random draws.

    Attributes:
        key: of the quantity.
        value: of the selection; infinite where a direction is unseen.
        draws: of each random draw, in the unit of `value`.
        worse: share of the draws that are worse, ties counted half; None where no direction is the better one.
    """

    key: str
    value: float
    draws: tuple[float, ...]
    worse: float | None = None

    @property
    def middle(self) -> float:
        """Median of the draws; infinite where that of half of them is."""
        ordered = sorted(self.draws)
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return low if low == high else (low + high) / 2

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest of the draws."""
        return min(self.draws), max(self.draws)


@dataclass(frozen=True)
class Band:
    """A selection beside random draws.

    Attributes:
        new: points that were picked, and that each draw picks at random.
        fixed: points that selection and draws share: labelled, waiting for a label, or included by hand.
        draws: how many draws were measured; 0 where every draw would hold the same points.
        better: share of the draws that the selection is better than over all judged measures, ties counted half; None
            without draws.
        measures: those judged, then those that are yardsticks alone.
        seed: of the draws.
    """

    new: int
    fixed: int
    draws: int
    better: float | None
    measures: tuple[BandMeasure, ...] = ()
    seed: int = 0

    @property
    def judged(self) -> tuple[BandMeasure, ...]:
        """The measures that the verdict is made of."""
        return tuple(each for each in self.measures if each.worse is not None)

    def of(self, key: str) -> BandMeasure | None:
        """The measure of this key, if it was taken."""
        return next((each for each in self.measures if each.key == key), None)

    def to_json(self) -> dict[str, Any]:
        """As it stands in `result.json`: infinite values become None."""
        measures = [
            {
                "key": each.key,
                "value": _finite(each.value),
                "random": [_finite(value) for value in each.draws],
                "worse": each.worse,
                "better_is": None if each.worse is None else "smaller",
            }
            for each in self.measures
        ]
        head = {"new": self.new, "fixed": self.fixed, "draws": self.draws, "seed": self.seed, "better": self.better}
        return {**head, "measures": measures}


def read_band(found: Mapping[str, Any] | None) -> Band | None:
    """Read what :meth:`Band.to_json` wrote; None for a run of an earlier version."""
    if not found:
        return None
    measures = tuple(
        BandMeasure(row["key"], _infinite(row["value"]), tuple(_infinite(v) for v in row["random"]), row["worse"])
        for row in found["measures"]
    )
    return Band(found["new"], found["fixed"], found["draws"], found["better"], measures, found["seed"])


def make_band(
    new: int, fixed: int, values: Mapping[str, tuple[float, Sequence[float]]], scales: Mapping[str, float], seed: int
) -> Band:
    """Put measures together and judge them.

    Selection and draws are ranked together on each judged measure, ties sharing their ranks; the statistic of each is
    the mean of its ranks, and the verdict is how many draws have a larger one. Were the selection a random draw itself,
    all of them could be exchanged, so each place among them would be equally likely.

    Args:
        new: see :class:`Band`.
        fixed: see there.
        values: by key, the selection's value and those of the draws.
        scales: by judged key, what a difference is large or small against; what differs by less than a millionth of it
            is a tie.
        seed: see :class:`Band`.
    """
    ranks = {
        key: _ranks(np.array([value, *draws]), scales[key]) for key, (value, draws) in values.items() if key in scales
    }
    measures = tuple(
        BandMeasure(key, float(value), tuple(map(float, draws)), _share_above(ranks[key]) if key in ranks else None)
        for key, (value, draws) in values.items()
    )
    overall = _share_above(np.mean(list(ranks.values()), axis=0))
    return Band(new, fixed, len(next(iter(values.values()))[1]), overall, measures, seed)


def _ranks(values: Floats, scale: float) -> Floats:
    """Mean rank of each value, 1 = smallest; values less than a millionth of the scale apart are equal."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    with np.errstate(invalid="ignore"):  # ∞ - ∞: equal
        starts = np.flatnonzero(np.concatenate([[True], np.nan_to_num(np.diff(ordered), nan=0.0) > _TIE * scale]))
    sizes = np.diff(np.append(starts, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def _share_above(ranks: Floats) -> float:
    """Share of the others that rank behind the first, ties counted half."""
    first, others = ranks[0], ranks[1:]
    tied = np.isclose(others, first, rtol=0, atol=1e-9)
    return float(((others > first) & ~tied).mean() + tied.mean() / 2)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _infinite(value: float | None) -> float:
    return np.inf if value is None else float(value)
