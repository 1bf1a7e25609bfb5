"""The index of all runs: one SQLite file that several processes read and change at once.

Every change of state is one statement that names the state it expects, so of two processes that want the same run
only one gets it. The folders hold the results; an index that is lost or damaged is rebuilt from them.
"""

import shutil
import time
from dataclasses import astuple
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.runs import bundle
from skmm_core.runs.database import DIED, Database, insert_run
from skmm_core.runs.files import CARD, LOG, RESULT, RunCard, write_config
from skmm_core.runs.processes import ProcessKey, end_process
from skmm_core.runs.record import RunRecord, RunState, check_id, default_name, run_id
from skmm_core.storage import write_json

_COLUMNS = (
    "id, name, kind, dataset, method, budget, state, created, started, finished, pid, heartbeat, error, config, "
    "fingerprint"
)
_SILENT = 60.0  # seconds without a heartbeat after which a process on another machine counts as gone
_TRASH_DAYS = 7


class RunStore:
    """All runs under one home folder. Safe to use from several threads and processes."""

    def __init__(self, home: Path) -> None:
        """Open the store, and make it when it is not there.

        Raises:
            InputError: the home folder cannot be made or written.
        """
        self.home = home
        try:
            (home / "runs").mkdir(parents=True, exist_ok=True)
            (home / "trash").mkdir(exist_ok=True)
            self._database = Database(home)
        except OSError as error:
            raise InputError(f"{home} cannot be used for runs: {error.strerror}; set SKMM_HOME") from None

    def folder(self, id_: str) -> Path:
        """Where the files of a run are."""
        return self.home / "runs" / check_id(id_)

    def create(self, config: RunConfig, fingerprint: str, *, name: str | None = None) -> RunRecord:
        """Put a run in the queue, or return what is there for the same question.

        A finished, queued or running run of the same config and data is returned as it is; a failed or cancelled one is
        queued again, and a comparison then continues from the scores it has.

        Raises:
            InputError: its folder cannot be written.
        """
        id_ = run_id(config, fingerprint)
        self._restore(id_)
        now = time.time()
        name = name or default_name(config)
        with self._database.connect() as db:
            insert_run(db, id_, name, config, fingerprint, now, RunState.CANCELLED)
            queued = db.execute(
                "UPDATE runs SET state = 'queued', started = NULL, finished = NULL, error = NULL, stop = 0, "
                "pid = NULL, heartbeat = NULL, created = ? WHERE id = ? AND state IN ('failed', 'cancelled') "
                "RETURNING name",
                (now, id_),
            ).fetchone()
            if queued is not None:  # still inside the transaction: nobody can start the run before its files are there
                self._set_up(RunCard(id=id_, name=queued[0], fingerprint=fingerprint, created=now), config)
        return self.get(id_)

    def get(self, id_: str) -> RunRecord:
        """Look up one run.

        Raises:
            InputError: there is no such run.
        """
        with self._database.connect(write=False) as db:
            row = db.execute(
                f"SELECT {_COLUMNS} FROM runs WHERE id = ? AND deleted IS NULL", (check_id(id_),)
            ).fetchone()
        record = None if row is None else self._record(row)
        if record is None:
            raise InputError(f"run {id_} is not here; `runs list` shows all runs")
        return record

    def records(self, search: str = "", kind: str | None = None) -> list[RunRecord]:
        """All runs, newest first.

        Args:
            search: words that must all occur in name, dataset, method, state or id.
            kind: "select", "compare" or "embed"; None for all.
        """
        where, values = "deleted IS NULL", []
        for word in search.split():
            where += " AND (name || ' ' || dataset || ' ' || method || ' ' || state || ' ' || id) LIKE ? ESCAPE '\\'"
            values.append("%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%")
        if kind is not None:
            where += " AND kind = ?"
            values.append(kind)
        with self._database.connect(write=False) as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM runs WHERE {where} ORDER BY created DESC, id", values).fetchall()
        return [record for row in rows if (record := self._record(row)) is not None]

    def rename(self, id_: str, name: str) -> None:
        """Give a run another name; an empty one brings back the made-up name."""
        record = self.get(id_)
        name = " ".join(name.split())[:200] or default_name(record.config)
        with self._database.connect() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (name, id_))
        card = RunCard(id=id_, name=name, fingerprint=record.fingerprint, created=record.created)
        write_json(record.folder / CARD, card.model_dump())

    def delete(self, id_: str) -> None:
        """Move a run to the trash, where it stays for a week.

        Raises:
            InputError: it is queued or running.
        """
        record = self.get(id_)
        with self._database.connect() as db:
            gone = db.execute(
                "UPDATE runs SET deleted = ? WHERE id = ? AND state NOT IN ('queued', 'running')", (time.time(), id_)
            )
            if gone.rowcount == 0:
                raise InputError(f"run {id_} is {record.state}; cancel it first")
        trashed = self.home / "trash" / id_
        shutil.rmtree(trashed, ignore_errors=True)
        if record.folder.exists():
            record.folder.rename(trashed)

    def undelete(self, id_: str) -> None:
        """Bring a run back from the trash.

        Raises:
            InputError: it is not there any more.
        """
        if not self._restore(check_id(id_)):
            raise InputError(f"run {id_} is not in the trash")

    def cancel(self, id_: str) -> None:
        """End a run; what it has finished is kept. Returns when it has ended, within about a second.

        Nothing happens to a run that has ended already.

        Raises:
            InputError: there is no such run.
        """
        self.get(id_)
        with self._database.connect() as db:
            db.execute(
                "UPDATE runs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'",
                (time.time(), id_),
            )
            # From here on a worker that is just finishing ends itself before another run, so no other is hit.
            row = db.execute(
                "UPDATE runs SET stop = 1 WHERE id = ? AND state = 'running' RETURNING host, pid, began", (id_,)
            ).fetchone()
        if row is None:
            return
        key = ProcessKey(*row)
        end_process(key)
        if key.here and not key.alive:
            self.finish(id_, RunState.CANCELLED)

    def claim(self, id_: str, process: ProcessKey, *, limit: int | None = None) -> bool:
        """Take a queued run for a process; False when another took it or `limit` runs are running already."""
        with self._database.connect() as db:
            taken = db.execute(
                "UPDATE runs SET state = 'running', host = ?, pid = ?, began = ?, started = ?, heartbeat = ?, stop = 0 "
                "WHERE id = ? AND state = 'queued' AND deleted IS NULL "
                "AND (? IS NULL OR (SELECT count(*) FROM runs WHERE state = 'running') < ?)",
                (*astuple(process), time.time(), time.time(), id_, limit, limit),
            )
            return taken.rowcount == 1

    def claimed_by(self, id_: str) -> ProcessKey | None:
        """The process that runs a run; None when it is not running."""
        with self._database.connect(write=False) as db:
            row = db.execute("SELECT host, pid, began FROM runs WHERE id = ? AND state = 'running'", (id_,)).fetchone()
        return None if row is None else ProcessKey(*row)

    def heartbeat(self, id_: str) -> bool:
        """Give a sign of life for a running run; returns whether it is asked to stop."""
        with self._database.connect() as db:
            row = db.execute(
                "UPDATE runs SET heartbeat = ? WHERE id = ? AND state = 'running' RETURNING stop", (time.time(), id_)
            ).fetchone()
        return row is None or bool(row[0])

    def finish(self, id_: str, state: RunState, error: str | None = None) -> bool:
        """End a running run; returns whether it was asked to stop meanwhile, so that its process must not go on."""
        with self._database.connect() as db:
            db.execute(
                "UPDATE runs SET state = ?, finished = ?, error = ? WHERE id = ? AND state = 'running'",
                (state.value, time.time(), error, id_),
            )
            row = db.execute("SELECT stop FROM runs WHERE id = ?", (id_,)).fetchone()
        return row is None or bool(row[0])

    def queued(self) -> list[str]:
        """Ids of the runs that wait, oldest first."""
        with self._database.connect(write=False) as db:
            rows = db.execute(
                "SELECT id FROM runs WHERE state = 'queued' AND deleted IS NULL ORDER BY created, id"
            ).fetchall()
        return [row[0] for row in rows]

    def reconcile(self) -> None:
        """Set right what ended without saying so: a running run whose process is gone becomes failed.

        A finished run whose files are gone becomes failed too, and the trash loses what is older than a week.
        """
        with self._database.connect(write=False) as db:
            running = db.execute("SELECT id, heartbeat, host, pid, began FROM runs WHERE state = 'running'").fetchall()
            done = db.execute("SELECT id FROM runs WHERE state = 'done' AND deleted IS NULL").fetchall()
            old = db.execute("SELECT id FROM runs WHERE deleted < ?", (time.time() - _TRASH_DAYS * 86_400,)).fetchall()
        for id_, beat, *process in running:
            key = ProcessKey(*process)
            if not key.alive and (key.here or time.time() - (beat or 0.0) > _SILENT):
                self._settle(id_, key)
        lost = [id_ for (id_,) in done if not (self.folder(id_) / RESULT).exists()]
        with self._database.connect() as db:
            for id_ in lost:
                db.execute(
                    "UPDATE runs SET state = 'failed', error = ? WHERE id = ? AND state = 'done'",
                    ("its files are gone; start the run again", id_),
                )
            for (id_,) in old:
                shutil.rmtree(self.home / "trash" / id_, ignore_errors=True)
                db.execute("DELETE FROM runs WHERE id = ? AND deleted IS NOT NULL", (id_,))

    def export(self, id_: str, path: Path) -> None:
        """Write one run as a zip file.

        Raises:
            InputError: it is queued or running, or the file cannot be written.
        """
        record = self.get(id_)
        if not record.state.ended:
            raise InputError(f"run {id_} is {record.state}; wait for its end, or cancel it")
        bundle.pack(record.folder, path)

    def import_(self, path: Path, write_report: bundle.WriteReport) -> RunRecord:
        """Add a run from a zip file; one that is finished here already is kept as it is, unless it is in the trash.

        Args:
            path: the zip file.
            write_report: makes the report of the run anew; see :func:`skmm_core.jobs.bundle_import.import_run`.

        Raises:
            InputError: the file is no bundle that :meth:`export` wrote, or was changed since.
        """
        with bundle.unpacked(path, self.home, write_report) as (folder, card, config):
            trashed = self._restore(card.id)
            target, finished = self.folder(card.id), (folder / RESULT).exists()
            state = RunState.DONE if finished else RunState.CANCELLED
            with self._database.connect() as db:
                insert_run(db, card.id, card.name, config, card.fingerprint, card.created, RunState.CANCELLED)
                # Only a run that is neither finished nor under way here takes the files of the bundle; what lay in
                # the trash gives way to a finished one.
                taken = db.execute(
                    "UPDATE runs SET state = ?, finished = ?, error = NULL WHERE id = ? "
                    "AND (state IN ('failed', 'cancelled') OR (? AND state = 'done'))",
                    (state.value, time.time(), card.id, trashed and finished),
                )
                if taken.rowcount:
                    shutil.rmtree(target, ignore_errors=True)
                    folder.rename(target)
        return self.get(card.id)

    def _set_up(self, card: RunCard, config: RunConfig) -> None:
        """Make the folder of a run that is about to start; nothing in it tells of an attempt before, but scores."""
        folder = self.folder(card.id)
        try:
            folder.mkdir(exist_ok=True)
            (folder / RESULT).unlink(missing_ok=True)
            (folder / LOG).unlink(missing_ok=True)
            write_config(folder, config)
            write_json(folder / CARD, card.model_dump())
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written: {error.strerror}; free some space or set SKMM_HOME"
            ) from None

    def _restore(self, id_: str) -> bool:
        """Take a run out of the trash; False when it is not there."""
        with self._database.connect() as db:
            back = db.execute("UPDATE runs SET deleted = NULL WHERE id = ? AND deleted IS NOT NULL", (id_,)).rowcount
        trashed = self.home / "trash" / id_
        if back and trashed.exists() and not self.folder(id_).exists():
            trashed.rename(self.folder(id_))
        return bool(back)

    def _settle(self, id_: str, key: ProcessKey) -> None:
        """End a run whose process is gone: done when its result is there, cancelled when that was asked."""
        done = (self.folder(id_) / RESULT).exists()  # written last, so a process that got so far had finished
        with self._database.connect() as db:
            db.execute(
                "UPDATE runs SET state = CASE WHEN ? THEN 'done' WHEN stop THEN 'cancelled' ELSE 'failed' END, "
                "error = iif(? OR stop, NULL, ?), finished = ? WHERE id = ? AND state = 'running' AND pid = ?",
                (done, done, DIED, time.time(), id_, key.pid),
            )

    def _record(self, row: tuple[Any, ...]) -> RunRecord | None:
        """A row as a record; None for a config that this version cannot read."""
        values = dict(zip(_COLUMNS.split(", "), row, strict=True))
        try:
            config = RunConfig.stored(values.pop("config"))
        except ValidationError:
            return None
        state = RunState(values.pop("state"))
        return RunRecord(**values, state=state, config=config, folder=self.folder(values["id"]))
