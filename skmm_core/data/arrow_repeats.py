"""Values that Arrow stores once for many rows: runs, views and dictionaries, counted as written out before any is."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.file_limits import check_array_size, max_megabytes

_WIDEST = 8  # bytes of a number; of other values a guess
_VIEW_BYTES = 16  # of a text view, whose first four are its length


def check_repeats(where: str, name: str, column: pa.ChunkedArray) -> None:
    """Refuse a column of few values that many rows share, if each row's own would not fit.

    Args:
        where: file for messages.
        name: of the column.
        column: of runs or views, as it was stored.

    Raises:
        InputError: it is above the limit.
    """
    total = sum(float(_bytes_each(chunk).sum()) for chunk in column.chunks)
    check_array_size(f"{where} {name}", (int(total) // 4,), 4)


def is_too_long(column: pa.ChunkedArray) -> bool:
    """Whether a column of text is held once for many rows, and no memory could hold it row by row."""
    if not pa.types.is_dictionary(column.type):
        return False
    return sum(float(_bytes_each(chunk).sum()) for chunk in column.chunks) > max_megabytes() << 20


def has_views(kind: pa.DataType) -> bool:
    """Whether values of this type may share their bytes, so that even looking at each takes long."""
    return "view" in str(kind)


def _bytes_each(array: pa.Array) -> np.ndarray:
    """(N,) float64 bytes of each value, written out."""
    kind = array.type
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _bytes_each(array.storage)
    if types.is_run_end_encoded(kind):
        values = array.values
        if types.is_string(values.type) or types.is_large_string(values.type):  # becomes a dictionary
            return np.full(len(array), 4.0)
        ends = np.clip(np.asarray(array.run_ends, np.int64) - array.offset, 0, len(array))
        return np.repeat(_bytes_each(values), np.diff(ends, prepend=0))
    if types.is_dictionary(kind):
        sizes = np.append(_bytes_each(array.dictionary), 0.0)  # the last is that of null
        return np.asarray(sizes[np.asarray(array.indices.cast(pa.int64()).fill_null(-1))])
    if types.is_struct(kind):
        return sum(map(_bytes_each, array.flatten()), np.zeros(len(array)))
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        return _of_lists(array, array.offsets, array.sizes)
    if types.is_list(kind) or types.is_large_list(kind):
        return _of_lists(array, array.offsets[:-1], pc.list_value_length(array))
    if types.is_string_view(kind) or types.is_binary_view(kind):
        views = np.frombuffer(array.buffers()[1], np.int32).reshape(-1, _VIEW_BYTES // 4)
        return _where_valid(array, views[array.offset : array.offset + len(array), 0])
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return _where_valid(array, pc.binary_length(array).fill_null(0))
    if types.is_fixed_size_list(kind):
        return np.full(len(array), float(_WIDEST * kind.list_size))
    return np.full(len(array), kind.bit_width / 8 if types.is_primitive(kind) else float(_WIDEST))


def _of_lists(array: pa.Array, offsets: pa.Array, lengths: pa.Array) -> np.ndarray:
    """Bytes of lists: sums over their own part of the values, which other lists may share."""
    sums = np.concatenate([[0.0], np.cumsum(_bytes_each(array.values))])
    starts = np.asarray(offsets, np.int64)
    ends = starts + np.asarray(lengths.fill_null(0), np.int64)
    return _where_valid(array, sums[ends] - sums[starts])


def _where_valid(array: pa.Array, sizes: object) -> np.ndarray:
    return np.where(np.asarray(array.is_valid()), np.asarray(sizes, np.float64), 0.0)
