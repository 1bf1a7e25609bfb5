"""One project: a file of everything that was done, in order; what is undone counts no more."""

import csv
import hashlib
import io
import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skmm_core.errors import InputError
from skmm_core.projects.state import DECISION, Batch, ProjectState, Scheme
from skmm_core.storage import write_text

ME = "me"  # the annotator of answers that were given here
LABEL, CLEAR, TAG, UNTAG, BATCH, SCHEME = "label", "clear", "tag", "untag", "batch", "scheme"
PIN, BAR, FREE = "pin", "bar", "free"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS actions (number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, "
    "what TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS events (action INTEGER NOT NULL REFERENCES actions, kind TEXT NOT NULL, "
    "item TEXT NOT NULL, value TEXT, by TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS by_action ON events (action)",
)


@dataclass(frozen=True)
class _Event:
    """One thing that was said of one point; value None of a label is a skip."""

    kind: str
    item: str
    value: str | None = None
    by: str = ME


class Project:
    """A pool's labels, tags and batches so far. Safe to use from several threads and processes.

    What a call writes is on the disk when it returns, whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and make it when it is not there.

        Args:
            path: of the SQLite file; its folder is there.

        Raises:
            InputError: it cannot be opened or written.
        """
        self._path = path
        with self._connect(prepare=True) as db:
            for statement in _SCHEMA:
                db.execute(statement)

    @property
    def id(self) -> str:
        """Name of the project's folder."""
        return self._path.parent.name

    def version(self) -> tuple[int, int]:
        """Changes whenever anything is done or undone; cheap."""
        with self._connect(write=False) as db:
            number, undone = db.execute(
                "SELECT coalesce(max(number), 0), coalesce(sum(undone), 0) FROM actions"
            ).fetchone()
        return int(number), int(undone)

    def state(self) -> ProjectState:
        """Everything that counts now."""
        with self._connect(write=False) as db:
            rows = db.execute(
                "SELECT kind, item, value, by, at, number FROM events JOIN actions ON action = number "
                "WHERE undone = 0 ORDER BY number, events.rowid"
            ).fetchall()
        return _fold(rows)

    def label(self, answers: Mapping[str, str | None], *, by: str = ME, what: str = "") -> None:
        """Answer for points, as one action.

        Args:
            answers: id → label, or None for a skip.
            by: who answers; the last answer of each counts.
            what: the action in words, for undo; empty takes "label ID as LABEL" or how many.
        """
        self.label_by({by: answers}, what=what)

    def label_by(self, answers: Mapping[str, Mapping[str, str | None]], *, what: str = "") -> None:
        """Answers of several annotators, as one action: annotator → id → label or None."""
        events = [_Event(LABEL, item, label, by) for by, given in answers.items() for item, label in given.items()]
        if len(events) == 1:
            (one,) = events
            usual = f"skip {one.item}" if one.value is None else f"label {one.item} as {one.value}"
        else:
            usual = f"label {_points(len(events))}"
        self._do(what or usual, events)

    def clear(self, items: Collection[str], *, what: str = "") -> None:
        """Take back every answer about points."""
        answered = self.state().answers
        events = [_Event(CLEAR, item, None, by) for item in items for by in answered.get(item, ())]
        self._do(what or f"clear the answers of {_points(len(items))}", events)

    def tag(self, items: Collection[str], tag: str) -> None:
        """Give points a tag."""
        self._do(f"tag {_points(len(items))} as {tag}", [_Event(TAG, item, tag) for item in items])

    def untag(self, items: Collection[str], tag: str) -> None:
        """Take a tag from points."""
        self._do(f"take the tag {tag} from {_points(len(items))}", [_Event(UNTAG, item, tag) for item in items])

    def decide(self, items: Collection[str], how: str) -> None:
        """Decide by hand on points: "pin" (choose in any case), "bar" (never choose) or "free" (neither).

        Raises:
            ValueError: `how` is none of the three.
        """
        if how not in (PIN, BAR, FREE):
            raise ValueError(f"{how!r} is none of pin, bar, free")
        self._do(f"{how} {_points(len(items))}", [_Event(how, item) for item in items])

    def keep_scheme(self, scheme: Scheme) -> None:
        """Settle what an answer is: the names of the classes in order, or numbers."""
        if scheme != self.state().scheme:
            value = json.dumps([list(scheme.classes), scheme.numbers])
            self._do("change what an answer is", [_Event(SCHEME, "", value)])

    def add_batch(self, run: str, items: Sequence[str]) -> int:
        """Note points that a run picked, in the order picked; once for each run.

        Returns:
            Number of the batch, 1 for the first.

        Raises:
            InputError: a point is in an earlier batch.
        """
        with self._connect() as db:
            rows = db.execute(
                "SELECT item, value FROM events JOIN actions ON action = number WHERE undone = 0 AND kind = ?", (BATCH,)
            ).fetchall()
            known = {item: json.loads(value) for item, value in rows}
            for number, of_run in known.values():
                if of_run == run:
                    return int(number)
            if twice := next((item for item in items if item in known), None):
                raise InputError(f"{twice} is in batch {known[twice][0]} already; pick the next batch anew")
            number = 1 + max((number for number, _ in known.values()), default=0)
            value = json.dumps([number, run])
            _write(db, f"pick batch {number}", [_Event(BATCH, item, value) for item in items])
        return number

    def undo(self) -> str | None:
        """Take back the last action that counts; returns it in words, None when there is none."""
        return self._turn("SELECT max(number) FROM actions WHERE undone = 0", 1)

    def redo(self) -> str | None:
        """Do again what was undone last; None when something else was done since, or nothing was undone."""
        return self._turn(
            "SELECT min(number) FROM actions WHERE undone = 1 AND number > "
            "(SELECT coalesce(max(number), 0) FROM actions WHERE undone = 0)",
            0,
        )

    def last_action(self) -> str | None:
        """What :meth:`undo` would take back, in words."""
        with self._connect(write=False) as db:
            found = db.execute("SELECT what FROM actions WHERE undone = 0 ORDER BY number DESC LIMIT 1").fetchone()
        return None if found is None else str(found[0])

    def last_answered(self) -> tuple[str, ...]:
        """Points whose answers :meth:`undo` would take back; none where the last action was another one."""
        with self._connect(write=False) as db:
            found = db.execute(
                "SELECT item FROM events WHERE action = (SELECT max(number) FROM actions WHERE undone = 0) "
                "AND kind IN (?, ?) ORDER BY rowid",
                (LABEL, CLEAR),
            ).fetchall()
        return tuple(item for (item,) in found)

    def answer_times(self, *, last: int = 30) -> tuple[tuple[float, int], ...]:
        """When answers were given here: epoch seconds and number of points, of the last actions that answered any."""
        with self._connect(write=False) as db:
            found = db.execute(
                "SELECT at, count(*) FROM (SELECT number, at FROM actions WHERE undone = 0 ORDER BY number DESC "
                "LIMIT ?) JOIN events ON action = number WHERE kind = ? AND by IN (?, ?) GROUP BY number "
                "ORDER BY number",
                (last, LABEL, ME, DECISION),
            ).fetchall()
        return tuple((float(at), int(count)) for at, count in found)

    def snapshot(self) -> Path:
        """Write what is known as a csv file named by its content: id, label, batch, state.

        The state is labelled, pending (picked or disputed, without a label yet), skipped or barred. A run that picks
        the next batch names this file, so that the same labels are the same run.

        Raises:
            InputError: the folder cannot be written.
        """
        state = self.state()
        states = dict.fromkeys(state.barred, "barred") | dict.fromkeys(state.pending, "pending")
        states |= dict.fromkeys(state.disputed, "pending") | dict.fromkeys(state.skipped, "skipped")
        states |= dict.fromkeys(state.labels, "labelled")
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("id", "label", "batch", "state"))
        for item in sorted(states):
            writer.writerow((item, state.labels.get(item, ""), state.batch_of.get(item, ""), states[item]))
        digest = hashlib.sha256(text.getvalue().encode()).hexdigest()[:16]
        path = self._path.parent / "labels" / f"labels-{digest}.csv"
        if not path.exists():
            try:
                path.parent.mkdir(exist_ok=True)
                write_text(path, text.getvalue())
            except OSError as error:
                raise InputError(f"{path.parent} cannot be written: {error.strerror}; free some disk space") from None
        return path

    def _do(self, what: str, events: Sequence[_Event]) -> None:
        if events:
            with self._connect() as db:
                _write(db, what, events)

    def _turn(self, which: str, undone: int) -> str | None:
        with self._connect() as db:
            number = db.execute(which).fetchone()[0]
            if number is None:
                return None
            found = db.execute("UPDATE actions SET undone = ? WHERE number = ? RETURNING what", (undone, number))
            return str(found.fetchone()[0])

    @contextmanager
    def _connect(self, *, write: bool = True, prepare: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when it ends: an answer outlives the machine's power."""
        try:
            db = sqlite3.connect(self._path, timeout=20, isolation_level=None)
            try:
                if prepare:
                    db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield db
                db.execute("COMMIT")
            finally:
                db.close()
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"{self._path} cannot be used: {error}; free some disk space or restore the file"
            ) from None


def _points(count: int) -> str:
    return f"{count:,} point{'s' * (count != 1)}"


def _write(db: sqlite3.Connection, what: str, events: Sequence[_Event]) -> None:
    """One more action; what was undone before it cannot be done again."""
    db.execute("DELETE FROM events WHERE action IN (SELECT number FROM actions WHERE undone = 1)")
    db.execute("DELETE FROM actions WHERE undone = 1")
    number = db.execute("INSERT INTO actions (at, what) VALUES (?, ?)", (time.time(), what)).lastrowid
    db.executemany(
        "INSERT INTO events (action, kind, item, value, by) VALUES (?, ?, ?, ?, ?)",
        ((number, event.kind, event.item, event.value, event.by) for event in events),
    )


def _fold(rows: Sequence[tuple[str, str, str | None, str, float, int]]) -> ProjectState:
    answers: dict[str, dict[str, str | None]] = defaultdict(dict)
    tags: dict[str, set[str]] = defaultdict(set)
    hand: dict[str, str] = {}
    batches: dict[int, tuple[str, float, list[str]]] = {}
    scheme = Scheme()
    for kind, item, value, by, at, _ in rows:
        if kind == LABEL:
            answers[item][by] = value
        elif kind == CLEAR:
            answers[item].pop(by, None)
        elif kind == TAG:
            tags[item].add(str(value))
        elif kind == UNTAG:
            tags[item].discard(str(value))
        elif kind == BATCH:
            number, run = json.loads(str(value))
            batches.setdefault(int(number), (str(run), at, []))[2].append(item)
        elif kind == SCHEME:
            names, numbers = json.loads(str(value))
            scheme = Scheme(tuple(names), numbers)
        else:
            hand[item] = kind
    return ProjectState(
        answers={item: dict(of) for item, of in answers.items() if of},
        tags={item: frozenset(of) for item, of in tags.items() if of},
        pinned=frozenset(item for item, how in hand.items() if how == PIN),
        barred=frozenset(item for item, how in hand.items() if how == BAR),
        batches=tuple(Batch(number, run, at, tuple(items)) for number, (run, at, items) in sorted(batches.items())),
        scheme=scheme,
    )
