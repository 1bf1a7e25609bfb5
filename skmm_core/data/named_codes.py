"""Class codes are read by their names: the same number may stand for another class in another file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_types import with_columns
from skmm_core.data.how_read import quoted
from skmm_core.data.rows import RawRows, RawTargets
from skmm_core.errors import InputError

Names = Mapping[str, tuple[str, ...]]


def of_one_code(parts: Sequence[pa.Table], names: Sequence[Names]) -> tuple[list[pa.Table], dict[str, tuple[str, ...]]]:
    """Parts of one table, with equal codes for equal names.

    Args:
        parts: of the same columns.
        names: class names by code that each part gives its columns.

    Returns:
        The parts, and the names of all: those of the first part, then what later ones add.
    """
    merged: dict[str, tuple[str, ...]] = {}
    for each in names:
        for column, own in each.items():
            known = merged.get(column, own)
            taken = set(known)
            merged[column] = (*known, *(name for name in dict.fromkeys(own) if name not in taken))
    return [_moved(part, own, merged) for part, own in zip(parts, names, strict=True)], merged


def _moved(part: pa.Table, own: Names, merged: Names) -> pa.Table:
    changed = {}
    for place, name in enumerate(part.column_names):
        before = own.get(name.strip(), ())
        after = merged.get(name.strip(), ())
        if before == after[: len(before)] or not pa.types.is_integer(part.column(place).type):
            continue
        column = part.column(place).cast(pa.int64())
        codes = _by_name(np.asarray(column.fill_null(-1).to_numpy()), before, after)
        missing = np.asarray(column.is_null().to_numpy())
        changed[place] = pa.chunked_array([pa.array(codes, pa.int64(), mask=missing)])
    return with_columns(part, changed)


def _by_name(codes: np.ndarray, own: tuple[str, ...], other: tuple[str, ...]) -> np.ndarray:
    """(N,) int64 places in another list of the names that codes stand for, past its end where it lacks the name.

    Codes below 0, which say that there is no label, stay as they are; so does whatever has no name of its own.
    """
    places = {name: code for code, name in enumerate(other)}
    table = np.array([places.get(name, len(other) + code) for code, name in enumerate(own)], np.int64)
    named = (codes >= 0) & (codes < len(own))
    return np.where(named, table[np.where(named, codes, 0)], codes)


def as_pool(part: RawRows, pool: RawRows) -> RawRows:
    """Held-out rows whose targets are written as those of the pool: by name, where their file gives names.

    Args:
        part: rows of another file or split.
        pool: whose codes, or words, are taken.

    Raises:
        InputError: a row is of a class that the names of the pool lack.
    """
    own, wanted = part.targets, pool.targets
    if own is None or wanted is None:
        return part
    codes = np.where(own.missing, -1, own.values).astype(np.int64)
    names = part.names if own.levels is None else own.levels
    if not names or (codes != np.where(own.missing, -1, own.values)).any():  # no names, or no codes
        return replace(part, names=part.names or pool.names)
    if wanted.levels is not None:
        return part if own.levels is not None else replace(part, targets=_in_words(own, codes, names), names=())
    if not set(names) & set(pool.names):  # the pool has no names, or the words are numbers
        return part
    moved = _by_name(codes, names, pool.names)
    lacking = sorted({names[code] for code in codes[(moved >= len(pool.names)) & (codes < len(names))]})
    if lacking:
        raise InputError(
            f"{part.where}: the test rows have classes that the pool lacks: {quoted(lacking)}; leave those rows out"
        )
    targets = replace(own, values=moved, missing=own.missing | (moved == -1), levels=None)
    return replace(part, targets=targets, names=pool.names)


def _in_words(targets: RawTargets, codes: np.ndarray, names: tuple[str, ...]) -> RawTargets:
    """Codes as the words that they stand for; -1 stands for none."""
    found, places = np.unique(codes, return_inverse=True)
    words = [names[code] if 0 <= code < len(names) else str(code) for code in found.tolist()]
    levels, ranks = np.unique(np.array(words, dtype=object), return_inverse=True)
    return replace(
        targets,
        values=ranks[places].astype(np.int64),
        missing=targets.missing | (codes == -1),
        levels=tuple(levels.tolist()),
    )
