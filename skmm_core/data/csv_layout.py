"""How a csv file is laid out: what separates its columns, whether line 1 names them, how numbers are written."""

import csv
import io
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.table_file import short
from skmm_core.data.text_encoding import not_utf8
from skmm_core.errors import InputError

csv.field_size_limit((1 << 31) - 1)  # a text may be longer than the 131,072 characters that csv expects
_HEADER_BYTES = 8 << 20
_SAMPLE_LINES = 60
_SAMPLE_BYTES = 32 << 20
_MARKS = "\t;,|"
_SEP = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"\s*[-+]?\d+,\d+(?:[eE][-+]?\d+)?\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(?:,\d{3})+\s*")
_POINT_THOUSANDS = re.compile(r"\s*[-+]?[1-9]\d{0,2}(?:\.\d{3})+\s*")
_POINT_NUMBER = re.compile(r"\s*[-+]?\d*\.\d+(?:[eE][-+]?\d+)?\s*")
_AGREEING = 0.9  # of the lines have as many fields as the first


@dataclass(frozen=True)
class CsvLayout:
    """How to read a csv file.

    Attributes:
        delimiter: one character.
        names: of the columns, stripped; made up where the file has none.
        header: whether the first line names the columns.
        start: byte of the first line that counts.
        decimal: mark before the decimals, "." or ",".
        padded: whether spaces stand around the fields.
        comments: whether lines that begin with # stand before the first one.
        doubtful: whether the line of names could be a row as well.
    """

    delimiter: str
    names: list[str]
    header: bool
    start: int
    decimal: str
    padded: bool
    comments: bool = False
    doubtful: bool = False

    @property
    def described(self) -> str:
        """In words, what is not as in most files."""
        mark = "tabs" if self.delimiter == "\t" else repr(self.delimiter)
        parts = [f"columns are separated by {mark}"] if self.delimiter != "," else []
        parts += ["numbers have a decimal comma"] if self.decimal == "," else []
        parts += [] if self.header else ["line 1 names no columns"]
        parts += ["lines before that begin with '#' are left out"] if self.comments else []
        return ", ".join(parts)


def csv_layout(path: Path, where: str) -> CsvLayout:
    """Look at the first lines of a csv file.

    Args:
        path: of the plain file.
        where: name for messages.

    Raises:
        InputError: the first line is not UTF-8 text, or is no line of a csv file, or columns are aligned with spaces.
    """
    lines, start, stated = _first_lines(path, where)
    lines, comments = _without_comments(lines)
    start += comments
    delimiter = stated or _delimiter(lines)
    if delimiter == "," and _is_aligned(lines):
        raise InputError(
            f"{where}: its columns seem to be separated by spaces; save it with commas, semicolons or tabs between them"
        )
    rows = _rows(lines, delimiter)
    try:
        first = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{where}: line 1 does not hold column names ({short(error)}); correct it") from None
    header = _is_header(first, [row for row in rows[1:] if len(row) == len(first)])
    names = [name.strip() for name in first] if header else [f"column {number + 1}" for number in range(len(first))]
    if header and names and names[0].startswith("#"):  # as np.savetxt writes them
        names[0] = names[0].removeprefix("#").strip()
    body = [field for row in (rows[1:] if header else rows) for field in row]
    commas = any(_COMMA_NUMBER.fullmatch(field) for field in body)
    if delimiter == ",":  # then 1,234 in quotes is a thousand and more
        commas = any(_COMMA_NUMBER.fullmatch(field) and not _THOUSANDS.fullmatch(field) for field in body)
    points = any(_POINT_NUMBER.fullmatch(field) for field in body)
    if delimiter != "," and commas:  # then 1.234 is a thousand and more
        points = any(_POINT_NUMBER.fullmatch(field) and not _POINT_THOUSANDS.fullmatch(field) for field in body)
    padded = any(field != field.strip() for field in [*first, *body])
    doubtful = header and _may_be_a_row(first, rows[1:])
    return CsvLayout(
        delimiter, names, header, start, "," if commas and not points else ".", padded, comments > 0, doubtful
    )


def _first_lines(path: Path, where: str) -> tuple[list[str], int, str | None]:
    """The first lines with something in them, the byte where they start, and the separator that `sep=` states."""
    with path.open("rb") as file:
        raw = list(itertools.takewhile(bool, (file.readline(_HEADER_BYTES) for _ in range(_SAMPLE_LINES))))
    joined, size = [], 0
    for number, line in enumerate(raw):
        size += len(line)
        if number and size > _SAMPLE_BYTES:
            break
        try:
            joined.append(line.decode())
        except UnicodeDecodeError:
            if number == 0:
                raise not_utf8(path, where) or InputError(f"{where}: line 1 is too long; correct it") from None
            break  # found again where the whole file is parsed
    lines = [part for line in joined for part in io.StringIO(line, newline="")]
    start, stated = 0, None
    while lines and (
        not lines[0].strip("\r\n\ufeff") or (stated is None and _SEP.fullmatch(lines[0].strip("\r\n\ufeff")))
    ):
        text = lines.pop(0)
        start += len(text.encode())
        found = _SEP.fullmatch(text.strip("\r\n\ufeff"))
        stated = found.group(1) if found else stated
    return lines, start, stated


def _without_comments(lines: list[str]) -> tuple[list[str], int]:
    """The lines from the names of the columns on, and the bytes before: lines that begin with # say other things.

    The last of these holds the names where the line below is a row with as many fields, as np.savetxt writes it.
    """
    raw, lines = lines, [line.removeprefix("\ufeff") for line in lines]
    count = len(list(itertools.takewhile(lambda line: line.startswith("#"), lines)))
    if not count or count == len(lines):
        return lines, 0
    rest = lines[count:]
    delimiter = _delimiter(rest)
    width = len(next(iter(_rows(rest[:1], delimiter)), []))
    named = _rows(lines[count - 1 : count], delimiter)
    body = _rows(rest, delimiter)
    first = body[0] if body else []
    if [len(row) for row in named] == [width] and not _is_header(first, [row for row in body[1:] if len(row) == width]):
        count -= 1
    return lines[count:], sum(len(line.encode()) for line in raw[:count])


def _is_aligned(lines: list[str]) -> bool:
    """Whether spaces alone separate columns: line 1 has a word for each number below, or all but the first."""
    rows = [line.split() for line in lines if line.strip()]
    if len(rows) < 2 or len(rows[0]) < 2 or any(map(_is_number, rows[0])):
        return False
    widths = {len(row) for row in rows[1:]}
    numbers = all(_is_number(field) for row in rows[1:] for field in row[1:2])
    return len(widths) == 1 and widths <= {len(rows[0]), len(rows[0]) + 1} and numbers


def _may_be_a_row(first: list[str], rows: list[list[str]]) -> bool:
    """Whether names of columns are numbers, some of them between words, or all of them above whole numbers alone."""
    named = [field.strip() for field in first if field.strip()]
    numbers = [field for field in named if _is_number(field)]
    if numbers and len(numbers) < len(named):
        return True
    return bool(numbers) and bool(rows) and all(field.strip().isdecimal() for row in rows for field in row)


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []


def _delimiter(lines: list[str]) -> str:
    """The mark that splits all lines into as many fields; the first one of line 1 where none does."""
    for mark in _MARKS:
        rows = _rows(lines, mark)
        width = len(rows[0]) if rows else 0
        if width > 1 and sum(len(row) == width for row in rows) >= _AGREEING * len(rows):
            return mark
    first = lines[0] if lines else ""
    return next((mark for mark in ",;\t" if mark in first), ",")


def _is_header(first: list[str], rows: list[list[str]]) -> bool:
    """Whether the fields of line 1 name columns rather than being values of a row."""
    numbers = [_is_number(field) for field in first]
    if not any(numbers):
        return not _is_text_row(first, rows)
    if any(
        not number and field.strip() and column and all(_is_number(other) for other in column)
        for number, field, column in zip(numbers, first, _columns(first, rows), strict=True)
    ):
        return True  # a word above numbers
    values = [field.strip() for field, number in zip(first, numbers, strict=True) if number]
    if not all(value.isdecimal() for value in values):
        return False
    steps = {int(after) - int(before) for before, after in itertools.pairwise(values)}
    counted = not steps or (len(steps) == 1 and steps != {0})
    return counted and not _is_text_row(first, rows)


def _is_text_row(first: list[str], rows: list[list[str]]) -> bool:
    """Whether a text of line 1 stands again in its column, or is a vector, as no name of a column is."""
    for field, column in zip(first, _columns(first, rows), strict=True):
        text = field.strip()
        if not text or _is_number(text):
            continue
        if text in {other.strip() for other in column} or text[0] in "[(" or all(map(_is_number, text.split())):
            return True
    return False


def _columns(first: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Fields below each field of line 1, but for empty ones."""
    return [[row[place] for row in rows if row[place].strip()] for place in range(len(first))]


def _is_number(text: str) -> bool:
    text = text.strip()
    if _COMMA_NUMBER.fullmatch(text):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
