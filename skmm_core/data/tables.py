"""Named columns of a table understood: which is the target, which names the rows, which are the features."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from skmm_core.data.column_offsets import HeldColumns, as_float32, hold_columns
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.rows import RawRows, RawTargets, number_targets
from skmm_core.data.table_readers import is_numeric, is_text, listed, read_csv, read_parquet
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

TARGET_NAMES = ("label", "target", "y")
_INDEX_NAMES = ("", "id", "ids", "index", "row", "unnamed: 0")


@dataclass(frozen=True)
class Columns:
    """Which columns mean what.

    Attributes:
        target: name of the target column, or None to take the first of TARGET_NAMES that is there.
        id: name of the column of row names, or None.
        features: exactly these feature columns, in this order (a test file must fit its pool), or None for every
            numeric column that is left.
    """

    target: str | None = None
    id: str | None = None
    features: tuple[str, ...] | None = None


def read_table(path: Path, columns: Columns, *, offsets: np.ndarray | None = None, report: Report) -> RawRows:
    """Read a csv or parquet file.

    Offsets are those of the pool, for held-out rows.

    Raises:
        InputError: the file cannot be parsed, or lacks what `columns` asks for.
    """
    report(Progress(f"Reading {path.name}", 0))
    notes: list[str] = []
    table, unread = (read_csv(path, notes), {}) if path.suffix.lower() == ".csv" else read_parquet(path)
    names = [*table.column_names, *unread]
    if table.num_rows == 0:
        raise InputError(f"{path.name} has a header but no rows; add the data")
    target = _target_name(names, columns, path.name, notes)
    if columns.id is not None and columns.id not in names:
        raise InputError(f"{path.name} has no column {columns.id!r} for ids; it has {listed(names)}")
    if columns.id is not None and columns.id == target:
        raise InputError(f"{path.name}: column {target!r} cannot be both the target and the id; name two columns")
    for name in (target, columns.id):
        if name in unread:
            raise InputError(f"{path.name}: column {name!r} holds {unread[name]}; targets and ids are numbers or text")
    features = _feature_names(table, unread, {target, columns.id}, columns.features, path.name, notes)
    if columns.id is None and columns.features is None and (name := _names_rows(table, target)):
        notes.append(f"{path.name}: column {name!r} holds a text of its own in every row; name it as the id to see it.")
    check_array_size(path.name, (table.num_rows, len(features)), 4)
    held = _held(table, features, path.name, offsets, report)
    return RawRows(
        where=path.name,
        features=held.features,
        targets=None if target is None else column_targets(table.column(target), f"column {target!r}", path.name),
        rows=np.arange(table.num_rows, dtype=np.int64),
        ids=None if columns.id is None else _ids(table.column(columns.id)),
        feature_names=features,
        target_name=target,
        notes=(*notes, *held.notes),
        offsets=held.offsets,
    )


def _target_name(names: list[str], columns: Columns, where: str, notes: list[str]) -> str | None:
    if columns.target is not None:
        if columns.target not in names:
            raise InputError(f"{where} has no column {columns.target!r} for the target; it has {listed(names)}")
        return columns.target
    if columns.features is not None:  # a test file of an unlabelled pool
        return None
    found = [name for name in TARGET_NAMES if name in names and name != columns.id]
    if not found:
        notes.append(f"{where}: no target column (label, target or y): read as a pool without labels.")
        return None
    if len(found) > 1:
        notes.append(f"{where}: {found[0]!r} is the target; {listed(found[1:])} is read as a feature.")
    return found[0]


def _feature_names(
    table: pa.Table,
    unread: dict[str, str],
    taken: set[str | None],
    wanted: tuple[str, ...] | None,
    where: str,
    notes: list[str],
) -> tuple[str, ...]:
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    rest = [name for name in types if name not in taken]
    numeric = [name for name in rest if is_numeric(types[name])]
    if wanted is not None:
        for name in wanted:
            if name not in types:
                raise InputError(f"{where} has no column {name!r}, which the pool has; give the test file all of them")
            if not (is_numeric(types[name]) or pa.types.is_null(types[name])):
                raise InputError(f"{where}: column {name!r} holds {types[name]}, but numbers in the pool")
        return wanted
    for name in rest:
        if is_text(types[name]):
            _refuse_almost_numeric(table.column(name), name, where)
    if not numeric:
        kinds = listed([f"{name} ({kind})" for name, kind in {**types, **unread}.items()])
        advice = "spread lists over columns, or save them as X in an npz" if unread else "add the features as numbers"
        raise InputError(f"{where} has no numeric column to use as a feature; it has {kinds}; {advice}")
    ignored = [*(name for name in rest if not is_numeric(types[name])), *unread]
    if ignored:
        notes.append(f"{where}: columns without numbers were ignored: {listed(ignored)}.")
    if numeric[0].lower() in _INDEX_NAMES:
        notes.append(f"{where}: column {numeric[0]!r} is read as a feature; if it numbers the rows, name it as the id.")
    return tuple(numeric)


def _names_rows(table: pa.Table, target: str | None) -> str | None:
    """The first text column, but for the target, whose values are all there and all distinct; None without one."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        texts = name != target and is_text(column.type) and not column.null_count
        if texts and len(_encoded(column)[1]) == table.num_rows > 1:
            return str(name)
    return None


def _held(
    table: pa.Table, names: tuple[str, ...], where: str, offsets: np.ndarray | None, report: Report
) -> HeldColumns:
    # Columns are gathered as the rows of a transposed array: writing is contiguous, and the one transposition at the
    # end is several times faster than filling a row-major array column by column.
    gathered = np.empty((len(names), table.num_rows), np.float32)
    for index, name in enumerate(names):
        if index % 32 == 0:
            report(Progress(f"Reading {where}", index, len(names)))
        gathered[index] = as_float32(_as_floats(table.column(name)))
    features = np.ascontiguousarray(gathered.T)
    return hold_columns(
        features, lambda index: _as_floats(table.column(names[index])), where=where, names=names, offsets=offsets
    )


def _as_floats(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column, nulls as NaN."""
    column = _plain(column)
    if not pa.types.is_floating(column.type) or column.type == pa.float16():
        column = column.cast(pa.uint8(), safe=False) if pa.types.is_boolean(column.type) else column
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())


def column_targets(column: pa.ChunkedArray, name: str, where: str) -> RawTargets:
    """Read one column as targets: numbers, or text as levels.

    Raises:
        InputError: it is empty in every row, or holds neither numbers nor text.
    """
    column = _plain(column)
    missing = np.asarray(column.is_null().to_numpy())
    if missing.all():
        raise InputError(f"{where}: target {name} is empty in every row; name another target column")
    if pa.types.is_boolean(column.type):
        return number_targets(np.asarray(column.fill_null(False).to_numpy()), name, missing)
    if pa.types.is_integer(column.type):
        return number_targets(np.asarray(column.fill_null(0).to_numpy()), name, missing)
    if is_numeric(column.type):
        return number_targets(_as_floats(column), name, missing)
    if not is_text(column.type):
        raise InputError(f"{where}: target {name} holds {column.type}; a target must be numbers or text")
    codes, found = _encoded(column)
    order = np.argsort(np.array(found, dtype=object), kind="stable")
    rank = np.empty(len(found) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(found)), -1
    levels = tuple(found[i] for i in order)
    values = rank[codes]
    missing = missing | np.array([*(not level for level in levels), True])[values]
    return RawTargets(values, missing, levels, name)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers that are stored as categories, as numbers."""
    encoded = pa.types.is_dictionary(column.type) and is_numeric(column.type)
    return column.cast(column.type.value_type) if encoded else column


def _ids(column: pa.ChunkedArray) -> tuple[str, ...]:
    codes, found = _encoded(column)
    found.append("")
    return tuple(found[code] for code in codes.tolist())


def _encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Code of each row (-1 for null), and the text of each code; each text is held once however often it occurs."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    codes = np.asarray(array.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)
    return codes, ["" if item is None else str(item) for item in array.dictionary.to_pylist()]


def _refuse_almost_numeric(column: pa.ChunkedArray, name: str, where: str) -> None:
    """Refuse a column of numbers that a few typing errors made text, rather than ignore it in silence."""
    texts = column.cast(pa.string()).to_pandas()
    numbers = pd.to_numeric(texts, errors="coerce")
    bad = np.flatnonzero((numbers.isna() & texts.notna()).to_numpy())
    if 0 < len(bad) < len(texts) / 2:
        raise InputError(
            f"{where}: column {name!r} holds text in {len(bad):,} of {len(texts):,} rows "
            f"(row {bad[0]}, from 0: {str(texts.iloc[bad[0]])[:40]!r}); correct it or remove the column"
        )
