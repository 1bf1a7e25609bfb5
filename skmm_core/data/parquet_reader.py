"""Parquet files: flat columns are read at once, vectors batch by batch straight into the rows they become."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skmm_core.data.arrow_types import plain_array, plain_columns, plain_type, without_columns
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.named_codes import of_one_code
from skmm_core.data.table_file import (
    TableFile,
    VectorColumn,
    check_names,
    is_bytes,
    is_plain,
    is_text,
    is_vector,
    short,
)
from skmm_core.data.vector_columns import bytes_vector, gather, kind_of_lists, size_of
from skmm_core.data.vector_texts import text_vectors
from skmm_core.errors import InputError

_UNNAMED_INDEX = "__index_level_"
_BATCH_NUMBERS = 500_000
_SAMPLE = 64
_TEXT_ROWS = 4_096
_BUFFER = 1 << 20
ERRORS = (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError)


def read_parquet_files(paths: Sequence[Path], where: str) -> TableFile:
    """Read parquet files of the same columns as one table, text as dictionaries.

    Args:
        paths: in the order of their rows.
        where: name for messages.

    Raises:
        InputError: one is damaged, has other columns than the first, or declares more rows than may be held.
    """
    schemas, metadata = declared(paths)
    schema, rows = schemas[0], sum(each.num_rows for each in metadata)
    check_names([str(name).strip() for name in schema.names], where)
    known = _known_names(schema)
    types = dict(zip(schema.names, schema.types, strict=True))
    plain = [name for name in known.values() if is_plain(plain_type(types[name]))]
    check_array_size(where, (rows, max(1, len(plain))), 8)
    tables, names = of_one_code(_plain_tables(paths, schema, plain), [class_names(each) for each in schemas])
    flat = set(plain)
    table = joined(tables, where).rename_columns([name for name, stored in known.items() if stored in flat])
    others = {name: stored for name, stored in known.items() if stored not in flat}
    vectors = _vectors(paths, metadata, [schema.field(stored) for stored in others.values()], where, rows)
    in_text = text_vectors(where, table)
    index = _index(schema)
    return TableFile(
        where=where,
        rows=rows,
        table=without_columns(table, in_text),
        vectors={**vectors, **in_text},
        unread={name: str(types[stored]) for name, stored in others.items() if name not in vectors},
        described="parquet" if len(paths) == 1 else f"parquet in {len(paths):,} parts",
        class_names=names,
        index=index[0] if len(index) == 1 else None,
        levels=index if len(index) > 1 else (),
    )


def declared(paths: Sequence[Path]) -> tuple[list[pa.Schema], list[Any]]:
    """Schema and metadata of each file; all have the same columns.

    Raises:
        InputError: one is damaged, or has other columns than the first.
    """
    schemas, metadata = [], []
    for path in paths:
        try:
            with pq.ParquetFile(path) as file:
                schemas.append(file.schema_arrow)
                metadata.append(file.metadata)
        except ERRORS as error:
            raise damaged(path.name, "parquet", error) from None
    for path, other in zip(paths, schemas, strict=True):
        if odd := sorted(set(other.names) ^ set(schemas[0].names)):
            raise InputError(f"{path.name}: column {odd[0]!r} is not in all parts; give every part the same columns")
    return schemas, metadata


def _known_names(schema: pa.Schema) -> dict[str, str]:
    """Names of the columns as they are stored, by the names that people know."""
    known = {name.strip(): name for name in schema.names if not name.startswith(_UNNAMED_INDEX)}
    unnamed = f"{_UNNAMED_INDEX}0__"
    if unnamed in schema.names and is_text(schema.field(unnamed).type) and "index" not in known:
        known["index"] = unnamed  # numbers there are those of an earlier table, but text names the rows
    return known


def _plain_tables(paths: Sequence[Path], schema: pa.Schema, names: Sequence[str]) -> list[pa.Table]:
    """Plain columns of each file; text as dictionaries, as a small file can declare a long text in every row."""
    texts = {name for name, kind in zip(schema.names, schema.types, strict=True) if is_text(plain_type(kind))}
    texts &= set(names)
    tables = []
    for path in paths:
        try:
            part = _columns(path, names, texts)
            part.validate(full=True)
            tables.append(plain_columns(part, path.name))
        except ERRORS as error:
            raise damaged(path.name, "parquet", error) from None
    return tables


def _columns(path: Path, names: Sequence[str], texts: Collection[str]) -> pa.Table:
    """Plain columns of a file, text as dictionaries, also where pyarrow cannot decode it as such.

    That is so of lengths stored as differences, which DuckDB writes with `parquet_version v2`.
    """
    try:
        with pq.ParquetFile(path, read_dictionary=list(texts)) as file:
            return file.read(columns=names).select(names)
    except (pa.ArrowNotImplementedError, OSError) as error:
        if "ot yet implemented" not in str(error):
            raise
        with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            parts = [_with_dictionaries(batch, texts) for batch in file.iter_batches(_TEXT_ROWS, columns=list(names))]
            return pa.concat_tables(parts or [file.schema_arrow.empty_table().select(names)]).select(names)


def _with_dictionaries(batch: pa.RecordBatch, texts: Collection[str]) -> pa.Table:
    columns = [
        column.dictionary_encode() if name in texts else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.table(columns, names=batch.schema.names)


def row_count(path: Path) -> int:
    """Rows of a parquet file that was read before."""
    return int(pq.read_metadata(path).num_rows)


def joined(tables: Sequence[pa.Table], where: str) -> pa.Table:
    """Tables one below the other.

    Raises:
        InputError: a column has types that do not go together.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    except pa.ArrowException as error:
        raise InputError(f"{where}: its parts do not fit each other ({short(error)}); save them alike") from None


def damaged(name: str, kind: str, error: Exception) -> InputError:
    """What to say of a file that a library cannot read."""
    if "spanned by list offsets" in str(error):  # DuckDB's null arrays, which polars reads and pyarrow does not
        return InputError(
            f"{name}: pyarrow cannot read a column of arrays with nulls as DuckDB writes it; write lists instead, such "
            "as COPY (SELECT * REPLACE (vector::FLOAT[] AS vector) FROM …), or leave these rows out"
        )
    return InputError(f"{name} is truncated or not a {kind} file ({short(error)}); copy it again, or save it again")


def class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Class names that the library datasets keeps in the metadata of a schema, by column."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return feature_names(features)


def feature_names(features: Any) -> dict[str, tuple[str, ...]]:
    """Class names by column, from the features that the library datasets describes."""
    found = {}
    for name, feature in features.items() if isinstance(features, dict) else ():
        names = feature.get("names") if isinstance(feature, dict) else None
        if isinstance(names, dict):  # older files number them
            names = [names[key] for key in sorted(names, key=lambda key: int(key) if str(key).isdecimal() else 0)]
        if isinstance(names, list) and names and all(isinstance(each, str) for each in names):
            found[str(name).strip()] = tuple(names)
    return found


def _index(schema: pa.Schema) -> tuple[str, ...]:
    """The named columns that pandas wrote as the levels of its index."""
    try:
        columns = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))["index_columns"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    named = [name for name in columns if isinstance(name, str) and not name.startswith(_UNNAMED_INDEX)]
    return tuple(name.strip() for name in named)


def _vectors(
    paths: Sequence[Path], metadata: Sequence[Any], fields: Sequence[pa.Field], where: str, rows: int
) -> dict[str, VectorColumn]:
    """The columns of lists or bytes of one length a row, by name."""
    fields = [field for field in fields if is_vector(field.type) or is_bytes(plain_type(field.type))]
    if not fields:
        return {}
    names = [field.name for field in fields]
    leaves = _leaves(metadata, names, where)
    for name in names:
        check_array_size(f"{where} {name.strip()}", (leaves[name],), 4)
    sizes = _first_sizes(paths, metadata, names)
    found = {field.name.strip(): _vector(paths, field, where, rows, sizes[field.name], leaves) for field in fields}
    return {name: vector for name, vector in found.items() if vector is not None}


def _vector(
    paths: Sequence[Path], field: pa.Field, where: str, rows: int, size: int | None, leaves: Mapping[str, int]
) -> VectorColumn | None:
    name = field.name.strip()
    if not size:
        return None
    if not is_vector(field.type):
        return bytes_vector(where, name, rows, size, lambda: _batches(paths, field.name, size), field)
    if not _has_one_length(size, rows, leaves[field.name]):
        return None
    return VectorColumn(
        size, kind_of_lists(field.type), lambda _: gather(where, name, rows, size, _batches(paths, field.name, size))
    )


def _first_sizes(paths: Sequence[Path], metadata: Sequence[Any], names: Sequence[str]) -> dict[str, int | None]:
    """Length of the first values of each column; None where they differ or there are none.

    Every file is opened once, which takes as long as it has columns.
    """
    found: dict[str, int | None] = {}
    for path, known in zip(paths, metadata, strict=True):
        try:
            with pq.ParquetFile(path, metadata=known, buffer_size=_BUFFER, pre_buffer=False) as file:
                for name in (name for name in names if name not in found):
                    for batch in file.iter_batches(_SAMPLE, columns=[name]):
                        if batch.column(0).null_count < len(batch):
                            found[name] = size_of(plain_array(batch.column(0)))
                            break
        except ERRORS as error:
            raise damaged(path.name, "parquet", error) from None
    return dict.fromkeys(names) | found


def _leaves(metadata: Sequence[Any], names: Sequence[str], where: str) -> Mapping[str, int]:
    """Numbers that each of some columns declares in all, with one for each list that is null or empty."""
    found = dict.fromkeys(names, 0)
    try:
        for file in metadata:
            for group in map(file.row_group, range(file.num_row_groups)):
                for chunk in map(group.column, range(group.num_columns)):
                    steps = chunk.path_in_schema.split(".")  # a name may have dots too
                    starts = (".".join(steps[:count]) for count in range(len(steps), 0, -1))
                    if name := next((start for start in starts if start in found), None):
                        found[name] += chunk.num_values
    except ERRORS as error:
        raise damaged(where, "parquet", error) from None
    return found


def _has_one_length(size: int, rows: int, leaves: int) -> bool:
    """Whether the count of numbers goes with lists of one length, but for a tenth of the rows."""
    return abs(leaves - rows * size) <= 0.1 * rows * size or leaves < rows * size


def _batches(paths: Sequence[Path], name: str, size: int) -> Iterator[pa.Array]:
    """The column in blocks; pages are read one after another, so that the file is never held whole."""
    for path in paths:
        try:
            with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
                for batch in file.iter_batches(max(1, _BATCH_NUMBERS // size), columns=[name]):
                    column = batch.column(0)
                    column.validate(full=True)
                    yield plain_array(column)
        except ERRORS as error:
            raise damaged(path.name, "parquet", error) from None


def parquet_names(path: Path) -> list[str]:
    """Names of the columns, from the schema alone.

    Raises:
        InputError: it cannot be read.
    """
    try:
        schema = pq.read_schema(path)
    except ERRORS as error:
        raise damaged(path.name, "parquet", error) from None
    return [str(name).strip() for name in schema.names if not name.startswith(_UNNAMED_INDEX)]
