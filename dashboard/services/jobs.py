"""Starts runs in warm worker processes, and queues them when enough are running.

One :class:`Jobs` belongs to one server process. The truth is in the run store: a restarted server finds the runs of the
one before it there, still running in their own processes, and takes over the queue.
"""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import skmm_core
from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.runs import RunStore
from skmm_core.runs.processes import ProcessKey, process_key

_BUSY, _IDLE = 0.2, 1.0  # seconds between two looks at the queue


class Jobs:
    """The queue of one server. All methods may be called from any thread."""

    def __init__(self, store: RunStore, *, limit: int | None = None) -> None:
        """Make the queue; nothing is started before it is first used.

        Args:
            store: the runs.
            limit: most runs at once; default `SKMM_JOBS`, or 1.

        Raises:
            InputError: `SKMM_JOBS` is not a positive number.
        """
        self._store = store
        self._limit = limit or _limit_from_environment()
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, config: RunConfig, fingerprint: str) -> str:
        """Start a run, or queue it; one that is finished already is not run again. Returns the run id."""
        record = self._store.create(config, fingerprint)
        self._start()
        self._wake.set()
        return record.id

    def cancel(self, id_: str) -> None:
        """End a run within about a second; what it has finished is kept."""
        self._store.cancel(id_)
        self._wake.set()

    def warm_up(self) -> None:
        """Have a worker load its libraries in the background, so that the first run starts at once."""
        self._start()
        self._wake.set()

    def poll(self) -> None:
        """Set right what ended without saying so, and look at the queue soon."""
        self._store.reconcile()
        self._start()
        self._wake.set()

    def close(self) -> None:
        """Stop looking at the queue; running workers finish their run and exit."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, []
            thread = self._thread
        self._wake.set()
        for worker in workers:
            worker.release()
        if thread is not None:
            thread.join(timeout=5)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._serve, name="run queue", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        self._store.reconcile()
        while not self._closed:
            # Any error here (a full disk, a locked index) must not end the queue for good; the next look tries again.
            with contextlib.suppress(Exception):
                self._look()
            waiting = any(worker.run is not None for worker in self._workers) or bool(self._store.queued())
            self._wake.wait(_BUSY if waiting else _IDLE)
            self._wake.clear()

    def _look(self) -> None:
        """Replace workers that ended, and give queued runs to idle ones."""
        for worker in self._workers:
            if worker.run is not None and not self._holds(worker, worker.run):
                worker.run = None
        if any(not worker.alive for worker in self._workers):
            self._store.reconcile()
        with self._lock:
            if self._closed:
                return
            self._workers = [worker for worker in self._workers if worker.alive]
            while len(self._workers) < self._limit:
                self._workers.append(_Worker(self._store.home))
            idle = [worker for worker in self._workers if worker.run is None]
        for id_, worker in zip(self._store.queued(), idle, strict=False):
            if self._store.claim(id_, worker.key, limit=self._limit):
                worker.give(id_, self._store.folder(id_))

    def _holds(self, worker: "_Worker", id_: str) -> bool:
        holder = self._store.claimed_by(id_)
        return worker.alive and holder is not None and holder.pid == worker.key.pid


class _Worker:
    """One warm process, in a process group of its own, that outlives the server until its run is finished."""

    def __init__(self, home: Path) -> None:
        package = Path(skmm_core.__file__).parents[1]
        path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "skmm_core.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=os.environ | {"SKMM_HOME": str(home), "PYTHONPATH": path},
        )
        self.key: ProcessKey = process_key(self._process.pid)
        self.run: str | None = None

    @property
    def alive(self) -> bool:
        """Whether the process runs; one that ended is waited for, so that it does not stay as a zombie."""
        return self._process.poll() is None

    def give(self, id_: str, folder: Path) -> None:
        """Hand over a run that was claimed for this worker."""
        self.run = id_
        with contextlib.suppress(BrokenPipeError):  # it just died: its run is then found without a process
            self._input.write(f"{folder}\n")
            self._input.flush()

    def release(self) -> None:
        """Let it exit when its run is finished."""
        with contextlib.suppress(OSError):
            self._input.close()

    @property
    def _input(self) -> IO[str]:
        stream = self._process.stdin
        if stream is None:
            raise RuntimeError("the worker was started without an input")
        return stream


def _limit_from_environment() -> int:
    text = os.environ.get("SKMM_JOBS", "1")
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"SKMM_JOBS is {text!r}; give the number of runs that may run at once, such as 1")
    return int(text)
