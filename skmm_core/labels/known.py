"""Labels so far, read from a plain table: which points have one, which wait for one, which are never to be picked."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from skmm_core.data import (
    TableFile,
    check_file,
    encoded,
    file_path,
    folded,
    is_label_name,
    is_numeric,
    label_rank,
    number_word,
    read_table_file,
    row_names,
    typed,
)
from skmm_core.errors import InputError

LABELLED, PENDING, SKIPPED, BARRED = "labelled", "pending", "skipped", "barred"
STATES = (LABELLED, PENDING, SKIPPED, BARRED)
_IDS = ("skmm_id", "id")
_COLUMNS = "a column id and a column label, as the selection.csv of a run has once a column label is added"


@dataclass(frozen=True)
class LabelsRead:
    """What a file says of points, each named by its id.

    Attributes:
        labels: id → label in words.
        pending: ids of points that were picked and wait for a label, in the order of the file.
        skipped: ids of points that somebody could not label, in that order.
        barred: ids of points that are never to be picked, in that order.
        notes: what a person should know of the reading, a sentence each.
        batches: id → number of the batch that it was picked in, where the file says so.
    """

    labels: dict[str, str]
    pending: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    batches: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The same as a csv file that :func:`read_labels` reads: id, label, batch, state."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("id", "label", "batch", "state"))
        states = dict.fromkeys(self.labels, LABELLED)
        for state, ids in ((PENDING, self.pending), (SKIPPED, self.skipped), (BARRED, self.barred)):
            states |= dict.fromkeys(ids, state)
        for id_, state in states.items():
            writer.writerow((id_, self.labels.get(id_, ""), self.batches.get(id_, ""), state))
        return text.getvalue()

    @property
    def digest(self) -> str:
        """16 hex digits that are the same for the same labels, whatever file they came in."""
        lines = sorted(self.text.splitlines())
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_labels(path: str | Path) -> LabelsRead:
    """Read labels so far.

    A row with a label is labelled. One without is as its `state` says (pending, skipped, barred), or waits for a label
    where it has a batch; else it says nothing.

    Args:
        path: a table (csv, tsv, parquet, jsonl) with an id and a label a row, and perhaps `batch` and `state`.

    Raises:
        InputError: it cannot be read, or lacks these columns.
    """
    where = file_path(str(path))
    check_file(where)
    file = read_table_file(where, lambda name: True)
    names = {name: folded(name) for name in file.table.column_names}
    id_ = next((name for wanted in _IDS for name, plain in names.items() if plain == wanted), None)
    if id_ is None:
        raise InputError(f"{file.where} has no column id; labels need {_COLUMNS}")
    labels = _labels(file, id_)
    batches, told = _batches(file, _named(names, "batch"))
    if labels is None and batches is None:
        raise InputError(f"{file.where} has no column label; labels need {_COLUMNS}")
    states = _states(file, _named(names, "state"))
    nothing: list[None] = [None] * file.rows
    rows = zip(row_names(file.table.column(id_)), labels or nothing, batches or nothing, states or nothing, strict=True)
    found = _gathered(rows, file.where)
    return LabelsRead(**{**found, "notes": (*file.notes, *told, *found["notes"])})


def _named(names: dict[str, str], wanted: str) -> str | None:
    return next((name for name, plain in names.items() if plain == wanted), None)


def _labels(file: TableFile, id_: str) -> list[str | None] | None:
    """Label of every row in words; None without such a column."""
    named = [name for name in file.table.column_names if name != id_ and is_label_name(name)]
    return words_of(file.table.column(min(named, key=label_rank))) if named else None


def words_of(column: pa.ChunkedArray) -> list[str | None]:
    """Every cell in words, None where nothing stands; numbers in as few digits as say which they are."""
    plain = typed(column)
    if is_numeric(plain.type):
        return [None if value is None or value != value else number_word(value) for value in plain.to_pylist()]
    codes, texts = encoded(column)
    return [texts[code] if code >= 0 else None for code in codes.tolist()]


def _batches(file: TableFile, name: str | None) -> tuple[list[int | None] | None, tuple[str, ...]]:
    """Batch of every row, None where none stands; None where the column holds no numbers of batches."""
    if name is None:
        return None, ()
    words = words_of(file.table.column(name))
    if any(word is not None and not (word.isdecimal() and int(word) > 0) for word in words):
        return None, (f"{file.where}: the column {name} holds no whole numbers from 1, so no batch is read from it.",)
    return [None if word is None else int(word) for word in words], ()


def _states(file: TableFile, name: str | None) -> list[str | None] | None:
    """State of every row; None where the column is about something else, such as states of a country."""
    if name is None:
        return None
    words = [None if word is None else word.casefold() for word in words_of(file.table.column(name))]
    return words if {word for word in words if word is not None} <= set(STATES) else None


def _gathered(rows: Iterable[tuple[str, str | None, int | None, str | None]], where: str) -> dict[str, Any]:
    """What rows say together: a label wins over none, and labels that differ are none, to be decided anew."""
    labels: dict[str, str] = {}
    states: dict[str, str] = {}
    batches: dict[str, int] = {}
    seen: Counter[str] = Counter()
    disputed: set[str] = set()
    for id_, label, batch, state in rows:
        if id_ == "":
            continue
        seen[id_] += 1
        if batch is not None:
            batches[id_] = max(batch, batches.get(id_, 0))
        if label is not None:
            if labels.setdefault(id_, label) != label:
                disputed.add(id_)
        elif state in (PENDING, SKIPPED, BARRED) or batch is not None or state == LABELLED:
            states[id_] = state if state in (SKIPPED, BARRED) else PENDING
    for id_ in disputed:
        del labels[id_]
        states[id_] = PENDING
    repeated = sum(count > 1 for count in seen.values())
    notes = []
    if repeated:
        notes.append(f"{where}: {repeated:,} ids stand in several rows; each counts once.")
    if disputed:
        shown = ", ".join(sorted(disputed)[:5])
        notes.append(f"{where}: {len(disputed):,} ids have different labels and wait for a decision: {shown}.")
    left = {id_: state for id_, state in states.items() if id_ not in labels}
    return {
        "labels": labels,
        **{name: tuple(id_ for id_, state in left.items() if state == name) for name in (PENDING, SKIPPED, BARRED)},
        "notes": tuple(notes),
        "batches": {id_: batch for id_, batch in batches.items() if id_ in labels or id_ in left},
    }
