"""csv and parquet files: named columns, of which one may be the target and one the row names."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from skmm_core.data.files import check_array_size, check_columns
from skmm_core.data.rows import RawRows, RawTargets, as_float32, number_targets
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

TARGET_NAMES = ("label", "target", "y")
_INDEX_NAMES = ("", "id", "ids", "index", "row", "unnamed: 0")
_HEADER_BYTES = 8 << 20
_BLOCK_BYTES = 16 << 20
_MAX_BLOCK = (1 << 31) - 1


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


def read_table(path: Path, columns: Columns, *, report: Report) -> RawRows:
    """Read a csv or parquet file.

    Raises:
        InputError: the file cannot be parsed, or lacks what `columns` asks for.
    """
    report(Progress(f"Reading {path.name}", 0))
    notes: list[str] = []
    table = _read_csv(path, notes) if path.suffix.lower() == ".csv" else _read_parquet(path)
    names = table.column_names
    _check_names(names, path.name)
    if table.num_rows == 0:
        raise InputError(f"{path.name} has a header but no rows; add the data")
    target = _target_name(names, columns, path.name, notes)
    if columns.id is not None and columns.id not in names:
        raise InputError(f"{path.name} has no column {columns.id!r} for ids; it has {_listed(names)}")
    if columns.id is not None and columns.id == target:
        raise InputError(f"{path.name}: column {target!r} cannot be both the target and the id; name two columns")
    features = _feature_names(table, {target, columns.id}, columns.features, path.name, notes)
    check_array_size(path.name, (table.num_rows, len(features)), 4)
    return RawRows(
        where=path.name,
        features=_feature_array(table, features, path.name, report),
        targets=None if target is None else _targets(table.column(target), f"column {target!r}", path.name),
        rows=np.arange(table.num_rows, dtype=np.int64),
        ids=None if columns.id is None else _ids(table.column(columns.id)),
        feature_names=features,
        target_name=target,
        notes=tuple(notes),
    )


def _target_name(names: list[str], columns: Columns, where: str, notes: list[str]) -> str | None:
    if columns.target is not None:
        if columns.target not in names:
            raise InputError(f"{where} has no column {columns.target!r} for the target; it has {_listed(names)}")
        return columns.target
    if columns.features is not None:  # a test file of an unlabelled pool
        return None
    found = [name for name in TARGET_NAMES if name in names and name != columns.id]
    if not found:
        notes.append(f"{where}: no target column (label, target or y): read as a pool without labels.")
        return None
    if len(found) > 1:
        notes.append(f"{where}: {found[0]!r} is the target; {_listed(found[1:])} is read as a feature.")
    return found[0]


def _feature_names(
    table: pa.Table, taken: set[str | None], wanted: tuple[str, ...] | None, where: str, notes: list[str]
) -> tuple[str, ...]:
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    rest = [name for name in types if name not in taken]
    numeric = [name for name in rest if _is_numeric(types[name])]
    if wanted is not None:
        for name in wanted:
            if name not in types:
                raise InputError(f"{where} has no column {name!r}, which the pool has; give the test file all of them")
            if not (_is_numeric(types[name]) or pa.types.is_null(types[name])):
                raise InputError(f"{where}: column {name!r} holds {types[name]}, but numbers in the pool")
        return wanted
    for name in rest:
        if _is_text(types[name]):
            _refuse_almost_numeric(table.column(name), name, where)
    if not numeric:
        kinds = _listed([f"{name} ({types[name]})" for name in table.column_names])
        raise InputError(f"{where} has no numeric column to use as a feature; it has {kinds}")
    ignored = [name for name in rest if not _is_numeric(types[name])]
    if ignored:
        notes.append(f"{where}: columns without numbers were ignored: {_listed(ignored)}.")
    if numeric[0].lower() in _INDEX_NAMES:
        notes.append(f"{where}: column {numeric[0]!r} is read as a feature; if it numbers the rows, name it as the id.")
    return tuple(numeric)


def _feature_array(table: pa.Table, names: tuple[str, ...], where: str, report: Report) -> np.ndarray:
    # Columns are gathered as the rows of a transposed array: writing is contiguous, and the one transposition at the
    # end is several times faster than filling a row-major array column by column.
    gathered = np.empty((len(names), table.num_rows), np.float32)
    for index, name in enumerate(names):
        if index % 32 == 0:
            report(Progress(f"Reading {where}", index, len(names)))
        gathered[index] = as_float32(_as_floats(table.column(name)))
    return np.ascontiguousarray(gathered.T)


def _as_floats(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column, nulls as NaN."""
    if not pa.types.is_floating(column.type) or column.type == pa.float16():
        column = column.cast(pa.uint8(), safe=False) if pa.types.is_boolean(column.type) else column
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())


def _targets(column: pa.ChunkedArray, name: str, where: str) -> RawTargets:
    missing = np.asarray(column.is_null().to_numpy())
    if missing.all():
        raise InputError(f"{where}: target {name} is empty in every row; name another target column")
    if pa.types.is_boolean(column.type):
        return number_targets(np.asarray(column.fill_null(False).to_numpy()), name, missing)
    if pa.types.is_integer(column.type):
        return number_targets(np.asarray(column.fill_null(0).to_numpy()), name, missing)
    if _is_numeric(column.type):
        return number_targets(_as_floats(column), name, missing)
    if not _is_text(column.type):
        raise InputError(f"{where}: target {name} holds {column.type}; a target must be numbers or text")
    codes, found = _encoded(column)
    order = np.argsort(np.array(found, dtype=object), kind="stable")
    rank = np.empty(len(found) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(found)), -1
    levels = tuple(found[i] for i in order)
    values = rank[codes]
    missing = missing | np.array([*(not level for level in levels), True])[values]
    return RawTargets(values, missing, levels, name)


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


def _check_names(names: list[str], where: str) -> None:
    check_columns(where, len(names))
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{where} has two columns called {name!r}; give every column its own name")
        seen.add(name)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown


def _is_numeric(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _read_parquet(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
            _check_names(list(file.schema_arrow.names), path.name)
            # An index that pandas wrote along is no data; what is neither number nor text is not read at all.
            wanted = [name for name in kinds if not name.startswith("__index_level_")]
            texts = [name for name in wanted if _is_text(kinds[name])]
            numeric = sum(_is_numeric(kinds[name]) for name in wanted)
            check_array_size(path.name, (file.metadata.num_rows, max(1, numeric)), 8)
        # Text is kept as a dictionary: a small file can declare a long text repeated in every row.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=wanted)
            table.validate(full=True)
            return table
    except (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError) as error:
        raise InputError(
            f"{path.name} is truncated or not a parquet file ({_short(error)}); copy it again, or save it again"
        ) from None


def _read_csv(path: Path, notes: list[str]) -> pa.Table:
    header, delimiter = _read_header(path)
    _check_names(header, path.name)
    if delimiter != ",":
        notes.append(f"{path.name}: columns are separated by {'tabs' if delimiter == chr(9) else repr(delimiter)}.")
    try:
        table = _parse_csv(path, delimiter, _BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        line = _ragged_line(path, delimiter, len(header))
        if line is not None:
            raise InputError(f"{path.name}, {line}; correct that line") from None
        # Types are taken from the first block; a later one may not fit, so take them from the whole file.
        try:
            table = _parse_csv(path, delimiter, min(path.stat().st_size + 1, _MAX_BLOCK))
        except pa.ArrowInvalid:
            raise InputError(f"{path.name} is not a readable csv file ({_short(error)}); save it again") from None
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        if pa.types.is_binary(kind):
            raise InputError(f"{path.name}: column {name!r} is not UTF-8 text; save the file with the encoding UTF-8")
    return table


def _parse_csv(path: Path, delimiter: str, block: int) -> pa.Table:
    return pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=block),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
    )


def _read_header(path: Path) -> tuple[list[str], str]:
    """Column names, and what separates them."""
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(_HEADER_BYTES), b"")
        line = next((line for line in lines if line.strip(b"\r\n")), b"").strip(b"\r\n").split(b"\r")[0]
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is UTF-16 text; save the file with the encoding UTF-8")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: line 1 is not UTF-8 text; save the file with the encoding UTF-8") from None
    delimiter = next((mark for mark in ",;\t" if mark in text), ",")
    try:
        names = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{path.name}: line 1 does not hold column names ({_short(error)}); correct it") from None
    numbers = [name for name in names if _is_number(name)]
    if names and len(numbers) == len(names) and not all(name.isdecimal() for name in names):
        raise InputError(f"{path.name}: line 1 holds numbers ({_listed(names)}); put the names of the columns there")
    return names, delimiter


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ragged_line(path: Path, delimiter: str, width: int) -> str | None:
    """Where a line has another number of fields than the header, in words, or None."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            for fields in reader:
                if fields and len(fields) != width:
                    return f"line {reader.line_num}: {len(fields)} fields, but the header has {width}"
    except (UnicodeDecodeError, csv.Error):
        return None
    return None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
