"""Named columns of a table understood: which is the target, which names the rows, which are the features."""

import contextlib
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_types import without_columns
from skmm_core.data.column_looks import is_whole, may_be_label
from skmm_core.data.column_names import TARGET_NAMES as TARGET_NAMES
from skmm_core.data.column_offsets import HeldColumns, as_float32, hold_columns
from skmm_core.data.column_roles import (
    Columns as Columns,
    Roles,
    as_text,
    decide,
    left_out_note,
)
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.how_read import ReadLine, left_out_lines, quoted
from skmm_core.data.rows import RawRows, RawTargets, number_targets
from skmm_core.data.table_file import TableFile, is_numeric, is_text
from skmm_core.data.table_formats import read_table_file
from skmm_core.data.text_columns import row_texts
from skmm_core.data.typed_text import dictionary_codes, encoded, exact_of, floats_of, typed, without_marks
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report


def read_table(
    path: Path, columns: Columns, *, offsets: np.ndarray | None = None, report: Report
) -> tuple[RawRows, dict[str, RawRows]]:
    """Read a file or folder with columns: its pool, and the splits of it that are never picked from.

    Args:
        path: that was checked.
        columns: what a person says of the columns.
        offsets: (d,) float64 of the pool, for held-out rows; None finds them.
        report: told of reading.

    Returns:
        The rows to pick from, and those of "validation" and "test" where the file has such splits.

    Raises:
        InputError: the file cannot be parsed, or lacks what `columns` asks for.
    """
    report(Progress(f"Reading {path.name}", 0))
    file = read_table_file(path, lambda name: as_text(columns, name))
    pool = rows_of(file, columns, offsets, report)
    held = {}
    for part, split in file.held.items():
        own = replace(columns, text=pool.text_name) if columns.only_texts else columns
        fixed = replace(own, target=pool.target_name, fixed=pool.feature_names or None)
        held[part] = rows_of(split, fixed if pool.feature_names else own, pool.offsets, report)
    return pool, held


def rows_of(file: TableFile, columns: Columns, offsets: np.ndarray | None, report: Report) -> RawRows:
    """The rows of a table, its columns understood.

    Args:
        file: as its reader hands it on.
        columns: what a person says of the columns.
        offsets: (d,) float64 of the pool, for held-out rows; None finds them.
        report: told of reading.

    Raises:
        InputError: it has no rows, or lacks what `columns` asks for.
    """
    if file.rows == 0:
        raise InputError(f"{file.where} has a header but no rows; add the data")
    roles = decide(file, columns)
    held = _held(file, roles, offsets, report)
    raw = None if roles.target is None else _targets(file, roles.target)
    notes = [*file.notes, *(_notes(file, roles) if columns.fixed is None else ())]
    return RawRows(
        where=file.where,
        features=held.features,
        targets=raw,
        rows=np.arange(file.rows, dtype=np.int64) if file.order is None else file.order,
        ids=None if roles.id is None else row_names(file.table.column(roles.id)),
        names=file.class_names.get(roles.target or "", ()),
        feature_names=roles.features,
        target_name=roles.target,
        notes=(*notes, *held.notes),
        offsets=held.offsets,
        reading=_reading(file, roles, held.features.shape[1]),
        shown=_shown(file, roles),
        texts=row_texts(file.table, roles.texts) if roles.texts else None,
        text_name=",".join(roles.texts) or None,
    )


def _notes(file: TableFile, roles: Roles) -> tuple[str, ...]:
    """What a person should know of the choice of columns."""
    named = _names_rows(file, roles) if roles.id is None else None
    advice = f"{file.where}: column {named!r} holds a text of its own in every row; name it as the id to see it."
    return (*_target_note(file, roles), *left_out_note(roles, file.where), *((advice,) if named else ()))


def _reading(file: TableFile, roles: Roles, width: int) -> tuple[ReadLine, ...]:
    return (
        ReadLine("Format", file.described),
        *_content_lines(roles, width),
        ReadLine("Target", roles.target if roles.target is not None else "none", roles.reasons["target"], "--target"),
        ReadLine("Id", roles.id if roles.id is not None else "row number", roles.reasons["id"], "--id"),
        *left_out_lines(roles.left_out, "--features" if width else "--text"),
    )


def _content_lines(roles: Roles, width: int) -> tuple[ReadLine, ...]:
    """What the features are, and the texts where there are some."""
    texts = quoted(list(roles.texts))
    if roles.texts and not width:
        return (ReadLine("Texts", texts, roles.reasons["features"], "--text"),)
    taken = f"{roles.vector}: {width:,} numbers a row" if roles.vector is not None else _counted(roles.features)
    features = ReadLine("Features", taken, roles.reasons["features"], "--features")
    return (features, ReadLine("Texts", texts, "to look at", "--text")) if roles.texts else (features,)


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,} column{'s' * (len(names) != 1)}: {quoted(list(names))}"


def _target_note(file: TableFile, roles: Roles) -> tuple[str, ...]:
    if roles.target is not None:
        return ()
    beside = [name for name in file.names if name.strip().casefold() == "y" and name in roles.features]
    also = f"; {beside[0]!r} stands beside coordinates and is read as one" if beside else ""
    likely = _likely_target(file, roles)
    name = f"; if {likely!r} is one, name it (--target {shlex.quote(likely)})" if likely else ""
    return (f"{file.where}: no target column (label, target or y): read as a pool without labels{also}{name}.",)


def _likely_target(file: TableFile, roles: Roles) -> str | None:
    """A column of few different words, or of few different whole numbers at the end, that may well be the target."""
    if roles.reasons["features"] == "as asked":
        return None
    table = file.table
    plain = set(table.column_names)
    texts = [name for name in roles.left_out if name in plain and is_text(table.column(name).type)]
    last = [name for name in roles.features[-1:] if is_whole(typed(table.column(name))) and len(roles.features) > 1]
    return next((name for name in reversed([*last, *texts]) if may_be_label(table.column(name))), None)


def _shown(file: TableFile, roles: Roles) -> pa.Table | None:
    """Plain columns that are no features, to look at; None where there are none."""
    table = without_columns(file.table, {*roles.features, roles.id})
    return table if table.num_columns else None


def _names_rows(file: TableFile, roles: Roles) -> str | None:
    """The first text column, but for the target, whose values are all there and all distinct; None without one."""
    for name, column in zip(file.table.column_names, file.table.columns, strict=True):
        texts = name != roles.target and name in roles.left_out and is_text(column.type) and not column.null_count
        if texts and len(encoded(column)[1]) == file.rows > 1:
            return str(name)
    return None


def _held(file: TableFile, roles: Roles, offsets: np.ndarray | None, report: Report) -> HeldColumns:
    if not roles.features and roles.vector is None:  # texts, of which an encoder makes features
        return HeldColumns(np.empty((file.rows, 0), np.float32), np.zeros(0), ())
    if roles.vector is not None:
        report(Progress(f"Reading {file.where}", 0))
        features = file.vectors[roles.vector].read(roles.dtype)
        return HeldColumns(features, np.zeros(features.shape[1]), ())
    names = roles.features
    check_array_size(file.where, (file.rows, len(names)), 4)
    columns = {name: file.table.column(name) for name in names}
    # Columns are gathered as the rows of a transposed array: writing is contiguous, and the one transposition at the
    # end is several times faster than filling a row-major array column by column.
    gathered = np.empty((len(names), file.rows), np.float32)
    for index, name in enumerate(names):
        if index % 32 == 0:
            report(Progress(f"Reading {file.where}", index, len(names)))
        gathered[index] = as_float32(floats_of(columns[name]))
    features = np.ascontiguousarray(gathered.T)
    return hold_columns(
        features, lambda index: exact_of(columns[names[index]]), where=file.where, names=names, offsets=offsets
    )


def _targets(file: TableFile, name: str) -> RawTargets:
    column = file.table.column(name)
    plain = without_marks(column, file.decimal) if file.decimal else column
    return column_targets(plain, f"column {name!r}", file.where, empty=True)


def column_targets(column: pa.ChunkedArray, name: str, where: str, *, empty: bool = False) -> RawTargets:
    """Read one column as targets: numbers, or text as levels.

    Args:
        column: of the file.
        name: what to call it in messages.
        where: file name for messages.
        empty: whether it may be empty in every row.

    Raises:
        InputError: it is empty in every row, or holds neither numbers nor text.
    """
    column = typed(_plain(column))
    missing = np.asarray(encoded(column)[0] < 0 if is_text(column.type) else column.is_null().to_numpy())
    if missing.all():
        if not empty:
            raise InputError(f"{where}: target {name} is empty in every row; name another target column")
        return RawTargets(np.zeros(len(missing), np.int64), missing, None, name)
    if pa.types.is_boolean(column.type):
        return number_targets(np.asarray(column.fill_null(False).to_numpy()), name, missing)
    if pa.types.is_integer(column.type):
        return number_targets(np.asarray(column.fill_null(0).to_numpy()), name, missing)
    if is_numeric(column.type):
        return number_targets(floats_of(column), name, missing)
    if not is_text(column.type):
        raise InputError(f"{where}: target {name} holds {column.type}; a target must be numbers or text")
    codes, found = encoded(column)
    order = np.argsort(np.array(found, dtype=object), kind="stable")
    rank = np.empty(len(found) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(found)), -1
    values = rank[codes]
    return RawTargets(values, values < 0, tuple(found[i] for i in order), name)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers that are stored as categories, as numbers."""
    encoded = pa.types.is_dictionary(column.type) and is_numeric(column.type)
    return column.cast(column.type.value_type) if encoded else column


def row_names(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Ids as text, digit by digit; whole numbers that a gap once made 17.0 as 17."""
    if pa.types.is_floating(column.type):
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(pa.int64())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    found = ["" if item is None else str(item) for item in array.dictionary.to_pylist()]
    found.append("")
    return tuple(found[code] for code in dictionary_codes(array).tolist())
