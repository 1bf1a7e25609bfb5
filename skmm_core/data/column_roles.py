"""Which column of a table is what: decided as a person would who looks at it, and said with the reason."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from skmm_core.data.column_looks import ROW_NUMBERS, counts_rows
from skmm_core.data.column_names import folded, is_id_name, is_label_name, label_rank
from skmm_core.data.how_read import LEFT_OUT, quoted
from skmm_core.data.no_feature import flat_features, is_map, no_vector, why_beside, why_no_number
from skmm_core.data.table_file import TableFile, is_numeric, is_text, listed, named_columns, split_names
from skmm_core.data.text_columns import choose_texts, texts_to_show
from skmm_core.data.typed_text import encoded, typed
from skmm_core.data.vector_columns import BYTE_TYPES
from skmm_core.errors import InputError


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
        text: columns of texts with commas between, or None to find one.
        only_texts: whether the texts are what counts, and there are no features yet.
    """

    target: str | None = None
    id: str | None = None
    features: str | None = None
    ignore: str | None = None
    fixed: tuple[str, ...] | None = None
    text: str | None = None
    only_texts: bool = False


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
        texts: columns with the texts that people read.
    """

    target: str | None
    id: str | None
    vector: str | None
    dtype: str | None
    features: tuple[str, ...]
    reasons: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()


def as_text(columns: Columns, name: str) -> bool:
    """Whether a csv column of this name is read digit by digit: it is or may be the ids, the target or a text."""
    return name in (columns.target, columns.id) or is_id_name(name) or is_label_name(name)


def decide(file: TableFile, columns: Columns) -> Roles:
    """Decide the columns of a table.

    Raises:
        InputError: a column that is named is not there or cannot be that, or the features cannot be told.
    """
    roles = _decided(file, columns)
    if columns.only_texts:
        return roles
    taken = {roles.target, roles.id, *roles.features, *named_columns(file, columns.ignore, "ignore")}
    texts = texts_to_show(file, columns.text, {name for name in taken if name is not None})
    left_out = {name: why for name, why in roles.left_out.items() if name not in texts}
    return replace(roles, texts=texts, left_out=left_out)


def _decided(file: TableFile, columns: Columns) -> Roles:
    ignored = set(named_columns(file, columns.ignore, "ignore"))
    if clash := [name for name in (columns.target, columns.id) if name in ignored]:
        raise InputError(f"{file.where}: column {clash[0]!r} is named and ignored at once; leave one of the two out")
    target, target_why = _target(file, columns, ignored)
    id_, id_why = _id(file, columns, {*ignored, target})
    if id_ is not None and id_ == target:
        raise InputError(f"{file.where}: column {target!r} cannot be both the target and the id; name two columns")
    for name in filter(None, (target, id_)):
        if kind := file.vectors[name].kind if name in file.vectors else file.unread.get(name):
            raise InputError(f"{file.where}: column {name!r} holds {kind}; targets and ids are numbers or text")
    reasons, left_out = {"target": target_why, "id": id_why}, dict.fromkeys(sorted(ignored), "ignored as asked")
    roles = Roles(target, id_, None, None, (), reasons, left_out)
    taken = {*ignored, *(name for name in (target, id_) if name is not None)}
    if columns.only_texts:
        chosen = choose_texts(file, columns.text, taken)
        rest = dict.fromkeys(_others(file, {*taken, *chosen.names}), "the features come from the texts")
        return _with_features(roles, chosen.why, rest, texts=chosen.names)
    if columns.fixed is not None:
        return _with_features(roles, "those of the pool", {}, features=_fixed(file, columns.fixed))
    if columns.features is not None:
        vector, dtype, names = _asked(file, columns.features, taken)
        rest = dict.fromkeys(_others(file, {*taken, *names, vector}), "other features are asked for")
        return _with_features(roles, "as asked", rest, vector=vector, dtype=dtype, features=names)
    return _found_features(file, roles, taken)


def _with_features(roles: Roles, why: str, left_out: Mapping[str, str], **found: Any) -> Roles:
    """The roles with the columns that are the features, or of which features are made."""
    reasons = {**roles.reasons, "features": why}
    return replace(roles, reasons=reasons, left_out={**roles.left_out, **left_out}, **found)


def _others(file: TableFile, taken: Set[str | None]) -> list[str]:
    return [name for name in file.names if name not in taken]


def _found_features(file: TableFile, roles: Roles, taken: set[str]) -> Roles:
    """The features where nobody names them: the one column of vectors, else all columns of numbers that can be."""
    aside = {*file.set_aside, *roles.left_out}
    candidates = {
        name: each
        for name, each in file.vectors.items()
        if name not in aside and not is_label_name(name) and (not each.is_bytes or each.dtype is not None)
    }
    if len(candidates) > 1:
        sizes = ", ".join(f"{name} ({each.size:,} numbers)" for name, each in candidates.items())
        raise InputError(
            f"{file.where} has {len(candidates)} columns of vectors: {sizes}; choose one with --features, or under "
            "Features in Data"
        )
    if candidates:
        ((name, vector),) = candidates.items()
        beside = {other: why_beside(file, other, name) for other in _others(file, {*taken, name})}
        why = f"the one column of vectors ({vector.kind})"
        return _with_features(roles, why, beside, vector=name, dtype=vector.dtype)
    if unread := no_vector(file, taken):
        raise unread
    names, left_out = flat_features(file, taken, roles.target)
    why = "all columns of numbers" + (" that are left" if left_out else "")
    return _with_features(roles, why, left_out, features=names)


def _target(file: TableFile, columns: Columns, ignored: set[str]) -> tuple[str | None, str]:
    if columns.target is not None:
        name = columns.target.strip()
        if name not in file.names:
            raise InputError(f"{file.where} has no column {name!r} for the target; it has {listed(file.names)}")
        return name, "as asked"
    if columns.fixed is not None:  # a test file of an unlabelled pool
        return None, ""
    taken = {columns.id, *ignored, *split_names(file, columns.features)}
    free = [name for name in file.table.column_names if name not in taken]
    labels = [name for name in free if is_label_name(name) and not (folded(name) == "y" and is_map(file))]
    if labels:
        name = min(labels, key=label_rank)
        return name, f"it is called {name!r}"
    named = [name for name in free if name in file.class_names]
    return (named[0], "the file has class names for it") if len(named) == 1 else (None, "")


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
    asked = set(split_names(file, columns.features))
    for name in file.table.column_names:
        if name in taken or name in asked or not (is_id_name(name) or ROW_NUMBERS.fullmatch(name)):
            continue
        column = file.table.column(name)
        digits = pa.types.is_integer(column.type) or is_text(column.type)
        counts = not is_id_name(name) and counts_rows(typed(column), name)
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
    known, plain = set(file.names), set(file.table.column_names)
    for name in wanted:
        if name not in known:
            raise InputError(f"{file.where} has no column {name!r}, which the pool has; give the test file all of them")
        kind = file.table.column(name).type if name in plain else file.unread.get(name, "vectors")
        numbers = name in plain and is_numeric(typed(file.table.column(name)).type)
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
    names = named_columns(file, whole, "features")
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
            raise InputError(f"{file.where}: column {name!r} is no feature: {why_no_number(file.table.column(name))}")
    return None, None, tuple(names)


def left_out_note(roles: Roles, where: str) -> tuple[str, ...]:
    """One line on what is no feature and why, for whoever sees no table; none where nothing was left out."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in roles.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    told = "; ".join(f"{quoted(names)} ({reason})" for reason, names in by_reason.items())
    return (f"{where}{LEFT_OUT}{told}.",) if told else ()
