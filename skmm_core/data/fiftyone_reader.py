"""FiftyOne exports: a folder with `samples.json`, whose vectors are npy files packed with zlib, in base64."""

import base64
import binascii
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_reader import table_of
from skmm_core.data.file_limits import MAX_COLUMNS, check_array_size, check_columns, check_file
from skmm_core.data.jsonl_reader import as_utf8, column_of, compact
from skmm_core.data.npy_file import load_array
from skmm_core.data.table_file import AsText, Reader, TableFile
from skmm_core.errors import InputError

_SAMPLES = "samples.json"
_MOST_BYTES = MAX_COLUMNS * 8 + 4096  # of a vector, with the header of its npy
_OF_LABEL = {"Classification": "label", "Regression": "value"}
_WRAPPED = ("$oid", "$date", "$numberDouble")
_NO_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}  # JSON has none of these


def _read(folder: Path, _: AsText) -> TableFile:
    path = folder / _SAMPLES
    check_file(path, kinds=(".json",))
    where = folder.name
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{where}/{_SAMPLES} is not readable JSON; export the dataset again") from None
    samples = found.get("samples") if isinstance(found, dict) else None
    if not isinstance(samples, list) or not samples or not all(isinstance(each, dict) for each in samples):
        raise InputError(f"{where}/{_SAMPLES} lists no samples; export the dataset again")
    names = {as_utf8(name): name for each in samples for name in each if not name.startswith("_")}
    check_columns(f"{where}/{_SAMPLES}", len(names))
    check_array_size(f"{where}/{_SAMPLES}", (len(samples), len(names)), 8)
    columns = {"id": column_of([_plain(each.get("_id"), where, row) for row, each in enumerate(samples)])}
    total = 0  # numbers of a sample in all fields so far
    for shown, name in names.items():
        values, widest = [], 0
        for row, each in enumerate(samples):
            values.append(_plain(each.get(name), where, row))
            if isinstance(values[-1], np.ndarray) and len(values[-1]) > widest:
                widest = len(values[-1])
                check_array_size(f"{where}/{_SAMPLES}", (len(samples), total + widest), 4)
        total += widest
        columns[shown] = column_of(values)
    if columns["id"].null_count:
        columns.pop("id")
    return table_of(pa.table(columns), where, "FiftyOne export")


def _plain(value: Any, where: str, row: int) -> Any:
    """A field of a sample as a vector, a number, a text, or a nested value that is not read."""
    if not isinstance(value, dict):
        return compact(value)
    if "$binary" in value:
        packed = value["$binary"]
        text = packed.get("base64") if isinstance(packed, dict) else packed
        return _vector(text, f"{where}/{_SAMPLES}, sample {row} (from 0)")
    if len(value) == 1 and (kind := next(iter(value))) in _WRAPPED:
        return _NO_NUMBERS.get(str(value[kind])) if kind == "$numberDouble" else str(value[kind])
    return value.get(_OF_LABEL.get(str(value.get("_cls")), ""), value)


def _vector(text: Any, where: str) -> np.ndarray:
    """The numbers of a packed npy; never more bytes than the widest vector has, and no Python objects."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
        if unpacker.unconsumed_tail:
            raise InputError(f"{where}: a vector unpacks to more than {MAX_COLUMNS:,} numbers; leave that field out")
        array = load_array(io.BytesIO(content), len(content), where)
    except InputError:
        raise
    except (binascii.Error, zlib.error, ValueError, TypeError, EOFError, SyntaxError):
        raise InputError(f"{where}: a vector is no packed npy file; export the dataset again") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: a field holds an array of {array.dtype}, no numbers; leave that field out")
    return array.ravel().astype(np.float32)


READERS = {"fiftyone": Reader(_read, finds=lambda path: path.is_dir() and (path / _SAMPLES).is_file())}
