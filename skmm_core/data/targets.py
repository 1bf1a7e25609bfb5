"""What the targets ask for, and classes as indices."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from skmm_core.data.column_offsets import float32_holds
from skmm_core.data.odd_classes import odd_class_notes
from skmm_core.data.rows import RawTargets, number_targets
from skmm_core.data.task import Task
from skmm_core.data.typed_text import typed
from skmm_core.errors import InputError

_MAX_AUTO_CLASSES = 1000
_MAX_WHOLE_FLOATS = 20  # different whole numbers that were stored with decimals and still are classes


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

    Auto means classification for text, for integers whose classes have names, and for integers that are each seen twice
    on average, if there are at most 1,000 of them or they run without a gap from 0 or 1. Whole numbers stored with
    decimals, such as 1.0, are classes if there are at most 20, each seen twice on average.

    Args:
        pool: targets of the rows to pick from, none missing.
        test: targets of the test rows, none missing, or None.
        task: "auto", "classification" or "regression".
        names: class names by integer label, or empty.
        where: file name for messages.

    Raises:
        InputError: the targets are constant, cannot be what the task asks, or the test rows have unseen classes.
    """
    told: tuple[str, ...] = ()
    if test is not None and (pool.levels is None) != (test.levels is None):
        pool, test = _of_one_kind(pool, test)
        told = (f"{where}: {pool.column} holds numbers in one file and text in the other; both are read as one.",)
    if task == "auto":
        task, why = auto_task(pool, names, where)
        told = (*told, *why)
    if len(np.unique(pool.values)) == 1:
        value = pool.levels[int(pool.values[0])] if pool.levels else f"{pool.values[0]:g}"
        raise InputError(f"{where}: the target {pool.column} is {value} in every row; name another target")
    if task == "regression":
        number = np.float32 if float32_holds(pool.values) else np.float64
        values = _values(pool, where).astype(number)
        held = None if test is None else _values(test, where).astype(number)
        return Targets(Task.REGRESSION, values, held, notes=told)
    found = _classes(pool, test, names, where)
    odd = odd_class_notes(found.class_names, pool.column, where, words=pool.levels is not None)
    return replace(found, notes=(*told, *found.notes, *odd))


def auto_task(targets: RawTargets, names: tuple[str, ...], where: str) -> tuple[str, tuple[str, ...]]:
    """What targets ask for when nobody says: "classification" or "regression", and why where that may be doubted.

    Args:
        targets: of all rows, none missing.
        names: class names by integer label, or empty.
        where: file name for messages.

    Returns:
        The task, and notes where the other would have been as likely.
    """
    if targets.levels is not None or (names and targets.values.dtype.kind == "i"):
        return "classification", ()
    values = targets.values
    distinct = np.unique(values)
    often = 2 * len(distinct) <= len(values)
    whole = values.dtype.kind == "i" or bool((np.round(distinct) == distinct).all())
    if not whole or not often:
        return "regression", ()
    count, what = f"{len(distinct):,}", f"{where}: the target {targets.column} holds whole numbers"
    if values.dtype.kind == "f":
        few = len(distinct) <= _MAX_WHOLE_FLOATS
        note = f"{what} stored with decimals: read as "
        if few:
            return "classification", (f"{note}{count} classes (--task regression reads values).",)
        return "regression", (f"{note}values (--task classification reads classes).",)
    if len(distinct) <= _MAX_AUTO_CLASSES:
        return "classification", ()
    numbered = distinct[0] in (0, 1) and int(distinct[-1]) - int(distinct[0]) == len(distinct) - 1
    if numbered:
        return "classification", (f"{what} without a gap: read as {count} classes (--task regression reads values).",)
    return "regression", (f"{what}, {count} different ones: read as values (--task classification reads classes).",)


def _of_one_kind(pool: RawTargets, test: RawTargets) -> tuple[RawTargets, RawTargets]:
    """Numbers of one file and text of the other as one kind: as numbers where all texts are, else as text."""
    text, numbers = (test, pool) if pool.levels is None else (pool, test)
    read = as_numbers(text)
    if read.levels is None and pool.levels is None:
        return pool, read
    levels = np.array(text.levels, dtype=object)
    # A code such as 007 keeps its zeros; the number 7 of the other file is that code.
    by_number = {_number(level): level for level in levels.tolist() if _number(level) is not None}
    named = [by_number.get(float(value), _plain(value)) for value in numbers.values.tolist()]
    found, codes = np.unique(np.array(named, dtype=object), return_inverse=True)
    made = replace(numbers, values=codes.astype(np.int64), levels=tuple(found.tolist()))
    return (made, text) if pool.levels is None else (text, made)


def as_numbers(targets: RawTargets) -> RawTargets:
    """Text that is a number in every row that has one, as numbers; codes with leading zeros stay text."""
    if targets.levels is None or targets.levels == ("False", "True"):
        return targets
    used = np.unique(targets.values[~targets.missing])
    column = typed(pa.chunked_array([pa.array([targets.levels[code] for code in used.tolist()], pa.string())]))
    if not len(used) or not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return targets
    numbers = np.asarray(column.to_numpy())
    values = np.zeros(len(targets.values), numbers.dtype)
    values[~targets.missing] = numbers[np.searchsorted(used, targets.values[~targets.missing])]
    return number_targets(values, targets.column, targets.missing)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


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
