"""Tables as text: a csv or tsv file comes in, named columns go out."""

import csv
import itertools
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from skmm_core.data.arrow_types import with_columns, without_columns
from skmm_core.data.csv_layout import CsvLayout, csv_layout
from skmm_core.data.formats import kind_of
from skmm_core.data.how_read import quoted
from skmm_core.data.table_file import AsText, Reader, TableFile, check_names, is_text, short
from skmm_core.data.text_encoding import not_utf8, utf8_file
from skmm_core.data.typed_text import without_marks
from skmm_core.data.unpacked import plain_file
from skmm_core.data.vector_texts import text_vectors
from skmm_core.errors import InputError

_BLOCK_BYTES = 16 << 20
_DOUBT = "line 1 is taken for names of columns, though it holds numbers"
_SCAN_BYTES = 4 << 20
_MAX_BLOCK = (1 << 31) - 1


def read_csv(path: Path, as_text: AsText) -> pa.Table:
    """Parse a plain csv file.

    Args:
        path: of a file that was checked by :func:`skmm_core.data.file_limits.check_file`.
        as_text: whether the column of a name is read digit by digit.

    Raises:
        InputError: it cannot be parsed; names the line or column.
    """
    return _parsed(path, path.name, as_text)[0]


def read_csv_file(path: Path, as_text: AsText) -> TableFile:
    """Read a csv or tsv file, packed or not.

    Raises:
        InputError: it cannot be parsed; names the line or column.
    """
    with plain_file(path) as plain:
        table, layout, encoding = _parsed(plain, path.name, as_text)
    vectors = text_vectors(path.name, table)
    plain, marked = _plain_numbers(without_columns(table, vectors), layout, as_text)
    return TableFile(
        where=path.name,
        rows=table.num_rows,
        table=plain,
        vectors=vectors,
        described=", ".join(filter(None, (kind_of(path).lstrip("."), encoding, layout.described))),
        notes=tuple(f"{path.name}: {told}." for told in (marked, _DOUBT if layout.doubtful else "") if told),
        decimal=layout.decimal,
        unnamed=not layout.header,
        untyped=True,
    )


def csv_names(path: Path) -> list[str]:
    """Names of the columns, from the first lines alone.

    Raises:
        InputError: these cannot be read.
    """
    with plain_file(path) as plain, utf8_file(plain, path.name) as (text, _):
        return csv_layout(text, path.name).names


def _parsed(plain: Path, where: str, as_text: AsText) -> tuple[pa.Table, CsvLayout, str | None]:
    """The table of a file, how it is laid out, and its encoding where that is not UTF-8."""
    with utf8_file(plain, where) as (path, encoding):
        layout = csv_layout(path, where)
        return _parsed_utf8(path, where, layout, as_text), layout, encoding


def _parsed_utf8(path: Path, where: str, layout: CsvLayout, as_text: AsText) -> pa.Table:
    check_names(layout.names, where)
    texts = {name for name in layout.names if as_text(name)}
    try:
        table = _parse(path, layout, texts, _BLOCK_BYTES)
    except pa.ArrowInvalid:
        if (refusal := not_utf8(path, where)) is not None:
            raise refusal from None
        line = _ragged_line(path, layout)
        if line is not None:
            raise InputError(f"{where}, {line}; correct that line") from None
        if layout.header and _ends_with_line_1(path, layout):
            raise InputError(f"{where} has a header but no rows; add the data") from None
        # Types are taken from the first block; a later one may not fit, so take them from the whole file.
        try:
            table = _parse(path, layout, texts, min(path.stat().st_size + 1, _MAX_BLOCK))
        except pa.ArrowInvalid as error:
            raise InputError(f"{where} is not a readable csv file ({short(error)}); save it again") from None
    if any(map(pa.types.is_binary, table.schema.types)):
        refusal = not_utf8(path, where)
        raise refusal or InputError(f"{where} holds something else than text; save the file with the encoding UTF-8")
    table = table.rename_columns(layout.names)
    return _trimmed(table) if layout.padded else table


def _parse(path: Path, layout: CsvLayout, texts: Collection[str], block: int) -> pa.Table:
    with pa.OSFile(str(path)) as source:
        source.seek(layout.start)
        # Columns that are read as text are named by their place, as the file's own names may have spaces around them.
        names = [f"{place}" for place in range(len(layout.names))]
        return pa_csv.read_csv(
            source,
            read_options=pa_csv.ReadOptions(
                block_size=block, column_names=names, skip_rows_after_names=int(layout.header)
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=lines_end_in_quotes(path, layout.start)
            ),
            convert_options=pa_csv.ConvertOptions(
                decimal_point=layout.decimal,
                column_types={str(place): pa.string() for place, name in enumerate(layout.names) if name in texts},
            ),
        )


def lines_end_in_quotes(path: Path, start: int) -> bool:
    """Whether an end of a line stands inside quotes; where none does, pyarrow parses a fourth faster.

    Args:
        path: of a plain file.
        start: byte of the first line that counts.
    """
    open_quote = 0
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(_SCAN_BYTES):
            if not open_quote and b'"' not in block:
                continue
            codes = np.frombuffer(block, np.uint8)
            quotes = np.flatnonzero(codes == ord('"'))
            ends = np.flatnonzero((codes == ord("\n")) | (codes == ord("\r")))
            if ((np.searchsorted(quotes, ends) + open_quote) % 2).any():
                return True
            open_quote = (open_quote + len(quotes)) % 2
    return bool(open_quote)


def _plain_numbers(table: pa.Table, layout: CsvLayout, as_text: AsText) -> tuple[pa.Table, str]:
    """The table without marks between thousands, and what to say of it; ids and targets stay as they are."""
    changed = {}
    for place, name in enumerate(table.column_names):
        column = table.column(place)
        plain = column if as_text(name) else without_marks(column, layout.decimal)
        if plain is not column:
            changed[place] = plain
    names = table.column_names
    marked = [names[place] for place in changed]
    between = "points" if layout.decimal == "," else "commas"
    return with_columns(
        table, changed
    ), f"{between} between thousands are left out in {quoted(marked)}" if marked else ""


def _trimmed(table: pa.Table) -> pa.Table:
    texts = {place: column for place, column in enumerate(table.columns) if is_text(column.type)}
    return with_columns(table, {place: pc.utf8_trim_whitespace(column) for place, column in texts.items()})


def _ends_with_line_1(path: Path, layout: CsvLayout) -> bool:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        file.seek(layout.start)
        rows = (fields for fields in csv.reader(file, delimiter=layout.delimiter) if fields)
        return len(list(itertools.islice(rows, 2))) < 2


def _ragged_line(path: Path, layout: CsvLayout) -> str | None:
    """Where a line has another number of fields than the header, in words, or None."""
    width = len(layout.names)
    first = "the header" if layout.header else "line 1"
    try:
        with path.open("rb") as raw:
            skipped = raw.read(layout.start).count(b"\n")
        with path.open(encoding="utf-8-sig", newline="") as file:
            file.seek(layout.start)
            reader = csv.reader(file, delimiter=layout.delimiter)
            for fields in reader:
                if fields and len(fields) != width:
                    return f"line {reader.line_num + skipped}: {len(fields)} fields, but {first} has {width}"
    except (UnicodeDecodeError, csv.Error):
        return None
    return None


READERS = {"csv": Reader(read_csv_file, csv_names)}
