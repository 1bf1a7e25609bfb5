"""A table as a reader hands it on: plain columns, columns of vectors, and what else the file says of them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_types import is_list, leaf_type, plain_type
from skmm_core.data.file_limits import check_columns
from skmm_core.errors import InputError

AsText = Callable[[str], bool]  # whether the column of a name is read digit by digit


@dataclass(frozen=True)
class VectorColumn:
    """A column with many numbers a row, read when it is needed.

    Attributes:
        size: numbers a row; bytes a row where the file does not say what they are.
        kind: of its type, for messages.
        read: gives the (N, d) float32 rows, NaN in rows without a vector; of bytes, takes their dtype.
        dtype: type of the numbers where the column holds bytes and the file says what they are.
        is_bytes: whether the column holds bytes.
    """

    size: int
    kind: str
    read: Callable[[str | None], np.ndarray]
    dtype: str | None = None
    is_bytes: bool = False


@dataclass(frozen=True)
class TableFile:
    """A file with columns, or one split of it.

    Attributes:
        where: name for messages.
        rows: N.
        table: N rows of plain columns: numbers, text, times.
        vectors: columns of vectors by name.
        unread: types of the columns that are not read, by name.
        notes: what a person should know of the reading.
        class_names: class names by code, of columns for which the file has them.
        index: column of row names that the file marks as such, or None.
        levels: columns that name the rows together, as the file says; empty where none or one does.
        order: (N,) 0-based row or line of the file for each row, or None where they are in its order.
        described: the format in words, such as "csv, columns separated by ';'".
        held: splits of the file that are never picked from, by "validation" and "test".
        unnamed: whether the file has no names for its columns.
        decimal: mark before decimals in text, "." or ","; empty where a format knows no text.
        untyped: whether the format knows no types, so that text which is a number is one.
        set_aside: why columns are features only when asked for, by name.
    """

    where: str
    rows: int
    table: pa.Table
    described: str
    vectors: Mapping[str, VectorColumn] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: str | None = None
    levels: tuple[str, ...] = ()
    order: np.ndarray | None = None
    held: Mapping[str, "TableFile"] = field(default_factory=dict)
    unnamed: bool = False
    decimal: str = ""
    untyped: bool = False
    set_aside: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [*self.table.column_names, *self.vectors, *self.unread]


@dataclass(frozen=True)
class Reader:
    """How one format is read; a module of readers has one for each of its formats in `READERS`, by key.

    Attributes:
        read: gives the table of a path; None of a format of named arrays, which are no table.
        names: gives the names of columns or arrays of a file without reading all; None where that takes a reading.
        finds: whether a path is of this format, where names of files do not tell it.
    """

    read: Callable[[Path, AsText], TableFile] | None = None
    names: Callable[[Path], list[str]] | None = None
    finds: Callable[[Path], bool] | None = None


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


def split_names(file: TableFile, text: str | None) -> list[str]:
    """Names of columns as a person lists them: one, or several with commas between; none where nothing is asked."""
    if text is None:
        return []
    whole = text.strip()
    return [whole] if whole in file.names else [name.strip() for name in whole.split(",") if name.strip()]


def named_columns(file: TableFile, text: str | None, flag: str) -> list[str]:
    """The columns that a person lists under a flag; none where nothing is asked.

    Raises:
        InputError: one of them is not there.
    """
    names = split_names(file, text)
    known = set(file.names)
    for name in names:
        if name not in known:
            raise InputError(f"{file.where} has no column {name!r} for --{flag}; it has {listed(file.names)}")
    return names


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


def is_plain(kind: pa.DataType) -> bool:
    """Whether a column of this type holds one thing a row: a number, a text, a time, or nothing."""
    return is_numeric(kind) or is_text(kind) or bool(pa.types.is_temporal(kind) or pa.types.is_null(kind))


def is_vector(kind: pa.DataType) -> bool:
    """Whether a column of this type holds lists of numbers, also lists of such lists."""
    leaf = leaf_type(kind)
    return is_list(plain_type(kind)) and bool(pa.types.is_integer(leaf) or pa.types.is_floating(leaf))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a column of this type holds bytes."""
    types = pa.types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def short(error: Exception) -> str:
    """The start of an error's text, in one line of characters that can be shown."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", str(error)).split())[:120]
