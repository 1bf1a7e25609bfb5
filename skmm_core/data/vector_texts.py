"""Columns of text that hold a vector a row, as every program writes lists of numbers."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.arrow_repeats import is_too_long
from skmm_core.data.table_file import VectorColumn, is_text
from skmm_core.data.vector_columns import FAULTS, SAMPLE, gather, lengths_of
from skmm_core.errors import InputError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|NaN|inf|Infinity|null|None)"
_VECTOR = re.compile(rf"\s*([\[({{]?)[\s\[({{]*(?:{_NUMBER})(?:[\s,;]+(?:{_NUMBER}))+[\s,;]*[\])}}\s]*")
_CUT_OFF = re.compile(r"\s*(?:\w+\()?\[.*\.\.\..*\].*", re.DOTALL)
# What Python writes around the numbers of an array: array([…], dtype=float32), tensor([…], device='cuda:0') and
# [np.float32(0.1), …].
_WRAPPING = (
    (r"^\s*(?:\w+\.)?(?:array|[Tt]ensor|Array)\(", ""),
    (r"(?s)\]\s*,\s*[A-Za-z_]\w*\s*=.*$", "]"),
    (r"(?:np\.|numpy\.)?(?:float|int|uint)\d+\(([^()]*)\)", r"\1"),
)
_BROKEN = 3  # numbers with decimals without brackets that are no place on a map and no 1.000,5 any more
_BARE = 8  # whole numbers without brackets that are no telephone number, date or address any more
_BLOCK = 4_096


def text_vectors(where: str, table: pa.Table) -> dict[str, VectorColumn]:
    """Text columns whose sampled texts are vectors, such as `[0.1, 0.2]` or numbers with spaces between.

    A tenth of the sample may be none, which is a fault of these rows.

    Raises:
        InputError: vectors were cut short with `...` when the file was written.
    """
    return {
        name: vector
        for name, column in zip(table.column_names, table.columns, strict=True)
        if is_text(column.type)
        and not is_too_long(column)
        and (vector := _text_vector(where, name, column)) is not None
    }


def _text_vector(where: str, name: str, column: pa.ChunkedArray) -> VectorColumn | None:
    sample = [text for text in column.slice(0, 4 * SAMPLE).to_pylist() if text and text.strip()][:SAMPLE]
    bare = [_unwrapped(text) for text in sample]
    vectors = [text for text in bare if _VECTOR.fullmatch(text)]
    cut = sum(bool(_CUT_OFF.fullmatch(text)) for text in sample)
    least = (1 - FAULTS) * len(sample)
    if not sample or len(vectors) + cut < least:
        return None
    if cut:
        raise _cut_short(where, name)
    ((size, count),) = Counter(len(re.findall(_NUMBER, text)) for text in vectors).most_common(1)
    bracketed = all(text.lstrip()[0] in "[({" for text in vectors)
    broken = all(re.search(r"\d\.\d|\d[eE]", text) for text in vectors)
    if count < least or not (bracketed or size >= (_BROKEN if broken else _BARE)):
        return None
    wrapped = bare != sample
    return VectorColumn(
        size,
        "numbers as text",
        lambda _: gather(where, name, len(column), size, _parsed(where, name, column, wrapped=wrapped)),
    )


def _unwrapped(text: str) -> str:
    for pattern, kept in _WRAPPING:
        text = re.sub(pattern, kept, text)
    return text


def _cut_short(where: str, name: str, row: str = "") -> InputError:
    return InputError(
        f"{where}: column {name!r} holds vectors that were cut short with '...' when the file was written{row}; "
        f"save the arrays whole, or leave the column out (--ignore {name})"
    )


def _parsed(where: str, name: str, column: pa.ChunkedArray, *, wrapped: bool) -> Iterable[pa.Array]:
    """Lists of the numbers that texts hold, block by block."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    for start in range(0, len(column), _BLOCK):
        block: Any = column.slice(start, _BLOCK).combine_chunks()
        if isinstance(block, pa.ChunkedArray):  # of no rows
            continue
        texts = block
        for pattern, kept in _WRAPPING if wrapped else ():
            texts = pc.replace_substring_regex(texts, pattern, kept)
        texts = pc.utf8_trim(texts, " \t\r\n[](){},;")
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
        lists = pc.split_pattern_regex(texts, r"[\s,;]+")
        words = lists.flatten()
        words = pc.if_else(pc.is_in(words, pa.array(["null", "None"], words.type)), None, words)
        try:
            numbers = words.cast(pa.float64())
        except pa.ArrowInvalid:
            raise _no_vector(where, name, block.to_pylist(), start) from None
        lengths = lengths_of(lists)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]).astype(np.int32)
        yield pa.ListArray.from_arrays(pa.array(offsets), numbers)


def _no_vector(where: str, name: str, texts: list[str | None], start: int) -> InputError:
    """The first text that is no vector, and its row."""
    for row, text in enumerate(texts, start):
        if text and text.strip() and not _VECTOR.fullmatch(_unwrapped(text)):
            if _CUT_OFF.fullmatch(text):
                return _cut_short(where, name, f" (row {row:,}, from 0)")
            return InputError(
                f"{where}: column {name!r} holds vectors, but {' '.join(text.split())[:40]!r} in row {row:,} (from 0) "
                f"is none; correct it, or leave the column out (--ignore {name})"
            )
    return InputError(
        f"{where}: column {name!r} holds something else than numbers in rows {start:,} to {start + len(texts):,}; "
        f"correct it, or leave the column out (--ignore {name})"
    )
