"""What tables beside pictures say of them: which column gives targets, and which texts are there to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.column_names import folded, is_label_name, label_rank
from skmm_core.data.file_names import one_form
from skmm_core.data.image_parts import part_of
from skmm_core.data.image_tables import Joined
from skmm_core.data.rows import RawTargets
from skmm_core.data.table_file import is_numeric, is_text, listed
from skmm_core.data.tables import column_targets
from skmm_core.data.typed_text import typed
from skmm_core.errors import InputError

_PART_COLUMNS = ("split", "subset", "partition", "part", "set", "dataset", "data_set", "phase", "usage", "fold")
# What describes a picture, the plainest first. Texts of other names, such as reviews, may be anything.
_CAPTION_NAMES = ("text", "caption", "captions", "description", "prompt", "sentence", "title", "comment")
_ID_NAMES = ("", "id", "ids", "index", "row", "key", "image_id", "img_id", "sample_id", "unnamed: 0")
_SENTENCE = 3  # words, on average, from which texts are no names of classes
_MANY = 20  # rows among which names of classes come back


@dataclass(frozen=True)
class Found:
    """Targets as the layout gives them.

    Attributes:
        targets: of all pictures, or None when nothing gives any.
        reasons: by position, why a picture is not used.
        notes: what a person should know.
        captions: of all pictures, to look at; None where nothing gives any.
        names: class names by integer target, or empty.
        parts: "train", "validation" or "test" of each picture, where a table says so; else None.
    """

    targets: RawTargets | None
    reasons: dict[int, str]
    notes: tuple[str, ...] = ()
    captions: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    parts: tuple[str, ...] | None = None


def metadata_targets(ids: Sequence[str], tables: Mapping[str, Joined], target: str | None) -> Found:
    """Join the rows of all metadata files.

    Without a name, the target is what a label is commonly called (label, target, class, …), else the only column that
    can be one: not an id, not captions, not empty. Pictures whose row has no target stay, as those to pick from.

    Args:
        ids: paths of the pictures, in one Unicode form.
        tables: by the name of their file, which names some of the pictures.
        target: name of the column, or None.

    Raises:
        InputError: no file has a column called `target`, or its values cannot be targets.
    """
    where = ", ".join(list(tables)[:3])
    order, notes = _order(tables, len(ids), where)
    captions = _captions(tables, order)
    divided, parts = _parts(tables, order, where)
    column, note = _target_column(tables, where, target, divided)
    if column is None:
        return Found(None, {}, (*notes, note), captions, parts=parts)
    joined, how = _one_kind(_joined(tables, column, where), column, where)
    raw = column_targets(joined, f"column {column!r}", where)
    reasons = {int(i): f"not in {where}" for i in np.flatnonzero(order < 0)}
    found = RawTargets(raw.values[order], raw.missing[order] | (order < 0), raw.levels, raw.column)
    return Found(found, reasons, (*how, *notes), captions, parts=parts)


def _order(tables: Mapping[str, Joined], count: int, where: str) -> tuple[np.ndarray, list[str]]:
    """Of each picture its row among those of all tables, or -1; and what a person should know of the joining."""
    rows = np.concatenate([each.rows for each in tables.values()])
    order = np.full(count, -1, np.int64)
    named = np.flatnonzero(rows >= 0)
    order[rows[named][::-1]] = named[::-1]  # the first row of a picture is written last
    notes = [
        f"{name}: pictures are found {each.how} (column {each.column!r})." for name, each in tables.items() if each.how
    ]
    twice = len(named) - int((order >= 0).sum())
    if twice:
        notes.append(f"{where}: {twice:,} rows name a file once more; the first row of each counts.")
    if absent := len(rows) - len(named):
        notes.append(f"{where}: {absent:,} rows name files that are not there or not usable.")
    return order, notes


def _captions(tables: Mapping[str, Joined], order: np.ndarray) -> tuple[str, ...] | None:
    """The texts that describe the pictures, to look at, from the first column with such a name."""
    for known in _CAPTION_NAMES:
        texts: list[str] = []
        for each in tables.values():
            column = next((name for name in each.table.column_names if name.lower() == known), None)
            is_there = column is not None and is_text(each.table.schema.field(column).type)
            texts += [str(text or "") for text in each.table[column].to_pylist()] if is_there else [""] * len(each.rows)
        if any(texts):
            return tuple(texts[row] if row >= 0 else "" for row in order.tolist())
    return None


def _parts(tables: Mapping[str, Joined], order: np.ndarray, where: str) -> tuple[str | None, tuple[str, ...] | None]:
    """The column that divides the pictures into parts, and the part of each; pictures without one are to pick from."""
    columns = [set(each.table.column_names) for each in tables.values()]
    for name in sorted(set.intersection(*columns)):
        if folded(name) not in _PART_COLUMNS:
            continue
        values = _joined(tables, name, where).to_pylist()
        parts = [part_of(str(value)) if value else "train" for value in values]
        if all(parts) and len(set(parts)) > 1 and "train" in parts:
            return name, tuple((parts[row] or "train") if row >= 0 else "train" for row in order.tolist())
    return None, None


def _target_column(
    tables: Mapping[str, Joined], where: str, target: str | None, divided: str | None
) -> tuple[str | None, str]:
    """The column of targets; None, and why, when there is none."""
    first, *others = (each.table for each in tables.values())
    if target is not None:
        for name, each in tables.items():
            if target not in each.table.column_names:
                has = listed(each.table.column_names) or "no other"
                raise InputError(f"{name} has no column {target!r} for the target; it has {has}")
        return target, ""
    shared = set(first.column_names).intersection(*(table.column_names for table in others)) - {divided}
    names = [name for name in first.column_names if name in shared]
    if not names:
        return None, f"{where}: no column beside {next(iter(tables.values())).column}, so it gives no targets."
    why = {name: _why_no_target(name, _joined(tables, name, where)) for name in names}
    usable = [name for name in names if why[name] is None]
    named = sorted(filter(is_label_name, usable), key=label_rank)
    if named or len(usable) == 1:
        return (named or usable)[0], ""
    if usable:
        return None, f"{where}: no column label, target or y; name one of {listed(usable)} as the target."
    told = "; ".join(f"{name} {why[name]}" for name in names[:4])
    return None, f"{where}: {told}: not read as targets; name a column as the target to use it all the same."


def _why_no_target(name: str, column: pa.ChunkedArray) -> str | None:
    """Why a column that nobody named is no target, as the end of a sentence; None when it can be one."""
    values = typed(column).drop_null()
    text = is_text(values.type)
    if text:
        values = values.filter(pc.not_equal(values, ""))
    if not (count := len(values)):
        return "is empty"
    if not text and not is_numeric(values.type):
        return f"holds {values.type}"
    distinct = pc.count_distinct(values).as_py()
    known = is_label_name(name)
    if text:
        some = values[:1000].to_pylist()
        words = sum(len(str(value).split()) for value in some) / len(some)
        wordy = words >= _SENTENCE or count >= _MANY or name.lower() in _CAPTION_NAMES
        own, most = distinct == count, 2 * distinct > count
        if (wordy and own) if known else (own or (wordy and most)):
            return "holds a text of its own for nearly every picture, as captions and ids do"
    elif not known and distinct == count and (name.lower() in _ID_NAMES or _counts_rows(values)):
        return "numbers the pictures"
    return None


def _counts_rows(values: pa.ChunkedArray) -> bool:
    """Whether distinct values are 0, 1, 2, … or 1, 2, 3, … in any order."""
    if len(values) < 3 or not pa.types.is_integer(values.type):
        return False
    ends = pc.min_max(values).as_py()
    return ends["min"] in (0, 1) and ends["max"] - ends["min"] == len(values) - 1


def _joined(tables: Mapping[str, Joined], column: str, where: str) -> pa.ChunkedArray:
    """One column of all files; what is empty in one of them takes the kind of the others."""
    chunks = [chunk for each in tables.values() for chunk in each.table.column(column).chunks]
    kinds = {chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)}
    if len(kinds) > 1 and all(is_numeric(kind) for kind in kinds):
        kinds = {pa.float64()}  # whole numbers in one file, decimals in another
    if len(kinds) > 1:
        raise InputError(
            f"{where}: the values of {column[:40]!r} are text in one file and not in another; use one kind in all"
        )
    kind = next(iter(kinds), pa.null())
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], type=kind)


def _one_kind(column: pa.ChunkedArray, name: str, where: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Labels in the form in which they are compared: accents written one way, classes 1.0 and 2.0 as 1 and 2."""
    column = typed(column)
    if is_text(column.type):
        texts = [None if value is None else one_form(str(value)).strip() for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())]), []
    if not is_label_name(name) or not pa.types.is_floating(column.type):
        return column, []
    values = np.asarray(column.cast(pa.float64()).to_numpy())
    known = values[~np.isnan(values)]
    if not len(known) or (known != np.round(known)).any() or np.abs(known).max() >= 2**53:
        return column, []
    whole = pa.array(np.nan_to_num(values).astype(np.int64), mask=np.isnan(values))
    return pa.chunked_array([whole]), [f"{where}: {name} is written {known[0]:.1f}, …: read as {known[0]:.0f}, …"]
