"""Targets of pictures, understood: classes or numbers, or labels of some pictures to look at."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from skmm_core.data.image_metadata import Found
from skmm_core.data.image_samples import CLASS
from skmm_core.data.image_targets import AGES, one_each
from skmm_core.data.known_labels import label_texts
from skmm_core.data.rows import RawTargets
from skmm_core.data.targets import understand

_NO_CLASSES = "The training pictures have no two classes: read as a pool without labels."


@dataclass(frozen=True)
class PictureTargets:
    """What pictures have for targets.

    Attributes:
        targets: (N,) int64 class indices or float32 numbers, or None.
        class_names: by class index, or empty.
        labels: (N,) text or float64, of a pool that is labelled in part; "" or NaN where there is no label. Else None.
        notes: what a person should know.
    """

    targets: np.ndarray | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    labels: np.ndarray | None = None


def understood(found: Found, keep: np.ndarray, parts: tuple[str, ...], where: str) -> PictureTargets:
    """Understand the targets of the pictures that are used.

    Args:
        found: targets of all pictures.
        keep: (N,) int64 positions of those that are used.
        parts: of these.
        where: what they are called, for messages.

    Raises:
        InputError: the targets cannot be what they are said to be.
    """
    raw = found.targets
    train = np.array([part == "train" for part in parts])
    if raw is None:
        return PictureTargets(None, (), found.notes)
    if not train.any():
        return PictureTargets(None, (), (*found.notes, _NO_CLASSES))
    raw = replace(raw, values=raw.values[keep], missing=raw.missing[keep])
    if (gone := raw.missing[train]).any():
        return _in_part(raw, found, int((~gone).sum()), len(gone))
    pool = _some(raw, train)
    counts = np.unique(pool.values, return_counts=True)[1]
    classes = raw.levels is not None or raw.column == f"column {CLASS!r}"
    if classes and counts.max() == 1:
        return PictureTargets(None, (), (*found.notes, one_each(raw.column)))
    if len(counts) < 2:
        return PictureTargets(None, (), (*found.notes, _NO_CLASSES))
    # Ages of file names are numbers, however many have the same; .cls holds classes, however many there are.
    task = "regression" if raw.column == AGES else "classification" if classes else "auto"
    held = _some(raw, ~train) if (~train).any() else None
    known = understand(pool, held, task=task, names=_names(found, raw), where=where)
    targets = np.empty(len(keep), known.pool.dtype)
    targets[train] = known.pool
    if known.test is not None:
        targets[~train] = known.test
    notes = (*found.notes, *known.notes, *_case_notes(known.class_names))
    return PictureTargets(targets, known.class_names, notes)


def _case_notes(names: tuple[str, ...]) -> Iterator[str]:
    """What is said of classes whose names differ in case only."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[name.casefold()].append(name)
    for same in alike.values():
        if len(same) > 1:
            yield f"{' and '.join(same)} differ in case only, and are read as classes of their own; rename one if not."


def _some(raw: RawTargets, rows: np.ndarray) -> RawTargets:
    return replace(raw, values=raw.values[rows], missing=raw.missing[rows])


def _names(found: Found, raw: RawTargets) -> tuple[str, ...]:
    """Names of classes, where every class is the number of one."""
    whole = raw.levels is None and raw.values.dtype.kind == "i" and len(raw.values) > 0
    return found.names if whole and raw.values.min() >= 0 and raw.values.max() < len(found.names) else ()


def _in_part(raw: RawTargets, found: Found, known: int, count: int) -> PictureTargets:
    """A pool of which some pictures have a label: all stay to pick from, and the labels stay to look at."""
    if not known:
        note = f"{raw.column} is empty for every picture: read as a pool without labels."
        return PictureTargets(None, (), (*found.notes, note))
    note = f"{known:,} of {count:,} pictures have a label in {raw.column}: read as a pool to pick from."
    if raw.levels is None and raw.values.dtype.kind == "f":
        labels = np.where(raw.missing, np.nan, raw.values)
    else:
        labels = np.array([text or "" for text in label_texts(raw, _names(found, raw))])
    return PictureTargets(None, (), (*found.notes, note), labels)
