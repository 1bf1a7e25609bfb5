"""Which column of a table holds the texts that people read: for cards, for search, and for an encoder."""

import math
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.arrow_repeats import check_repeats, is_too_long
from skmm_core.data.column_names import text_rank
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.table_file import TableFile, is_numeric, is_text, listed, named_columns
from skmm_core.data.typed_text import encoded, typed
from skmm_core.errors import InputError

_PLAIN = 3  # of the ranks of names say what they hold so plainly that short texts are read, too
_LOOK = 2048  # rows that tell how long the texts of a column are
_FREE = 15  # characters from which on, at the mean, text is something that people read
_CLOSE = 0.5  # share of the length of the longest column from which on another could be meant as well


@dataclass(frozen=True)
class TextChoice:
    """The columns of texts, and why they are.

    Attributes:
        names: columns, whose texts are joined by line breaks where there are several.
        why: in a few words.
    """

    names: tuple[str, ...]
    why: str


def choose_texts(file: TableFile, asked: str | None, taken: set[str]) -> TextChoice:
    """Choose the texts that an encoder reads.

    Args:
        file: the table.
        asked: column, or columns with commas between; None finds one.
        taken: columns that are something else.

    Raises:
        InputError: a named column is not there or is no text, there is no text, or several columns could be meant.
    """
    if asked is not None:
        return TextChoice(_asked(file, asked), "as asked")
    lengths = _lengths(file, taken)
    if not lengths:
        raise InputError(
            f"{file.where} has no column of text that is neither empty, ignored, the target nor the id; it has "
            f"{listed(file.names)}; name one with --text"
        )
    if named := _named(list(lengths)):
        return TextChoice((named,), f"it is called {named!r}")
    order = sorted(lengths, key=lambda name: -lengths[name])
    if len(order) > 1 and lengths[order[1]] >= _CLOSE * lengths[order[0]]:
        raise InputError(
            f"{file.where} has {len(order)} columns of text: {listed(order)}; choose one with --text, or several with "
            "commas between, which are joined"
        )
    why = "the one column of text" if len(order) == 1 else "the column with the longest texts"
    return TextChoice((order[0],), why)


def texts_to_show(file: TableFile, asked: str | None, taken: set[str]) -> tuple[str, ...]:
    """The columns of texts that go on cards beside features of another kind; none where nobody would read them.

    One that is called as texts are goes before longer ones, such as addresses of web pages.

    Raises:
        InputError: a named column is not there or is no text.
    """
    if asked is not None:
        return _asked(file, asked)
    lengths = _lengths(file, taken)
    free = [name for name, length in lengths.items() if length >= _FREE]
    short = [name for name in lengths if name not in free and _varies(file.table.column(name))]
    if named := _named(free) or _named(short, _PLAIN):
        return (named,)
    return (max(free, key=lengths.__getitem__),) if free else ()


def row_texts(table: pa.Table, names: tuple[str, ...]) -> RowTexts:
    """The texts of these columns, joined by line breaks; what is empty is left out."""
    columns = [pc.fill_null(table.column(name).cast(pa.large_string()), "") for name in names]
    joined = columns[0]
    for column in columns[1:]:
        both = pc.and_(pc.not_equal(joined, ""), pc.not_equal(column, ""))
        joined = pc.binary_join_element_wise(joined, column, pc.if_else(both, "\n", "").cast(pa.large_string()))
    whole = joined.combine_chunks()
    return RowTexts(whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks))


def _asked(file: TableFile, text: str) -> tuple[str, ...]:
    names = named_columns(file, text, "text")
    plain = set(file.table.column_names)
    for name in names:
        if name not in plain or not is_text(file.table.column(name).type):
            raise InputError(f"{file.where}: column {name!r} holds no text; name a column of text with --text")
        check_repeats(file.where, name, file.table.column(name))
    if not names:
        raise InputError(f"{file.where}: --text names no column; it has {listed(file.names)}")
    return tuple(names)


def _varies(column: pa.ChunkedArray) -> bool:
    """Whether most texts at the start differ; short ones that repeat, such as S01 of a subject, are codes."""
    start = column.slice(0, _LOOK)
    return len(encoded(start)[1]) > len(start) / 2


def _named(names: list[str], below: float = math.inf) -> str | None:
    """The column whose name says most plainly that it holds texts; None where none does."""
    ranks = {name: rank for name in names if (rank := text_rank(name)) is not None and rank < below}
    return min(ranks, key=ranks.__getitem__, default=None)


def _lengths(file: TableFile, taken: set[str]) -> dict[str, float]:
    """Mean characters of the distinct texts at the start of every column of text."""
    found = {}
    for name, column in zip(file.table.column_names, file.table.columns, strict=True):
        start = column.slice(0, _LOOK)
        if (
            name in taken
            or not is_text(column.type)
            or is_too_long(column)
            or (file.untyped and is_numeric(typed(start).type))
        ):
            continue  # numbers that are read digit by digit, since their column is called as ids or labels are
        texts = [text for text in encoded(start)[1] if text.strip()]
        if texts:
            found[name] = sum(map(len, texts)) / len(texts)
    return found
