"""Labels so far, read from a plain table: which points have one, which wait for one, which are never to be picked."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from skmm_core.data import (
    TableFile,
    encoded,
    folded,
    is_label_name,
    is_numeric,
    is_text,
    label_rank,
    number_word,
    row_names,
    typed,
)
from skmm_core.errors import InputError
from skmm_core.labels.answers import Answer, collect, settled
from skmm_core.labels.records import read_text_table
from skmm_core.projects import ME

LABELLED, PENDING, SKIPPED, BARRED = "labelled", "pending", "skipped", "barred"
STATES = (LABELLED, PENDING, SKIPPED, BARRED)
_IDS = ("skmm_id", "id")
_LONGEST_BATCH = 18  # digits, so that every number of a batch fits in an int64
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
        answers: annotator → id → label, or None for a skip: what the labels and skips are settled from.
        by_file_name: whether points are named by their file, since the tool that wrote them keeps no id.
    """

    labels: dict[str, str]
    pending: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    batches: dict[str, int] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    by_file_name: bool = False

    @property
    def items(self) -> tuple[str, ...]:
        """Every point that the file says anything of."""
        answered = (item for given in self.answers.values() for item in given)
        return tuple(dict.fromkeys((*answered, *self.labels, *self.pending, *self.skipped, *self.barred)))

    @property
    def text(self) -> str:
        """The same as a csv file that :func:`read_table` reads: id, label, batch, state."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        named = ("file name",) if self.by_file_name else ()
        writer.writerow(("id", "label", "batch", "state", *(["named by"] if named else [])))
        states = dict.fromkeys(self.labels, LABELLED)
        for state, ids in ((PENDING, self.pending), (SKIPPED, self.skipped), (BARRED, self.barred)):
            states |= dict.fromkeys(ids, state)
        for id_, state in states.items():
            writer.writerow((id_, self.labels.get(id_, ""), self.batches.get(id_, ""), state, *named))
        return text.getvalue()

    @property
    def digest(self) -> str:
        """16 hex digits that are the same for the same labels, whatever file they came in."""
        lines = sorted(self.text.splitlines())
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_table(path: Path) -> LabelsRead:
    """Read labels so far from a plain table.

    A row with a label is labelled. One without is as its `state` says (pending, skipped, barred), or waits for a label
    where it has a batch; else it says nothing.

    Args:
        path: a table (csv, tsv, parquet, jsonl) with an id and a label a row, and perhaps `annotator`, `batch` and
            `state`; one that was checked.

    Raises:
        InputError: it cannot be read, or lacks these columns.
    """
    file = read_text_table(path)
    names = {name: folded(name) for name in file.table.column_names}
    id_ = next((name for wanted in _IDS for name, plain in names.items() if plain == wanted), None)
    if id_ is None:
        raise InputError(f"{file.where} has no column id; labels need {_COLUMNS}")
    states = _states(file, _named(names, "state"))
    labels = _labels(file, id_, states)
    batches, told = _batches(file, _named(names, "batch"))
    if labels is None and batches is None:
        raise InputError(f"{file.where} has no column label; labels need {_COLUMNS}")
    named = _named(names, "annotator")
    who = None if named is None else words_of(file.table.column(named))
    nothing: list[None] = [None] * file.rows
    ids = row_names(file.table.column(id_))
    rows = zip(ids, labels or nothing, batches or nothing, states or nothing, who or nothing, strict=True)
    found = _gathered(rows, file.where)
    by_file_name = _named(names, "named_by") is not None  # as the copy in a run says
    return LabelsRead(**{**found, "notes": (*file.notes, *told, *found["notes"]), "by_file_name": by_file_name})


def _named(names: dict[str, str], wanted: str) -> str | None:
    return next((name for name, plain in names.items() if plain == wanted), None)


def _labels(file: TableFile, id_: str, states: list[str | None] | None) -> list[str | None] | None:
    """Label of every row in words; None without such a column.

    Where a state says that a row is labelled, its label is taken letter by letter: what was written here says the same
    when it is read again, also of classes that are called true, 1.0 or null.
    """
    named = [name for name in file.table.column_names if name != id_ and is_label_name(name)]
    if not named:
        return None
    column = file.table.column(min(named, key=label_rank))
    words = words_of(column)
    if states is None or not is_text(column.type):
        return words
    written = (str(cell or "").strip() or None for cell in column.to_pylist())
    return [said if state == LABELLED else word for state, said, word in zip(states, written, words, strict=True)]


def words_of(column: pa.ChunkedArray) -> list[str | None]:
    """Every cell in words, None where nothing stands; numbers in as few digits as say which they are."""
    plain = typed(column)
    if pa.types.is_boolean(plain.type):  # as the classes of a pool are called whose column holds truth values
        return [None if value is None else str(value) for value in plain.to_pylist()]
    if is_numeric(plain.type):
        return [None if value is None or value != value else number_word(value) for value in plain.to_pylist()]
    codes, texts = encoded(column)
    return [texts[code] if code >= 0 else None for code in codes.tolist()]


def _batches(file: TableFile, name: str | None) -> tuple[list[int | None] | None, tuple[str, ...]]:
    """Batch of every row, None where none stands; None where the column holds no numbers of batches."""
    if name is None:
        return None, ()
    words = words_of(file.table.column(name))
    if any(word is not None and not (word.isdecimal() and len(word) < _LONGEST_BATCH and int(word)) for word in words):
        return None, (f"{file.where}: the column {name} holds no whole numbers from 1, so no batch is read from it.",)
    return [None if word is None else int(word) for word in words], ()


def _states(file: TableFile, name: str | None) -> list[str | None] | None:
    """State of every row; None where the column is about something else, such as states of a country."""
    if name is None:
        return None
    words = [None if word is None else word.casefold() for word in words_of(file.table.column(name))]
    return words if {word for word in words if word is not None} <= set(STATES) else None


def _gathered(rows: Iterable[tuple[str, str | None, int | None, str | None, str | None]], where: str) -> dict[str, Any]:
    """What rows say together: a label wins over none, and labels that differ are none, to be decided anew."""
    answers: list[Answer] = []
    states: dict[str, str] = {}
    batches: dict[str, int] = {}
    seen: Counter[tuple[str, str | None]] = Counter()
    for id_, label, batch, state, who in rows:
        if id_ == "":
            continue
        seen[id_, who] += 1
        if batch is not None:
            batches[id_] = max(batch, batches.get(id_, 0))
        if label is not None or state == SKIPPED:
            answers.append(Answer(id_, label, ME if who is None else f"file:{who}"))
        elif state in (PENDING, BARRED) or batch is not None or state == LABELLED:
            states[id_] = state if state == BARRED else PENDING
    collected = collect(answers)
    outcome = settled(collected.given)
    labels = outcome.labels
    states |= dict.fromkeys(outcome.disputed, PENDING) | dict.fromkeys(outcome.skipped, SKIPPED)
    repeated = sum(count > 1 for count in seen.values())
    notes = [f"{where}: {note}" for note in collected.notes]
    if repeated:
        notes.append(f"{where}: {repeated:,} ids stand in several rows; each counts once.")
    if outcome.disputed:
        shown = ", ".join(sorted(outcome.disputed)[:5])
        notes.append(f"{where}: {len(outcome.disputed):,} ids have different labels and wait for a decision: {shown}.")
    left = {id_: state for id_, state in states.items() if id_ not in labels}
    return {
        "labels": labels,
        **{name: tuple(id_ for id_, state in left.items() if state == name) for name in (PENDING, SKIPPED, BARRED)},
        "notes": tuple(notes),
        "batches": {id_: batch for id_, batch in batches.items() if id_ in labels or id_ in left},
        "answers": collected.given,
    }
