"""What the values of one column of a table look like: a numbering of the rows, nothing, one value, the target again."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from skmm_core.data.column_names import is_class_name
from skmm_core.data.table_file import TableFile, is_numeric, is_text
from skmm_core.data.typed_text import encoded, exact_of, floats_of

ROW_NUMBERS = re.compile(
    r"|unnamed: ?\d+(\.\d+)?|index|level_0|row|row_?(number|nr|id)|__index_level_\d+__", re.IGNORECASE
)
_FEW = 10  # rows up to which any column may count them by chance
_LOOK = 16  # values that rule out most columns before all are read
_PAIRS = 256
_LONG = 32  # characters without a space that no word has
_MOST_CLASSES = 100
_OFF = 0.05  # from 1: what rounding to two decimals makes of the sum of a few probabilities


def is_whole(column: pa.ChunkedArray) -> bool:
    """Whether a column holds whole numbers."""
    return bool(pa.types.is_integer(column.type))


def counts_rows(column: pa.ChunkedArray, name: str) -> bool:
    """Whether a column runs 0..N - 1 or 1..N."""
    if not is_numeric(column.type) or pa.types.is_boolean(column.type) or column.null_count:
        return False
    if len(column) <= _FEW and not ROW_NUMBERS.fullmatch(name):
        return False
    start = floats_of(column.slice(0, _LOOK))
    if start[0] not in (0, 1) or not np.array_equal(start, start[0] + np.arange(len(start))):
        return False
    values = floats_of(column)
    return bool(np.array_equal(values, values[0] + np.arange(len(values))))


def is_empty(column: pa.ChunkedArray) -> bool:
    """Whether no row of a column of numbers has one."""
    return bool(np.isnan(floats_of(column.slice(0, _LOOK))).all() and np.isnan(floats_of(column)).all())


def is_constant(column: pa.ChunkedArray) -> bool:
    """Whether all of two rows and more have the same number."""
    if len(column) < 2 or column.null_count:
        return False
    start = exact_of(column.slice(0, _LOOK))
    if not (start == start[0]).all():
        return False
    values = exact_of(column)
    return bool((values == values[0]).all())


def target_codes(file: TableFile, target: str | None) -> np.ndarray | None:
    """(N,) classes of the rows as numbers from 0; None where the target cannot be classes, or rows are few."""
    if target is None or file.rows <= _FEW:
        return None
    column = file.table.column(target)
    if not (is_text(column.type) or is_numeric(column.type)):
        return None
    codes, texts = encoded(column)
    if (codes < 0).any() or not 1 < len(texts) <= len(codes) / 2:
        return None
    return codes


def says_the_same(column: pa.ChunkedArray, codes: np.ndarray) -> bool:
    """Whether each class has one value of the column, and each value one class."""
    return _one_to_one(floats_of(column.slice(0, _PAIRS)), codes[:_PAIRS]) and _one_to_one(floats_of(column), codes)


def _one_to_one(values: np.ndarray, codes: np.ndarray) -> bool:
    if np.isnan(values).any():
        return False
    found, places = np.unique(values, return_inverse=True)
    classes = len(np.unique(codes))
    return len(found) == classes == len(np.unique(places * (int(codes.max()) + 1) + codes))


def may_be_label(column: pa.ChunkedArray) -> bool:
    """Whether a column has few different values, each of them twice and more on average."""
    codes, texts = encoded(column)
    return 1 < len(texts) <= min(_MOST_CLASSES, len(codes) // 2)


def packed_text(column: pa.ChunkedArray) -> str | None:
    """The start of a text that is a list, or numbers packed as base64 or hexadecimal; None where texts are words."""
    for text in column.slice(0, _LOOK).to_pylist() if is_text(column.type) else ():
        word = text and text.strip()
        if word and (word[0] in "[{(" or (len(word) >= _LONG and " " not in word)):
            return str(word[:24])
    return None


def class_columns(table: pa.Table, names: Sequence[str]) -> list[str]:
    """Columns such as label_cat and label_dog that hold 0 or 1, or probabilities, and add up to 1 in every row."""
    names = [name for name in names if is_class_name(name)]
    if len(names) < 2:
        return []
    values = np.stack([floats_of(table.column(name)) for name in names])
    shares = bool(((values >= 0) & (values <= 1)).all())
    return names if shares and bool((np.abs(values.sum(axis=0) - 1) < _OFF).all()) else []
