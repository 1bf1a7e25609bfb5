"""JSON lines: one object a line, or the answers of an embedding batch job."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_reader import table_of
from skmm_core.data.file_limits import check_columns, max_megabytes
from skmm_core.data.natural_order import natural_key
from skmm_core.data.table_file import Reader, TableFile
from skmm_core.data.unpacked import plain_file
from skmm_core.errors import InputError

_LEAST_VECTOR = 2


def read_jsonl(path: Path) -> TableFile:
    """Read a file of JSON lines.

    Raises:
        InputError: a line is no JSON object; names the line.
    """
    with plain_file(path) as plain:
        lines = list(_objects(plain, path.name))
    if not lines:
        raise InputError(f"{path.name} has no lines; add the data")
    if all("custom_id" in row and "response" in row for _, row in lines):
        return _batch_answers(lines, path.name)
    return _table(lines, path.name)


def _objects(plain: Path, where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """0-based place and object of each line that holds one."""
    place = -1
    try:
        with plain.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                place += 1
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    raise InputError(f"{where}, line {number}: not valid JSON; correct that line") from None
                if not isinstance(row, dict):
                    raise InputError(f"{where}, line {number}: no object; write one object a line")
                yield place, {as_utf8(str(key)): compact(value) for key, value in row.items()}
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{where} is not UTF-8 text; save the file with the encoding UTF-8") from None


def compact(value: Any) -> Any:
    """A list of numbers as an array, which takes a tenth of the memory."""
    if isinstance(value, list) and len(value) >= _LEAST_VECTOR and all(_is_number(each) for each in value):
        return np.array([np.nan if each is None else each for each in value], np.float64).astype(np.float32)
    return value


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (plain and abs(value) < 1e300) or (isinstance(value, float) and not np.isfinite(value))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Values of objects in an object under names such as payload.label; what is nested deeper stays as it is."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and value:
            inside = {as_utf8(f"{name}.{inner}"): compact(each) for inner, each in value.items()}
            found |= {inner: each for inner, each in inside.items() if inner not in row}
        else:
            found[name] = value
    return found


def _table(lines: list[tuple[int, dict[str, Any]]], where: str) -> TableFile:
    lines = [(place, _flat(row)) for place, row in lines]
    names = list(dict.fromkeys(name for _, row in lines for name in row))
    check_columns(where, len(names))
    if len(names) * len(lines) * 8 > max_megabytes() << 20:
        raise InputError(f"{where} has {len(names):,} different names in {len(lines):,} lines; write the same in each")
    columns = {name: column_of([row.get(name) for _, row in lines]) for name in names}
    return table_of(pa.table(columns), where, "JSON lines")


def column_of(values: list[Any]) -> pa.ChunkedArray:
    """Values of one name: vectors, numbers of one kind, or text; whatever is nested otherwise stays unread."""
    if any(isinstance(value, np.ndarray) for value in values):
        if all(value is None or isinstance(value, np.ndarray) or value == [] for value in values):
            return _lists(values)
        return pa.chunked_array([pa.array([None] * len(values), pa.list_(pa.null()))])
    if any(isinstance(value, dict | list) for value in values):
        return pa.chunked_array([pa.array([None] * len(values), pa.struct([]))])
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and all(not isinstance(value, int) or abs(value) < 1 << 63 for value in values):
        return pa.chunked_array([pa.array(values, pa.int64() if kinds == {int} else pa.float64() if kinds else None)])
    if kinds == {bool}:
        return pa.chunked_array([pa.array(values, pa.bool_())])
    texts = [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
    return pa.chunked_array([pa.array([text and as_utf8(text) for text in texts])])


def as_utf8(text: str) -> str:
    """The text with ? for halves of a pair of code units, which JSON may hold and which are no text."""
    return text.encode("utf-8", "replace").decode()


def _lists(values: list[Any]) -> pa.ChunkedArray:
    arrays = [value if isinstance(value, np.ndarray) else np.empty(0, np.float32) for value in values]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(array) for array in arrays])])
    flat = np.concatenate(arrays)
    return pa.chunked_array([pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(flat, from_pandas=False))])


def _batch_answers(lines: list[tuple[int, dict[str, Any]]], where: str) -> TableFile:
    """Rows of a batch job in the natural order of their ids, since its lines come in any order."""
    found: list[tuple[str, int, np.ndarray]] = []
    failed: list[str] = []
    for place, row in lines:
        vectors = _answer(row, where)
        name = str(row["custom_id"])
        if not vectors:
            failed.append(name)
        several = len(vectors) > 1
        found += [(f"{name}:{index}" if several else name, place, vector) for index, vector in vectors]
    if not found:
        raise InputError(f"{where}: no line holds an embedding, all {len(lines):,} failed; run the batch job again")
    twice = next((name for name, count in Counter(each[0] for each in found).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{where}: custom_id {twice!r} has two answers; leave one of the two lines out")
    found.sort(key=lambda each: natural_key(each[0]))
    table = pa.table({"custom_id": [each[0] for each in found], "embedding": _lists([each[2] for each in found])})
    made = table_of(table, where, "answers of an embedding batch job, in the order of custom_id")
    note = f"{where}: {len(failed):,} of {len(lines):,} lines hold no embedding, first {failed[:1]}: left out."
    return TableFile(
        where=where,
        rows=made.rows,
        table=made.table,
        described=made.described,
        vectors=made.vectors,
        notes=(note,) if failed else (),
        index="custom_id",
        order=np.array([each[1] for each in found], np.int64),
    )


def _answer(row: dict[str, Any], where: str) -> list[tuple[int, np.ndarray]]:
    """Index and embedding of every input of a line; none where it failed."""
    response = row["response"]
    body = response.get("body") if isinstance(response, dict) else None
    data = body.get("data") if isinstance(body, dict) else None
    found = []
    for place, each in enumerate(data if isinstance(data, list) else ()):
        if not isinstance(each, dict):
            continue
        value = each.get("embedding")
        vector = _decoded(value, str(row["custom_id"]), where) if isinstance(value, str) else compact(value)
        if isinstance(vector, np.ndarray):
            index = each.get("index")
            found.append((index if isinstance(index, int) else place, vector))
    return found


def _decoded(text: str, name: str, where: str) -> np.ndarray:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), "<f4")
    except (binascii.Error, ValueError):
        raise InputError(f"{where}: the embedding of {name[:80]!r} is no base64 of float32; run it again") from None


READERS = {"jsonl": Reader(lambda path, as_text: read_jsonl(path))}
