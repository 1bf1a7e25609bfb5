"""Metadata files beside pictures: metadata.csv or metadata.jsonl with `file_name` and more columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.column_names import TARGET_NAMES
from skmm_core.data.file_limits import check_file
from skmm_core.data.file_names import one_form
from skmm_core.data.rows import RawTargets
from skmm_core.data.table_file import is_numeric, is_text, listed
from skmm_core.data.table_readers import read_csv
from skmm_core.data.tables import column_targets
from skmm_core.errors import InputError

METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
_FILE_NAME = "file_name"
_CAPTION_NAMES = ("text", "caption", "captions", "description", "prompt", "sentence", "title", "comment")
_ID_NAMES = ("", "id", "ids", "index", "row", "key", "image_id", "img_id", "sample_id", "unnamed: 0")
_SENTENCE = 3  # words, on average, from which texts are no names of classes
_MANY = 20  # rows among which names of classes come back


@dataclass(frozen=True)
class Found:
    """Targets as the layout gives them.

    Attributes:
        targets: of all pictures, or None when nothing gives any.
        reasons: by position, why a picture has no target and is not used.
        notes: what a person should know.
    """

    targets: RawTargets | None
    reasons: dict[int, str]
    notes: tuple[str, ...] = ()


def metadata_targets(ids: Sequence[str], metadata: Mapping[str, Path], target: str | None) -> Found:
    """Join the rows of all metadata files; paths in them are relative to their own folder.

    Without a name, the target is label, target or y, else the only column that can be one: not an id, not captions,
    not empty.

    Args:
        ids: paths of the pictures, relative to the folder of all, in one Unicode form.
        metadata: where the metadata files are, by their path relative to the same folder.
        target: name of the column, or None.

    Raises:
        InputError: a file cannot be read, has no column called `target`, or names no picture that is there.
    """
    tables = {name: _read_table(path, name) for name, path in metadata.items()}
    where = ", ".join(list(metadata)[:3])
    column, note = _target_column(tables, where, target)
    if column is None:
        return Found(None, {}, (note,))
    joined, notes = _one_kind(_joined(tables, column, where), column, where)
    raw = column_targets(joined, f"column {column!r}", where)
    files = [
        str(PurePosixPath(name).parent / one_form(text.replace("\\", "/")))
        for name, table in tables.items()
        for text in _texts(table.column(_FILE_NAME))
    ]
    rows = {file: row for row, file in reversed(list(enumerate(files)))}
    if len(rows) < len(files):
        notes.append(f"{where}: {len(files) - len(rows):,} rows name a file once more; the first row of each counts.")
    absent = len(set(rows) - set(ids))
    if absent:
        notes.append(f"{where}: {absent:,} rows name files that are not there or not usable.")
    return _matched(raw, [rows.get(name, -1) for name in ids], where, tuple(notes))


def _matched(raw: RawTargets, rows: list[int], where: str, notes: tuple[str, ...]) -> Found:
    """Targets in the order of the pictures; `rows` gives the row of each, or -1."""
    order = np.array(rows, np.int64)
    if (order < 0).all():
        raise InputError(f"{where}: no file_name in it is a picture that is there; give paths relative to its folder")
    reasons = {int(i): f"not in {where}" for i in np.flatnonzero(order < 0)}
    missing = raw.missing[order] | (order < 0)
    reasons |= {int(i): f"no target in {where}" for i in np.flatnonzero(missing & (order >= 0))}
    return Found(RawTargets(raw.values[order], missing, raw.levels, raw.column), reasons, notes)


def _target_column(tables: Mapping[str, pa.Table], where: str, target: str | None) -> tuple[str | None, str]:
    """The column of targets; None, and why, when there is none."""
    first, *others = tables.values()
    if target is not None:
        for name, table in tables.items():
            if target not in (columns := [each for each in table.column_names if each != _FILE_NAME]):
                raise InputError(
                    f"{name} has no column {target!r} for the target; it has {listed(columns) or 'no other'}"
                )
        return target, ""
    names = [
        name
        for name in first.column_names
        if name != _FILE_NAME and all(name in table.column_names for table in others)
    ]
    if not names:
        return None, f"{where}: no column beside {_FILE_NAME}, so it gives no targets."
    why = {name: _why_no_target(name, _joined(tables, name, where)) for name in names}
    usable = [name for name in names if why[name] is None]
    named = [name for known in TARGET_NAMES for name in usable if name.lower() == known]
    if named or len(usable) == 1:
        return (named or usable)[0], ""
    if usable:
        return None, f"{where}: no column label, target or y; name one of {listed(usable)} as the target."
    told = "; ".join(f"{name} {why[name]}" for name in names[:4])
    return None, f"{where}: {told}: not read as targets; name a column as the target to use it all the same."


def _why_no_target(name: str, column: pa.ChunkedArray) -> str | None:
    """Why a column that nobody named is no target, as the end of a sentence; None when it can be one."""
    values = column.drop_null()
    text = is_text(values.type)
    if text:
        values = values.filter(pc.not_equal(values, ""))
    if not (count := len(values)):
        return "is empty"
    if not text and not is_numeric(values.type):
        return f"holds {values.type}"
    distinct = pc.count_distinct(values).as_py()
    known = name.lower() in TARGET_NAMES
    if text:
        some = values[:1000].to_pylist()
        words = sum(len(str(value).split()) for value in some) / len(some)
        wordy = words >= _SENTENCE or count >= _MANY or name.lower() in _CAPTION_NAMES
        own, most = distinct == count, 2 * distinct > count
        if (wordy and own) if known else (own or (wordy and most)):
            return "holds a text of its own for nearly every picture, as captions and ids do"
    elif not known and distinct == count and (name.lower() in _ID_NAMES or _counts_rows(values)):
        return "numbers the pictures"
    return None


def _counts_rows(values: pa.ChunkedArray) -> bool:
    """Whether distinct values are 0, 1, 2, … or 1, 2, 3, … in any order."""
    if len(values) < 3 or not pa.types.is_integer(values.type):
        return False
    ends = pc.min_max(values).as_py()
    return ends["min"] in (0, 1) and ends["max"] - ends["min"] == len(values) - 1


def _joined(tables: Mapping[str, pa.Table], column: str, where: str) -> pa.ChunkedArray:
    """One column of all files; what is empty in one of them takes the kind of the others."""
    chunks = [chunk for table in tables.values() for chunk in table.column(column).chunks]
    kinds = {chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)}
    if len(kinds) > 1 and all(is_numeric(kind) for kind in kinds):
        kinds = {pa.float64()}  # whole numbers in one file, decimals in another
    if len(kinds) > 1:
        raise InputError(
            f"{where}: the values of {column[:40]!r} are text in one file and not in another; use one kind in all"
        )
    kind = next(iter(kinds), pa.null())
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], type=kind)


def _one_kind(column: pa.ChunkedArray, name: str, where: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Labels in the form in which they are compared: accents written one way, classes 1.0 and 2.0 as 1 and 2."""
    if is_text(column.type):
        texts = [None if value is None else one_form(str(value)).strip() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())]), []
    if name.lower() not in TARGET_NAMES or not pa.types.is_floating(column.type):
        return column, []
    values = np.asarray(column.cast(pa.float64()).to_numpy())
    known = values[~np.isnan(values)]
    if not len(known) or (known != np.round(known)).any() or np.abs(known).max() >= 2**53:
        return column, []
    whole = pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    return pa.chunked_array([whole]), [f"{where}: {name} is written {known[0]:.1f}, …: read as {known[0]:.0f}, …"]


def _read_table(path: Path, name: str) -> pa.Table:
    check_file(path, kinds=(".csv", ".jsonl"))
    table = read_csv(path) if path.suffix.lower() == ".csv" else _read_jsonl(path, name)
    if _FILE_NAME not in table.column_names:
        raise InputError(f"{name} has no column file_name; it has {listed(table.column_names)}")
    if table.num_rows == 0:
        raise InputError(f"{name} has no rows; add the data or remove the file")
    return table


def _read_jsonl(path: Path, name: str) -> pa.Table:
    rows = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    rows.append(_json_row(line, name, number))
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{name} is not UTF-8 text; save the file with the encoding UTF-8") from None
    keys = list(dict.fromkeys(key for row in rows for key in row))
    columns = {}
    for key in keys:
        values = [row.get(key) for row in rows]
        if any(isinstance(value, str) for value in values):
            values = [None if value is None else str(value) for value in values]
        try:
            columns[key] = pa.chunked_array([pa.array(values)])
        except (pa.ArrowException, OverflowError, TypeError):
            raise InputError(
                f"{name}: the values of {key[:40]!r} are of different kinds; use numbers or text"
            ) from None
    return pa.table(columns)


def _json_row(line: str, name: str, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{name}, line {number}: not valid JSON; correct that line") from None
    if not isinstance(row, dict) or not isinstance(row.get(_FILE_NAME), str):
        raise InputError(f'{name}, line {number}: no "file_name"; write one object a line, with file_name and a target')
    return {key: value for key, value in row.items() if not isinstance(value, dict | list)}


def _texts(column: pa.ChunkedArray) -> list[str]:
    return ["" if item is None else str(item) for item in column.to_pylist()]
