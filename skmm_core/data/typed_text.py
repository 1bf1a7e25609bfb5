"""Text that stands for numbers: read as a person would, so that codes keep their zeros and numbers count."""

import re
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from skmm_core.data.table_file import is_text

_NOTHING = {"", "nan", "NaN", "null", "NULL", "<NA>", "#N/A"}
_CODE = re.compile(r"[-+]?0\d")  # 007 is a code, 0.7 is none
_COMMA = re.compile(r"[-+]?\d+,\d+")
_GROUPED = re.compile(r"[-+]?\d{1,3}(\.\d{3})+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")
_MARKED = {  # numbers with marks between thousands, by their decimal mark
    ".": re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?"),
    ",": re.compile(r"[-+]?(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)(?:,\d*)?(?:[eE][-+]?\d+)?"),
}
_TRUTH = {"true", "false"}
_LOOK = 16


def encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Text by code: each text is held once however often it occurs, without spaces around it.

    Args:
        column: (N,) text, or anything that has a text.

    Returns:
        (N,) int64 codes, -1 where nothing or a word for nothing stands, and the text of each code.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    codes = dictionary_codes(array)
    places: dict[str, int] = {}
    moved = np.full(len(array.dictionary) + 1, -1, np.int64)  # the last place is that of null
    for code, item in enumerate(array.dictionary.to_pylist()):
        text = "" if item is None else str(item).strip()
        if text not in _NOTHING:
            moved[code] = places.setdefault(text, len(places))
    return moved[codes], list(places)


def dictionary_codes(array: pa.DictionaryArray) -> np.ndarray:
    """(N,) int64 places in the dictionary, -1 for null; polars counts them without a sign."""
    return np.asarray(array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False))


def typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column as whole numbers, numbers or truth values where every text is one, else as it is.

    Codes with leading zeros stay text, and so do texts such as 1,234, which may be a thousand and more or one and more.
    """
    if not is_text(column.type) or not _may_be_typed(column):
        return column
    codes, texts = encoded(column)
    if not texts:
        return column
    values = _values(texts)
    if values is None:
        return column
    gone = codes < 0
    return pa.chunked_array([pa.array(values[np.where(gone, 0, codes)], mask=gone)])


def _may_be_typed(column: pa.ChunkedArray) -> bool:
    """Whether the first texts are numbers or truth values, which few columns of text are."""
    words = {str(text).strip() for text in column.slice(0, _LOOK).to_pylist() if text is not None} - _NOTHING
    return _values(list(words)) is not None if words else True


def _values(texts: list[str]) -> np.ndarray | None:
    """Different texts as numbers or truth values; None where one of them is neither."""
    if {text.lower() for text in texts} <= _TRUTH:
        return np.array([text.lower() == "true" for text in texts])
    if any(_CODE.match(text) for text in texts):
        return None
    if any("x" in text or "X" in text for text in texts):
        return None  # pyarrow takes 0x1f for 31
    commas = [text for text in texts if "," in text]
    if commas and 2 * sum(bool(_THOUSANDS.fullmatch(text)) for text in commas) > len(commas):
        return None
    if any(_COMMA.fullmatch(text) or _GROUPED.fullmatch(text) for text in texts):
        texts = [text.replace(".", "") if _GROUPED.fullmatch(text) else text for text in texts]
        texts = [text.replace(",", ".", 1) for text in texts]
    array = pa.array(texts, pa.string())
    for kind in (pa.int64(), pa.float64()):
        try:
            return np.asarray(array.cast(kind).to_numpy())
        except pa.ArrowInvalid:
            continue
    return None


def without_marks(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray:
    """A column whose texts are all numbers with the decimal mark of their file, in plain writing; others as they are.

    Args:
        column: (N,) text.
        decimal: "." or ","; the other one may stand between thousands.
    """
    if not is_text(column.type) or not _are_marked(column.slice(0, _LOOK).unique().to_pylist(), decimal):
        return column
    codes, texts = encoded(column)
    if not any("," in text or "." in text for text in texts) or not _are_marked(texts, decimal):
        return column
    between = "," if decimal == "." else "."
    plain = [text.replace(between, "").replace(decimal, ".") for text in texts]
    return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), plain)])


def _are_marked(texts: Iterable[str | None], decimal: str) -> bool:
    words = ((text or "").strip() for text in texts)
    return all(word in _NOTHING or _MARKED[decimal].fullmatch(word) for word in words)


def floats_of(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column, nulls as NaN."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column = typed(column)
    if not pa.types.is_floating(column.type) or column.type == pa.float16():
        column = column.cast(pa.uint8(), safe=False) if pa.types.is_boolean(column.type) else column
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())


def exact_of(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column without rounding: whole ones as such where all are there, else as `floats_of`."""
    plain = typed(column)
    if pa.types.is_integer(plain.type) and not plain.null_count:
        return np.asarray(plain.to_numpy())
    return floats_of(column)


def no_numbers(column: pa.ChunkedArray) -> tuple[int, int, str]:
    """How many texts are no numbers, the first row (from 0) of one, and its text."""
    codes, texts = encoded(column)
    odd = np.array([*(_values([text]) is None for text in texts), False])[codes]
    rows = np.flatnonzero(odd)
    return (len(rows), int(rows[0]), texts[codes[rows[0]]][:40]) if len(rows) else (0, -1, "")
