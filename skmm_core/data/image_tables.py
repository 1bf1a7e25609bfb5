"""Tables beside pictures: read, and their rows joined to the pictures that they name.

Hugging Face and torch tools write `file_name`; others `image`, `filename`, `path` or an `id` without the ending of the
file, and the table may lie beside the folder that it describes. So that column is taken whose values are names of the
pictures, by their whole path where that is so, else by the last part of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.arrow_types import with_columns
from skmm_core.data.column_names import is_label_name
from skmm_core.data.file_limits import check_array_size, check_file
from skmm_core.data.file_names import one_form
from skmm_core.data.parquet_reader import read_parquet_files
from skmm_core.data.table_file import is_text, listed
from skmm_core.data.table_readers import read_csv
from skmm_core.errors import InputError

_STEMS = ("metadata", "labels", "label", "annotations", "train", "train_labels", "trainlabels")
METADATA_NAMES = tuple(f"{stem}{ending}" for stem in _STEMS for ending in (".csv", ".tsv", ".jsonl", ".parquet"))
_SURE = "metadata."  # what is called so must name pictures
FILE_NAME = "file_name"
_FILE_COLUMNS = (
    *(FILE_NAME, "filename", "file", "filepath", "file_path", "path", "image", "image_path", "image_name"),
    *("img", "img_path", "image_id", "img_id", "id", "name", "key", "", "unnamed: 0"),
)


@dataclass(frozen=True)
class Joined:
    """A table and the pictures that its rows name.

    Attributes:
        table: without the column that names them.
        rows: of each row of the table, the position of the picture, or -1.
        column: the one that names them.
        how: how they are named, as the end of a sentence; empty for their path.
    """

    table: pa.Table
    rows: np.ndarray
    column: str
    how: str = ""


def join_tables(ids: Sequence[str], metadata: Mapping[str, Path], target: str | None) -> dict[str, Joined]:
    """Read metadata files and find the pictures that their rows name.

    Args:
        ids: paths of the pictures, relative to the folder of all, in one Unicode form.
        metadata: where the files are, by their path relative to the same folder.
        target: name of a column that is read as it is written, or None.

    Returns:
        By name of the file; without those that name no picture, unless they are called metadata.

    Raises:
        InputError: a file cannot be read, has no rows or names no picture that is there.
    """
    finders = _finders(ids)
    found = {}
    for name, path in metadata.items():
        sure = PurePosixPath(name).name.lower().startswith(_SURE)
        table = read_table(path, name, target)
        joined = _join(table, str(PurePosixPath(name).parent), finders)
        if joined is not None:
            found[name] = joined
        elif sure:
            raise InputError(_not_joined(table, name))
    return found


def _not_joined(table: pa.Table, name: str) -> str:
    if FILE_NAME in table.column_names:
        return f"{name}: no file_name in it is a picture that is there; give paths relative to its folder"
    return f"{name} has no column file_name, nor another that names pictures; it has {listed(table.column_names)}"


def read_table(path: Path, name: str, target: str | None) -> pa.Table:
    """Read a file of metadata; names of files, labels and the target digit by digit, as they may begin with zeros.

    Raises:
        InputError: it cannot be read, or has no rows.
    """
    check_file(path, kinds=(".csv", ".tsv", ".jsonl", ".parquet"))
    kind = path.suffix.lower()
    if kind == ".jsonl":
        table = _read_jsonl(path, name)
    elif kind == ".parquet":
        table = read_plain_parquet(path, name)
    else:
        table = read_csv(path, lambda own: _names_files(own) or is_label_name(own) or own == target)
    if table.num_rows == 0:
        raise InputError(f"{name} has no rows; add the data or remove the file")
    return table


def read_plain_parquet(path: Path, name: str) -> pa.Table:
    """Plain columns of a parquet file, with texts written out, if they are not too long for that.

    Raises:
        InputError: it is damaged, or what it declares is too large.
    """
    table = read_parquet_files([path], name).table
    names, changed = table.column_names, {}
    for place, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type):
            lengths = [pc.binary_length(chunk.dictionary).take(chunk.indices) for chunk in column.chunks]
            size = sum(pc.sum(each).as_py() or 0 for each in lengths)
            check_array_size(f"{name} {names[place]}", (size // 4,), 4)
            changed[place] = column.cast(column.type.value_type)
    return with_columns(table, changed)


def rows_table(rows: Sequence[Mapping[str, object]], name: str) -> pa.Table:
    """A table of objects with plain values, such as lines of JSON.

    Raises:
        InputError: the values of one key are of different kinds.
    """
    columns = {}
    for key in dict.fromkeys(key for row in rows for key in row):
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


def plain_values(row: Mapping[str, object]) -> dict[str, object]:
    """What of a JSON object can stand in a column."""
    return {key: value for key, value in row.items() if not isinstance(value, dict | list)}


def _names_files(name: str) -> bool:
    return name.strip().lower() in _FILE_COLUMNS


def _read_jsonl(path: Path, name: str) -> pa.Table:
    rows = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    rows.append(_json_row(line, name, number))
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{name} is not UTF-8 text; save the file with the encoding UTF-8") from None
    return rows_table(rows, name)


def _json_row(line: str, name: str, number: int) -> dict[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"{name}, line {number}: not valid JSON; correct that line") from None
    if not isinstance(row, dict):
        raise InputError(f'{name}, line {number}: no "file_name"; write one object a line, with file_name and a target')
    return plain_values(row)


_Finder = tuple[str, Callable[[str], str], dict[str, int]]


def _finders(ids: Sequence[str]) -> list[_Finder]:
    """Ways to find a picture, the strictest first: words for it, what is compared, and pictures by that."""
    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("", lambda name: name),
        ("by path without the ending", _without_ending),
        ("by name without folders", lambda name: name.rpartition("/")[2]),
        ("by name without folders and ending", lambda name: _without_ending(name.rpartition("/")[2])),
    )
    found = []
    for how, way in ways:
        keys = [way(name) for name in ids]
        counts = Counter(keys)
        found.append((how, way, {key: row for row, key in enumerate(keys) if counts[key] == 1}))
    return found


def _without_ending(name: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem.rpartition("/")[2] else name


def _join(table: pa.Table, folder: str, finders: Sequence[_Finder]) -> Joined | None:
    """The rows of a table with the pictures that they name; None where no column names half of either."""
    best: tuple[int, Joined] | None = None
    for column in _candidates(table):
        texts = ["" if item is None else one_form(str(item).replace("\\", "/")) for item in _plain(table, column)]
        for how, way, places in finders:
            rows = np.array([_place(text, folder, way, places) for text in texts], np.int64)
            matched = len(np.unique(rows[rows >= 0]))
            if matched > (best[0] if best else 0):
                best = matched, Joined(table.drop_columns([column]), rows, column, how)
        if column == FILE_NAME and best is not None:
            break
    return None if best is None else best[1]


def _plain(table: pa.Table, column: str) -> list[object]:
    return list(table.column(column).to_pylist())


def _place(text: str, folder: str, way: Callable[[str], str], places: Mapping[str, int]) -> int:
    if not text:
        return -1
    inside = way(str(PurePosixPath(folder, text)))
    found = places.get(inside, -1)
    return found if found >= 0 else places.get(way(str(PurePosixPath(text))), -1)


def _candidates(table: pa.Table) -> Iterable[str]:
    """Columns that may name pictures, those with a known name first."""
    may = [name for name in table.column_names if is_text(table.schema.field(name).type) or _names_files(name)]
    return sorted(may, key=lambda name: _FILE_COLUMNS.index(name.lower()) if _names_files(name) else len(_FILE_COLUMNS))
