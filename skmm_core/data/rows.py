"""Rows as a file gives them: numbers not yet checked, targets not yet understood."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from skmm_core.data.column_offsets import as_float32
from skmm_core.data.how_read import ReadLine
from skmm_core.data.row_texts import RowTexts
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

_CHECK_BLOCK = 16_384


@dataclass(frozen=True)
class RawTargets:
    """One target a row.

    Attributes:
        values: (N,) int64 or float64; for text, the index into `levels`.
        missing: (N,) bool, rows without a usable target.
        levels: distinct texts, sorted, or None for numbers.
        column: what to call the targets in messages, such as "column 'age'" or "y".
        unusable: (N,) bool, rows whose target is there but no number that can be used; None for none.
    """

    values: np.ndarray
    missing: np.ndarray
    levels: tuple[str, ...] | None
    column: str
    unusable: np.ndarray | None = None


@dataclass(frozen=True)
class RawRows:
    """The rows of one file, or of one part of it.

    Attributes:
        where: file name for messages.
        features: (N, d) float32, perhaps with NaN or infinite numbers.
        targets: or None for an unlabelled pool.
        rows: (N,) int64, 0-based row in the file.
        ids: N names, or None when the file has none.
        names: class names by integer label, as the file gives them; may be empty.
        feature_names: d names, or empty.
        target_name: name of the target column of a table.
        text_name: name of the column of texts of a table, or several with commas between.
        notes: what a person should know of the reading.
        offsets: (d,) float64, what was subtracted from every column of the file, or None for nothing.
        reading: how the file was read, line by line.
        shown: N rows of the columns that are no features, to look at, or None.
        texts: the text of every row, or None. Rows without features yet are those of which an encoder makes some.
    """

    where: str
    features: np.ndarray
    targets: RawTargets | None
    rows: np.ndarray
    ids: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    target_name: str | None = None
    notes: tuple[str, ...] = ()
    offsets: np.ndarray | None = None
    reading: tuple[ReadLine, ...] = ()
    shown: pa.Table | None = None
    texts: RowTexts | None = None
    text_name: str | None = None


def number_targets(values: np.ndarray, column: str, missing: np.ndarray | None = None) -> RawTargets:
    """Take targets of kind bool, int or float; NaN counts as missing, what does not fit float32 as unusable.

    Args:
        values: (N,) numbers.
        column: what to call them in messages.
        missing: (N,) bool, rows known to have no value.
    """
    levels = None
    if values.dtype.kind == "b":
        levels = ("False", "True")
    if values.dtype.kind == "f" or (
        values.dtype == np.uint64 and values.size and values.max() > np.iinfo(np.int64).max
    ):
        values = values.astype(np.float64)
        gone = np.isnan(values)
        unusable = ~np.isfinite(as_float32(values)) & ~gone
    else:
        values, gone = values.astype(np.int64), np.zeros(len(values), bool)
        unusable = gone
    gone = gone if missing is None else gone | missing
    return RawTargets(values, gone | unusable, levels, column, unusable if unusable.any() else None)


def take_rows(part: RawRows, rows: np.ndarray) -> RawRows:
    """The rows at these places, (n,) int64."""
    return replace(
        part,
        features=part.features[rows],
        targets=part.targets and targets_at(part.targets, rows),
        rows=part.rows[rows],
        ids=None if part.ids is None else tuple(part.ids[row] for row in rows.tolist()),
        shown=None if part.shown is None else part.shown.take(pa.array(rows)),
        texts=part.texts and part.texts.take(rows),
    )


def targets_at(targets: RawTargets, rows: np.ndarray | slice) -> RawTargets:
    """The targets at these places."""
    unusable = None if targets.unusable is None else targets.unusable[rows]
    return replace(targets, values=targets.values[rows], missing=targets.missing[rows], unusable=unusable)


def clean(part: RawRows, *, drop: bool, labelled_only: bool = False, report: Report) -> RawRows:
    """Leave only rows with finite features, and with a target that can be used where they have one.

    Args:
        part: rows as read.
        drop: leave bad rows out, with a note, instead of refusing the file.
        labelled_only: leave out rows without a target too, with a note.
        report: told of the check.

    Raises:
        InputError: there are bad rows and `drop` is off, or no row is left; the message counts and names them.
    """
    finite = np.empty(len(part.features), bool)
    for start in range(0, len(finite), _CHECK_BLOCK):
        report(Progress(f"Checking {part.where}", start, len(finite)))
        block = slice(start, start + _CHECK_BLOCK)
        finite[block] = np.isfinite(part.features[block]).all(axis=1)
    bad = ~finite
    notes = list(part.notes)
    if bad.any():
        what = f"{_share(bad)} hold NaN or infinite numbers ({_first(part.rows[bad])}{_bad_column(part, bad)})"
        _refuse_unless(drop, part.where, what)
        notes.append(f"{part.where}: {what}: left out.")
    if part.texts is not None and not part.features.shape[1]:
        blank = part.texts.blank() & ~bad
        if blank.any():
            notes.append(f"{part.where}: {_share(blank)} have no text ({_first(part.rows[blank])}): left out.")
        bad |= blank
    targets = part.targets
    if targets is not None:
        unusable = np.zeros(len(bad), bool) if targets.unusable is None else targets.unusable & ~bad
        if unusable.any():
            what = f"{_share(unusable)} have no usable number in {targets.column} ({_first(part.rows[unusable])})"
            _refuse_unless(drop, part.where, what)
            notes.append(f"{part.where}: {what}: left out.")
        bad |= unusable
        unlabelled = targets.missing & ~bad
        if labelled_only and unlabelled.any():
            what = f"{_share(unlabelled)} have no target in {targets.column} ({_first(part.rows[unlabelled])})"
            notes.append(f"{part.where}: {what}: left out.")
            bad |= unlabelled
    if bad.all():
        raise InputError(f"{part.where}: no row is left once the bad rows are dropped; correct the file")
    kept = take_rows(part, np.flatnonzero(~bad)) if bad.any() else part
    targets = kept.targets and replace(kept.targets, unusable=None)  # such rows were left out
    return replace(kept, targets=targets, notes=tuple(notes))


def check_ids(part: RawRows) -> None:
    """Refuse ids that are empty or not distinct.

    Raises:
        InputError: names the first such id and its rows.
    """
    if part.ids is None or (all(part.ids) and len(set(part.ids)) == len(part.ids)):
        return
    seen: dict[str, int] = {}
    for row, name in zip(part.rows.tolist(), part.ids, strict=True):
        if not name:
            raise InputError(f"{part.where}: the id in row {row} (rows count from 0) is empty; give every row a name")
        if name in seen:
            raise InputError(
                f"{part.where}: the id {name!r} stands in rows {seen[name]} and {row} (rows count from 0); "
                "ids must be distinct"
            )
        seen[name] = row


def _refuse_unless(drop: bool, where: str, what: str) -> None:
    if not drop:
        raise InputError(f"{where}: {what}; correct them, or leave them out by dropping bad rows (--drop-bad-rows)")


def _share(bad: np.ndarray) -> str:
    return f"{int(bad.sum()):,} of {len(bad):,} rows"


def _first(rows: np.ndarray) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    return f"first rows, from 0: {shown}" if len(rows) > 1 else f"row {shown}, from 0"


def _bad_column(part: RawRows, bad: np.ndarray) -> str:
    column = int(np.flatnonzero(~np.isfinite(part.features[int(np.argmax(bad))]))[0])
    return f"; column {part.feature_names[column]!r}" if part.feature_names else f"; column {column}"
