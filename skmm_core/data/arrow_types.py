"""Types of Arrow that are another way to write a plain one: extensions, runs, views, and lists in lists."""

import uuid
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.arrow_repeats import check_repeats
from skmm_core.errors import InputError

_NAMED = {"arrow.uuid": pa.string(), "arrow.bool8": pa.bool_()}
_VIEWS = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type as which a column of this type is read; itself where there is nothing to do."""
    if isinstance(kind, pa.BaseExtensionType):
        return _NAMED.get(kind.extension_name) or plain_type(kind.storage_type)
    if pa.types.is_run_end_encoded(kind):
        # What is not read is not written out either.
        return kind if pa.types.is_nested(leaf_type(kind.value_type)) else plain_type(kind.value_type)
    if pa.types.is_dictionary(kind) and kind.value_type in _VIEWS:
        return pa.dictionary(kind.index_type, _VIEWS[kind.value_type], kind.ordered)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return pa.large_list(kind.value_type)
    return _VIEWS.get(kind, kind)


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in their plain type; text of runs as a dictionary, so that a long one is held once."""
    if plain_type(column.type) == column.type:
        return column
    chunks = [plain_array(chunk) for chunk in column.chunks]
    return pa.chunked_array(chunks, None if chunks else plain_type(column.type))


def plain_columns(table: pa.Table, where: str) -> pa.Table:
    """A table with all columns in their plain types, and the metadata of its fields and itself.

    Args:
        table: as it was read.
        where: file for messages.

    Raises:
        InputError: values that many rows share would not fit if each row had its own.
    """
    changed = {}
    for place, field in enumerate(table.schema):
        if plain_type(field.type) != field.type:
            check_repeats(where, field.name, table.column(place))
            changed[place] = plain_column(table.column(place))
    return with_columns(table, changed)


def with_columns(table: pa.Table, changed: Mapping[int, pa.ChunkedArray]) -> pa.Table:
    """A table with other columns at some places, under the names and with the metadata of those before.

    All at once: set one by one, each would copy the list of all columns.
    """
    if not changed:
        return table
    fields = [
        pa.field(field.name, changed[place].type, metadata=field.metadata) if place in changed else field
        for place, field in enumerate(table.schema)
    ]
    columns = [changed.get(place, column) for place, column in enumerate(table.columns)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def without_columns(table: pa.Table, names: Collection[str | None]) -> pa.Table:
    """A table without some columns, dropped at once as above."""
    dropped = set(names)
    return table.select([name for name in table.column_names if name not in dropped]) if dropped else table


def plain_array(array: pa.Array) -> pa.Array:
    """The same values in their plain type."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            texts = [None if value is None else str(uuid.UUID(bytes=value)) for value in array.storage.to_pylist()]
            return pa.array(texts, pa.string())
        if kind.extension_name == "arrow.bool8":
            return pc.not_equal(array.storage, 0)
        return plain_array(array.storage)
    if pa.types.is_run_end_encoded(kind):
        return plain_array(_decoded(array))
    if pa.types.is_dictionary(kind) and kind.value_type in _VIEWS:
        words = array.dictionary.cast(_VIEWS[kind.value_type])
        return pa.DictionaryArray.from_arrays(array.indices, words, ordered=kind.ordered)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return _in_order(array)
    return array.cast(_VIEWS[kind]) if kind in _VIEWS else array


def _in_order(array: Any) -> pa.Array:
    """Views one after the other; pyarrow 26 casts those that stand in another order to a broken list."""
    lengths = pc.list_value_length(array).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return pa.LargeListArray.from_arrays(pa.array(starts), array.flatten(), mask=array.is_null())


def _decoded(array: Any) -> pa.Array:
    """Every value of a run as often as the run is long."""
    ends = np.clip(np.asarray(array.run_ends, np.int64) - array.offset, 0, len(array))
    places = pa.array(np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)))
    values = plain_array(array.values)
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return values.take(places)
    codes = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(codes.indices.take(places), codes.dictionary)


def is_list(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists."""
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def leaf_type(kind: pa.DataType) -> pa.DataType:
    """Type of what lies in the innermost lists."""
    kind = plain_type(kind)
    return leaf_type(kind.value_type) if is_list(kind) else kind


def is_nested(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists of lists."""
    kind = plain_type(kind)
    return is_list(kind) and is_list(plain_type(kind.value_type))


def list_lengths(array: pa.Array) -> np.ndarray:
    """(N,) length of each list; 0 for null."""
    if pa.types.is_fixed_size_list(array.type):
        return np.where(np.asarray(array.is_valid().to_numpy(zero_copy_only=False)), array.type.list_size, 0)
    return np.asarray(pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def flat_lists(array: pa.Array, where: str, name: str) -> pa.Array:
    """Lists of lists as lists of their numbers, one inner list after the other; other lists as they are.

    Args:
        array: of lists, nested or not.
        where: file for messages.
        name: of the column.

    Raises:
        InputError: inner lists differ in length, so that numbers of one place would not mean the same.
    """
    array = plain_array(array)
    if not is_list(array.type) or not is_nested(array.type):
        return array
    outer, inner = list_lengths(array), flat_lists(array.flatten(), where, name)
    lengths = list_lengths(inner)
    if len(lengths) and (lengths != lengths[0]).any():
        raise InputError(
            f"{where}: column {name!r} holds lists of {lengths.min():,} to {lengths.max():,} numbers inside of lists; "
            f"give every row the same shape, such as the mean over its lists, or leave it out (--ignore {name})"
        )
    ends = np.cumsum(outer * (int(lengths[0]) if len(lengths) else 0))
    return pa.LargeListArray.from_arrays(pa.array(np.concatenate([np.zeros(1, np.int64), ends])), inner.flatten())
