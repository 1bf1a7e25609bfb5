"""The SQLite file of the run index: opening, transactions, and rebuilding it from the run folders."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.runs.files import RESULT, read_card, read_config
from skmm_core.runs.record import RunState, budget_text, dataset_text, method_text, run_id

DIED = "the process ended without finishing; start the run again"
_FILE = "index.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, dataset TEXT NOT NULL, method TEXT NOT NULL,
    budget TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
    host TEXT, pid INTEGER, began REAL, heartbeat REAL, error TEXT, config TEXT NOT NULL, fingerprint TEXT NOT NULL,
    stop INTEGER NOT NULL DEFAULT 0, deleted REAL
)"""


class Database:
    """The index file of one home folder."""

    def __init__(self, home: Path) -> None:
        """Open the file; make it when it is missing, set a damaged one aside and rebuild it from the folders.

        Raises:
            InputError: it cannot be opened.
        """
        self._path = home / _FILE
        self._runs = home / "runs"
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            raise InputError(f"{self._path} cannot be opened: {error}; set SKMM_HOME to another folder") from None
        except sqlite3.DatabaseError:
            self._set_aside()
            self._prepare()

    @contextmanager
    def connect(self, *, write: bool = True) -> Iterator[sqlite3.Connection]:
        """One connection a use, one transaction a connection: nothing is shared between threads.

        Raises:
            InputError: the file is damaged or cannot be written; nothing of the transaction is kept.
        """
        db = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield db
            db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"{self._path} cannot be used: {error}; free some disk space, or move the file away, it is made anew"
            ) from None
        finally:
            db.close()

    def _prepare(self) -> None:
        new = not self._path.exists()
        db = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)
            db.execute("BEGIN IMMEDIATE")
            db.execute(_SCHEMA)
            for folder in self._runs.iterdir() if new else ():
                _adopt(db, folder)
            db.execute("COMMIT")
        finally:
            db.close()

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            damaged = self._path.with_name(_FILE + suffix)
            if damaged.exists():
                damaged.replace(self._path.with_name(f"damaged-{_FILE}{suffix}"))


def insert_run(
    db: sqlite3.Connection, id_: str, name: str, config: RunConfig, fingerprint: str, created: float, state: RunState
) -> None:
    """Add a row unless the id is there."""
    db.execute(
        "INSERT OR IGNORE INTO runs (id, name, kind, dataset, method, budget, state, created, config, fingerprint) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id_,
            name,
            config.job.kind,
            dataset_text(config),
            method_text(config),
            budget_text(config),
            state.value,
            created,
            json.dumps(config.model_dump(mode="json")),
            fingerprint,
        ),
    )


def _adopt(db: sqlite3.Connection, folder: Path) -> None:
    """Enter a folder that a lost index knew; one that says nothing sensible is left alone."""
    card = read_card(folder)
    try:
        config = read_config(folder)
    except InputError:
        return
    if card is None or card.id != folder.name or card.id != run_id(config, card.fingerprint):
        return
    done = (folder / RESULT).exists()
    insert_run(
        db, card.id, card.name, config, card.fingerprint, card.created, RunState.DONE if done else RunState.FAILED
    )
    db.execute(
        "UPDATE runs SET finished = ?, error = ? WHERE id = ? AND state IN ('done', 'failed')",
        (card.created, None if done else DIED, card.id),
    )
