"""What the targets ask for, and classes as indices."""

from dataclasses import dataclass

import numpy as np

from skmm_core.data.column_offsets import float32_holds
from skmm_core.data.dataset import Task
from skmm_core.data.rows import RawTargets
from skmm_core.errors import InputError

_MAX_AUTO_CLASSES = 1000


@dataclass(frozen=True)
class Targets:
    """Targets of the pool and of the test file, understood.

    Attributes:
        task: classification or regression.
        pool: (N,) int64 class indices or float32 values; float64 ones where float32 would lose how they differ.
        test: the same for the test rows, or None when there are none.
        class_names: by class index; empty for a regression.
        notes: what a person should know.
    """

    task: Task
    pool: np.ndarray
    test: np.ndarray | None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def understand(pool: RawTargets, test: RawTargets | None, *, task: str, names: tuple[str, ...], where: str) -> Targets:
    """Decide the task and turn targets into class indices or values.

    Auto means classification for text, for integers whose classes have names, and for integers with at most 1,000
    distinct values, each seen twice on average.

    Args:
        pool: targets of the rows to pick from, none missing.
        test: targets of the test rows, none missing, or None.
        task: "auto", "classification" or "regression".
        names: class names by integer label, or empty.
        where: file name for messages.

    Raises:
        InputError: the targets are constant, cannot be what the task asks, or the test rows have unseen classes.
    """
    if task == "auto":
        task = "classification" if _looks_like_classes(pool, names) else "regression"
    if len(np.unique(pool.values)) == 1:
        value = pool.levels[int(pool.values[0])] if pool.levels else f"{pool.values[0]:g}"
        raise InputError(f"{where}: the target {pool.column} is {value} in every row; name another target")
    if test is not None and (pool.levels is None) != (test.levels is None):
        kinds = ("numbers", "text") if pool.levels is None else ("text", "numbers")
        raise InputError(f"{where}: the targets are {kinds[0]} but those of the test rows are {kinds[1]}; use one kind")
    if task == "regression":
        number = np.float32 if float32_holds(pool.values) else np.float64
        values = _values(pool, where).astype(number)
        return Targets(Task.REGRESSION, values, None if test is None else _values(test, where).astype(number))
    return _classes(pool, test, names, where)


def _looks_like_classes(targets: RawTargets, names: tuple[str, ...]) -> bool:
    if targets.levels is not None or (names and targets.values.dtype.kind == "i"):
        return True
    distinct = len(np.unique(targets.values))
    return targets.values.dtype.kind == "i" and distinct <= _MAX_AUTO_CLASSES and 2 * distinct <= len(targets.values)


def _values(targets: RawTargets, where: str) -> np.ndarray:
    if targets.levels is not None and targets.levels != ("False", "True"):
        raise InputError(f"{where}: the target {targets.column} is text; a regression needs numbers")
    return targets.values


def _classes(pool: RawTargets, test: RawTargets | None, names: tuple[str, ...], where: str) -> Targets:
    notes = []
    if names and pool.levels is not None:
        names = ()
        notes.append(f"{where}: names is not used, since the targets are text already.")
    labels, codes, counts = np.unique(_labels(pool, where), return_inverse=True, return_counts=True)
    class_names = tuple(_class_name(label, names, where) for label in labels.tolist())
    if len(set(class_names)) < len(class_names):
        twice = next(name for name in class_names if class_names.count(name) > 1)
        raise InputError(f"{where}: two classes are called {twice!r} in names; give every class its own name")
    if counts.max() == 1:
        raise InputError(
            f"{where}: every class of the target {pool.column} has one row, so it looks like an id; "
            "name another target, or set the task to regression"
        )
    single = [name for name, count in zip(class_names, counts, strict=True) if count == 1]
    if single:
        notes.append(f"{where}: classes with a single row: {_listed(single)}.")
    if test is None:
        return Targets(Task.CLASSIFICATION, codes.astype(np.int64), None, class_names, tuple(notes))
    test_labels = _labels(test, where)
    unseen = np.setdiff1d(test_labels, labels)
    if len(unseen):
        listed = _listed([str(label) for label in unseen.tolist()])
        raise InputError(f"{where}: the test rows have classes that the pool lacks: {listed}; leave those rows out")
    test_codes = np.searchsorted(labels, test_labels).astype(np.int64)
    return Targets(Task.CLASSIFICATION, codes.astype(np.int64), test_codes, class_names, tuple(notes))


def _labels(targets: RawTargets, where: str) -> np.ndarray:
    """Labels as integers or as text; integers written as 1.0, 2.0 are taken as such."""
    if targets.levels is not None:
        return np.asarray(np.array(targets.levels, dtype=object)[targets.values])
    if targets.values.dtype.kind == "f":
        whole = np.round(targets.values)
        if (whole != targets.values).any() or np.abs(whole).max() > 2**53:
            first = targets.values[int(np.argmax(whole != targets.values))]
            raise InputError(f"{where}: the target {targets.column} holds {first:g}; classes are whole numbers or text")
        return whole.astype(np.int64)
    return targets.values


def _class_name(label: int | str, names: tuple[str, ...], where: str) -> str:
    if not names:
        return str(label)
    if not 0 <= int(label) < len(names):
        raise InputError(
            f"{where}: label {label} has no name, since names has {len(names)} entries (labels 0 to n - 1)"
        )
    return names[int(label)]


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown
