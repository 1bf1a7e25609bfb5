"""Why a column is no feature, so that a person can say otherwise."""

import shlex
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from skmm_core.data.column_looks import (
    ROW_NUMBERS,
    class_columns,
    counts_rows,
    is_constant,
    is_empty,
    is_whole,
    packed_text,
    says_the_same,
    target_codes,
)
from skmm_core.data.column_names import folded, is_id_name, is_label_name, is_prediction_name, is_vector_name
from skmm_core.data.table_file import TableFile, is_numeric, is_text, listed
from skmm_core.data.text_columns import texts_to_show
from skmm_core.data.typed_text import no_numbers, typed
from skmm_core.data.vector_columns import BYTE_TYPES
from skmm_core.errors import InputError, OnlyTexts

_KEPT = "; kept to look at"


def is_map(file: TableFile) -> bool:
    """Whether there are columns x or z, so that y is a coordinate."""
    return bool({"x", "z"} & {folded(name) for name in file.names})


def no_vector(file: TableFile, taken: set[str]) -> InputError | None:
    """What to say where a column has the name of vectors but is not read as such: others must not stand in for it."""
    for name in file.names:
        if name in taken or not is_vector_name(name):
            continue
        change = f"or leave it out (--ignore {shlex.quote(name)})"
        if name in file.vectors:  # bytes that nobody says the type of
            advice = f"say what the bytes are, such as --features {name}:float32 ({', '.join(BYTE_TYPES)})"
            return InputError(f"{file.where}: column {name!r} holds {file.vectors[name].kind}; {advice}, {change}")
        packed = None if name in file.unread else packed_text(file.table.column(name))
        if name in file.unread or packed is not None:
            kind = file.unread.get(name) or f"text such as {packed!r}"
            return InputError(
                f"{file.where}: column {name!r} has the name of an embedding but holds {kind}; give every row a list "
                f"of as many numbers, {change}"
            )
    return None


def why_beside(file: TableFile, name: str, vector: str) -> str:
    """Why a column beside the vectors that are the features is none."""
    if name in file.set_aside:
        return file.set_aside[name]
    if name in file.unread or name in file.vectors:
        return _held(file, name)
    if is_id_name(name):
        return "its name is that of an id, but rows share one or lack it; kept to look at"
    kind = file.table.column(name).type
    beside = is_numeric(typed(file.table.column(name)).type)
    return f"stands beside the vectors of {vector!r}; kept to look at" if beside else f"{_word(kind)}; kept to look at"


def _word(kind: pa.DataType) -> str:
    return "text" if is_text(kind) else "empty" if pa.types.is_null(kind) else str(kind)


def flat_features(file: TableFile, taken: set[str], target: str | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """Columns of numbers that are features, and why the others are not."""
    names, why = [], {}
    codes = target_codes(file, target)
    coordinates = is_map(file)
    for name in file.table.column_names:
        if name in taken:
            continue
        column = file.table.column(name)
        if name in file.levels:
            why[name] = "the file marks it as a part of the index"
            continue
        label = is_label_name(name) and not (folded(name) == "y" and coordinates)
        reason = file.set_aside.get(name) or ("its name is that of a label" if label else None)
        reason = reason or _no_feature(name, column, codes, untyped=file.untyped)
        if reason is None:
            names.append(name)
        else:
            why[name] = reason
    of_classes = class_columns(file.table, names)
    names = [name for name in names if name not in of_classes]
    why |= dict.fromkeys(of_classes, "one column a class, which add up to 1 in every row: a label")
    why |= {
        name: file.set_aside.get(name) or _held(file, name)
        for name in (*file.vectors, *file.unread)
        if name not in taken
    }
    if not names:
        raise _nothing(file, why, taken)
    return tuple(names), why


def _held(file: TableFile, name: str) -> str:
    """What a column that is not read holds."""
    held = f"holds {file.vectors[name].kind if name in file.vectors else file.unread[name]}"
    return f"its name is that of a label, but it {held}: one label a row is read" if is_label_name(name) else held


def _nothing(file: TableFile, why: Mapping[str, str], taken: set[str]) -> InputError:
    plain = file.table.schema
    types = list(zip(plain.names, plain.types, strict=True))
    kinds = listed([f"{name} ({_shown(why.get(name), kind)})" for name, kind in types]
                   + [f"{name} ({each.kind})" for name, each in file.vectors.items()]
                   + [f"{name} ({kind})" for name, kind in file.unread.items()])  # fmt: skip
    error = InputError
    bytes_ = next((name for name, each in file.vectors.items() if each.is_bytes), None)
    if bytes_ is not None:
        advice = f"say what the bytes are, such as --features {bytes_}:float32 ({', '.join(BYTE_TYPES)})"
    elif texts_to_show(file, None, taken):
        error = OnlyTexts
        advice = f"make features of the texts first: embed --texts {file.where} --out features.npz"
    elif any(name in why and is_numeric(kind) for name, kind in types):
        advice = "name the ones to use all the same with --features"
    else:
        advice = "give every row a list of as many numbers" if file.unread else "add the features as numbers"
    return error(f"{file.where} has no numeric column to use as a feature; it has {kinds}; {advice}")


def _shown(reason: str | None, kind: pa.DataType) -> str:
    """Why a column is no feature where that says more than its type."""
    if reason is None or (is_text(kind) and reason.startswith("text")):
        return str(kind)
    return reason.removesuffix(_KEPT)


def _no_feature(name: str, column: pa.ChunkedArray, codes: np.ndarray | None, *, untyped: bool) -> str | None:
    """Why a column that nobody named is no feature; None where it is one."""
    numbers = typed(column) if untyped else column  # of a csv file, those that are read digit by digit
    if is_prediction_name(name):
        return "its name is that of a prediction"
    if not is_numeric(numbers.type):
        shared = is_id_name(name) and is_text(column.type)
        return "its name is that of an id, but rows share one or lack it" if shared else why_no_number(column)
    if is_empty(numbers):
        return "empty"
    if counts_rows(numbers, name):
        return "numbers the rows"
    if is_constant(numbers):
        return "constant"
    if (is_id_name(name) or ROW_NUMBERS.fullmatch(name)) and is_whole(numbers):
        return "its name is that of an id"
    if codes is not None and says_the_same(numbers, codes):
        return "says the same as the target"
    return None


def why_no_number(column: pa.ChunkedArray) -> str:
    """What a column holds instead of numbers."""
    if pa.types.is_null(column.type) or column.null_count == len(column):
        return "empty"
    if not is_text(column.type):
        return str(column.type)
    count, row, text = no_numbers(column)
    if 0 < count < len(column) / 2:
        return f"holds text in {count:,} of {len(column):,} rows (row {row}, from 0: {text!r}); kept to look at"
    return "text; kept to look at"
