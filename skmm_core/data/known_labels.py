"""Which rows have a label: none, some or all. Some is normal: those without are what one picks from."""

from collections import Counter
from dataclasses import replace

import numpy as np

from skmm_core.data.how_read import quoted
from skmm_core.data.rows import RawRows, RawTargets, number_targets
from skmm_core.data.targets import as_numbers, auto_task

KEPT = "the labels are kept to look at; to use them, take the labelled rows alone (--labelled-only, a switch in Data)"
_LISTED = 5


def mark_unlabelled(part: RawRows, value: str | None) -> RawRows:
    """Count rows as without a label where their target is a value that says so.

    Args:
        part: rows as read.
        value: the word or number, such as -1 or todo; None for none.
    """
    raw = part.targets
    if raw is not None and part.names and raw.levels is None:  # where classes are numbered, -1 says that there is none
        raw = replace(raw, missing=raw.missing | (raw.values == -1))
        part = replace(part, targets=raw)
    if raw is None or value is None:
        return part
    word = value.strip()
    if raw.levels is not None:
        codes = [code for code, level in enumerate(raw.levels) if level.casefold() == word.casefold()]
        marked = np.isin(raw.values, codes)
    elif word.casefold() in (named := [name.casefold() for name in part.names]):
        marked = raw.values == named.index(word.casefold())
    else:
        try:
            marked = raw.values == float(word)
        except ValueError:
            marked = np.zeros(len(raw.values), bool)
    if not marked.any():
        note = f"{part.where}: no row has {word!r} in {raw.column}, which was said to mean that a row has no label."
        return replace(part, notes=(*part.notes, note))
    return replace(part, targets=as_numbers(replace(raw, missing=raw.missing | marked)))


def settle(part: RawRows) -> tuple[RawRows, tuple[str | None, ...] | None]:
    """Keep targets only where every row has one; of a partly labelled pool, the labels in words.

    Args:
        part: checked rows of the pool.

    Returns:
        The rows, and the label of each in words with None where there is none; None unless some rows have one.
    """
    raw = part.targets
    if raw is None:
        return part, None
    known = np.flatnonzero(~raw.missing)
    if not len(known):
        note = f"{part.where}: the target {raw.column} is empty in every row: read as a pool without labels."
        return replace(part, targets=None, notes=(*part.notes, note)), None
    if len(known) < len(raw.missing):
        texts = label_texts(raw, part.names)
        counts = Counter(text for text in texts if text is not None)
        most = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(_LISTED))
        more = f" and {len(counts) - _LISTED:,} more" if len(counts) > _LISTED else ""
        note = (
            f"{part.where}: {len(known):,} of {len(raw.missing):,} rows have a label in {raw.column} ({most}{more}): "
            f"read as a pool to pick from; {KEPT}."
        )
        return replace(part, targets=None, notes=(*part.notes, note)), texts
    if len(np.unique(raw.values)) == 1:
        (value,) = {*label_texts(raw, part.names)}
        note = (
            f"{part.where}: the target {raw.column} is {value} in every row, which tells no rows apart: read as a pool "
            "without labels."
        )
        return replace(part, targets=None, notes=(*part.notes, note)), None
    return part, None


def label_texts(raw: RawTargets, names: tuple[str, ...]) -> tuple[str | None, ...]:
    """Targets in words, None for rows without one."""
    distinct, places = np.unique(np.where(raw.missing, 0, raw.values), return_inverse=True)
    words = [_word(value, raw, names) for value in distinct.tolist()]
    return tuple(
        None if gone else words[place] for gone, place in zip(raw.missing.tolist(), places.tolist(), strict=True)
    )


def _word(value: float, raw: RawTargets, names: tuple[str, ...]) -> str:
    if raw.levels is not None:
        return raw.levels[int(value)]
    if names and 0 <= value < len(names) and float(value).is_integer():
        return names[int(value)]
    return number_word(value)


def number_word(value: float) -> str:
    """A label that is a number in as few digits as say which number it is, of float32 ones where it is one."""
    if float(value).is_integer():
        return str(int(value))
    with np.errstate(over="ignore"):
        single = np.float32(value)
    return str(single) if float(single) == value else repr(float(value))


def known_array(labels: tuple[str | None, ...]) -> np.ndarray:
    """Labels of a partly labelled pool as an array that is read as the same labels.

    Args:
        labels: in words, None for none.

    Returns:
        (N,) float64 with NaN for none where every label is a number written as numbers are; else text with "" for none,
        also for whole numbers that are classes but would not be with decimals.
    """
    words = {label for label in labels if label is not None}
    if all(map(_is_plain, words)):
        values = np.array([np.nan if label is None else float(label) for label in labels], np.float64)
        if not _loses_classes(values[~np.isnan(values)]):
            return values
    return np.array(["" if label is None else label for label in labels])


def known_words(labels: np.ndarray) -> tuple[str | None, ...]:
    """Labels of an array as :func:`known_array` writes them, in words; None for none."""
    if labels.dtype.kind == "f":
        return tuple(None if np.isnan(value) else number_word(value) for value in labels.tolist())
    return tuple(label or None for label in labels.tolist())


def _is_plain(word: str) -> bool:
    try:
        value = float(word)
    except ValueError:
        return False
    return np.isfinite(value) and number_word(value) == word


def _loses_classes(values: np.ndarray) -> bool:
    """Whether known labels are classes as whole numbers, but values once a missing one makes them decimal."""
    if not len(values) or (values != np.round(values)).any() or np.abs(values).max() >= 2**53:
        return False
    tasks = {auto_task(number_targets(each, ""), (), "")[0] for each in (values, values.astype(np.int64))}
    return len(tasks) > 1


def target_taken(column: str, classes: tuple[str, ...], known: tuple[str | None, ...] | None) -> str:
    """What the target is, for the table of how a file was read."""
    if known is not None:
        return f"{column}: {sum(text is not None for text in known):,} of {len(known):,} rows have a label"
    return f"{column}: {len(classes):,} classes, {quoted(list(classes))}" if classes else f"{column}: numbers"
