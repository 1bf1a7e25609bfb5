"""Run one run folder in this process: claim it, keep its log and heartbeat, end it when Cancel asks, say how it ended.

The command line and the dashboard's worker both come through here.
"""

import contextlib
import errno
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from skmm_core.errors import Cancelled, InputError
from skmm_core.jobs.cancel import CANCELLED_EXIT, Stop
from skmm_core.progress import Progress, Report, ignore
from skmm_core.runs import RunLog, RunState, RunStore, process_key

_BEAT, _LOOK, _PATIENCE = 1.0, 0.1, 0.6  # seconds


def run_folder(folder: Path, report: Report = ignore, *, stop: Stop | None = None, home: Path | None = None) -> None:
    """Run a folder; when it belongs to the run store, its row follows.

    Args:
        folder: with a `config.json`.
        report: told of the progress too.
        stop: how to ask for the end.
        home: of the run store; default the user's.

    Raises:
        InputError: the folder cannot be run, or another process runs it.
        Cancelled: it was stopped; what was finished is kept.
        Exception: whatever went wrong; :func:`error_line` makes one line of it, the log has the traceback.
    """
    stop = stop or Stop()
    row = _Row.of(folder, home)
    if row is not None and not row.claim():
        return
    with RunLog(folder) as log:

        def tell(progress: Progress) -> None:
            log(progress)
            report(progress)
            stop(progress)

        try:
            with pulse(row, stop):
                # Loads torch: late, so that the run is claimed by now and can be stopped meanwhile.
                from skmm_core.jobs.execute import execute

                execute(folder, tell)
        except BaseException as error:
            _record_end(error, log, row, stop)
            raise
        if row is not None:
            row.finish(RunState.DONE, None, stop)


def error_line(error: BaseException) -> str:
    """One line for a person that says what went wrong."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full; free some space and start the run again"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory ran out; take a smaller pool or sketch, or another device"
    text = " ".join(str(error).split())
    return text[:500] if isinstance(error, InputError | Cancelled) else f"{type(error).__name__}: {text[:500]}"


def _record_end(error: BaseException, log: RunLog, row: "_Row | None", stop: Stop) -> None:
    cancelled = isinstance(error, Cancelled | KeyboardInterrupt)
    if not cancelled:
        expected = isinstance(error, InputError)
        trace = None if expected else "".join(traceback.format_exception(error))
        log.line(error=error_line(error), traceback=trace)
    if row is not None:
        state = RunState.CANCELLED if cancelled else RunState.FAILED
        row.finish(state, None if cancelled else error_line(error), stop)


class _Row:
    """The row of a run in the store."""

    def __init__(self, store: RunStore, id_: str) -> None:
        self.store, self.id = store, id_

    @classmethod
    def of(cls, folder: Path, home: Path | None) -> "_Row | None":
        """The row of this folder; None when the folder lies elsewhere."""
        from skmm_core.storage import home as default_home

        where = home or default_home()
        if folder.resolve().parent != (where / "runs").resolve():
            return None
        store = RunStore(where)
        return cls(store, store.get(folder.resolve().name).id)

    def claim(self) -> bool:
        """Take the run; False when it is done already.

        Raises:
            InputError: another process has it.
        """
        me, record = process_key(), self.store.get(self.id)
        if record.state is RunState.DONE:
            return False
        if record.state.ended:
            self.store.create(record.config, record.fingerprint)
        holder = self.store.claimed_by(self.id)
        mine = holder is not None and (holder.host, holder.pid) == (me.host, me.pid)
        if not mine and not self.store.claim(self.id, me):
            raise InputError(f"run {self.id} is running in another process; `runs cancel {self.id}` ends it")
        return True

    def finish(self, state: RunState, error: str | None, stop: Stop) -> None:
        """End the run; a full disk must not hide why, the row is then set right by the next look at it."""
        with contextlib.suppress(InputError):
            if self.store.finish(self.id, state, error):
                stop.request()


@contextlib.contextmanager
def pulse(row: _Row | None, stop: Stop) -> Iterator[None]:
    """Give signs of life in a thread, and see to it that a request to stop is obeyed.

    Args:
        row: of the run; None for work that belongs to no run.
        stop: when it is hard, the process ends soon after the request.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(row, stop, ended), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=5)


def _beat(row: _Row | None, stop: Stop, ended: threading.Event) -> None:
    last = 0.0
    while not ended.wait(_LOOK):
        now = time.monotonic()
        if row is not None and now - last >= _BEAT:
            last = now
            with contextlib.suppress(InputError):
                if row.store.heartbeat(row.id):
                    stop.request()
        if stop.hard and stop.since is not None and now - stop.since > _PATIENCE and not ended.is_set():
            if row is not None:
                row.finish(RunState.CANCELLED, None, stop)
            sys.stderr.write("\ncancelled; what was finished is kept\n")
            sys.stderr.flush()
            os._exit(CANCELLED_EXIT)
