"""Types of Arrow that stand for plainer ones: views, runs, and the extensions that DuckDB, polars and others write."""

import math
import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_JSON, _TRUTH, _UUID, _TENSOR = "arrow.json", "arrow.bool8", "arrow.uuid", "arrow.fixed_shape_tensor"


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type as which a column is read: text of a uuid, a list of a tensor with one axis, and so on."""
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(kind)
    if pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_dictionary(kind) and pa.types.is_string_view(kind.value_type):
        return pa.dictionary(kind.index_type, pa.large_string(), kind.ordered)
    if pa.types.is_string_view(kind):  # which pyarrow can hold, but not filter
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return pa.large_list(kind.value_type)
    return kind


def _of_extension(kind: Any) -> pa.DataType:
    if kind.extension_name == _UUID:
        return pa.string()
    if kind.extension_name == _TRUTH:
        return pa.bool_()
    one_axis = kind.extension_name == _TENSOR and max(kind.shape, default=0) == math.prod(kind.shape)
    return kind.storage_type if one_axis or kind.extension_name == _JSON else kind


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema with plain types; names and metadata stay."""
    return pa.schema([field.with_type(plain_type(field.type)) for field in schema], schema.metadata)


def plain_table(table: pa.Table) -> pa.Table:
    """The table with plain columns."""
    columns = [
        column
        if plain_type(column.type) == column.type
        else pa.chunked_array([plain_array(chunk) for chunk in column.chunks], plain_type(column.type))
        for column in table.columns
    ]
    return pa.table(columns, schema=plain_schema(table.schema))


def plain_array(array: pa.Array) -> pa.Array:
    """The array as its plain type."""
    kind = plain_type(array.type)
    if kind == array.type:
        return array
    if pa.types.is_run_end_encoded(array.type):
        return plain_array(pc.run_end_decode(array))
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(
            array.indices, array.dictionary.cast(pa.large_string()), ordered=kind.ordered
        )
    if pa.types.is_large_list(kind):  # pyarrow 26 casts views that stand in another order to a broken list
        lengths = pc.list_value_length(array).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return pa.LargeListArray.from_arrays(pa.array(starts), array.flatten(), mask=array.is_null())
    if not isinstance(array.type, pa.BaseExtensionType):
        return array.cast(kind)
    if array.type.extension_name == _UUID:
        texts = [None if each is None else str(uuid.UUID(bytes=each)) for each in array.storage.to_pylist()]
        return pa.array(texts, kind)
    return array.storage.cast(kind)
