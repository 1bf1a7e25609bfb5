"""One reader a table format (csv, parquet): a file comes in, named columns go out."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from skmm_core.data.file_limits import check_array_size, check_columns
from skmm_core.errors import InputError

_HEADER_BYTES = 8 << 20
_BLOCK_BYTES = 16 << 20
_MAX_BLOCK = (1 << 31) - 1


def read_csv(path: Path, notes: list[str]) -> pa.Table:
    """Parse a csv file.

    Args:
        path: of a file that was checked by :func:`skmm_core.data.file_limits.check_file`.
        notes: what a person should know is added here.

    Raises:
        InputError: it cannot be parsed; names the line or column.
    """
    header, delimiter = _read_header(path)
    check_names(header, path.name)
    if delimiter != ",":
        notes.append(f"{path.name}: columns are separated by {'tabs' if delimiter == chr(9) else repr(delimiter)}.")
    try:
        table = _parse_csv(path, delimiter, _BLOCK_BYTES)
    except pa.ArrowInvalid as error:
        line = _ragged_line(path, delimiter, len(header))
        if line is not None:
            raise InputError(f"{path.name}, {line}; correct that line") from None
        # Types are taken from the first block; a later one may not fit, so take them from the whole file.
        try:
            table = _parse_csv(path, delimiter, min(path.stat().st_size + 1, _MAX_BLOCK))
        except pa.ArrowInvalid:
            raise InputError(f"{path.name} is not a readable csv file ({_short(error)}); save it again") from None
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        if pa.types.is_binary(kind):
            raise InputError(f"{path.name}: column {name!r} is not UTF-8 text; save the file with the encoding UTF-8")
    return table


def read_parquet(path: Path) -> tuple[pa.Table, dict[str, str]]:
    """Read the columns of a parquet file, text as dictionaries.

    Returns:
        The table, and the types by name of the columns that were not read.

    Raises:
        InputError: it is damaged, or declares more rows than may be held.
    """
    try:
        with pq.ParquetFile(path) as file:
            kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
            check_names(list(file.schema_arrow.names), path.name)
            # An index that pandas wrote along is no data; nested and binary columns are named but never read.
            named = [name for name in kinds if not name.startswith("__index_level_")]
            texts = [name for name in named if is_text(kinds[name])]
            flat = [name for name in named if is_numeric(kinds[name]) or pa.types.is_temporal(kinds[name])]
            check_array_size(path.name, (file.metadata.num_rows, max(1, len(flat))), 8)
        # Text is kept as a dictionary: a small file can declare a long text repeated in every row.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=[name for name in named if name in {*flat, *texts}])
            table.validate(full=True)
            return table, {name: str(kinds[name]) for name in named if name not in {*flat, *texts}}
    except (pa.ArrowException, OSError, UnicodeError, MemoryError, OverflowError) as error:
        raise InputError(
            f"{path.name} is truncated or not a parquet file ({_short(error)}); copy it again, or save it again"
        ) from None


def check_names(names: list[str], where: str) -> None:
    """Refuse too many columns, or two of one name.

    Raises:
        InputError: either; names the column.
    """
    check_columns(where, len(names))
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{where} has two columns called {name!r}; give every column its own name")
        seen.add(name)


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:8])
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this type can be a feature."""
    types = pa.types
    if types.is_dictionary(kind):
        return is_numeric(kind.value_type)
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text, plain or as a dictionary."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _parse_csv(path: Path, delimiter: str, block: int) -> pa.Table:
    return pa_csv.read_csv(
        path,
        read_options=pa_csv.ReadOptions(block_size=block),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
    )


def _read_header(path: Path) -> tuple[list[str], str]:
    """Column names, and what separates them."""
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(_HEADER_BYTES), b"")
        line = next((line for line in lines if line.strip(b"\r\n")), b"").strip(b"\r\n").split(b"\r")[0]
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is UTF-16 text; save the file with the encoding UTF-8")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: line 1 is not UTF-8 text; save the file with the encoding UTF-8") from None
    delimiter = next((mark for mark in ",;\t" if mark in text), ",")
    try:
        names = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{path.name}: line 1 does not hold column names ({_short(error)}); correct it") from None
    numbers = [name for name in names if _is_number(name)]
    if names and len(numbers) == len(names) and not all(name.isdecimal() for name in names):
        raise InputError(f"{path.name}: line 1 holds numbers ({listed(names)}); put the names of the columns there")
    return names, delimiter


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ragged_line(path: Path, delimiter: str, width: int) -> str | None:
    """Where a line has another number of fields than the header, in words, or None."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            for fields in reader:
                if fields and len(fields) != width:
                    return f"line {reader.line_num}: {len(fields)} fields, but the header has {width}"
    except (UnicodeDecodeError, csv.Error):
        return None
    return None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
