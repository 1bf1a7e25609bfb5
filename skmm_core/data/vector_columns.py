"""Columns that hold a vector a row, as lists or bytes, become (N, d) float32 rows without a loop over rows."""

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.arrow_types import flat_lists, is_nested, list_lengths
from skmm_core.data.column_offsets import as_float32
from skmm_core.data.file_limits import check_array_size, check_columns
from skmm_core.data.table_file import VectorColumn, is_bytes, is_vector
from skmm_core.errors import InputError

BYTE_TYPES = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "int8": "i1", "uint8": "u1"}
SAMPLE = 32
FAULTS = 0.1  # of the rows may have lists of another length as a fault; of more it is their nature


def gather(where: str, name: str, rows: int, size: int, chunks: Iterable[pa.Array]) -> np.ndarray:
    """Rows of list arrays one after another.

    Args:
        where: file for messages.
        name: of the column.
        rows: N.
        size: d, numbers a row.
        chunks: list arrays, N lists in all; only one is held at a time.

    Returns:
        (N, d) float32; NaN in rows without a list, and for numbers that are missing.

    Raises:
        InputError: a list has another length; names the row.
    """
    check_columns(f"{where} {name}", size)
    check_array_size(f"{where} {name}", (rows, size), 4)
    features = np.empty((rows, size), np.float32)
    start = 0
    for chunk in chunks:
        chunk = flat_lists(chunk, where, name)
        here = slice(start, start + len(chunk))
        lengths = lengths_of(chunk)
        filled = lengths > 0  # a list without numbers is no vector either
        wrong = np.flatnonzero(filled & (lengths != size))
        if len(wrong):
            raise InputError(
                f"{where}: column {name!r} has {lengths[wrong[0]]:,} numbers in row {start + wrong[0]} (from 0) but "
                f"{size:,} elsewhere; give every row as many, or leave the column out (--ignore {name})"
            )
        values = as_float32(_numbers(chunk.flatten()))
        if filled.all():
            features[here] = values.reshape(-1, size)
        else:
            features[here] = np.nan
            features[here][filled] = values.reshape(-1, size)
        start += len(chunk)
    return features


def lengths_of(chunk: pa.Array) -> np.ndarray:
    """Length of each list, or bytes of each value; 0 for null."""
    if not is_bytes(chunk.type):
        return list_lengths(chunk)
    return np.asarray(pc.binary_length(chunk).fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _numbers(values: pa.Array) -> np.ndarray:
    """Numbers of a flat array, nulls as NaN."""
    if values.null_count and not pa.types.is_floating(values.type):
        values = values.cast(pa.float64(), safe=False)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def size_of(sample: pa.Array) -> int | None:
    """Length that nearly all lists, or bytes, of a sample share; None where they differ or none is there."""
    try:
        lengths = lengths_of(flat_lists(sample, "", ""))
    except InputError:
        return None
    found, counts = np.unique(lengths[lengths > 0], return_counts=True)
    if not len(found) or counts.max() < (1 - FAULTS) * counts.sum():
        return None
    return int(found[counts.argmax()])


def kind_of_lists(kind: pa.DataType) -> str:
    """Type of a column of lists in words."""
    return f"{kind}, flattened" if is_nested(kind) else str(kind)


def held_vector(where: str, name: str, column: pa.ChunkedArray, field: pa.Field) -> VectorColumn | None:
    """A column that is in memory already, if its rows hold lists or bytes of one length; None otherwise.

    Args:
        where: file for messages.
        name: of the column.
        column: (N,) lists or bytes.
        field: of the schema; its metadata may say the `dtype` of bytes.
    """
    chunks = [chunk for chunk in column.chunks if len(chunk)]
    size = next((found for chunk in chunks if (found := size_of(chunk.slice(0, SAMPLE)))), None)
    if not size:
        return None
    if is_bytes(column.type):
        return bytes_vector(where, name, len(column), size, lambda: chunks, field)
    if not is_vector(column.type):
        return None
    try:
        counts = [lengths_of(flat_lists(chunk, where, name)) for chunk in chunks]
    except InputError:
        return None
    if sum(int(((lengths > 0) & (lengths != size)).sum()) for lengths in counts) > FAULTS * len(column):
        return None
    return VectorColumn(size, kind_of_lists(column.type), lambda _: gather(where, name, len(column), size, chunks))


def bytes_vector(
    where: str, name: str, rows: int, size: int, chunks: Callable[[], Iterable[pa.Array]], field: pa.Field
) -> VectorColumn:
    """A column of bytes, as many in every row.

    Args:
        where: file for messages.
        name: of the column.
        rows: N.
        size: bytes a row.
        chunks: gives its values, N in all.
        field: of the schema; its metadata may say `dtype`.
    """
    stated = (field.metadata or {}).get(b"dtype", b"").decode("utf-8", "replace")

    def read(dtype: str | None) -> np.ndarray:
        kind = np.dtype(_byte_type(where, name, dtype))
        width = size // kind.itemsize
        if not width or size % kind.itemsize:
            raise InputError(
                f"{where}: column {name!r} has {size:,} bytes a row, no whole number of {dtype}; name another type"
            )
        check_array_size(f"{where} {name}", (rows, width), 4)
        features = np.full((rows, width), np.nan, np.float32)
        start = 0
        for chunk in chunks():
            lengths = lengths_of(chunk)
            wrong = np.flatnonzero((lengths > 0) & (lengths != size))
            if len(wrong):
                raise InputError(
                    f"{where}: column {name!r} has {lengths[wrong[0]]:,} bytes in row {start + wrong[0]} (from 0) but "
                    f"{size:,} elsewhere; give every row as many"
                )
            content = b"".join(value for value in chunk.to_pylist() if value)
            features[start : start + len(chunk)][lengths > 0] = as_float32(
                np.frombuffer(content, kind).reshape(-1, width)
            )
            start += len(chunk)
        return features

    return VectorColumn(size, f"{size:,} bytes a row", read, stated if stated in BYTE_TYPES else None, is_bytes=True)


def _byte_type(where: str, name: str, dtype: str | None) -> str:
    if dtype not in BYTE_TYPES:
        raise InputError(
            f"{where}: column {name!r} holds bytes; say what they are, such as --features {name}:float32 "
            f"({', '.join(BYTE_TYPES)})"
        )
    return BYTE_TYPES[dtype]
