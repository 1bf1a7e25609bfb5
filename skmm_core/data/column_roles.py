"""Which column of a table is what: decided as a person would who looks at it, and said with the reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.column_looks import (
    ROW_NUMBERS,
    counts_rows,
    is_constant,
    is_empty,
    is_whole,
    says_the_same,
    target_codes,
)
from skmm_core.data.how_read import quoted
from skmm_core.data.table_file import TableFile, is_numeric, is_text, listed
from skmm_core.data.typed_text import encoded, no_numbers, typed
from skmm_core.data.vector_columns import BYTE_TYPES
from skmm_core.errors import InputError

LEFT_OUT = ": no feature: "
TARGET_NAMES = ("label", "target", "y")
_OTHER_TARGETS = re.compile(
    r"(label|target|class|cls|category)(s|es)?(_?(ids?|idx|index|names?|codes?|num|number|labels?|class))?"
    r"|categories|annotation|(gt|y_true|ground_truth)(_?(labels?|class))?|(true|gold)_?(labels?|class)"
)
_IDS = re.compile(r"(.*_)?(ids?|uid|uuid|guid|hash|phash|dhash|sha1|sha256|md5)")


@dataclass(frozen=True)
class Columns:
    """Which columns mean what, as far as a person says.

    Attributes:
        target: name of the target column, or None to find it.
        id: name of the column of row names, or None to find it.
        features: a column of vectors (bytes as `name:dtype`), or columns of numbers with commas between; None finds
            them.
        ignore: columns to leave out, with commas between, or None.
        fixed: exactly these feature columns, in this order (a test file must fit its pool), or None.
    """

    target: str | None = None
    id: str | None = None
    features: str | None = None
    ignore: str | None = None
    fixed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Roles:
    """Which column is what, with reasons.

    Attributes:
        target: or None.
        id: or None.
        vector: the column of vectors that is the features, or None where they are columns of numbers.
        dtype: of the vector's bytes, or None.
        features: columns of numbers.
        reasons: why, by "target", "id" and "features".
        left_out: why a column is none of these, by name.
    """

    target: str | None
    id: str | None
    vector: str | None
    dtype: str | None
    features: tuple[str, ...]
    reasons: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)


def as_text(columns: Columns, name: str) -> bool:
    """Whether a csv column of this name is read digit by digit: it is or may be the ids or the target."""
    return name in (columns.target, columns.id) or _is_id(name) or is_label(name)


def decide(file: TableFile, columns: Columns) -> Roles:
    """Decide the columns of a table.

    Raises:
        InputError: a column that is named is not there or cannot be that, or the features cannot be told.
    """
    ignored = set(_named(file, columns.ignore, "ignore"))
    if clash := [name for name in (columns.target, columns.id) if name in ignored]:
        raise InputError(f"{file.where}: column {clash[0]!r} is named and ignored at once; leave one of the two out")
    target, target_why = _target(file, columns, ignored)
    id_, id_why = _id(file, columns, {*ignored, target})
    if id_ is not None and id_ == target:
        raise InputError(f"{file.where}: column {target!r} cannot be both the target and the id; name two columns")
    for name in filter(None, (target, id_)):
        if kind := file.vectors[name].kind if name in file.vectors else file.unread.get(name):
            raise InputError(f"{file.where}: column {name!r} holds {kind}; targets and ids are numbers or text")
    taken = {name for name in (target, id_) if name is not None}
    left_out = dict.fromkeys(sorted(ignored), "ignored as asked")
    reasons = {"target": target_why, "id": id_why}
    if columns.fixed is not None:
        reasons["features"] = "those of the pool"
        return Roles(target, id_, None, None, _fixed(file, columns.fixed), reasons)
    if columns.features is not None:
        vector, dtype, names = _asked(file, columns.features, taken | ignored)
        rest = [name for name in file.names if name not in {*taken, *ignored, *names, vector}]
        reasons["features"] = "as asked"
        left_out |= dict.fromkeys(rest, "other features are asked for")
        return Roles(target, id_, vector, dtype, names, reasons, left_out)
    candidates = {
        name: each
        for name, each in file.vectors.items()
        if name not in ignored and (not each.is_bytes or each.dtype is not None)
    }
    if len(candidates) > 1:
        sizes = ", ".join(f"{name} ({each.size:,} numbers)" for name, each in candidates.items())
        raise InputError(
            f"{file.where} has {len(candidates)} columns of vectors: {sizes}; choose one with --features, or under "
            "Features in Data"
        )
    if candidates:
        ((name, vector_column),) = candidates.items()
        rest = [other for other in file.names if other not in {*taken, *ignored, name}]
        reasons["features"] = f"the one column of vectors ({vector_column.kind})"
        beside = {other: _beside(file, other, name) for other in rest}
        return Roles(target, id_, name, vector_column.dtype, (), reasons, {**left_out, **beside})
    names, why = _flat(file, taken | ignored, target)
    reasons["features"] = "all columns of numbers" + (" that are left" if why else "")
    return Roles(target, id_, None, None, names, reasons, {**left_out, **why})


def is_label(name: str) -> bool:
    """Whether the name of a column is that of a label."""
    folded = _folded(name)
    return folded in TARGET_NAMES or bool(_OTHER_TARGETS.fullmatch(folded))


def _is_id(name: str) -> bool:
    """Whether the name of a column is that of ids."""
    return bool(_IDS.fullmatch(_folded(name))) and not is_label(name)


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _named(file: TableFile, text: str | None, flag: str) -> list[str]:
    """Columns that a person lists: one name, or several with commas between."""
    if text is None:
        return []
    whole = text.strip()
    names = [whole] if whole in file.names else [name.strip() for name in whole.split(",") if name.strip()]
    for name in names:
        if name not in file.names:
            raise InputError(f"{file.where} has no column {name!r} for --{flag}; it has {listed(file.names)}")
    return names


def _target(file: TableFile, columns: Columns, ignored: set[str]) -> tuple[str | None, str]:
    if columns.target is not None:
        name = columns.target.strip()
        if name not in file.names:
            raise InputError(f"{file.where} has no column {name!r} for the target; it has {listed(file.names)}")
        return name, "as asked"
    if columns.fixed is not None:  # a test file of an unlabelled pool
        return None, ""
    asked = set(_asked_names(file, columns.features))
    free = [name for name in file.table.column_names if name not in {columns.id, *ignored, *asked}]
    labels = [name for name in free if is_label(name) and not (_folded(name) == "y" and _is_map(file))]
    if labels:
        name = min(labels, key=label_rank)
        return name, f"it is called {name!r}"
    named = [name for name in free if name in file.class_names]
    return (named[0], "the file has class names for it") if len(named) == 1 else (None, "")


def label_rank(name: str) -> tuple[int, bool, bool]:
    """Sort key of names that are those of a label: the plainest first."""
    folded = _folded(name)
    place = TARGET_NAMES.index(folded) if folded in TARGET_NAMES else len(TARGET_NAMES)
    return place, "_" in folded or folded.endswith(("id", "index", "idx")), name != folded


def _is_map(file: TableFile) -> bool:
    """Whether there are columns x or z, so that y is a coordinate."""
    return bool({"x", "z"} & {_folded(name) for name in file.names})


def _asked_names(file: TableFile, text: str | None) -> list[str]:
    if text is None:
        return []
    whole = text.strip()
    return [whole] if whole in file.names else [name.strip() for name in whole.split(",")]


def _id(file: TableFile, columns: Columns, taken: set[str | None]) -> tuple[str | None, str]:
    if columns.id is not None:
        name = columns.id.strip()
        if name not in file.names:
            raise InputError(f"{file.where} has no column {name!r} for ids; it has {listed(file.names)}")
        return name, "as asked"
    if columns.fixed is not None:
        return None, ""
    if file.index is not None and file.index not in taken and _distinct(file.table, file.index):
        return file.index, "the file marks it as the index"
    asked = set(_asked_names(file, columns.features))
    for name in file.table.column_names:
        if name in taken or name in asked or not (_is_id(name) or ROW_NUMBERS.fullmatch(name)):
            continue
        column = file.table.column(name)
        digits = pa.types.is_integer(column.type) or is_text(column.type)
        counts = not _is_id(name) and counts_rows(typed(column), name)
        if digits and not counts and _distinct(file.table, name):
            return name, f"it is called {name!r} and every row has its own"
    return None, ""


def _distinct(table: pa.Table, name: str) -> bool:
    column = table.column(name)
    if is_text(column.type):
        codes, texts = encoded(column)
        return len(texts) == len(codes) and bool((codes >= 0).all())
    return not column.null_count and len(pc.unique(column)) == len(column)


def _fixed(file: TableFile, wanted: tuple[str, ...]) -> tuple[str, ...]:
    for name in wanted:
        if name not in file.names:
            raise InputError(f"{file.where} has no column {name!r}, which the pool has; give the test file all of them")
        kind = file.table.column(name).type if name in file.table.column_names else file.unread.get(name, "vectors")
        numbers = name in file.table.column_names and is_numeric(typed(file.table.column(name)).type)
        if not (numbers or kind == pa.null()):
            raise InputError(f"{file.where}: column {name!r} holds {kind}, but numbers in the pool")
    return wanted


def _asked(file: TableFile, text: str, taken: set[str]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The vector and its dtype, or the columns of numbers, that `--features` names."""
    whole, dtype = text.strip(), None
    name, colon, kind = whole.rpartition(":")
    if whole not in file.names and colon and name in file.vectors:
        if kind not in BYTE_TYPES:
            raise InputError(f"{file.where}: --features {whole}: {kind!r} is no type; choose {', '.join(BYTE_TYPES)}")
        whole, dtype = name, kind
    names = _named(file, whole, "features")
    if clash := [name for name in names if name in taken]:
        raise InputError(f"{file.where}: column {clash[0]!r} is the target, the id or ignored, so it is no feature")
    vectors = [name for name in names if name in file.vectors]
    if vectors and len(names) > 1:
        raise InputError(f"{file.where}: --features names {vectors[0]!r} and others; vectors go alone, name one column")
    if vectors:
        return vectors[0], dtype or file.vectors[vectors[0]].dtype, ()
    if not names:
        raise InputError(f"{file.where}: --features is empty; it has {listed(file.names)}")
    for name in names:
        if name in file.unread:
            raise InputError(f"{file.where}: column {name!r} holds {file.unread[name]}, so it is no feature")
        if not is_numeric(typed(file.table.column(name)).type):
            raise InputError(f"{file.where}: column {name!r} is no feature: {_why_no_number(file.table.column(name))}")
    return None, None, tuple(names)


def _beside(file: TableFile, name: str, vector: str) -> str:
    if name in file.unread or name in file.vectors:
        return f"holds {file.unread.get(name) or file.vectors[name].kind}"
    kind = file.table.column(name).type
    beside = is_numeric(typed(file.table.column(name)).type)
    return f"stands beside the vectors of {vector!r}; kept to look at" if beside else f"{_word(kind)}; kept to look at"


def _word(kind: pa.DataType) -> str:
    return "text" if is_text(kind) else "empty" if pa.types.is_null(kind) else str(kind)


def _flat(file: TableFile, taken: set[str], target: str | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """Columns of numbers that are features, and why the others are not."""
    names, why = [], {}
    codes = target_codes(file, target)
    is_map = _is_map(file)
    for name in file.table.column_names:
        if name in taken:
            continue
        column = file.table.column(name)
        label = is_label(name) and not (_folded(name) == "y" and is_map)
        reason = "its name is that of a label" if label else _no_feature(name, column, codes, untyped=file.untyped)
        if reason is None:
            names.append(name)
        else:
            why[name] = reason
    why |= {
        name: f"holds {file.vectors[name].kind if name in file.vectors else file.unread[name]}"
        for name in (*file.vectors, *file.unread)
        if name not in taken
    }
    if not names:
        raise _nothing(file, why)
    return tuple(names), why


def _nothing(file: TableFile, why: Mapping[str, str]) -> InputError:
    types = zip(file.table.column_names, file.table.schema.types, strict=True)
    kinds = listed([f"{name} ({why.get(name) if is_numeric(kind) and name in why else kind})" for name, kind in types]
                   + [f"{name} ({each.kind})" for name, each in file.vectors.items()]
                   + [f"{name} ({kind})" for name, kind in file.unread.items()])  # fmt: skip
    bytes_ = next((name for name, each in file.vectors.items() if each.is_bytes), None)
    if bytes_ is not None:
        advice = f"say what the bytes are, such as --features {bytes_}:float32 ({', '.join(BYTE_TYPES)})"
    elif any(is_numeric(file.table.column(name).type) for name in why if name in file.table.column_names):
        advice = "name the ones to use all the same with --features"
    else:
        advice = "give every row a list of as many numbers" if file.unread else "add the features as numbers"
    return InputError(f"{file.where} has no numeric column to use as a feature; it has {kinds}; {advice}")


def _no_feature(name: str, column: pa.ChunkedArray, codes: np.ndarray | None, *, untyped: bool) -> str | None:
    """Why a column that nobody named is no feature; None where it is one."""
    numbers = typed(column) if untyped else column  # of a csv file, those that are read digit by digit
    if not is_numeric(numbers.type):
        return _why_no_number(column)
    if is_empty(numbers):
        return "empty"
    if counts_rows(numbers, name):
        return "numbers the rows"
    if is_constant(numbers):
        return "constant"
    if (_is_id(name) or ROW_NUMBERS.fullmatch(name)) and is_whole(numbers):
        return "its name is that of an id"
    if codes is not None and says_the_same(numbers, codes):
        return "says the same as the target"
    return None


def _why_no_number(column: pa.ChunkedArray) -> str:
    if pa.types.is_null(column.type) or column.null_count == len(column):
        return "empty"
    if not is_text(column.type):
        return str(column.type)
    count, row, text = no_numbers(column)
    if 0 < count < len(column) / 2:
        return f"holds text in {count:,} of {len(column):,} rows (row {row}, from 0: {text!r}); kept to look at"
    return "text; kept to look at"


def left_out_note(roles: Roles, where: str) -> tuple[str, ...]:
    """One line on what is no feature and why, for whoever sees no table; none where nothing was left out."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in roles.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    told = "; ".join(f"{quoted(names)} ({reason})" for reason, names in by_reason.items())
    return (f"{where}{LEFT_OUT}{told}.",) if told else ()
