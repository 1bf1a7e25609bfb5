"""What pictures say of their targets: metadata files, file names, or the folders they lie in."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from skmm_core.data.file_limits import check_file
from skmm_core.data.rows import RawTargets, number_targets
from skmm_core.data.table_readers import listed, read_csv
from skmm_core.data.tables import TARGET_NAMES, column_targets
from skmm_core.errors import InputError

METADATA_NAMES = ("metadata.csv", "metadata.jsonl")
PATTERNS = {"utkface": re.compile(r"(\d{1,3})_[01]_[0-4]_\d+\.")}
_FILE_NAME = "file_name"
_PART_FOLDERS = {
    **{"train": "train", "training": "train", "test": "test", "testing": "test"},
    **{"val": "validation", "valid": "validation", "validation": "validation"},
}


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


def wrapping_folders(ids: Sequence[str], metadata: Sequence[str]) -> tuple[str, ...]:
    """Folders around everything that say nothing, as most zip files have one: `flower_photos` of `flower_photos/…`.

    A train, test or validation folder beside no other says nothing either.
    """
    depth = 0
    split = [tuple(name.split("/")) for name in (*ids, *metadata)]
    while len({parts[depth] for parts in split if len(parts) > depth + 1}) == 1 and all(
        len(parts) > depth + 1 for parts in split
    ):
        depth += 1
    return split[0][:depth] if split else ()


def parts_of(ids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], dict[int, str]]:
    """Read the parts from train, test and validation folders at the top.

    Such names count when there is a train folder, or nothing else at the top; otherwise they are classes.

    Returns:
        The part of each picture, its path within the part, and by position why a picture outside of them is not used.
    """
    tops = [name.split("/")[0].lower() if "/" in name else "" for name in ids]
    found = [_PART_FOLDERS.get(top) for top in tops]
    if "train" not in found and not all(found):
        return ("train",) * len(ids), tuple(ids), {}
    reasons = {i: "outside the train, validation and test folders" for i, part in enumerate(found) if part is None}
    inner = tuple(name.split("/", 1)[1] if part else name for name, part in zip(ids, found, strict=True))
    return tuple(part or "train" for part in found), inner, reasons


def read_targets(
    ids: Sequence[str],
    inner: Sequence[str],
    metadata: Mapping[str, Path],
    *,
    pattern: str | None,
    target: str | None,
) -> Found:
    """Take targets from a named pattern, else from metadata files, else from class folders.

    Args:
        ids: paths of the pictures, relative to the folder of all.
        inner: the same within their part.
        metadata: where the metadata files are, by their path relative to the same folder.
        pattern: key of PATTERNS, or None.
        target: column of the metadata, or None for label, target, y or the only one beside file_name.

    Raises:
        InputError: the pattern is unknown, metadata cannot be read, or have no column called `target`.
    """
    if pattern is not None:
        return _from_names(ids, pattern)
    notes: tuple[str, ...] = ()
    if metadata:
        found = _from_metadata(ids, metadata, target)
        if found.targets is not None:
            return found
        notes = found.notes
    elif target is not None:
        raise InputError(f"target {target!r} names a column of metadata.csv or metadata.jsonl; there is no such file")
    return _from_folders(inner, notes)


def _from_names(ids: Sequence[str], pattern: str) -> Found:
    if pattern not in PATTERNS:
        raise InputError(f"there is no file-name pattern {pattern!r}; choose {', '.join(PATTERNS)}")
    matches = [PATTERNS[pattern].match(PurePosixPath(name).name) for name in ids]
    reasons = {i: f"its name does not fit the pattern {pattern}" for i, match in enumerate(matches) if match is None}
    if len(reasons) == len(ids):
        raise InputError(f"no file name fits the pattern {pattern} (age_gender_race_date.jpg); leave the pattern out")
    values = np.array([float(match.group(1)) if match else np.nan for match in matches], np.float64)
    return Found(number_targets(values, "age (file name)"), reasons)


def _from_folders(inner: Sequence[str], notes: tuple[str, ...]) -> Found:
    folders = [name.split("/")[0] if "/" in name else "" for name in inner]
    sizes = Counter(filter(None, folders))
    if len(sizes) < 2 or 2 * sum(sizes.values()) < len(inner):
        return Found(None, {}, notes)
    if max(sizes.values()) == 1:
        note = "Every folder holds one picture, so folders are not read as classes: a pool without labels."
        return Found(None, {}, (*notes, note))
    levels, codes = np.unique(np.array(folders, dtype=object), return_inverse=True)
    reasons = {i: "outside the class folders" for i, folder in enumerate(folders) if not folder}
    missing = np.array([not folder for folder in folders])
    return Found(RawTargets(codes.astype(np.int64), missing, tuple(levels.tolist()), "class folder"), reasons, notes)


def _from_metadata(ids: Sequence[str], metadata: Mapping[str, Path], target: str | None) -> Found:
    """Join the rows of all metadata files; paths in them are relative to their own folder."""
    tables = []
    for name, path in metadata.items():
        table = _read_table(path, name)
        column, note = _target_column(table.column_names, name, target)
        if column is None:
            return Found(None, {}, (note,))
        folder = PurePosixPath(name).parent
        files = [str(folder / text.replace("\\", "/")) for text in _texts(table.column(_FILE_NAME))]
        tables.append((files, table.column(column), column))
    where = ", ".join(list(metadata)[:3])
    files = [file for some, _, _ in tables for file in some]
    try:
        joined = pa.chunked_array([chunk for _, column, _ in tables for chunk in column.chunks])
    except (pa.ArrowException, TypeError):
        raise InputError(f"{where}: the targets are of different kinds; use numbers or text in all of them") from None
    raw = column_targets(joined, f"column {tables[0][2]!r}", where)
    rows = {file: row for row, file in reversed(list(enumerate(files)))}
    notes = []
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


def _target_column(names: list[str], where: str, target: str | None) -> tuple[str | None, str]:
    """The column of targets; None, and why, when there is none."""
    others = [name for name in names if name != _FILE_NAME]
    if target is not None:
        if target not in others:
            raise InputError(f"{where} has no column {target!r} for the target; it has {listed(others) or 'no other'}")
        return target, ""
    named = [name for name in TARGET_NAMES if name in others]
    if named or len(others) == 1:
        return (named or others)[0], ""
    return None, f"{where}: no column label, target or y; name one of {listed(others) or 'none'} as the target."


def _read_table(path: Path, name: str) -> pa.Table:
    check_file(path, kinds=(".csv", ".jsonl"))
    table = read_csv(path, []) if path.suffix.lower() == ".csv" else _read_jsonl(path, name)
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
