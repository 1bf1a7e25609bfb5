"""Columns that float32 cannot hold, such as times in seconds since 1970, are read as distances from their median.

Features are kept in float32, whose numbers lie 1.2e-7 of their size apart: of 1,000 seconds near 1.7e9 it keeps 9.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

_SAMPLE = 4_096
_LARGEST_STEP = 1e-3  # of the typical distance from the middle: at least three digits of it are kept
_SLACK = 4.0  # median and typical distance in a sample stray from those of the column
_KEPT = 0.9  # of the different values; of 4,096 draws of a smooth distribution hardly any become equal
_LISTED = 5
_EXACT = 2**53
_LAST_WITH_A_NEXT = np.nextafter(np.finfo(np.float32).max, np.float32(0))


@dataclass(frozen=True)
class HeldColumns:
    """Columns in float32.

    Attributes:
        features: (N, d) float32; what does not fit is infinite.
        offsets: (d,) float64, what was subtracted from every column; 0 from nearly all.
        notes: what a person should know of it.
    """

    features: np.ndarray
    offsets: np.ndarray
    notes: tuple[str, ...]


def as_float32(array: np.ndarray) -> np.ndarray:
    """Cast to float32; what does not fit becomes infinite, and so is found with the bad rows."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)


def hold_columns(
    features: np.ndarray,
    column: Callable[[int], np.ndarray],
    *,
    where: str,
    names: Sequence[str] = (),
    offsets: np.ndarray | None = None,
) -> HeldColumns:
    """Take an offset off the columns that the cast to float32 harms.

    A column is harmed when the distance of float32 numbers at its median is over a thousandth of the median distance of
    the other values from there. That median is then subtracted in float64. Distances, and fits with an intercept, do
    not change by it; methods that take moments about the origin see the column about its median, where its offset would
    have hidden all other columns from them.

    Args:
        features: (N, d) float32, as cast; changed in place.
        column: gives the (N,) values of a column as the file holds them.
        where: file name for notes.
        names: d names of the columns, or none.
        offsets: (d,) to subtract, those of the pool for rows that go with it; None finds them.
    """
    count, width = features.shape
    known = offsets is not None and len(offsets) == width
    found = np.array(offsets, np.float64) if known else np.zeros(width)
    some = np.unique(np.linspace(0, count - 1, min(count, _SAMPLE)).astype(np.int64)) if count else np.arange(0)
    sampled = np.ascontiguousarray(features[some].T)  # columns one after another: no search through whole rows
    shifted, lost = [], []
    for index in range(width):
        values = column(index)
        if not known and values.dtype.itemsize >= 4 and values.dtype != np.float32:
            sample = values[some]
            if middle_if_far(sample, slack=_SLACK):
                found[index] = middle_if_far(values)
        name = repr(names[index]) if names else str(index)
        if found[index]:
            before = _distinct(features[:, index])
            features[:, index] = as_float32(_apart(values, found[index]))
            sampled[index] = features[some, index]
            shifted.append(f"{name} ({before:,} of {_distinct(values):,} values, offset {found[index]:.10g})")
        if values.dtype != np.float32 and _fewer(sampled[index], values, some):
            lost.append(f"{name} ({_distinct(features[:, index]):,} of {_distinct(values):,})")
    notes = []
    if shifted and not known:
        notes.append(
            f"{where}: as 32-bit numbers these columns would keep few of their values, so an offset was subtracted: "
            f"{_listed(shifted)}."
        )
    if lost:
        notes.append(
            f"{where}: values of these columns lie too near each other for 32-bit numbers, so many became equal: "
            f"{_listed(lost)} values are left."
        )
    return HeldColumns(features, found, tuple(notes))


def middle_if_far(values: np.ndarray, *, slack: float = 1.0) -> float:
    """The lower median of the values where it is so large that float32 loses how they differ, else 0."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0
    middle = float(np.partition(finite, (len(finite) - 1) // 2)[(len(finite) - 1) // 2])
    apart = np.abs(_apart(finite, middle))
    apart = apart[apart > 0]
    with np.errstate(over="ignore"):
        held = np.float32(abs(middle))
        exact = np.array_equal(finite.astype(np.float32), finite)
    if exact or not np.isfinite(held):  # infinite ones are bad rows, whatever they differ by
        return 0.0
    step = float(np.spacing(min(held, _LAST_WITH_A_NEXT)))
    return middle if len(apart) and step * slack > _LARGEST_STEP * float(np.median(apart)) else 0.0


def _apart(values: np.ndarray, offset: float) -> np.ndarray:
    """Distances from an offset; of whole numbers beyond 2^53, which float64 would merge, in whole numbers."""
    whole = values.dtype.kind in "iu" and abs(offset) >= _EXACT
    if not whole or int(values.max()) - int(values.min()) >= _EXACT:
        return values.astype(np.float64) - offset
    middle = np.array(int(offset), dtype=values.dtype)
    below = -((middle - values).astype(np.float64))
    return np.asarray(np.where(values >= middle, values - middle, below))


def float32_holds(values: np.ndarray) -> bool:
    """Whether (N,) values keep their differences in float32."""
    return middle_if_far(values) == 0.0


def _distinct(values: np.ndarray) -> int:
    return len(np.unique(values))


def _fewer(kept: np.ndarray, values: np.ndarray, some: np.ndarray) -> bool:
    """Whether a sample as kept has clearly fewer values than that of the file's, which cannot have more than rows."""
    count = _distinct(kept)
    return count < _KEPT * len(some) and count < _KEPT * _distinct(values[some])


def _listed(parts: list[str]) -> str:
    shown = ", ".join(parts[:_LISTED])
    return f"{shown} and {len(parts) - _LISTED:,} more" if len(parts) > _LISTED else shown
