"""Starts runs in warm worker processes, and queues them when enough are running.

One :class:`Jobs` belongs to one server process. The truth is in the run store: a restarted server finds the runs of the
one before it there, still running in their own processes, and takes over the queue.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import skmm_core
from skmm_core.config import RunConfig
from skmm_core.errors import InputError
from skmm_core.jobs import READY
from skmm_core.runs import ProcessKey, RunStore, process_key

_BUSY, _IDLE = 0.2, 1.0  # seconds between two looks at the queue
_PAUSE = 10.0  # seconds before the next try when a worker could not even start


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
        self._pause_until = 0.0
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
        while not self._closed:
            # An error here (a full disk, a locked index) must not end the queue for good; the next look tries again.
            busy = True
            with contextlib.suppress(InputError, OSError):
                busy = self._look()
            self._wake.wait(_BUSY if busy else _IDLE)
            self._wake.clear()

    def _look(self) -> bool:
        """Replace workers that ended, and give queued runs to idle ones; returns whether anything is under way."""
        ended = [worker for worker in self._workers if not worker.alive]
        for worker in ended:
            worker.release()
        if ended:
            self._store.reconcile()
        if any(worker.broken for worker in ended):
            self._pause_until = time.monotonic() + _PAUSE
        with self._lock:
            if self._closed:
                return False
            self._workers = [worker for worker in self._workers if worker not in ended]
            while len(self._workers) < self._limit and time.monotonic() >= self._pause_until:
                self._workers.append(_Worker(self._store.home, self._wake))
        idle = [worker for worker in self._workers if worker.idle]
        waiting = self._store.queued()
        for id_, worker in zip(waiting, idle, strict=False):
            if self._store.claim(id_, worker.key, limit=self._limit):
                worker.give(self._store.folder(id_))
        return bool(waiting) or len(idle) < len(self._workers)


class _Worker:
    """One warm process, in a process group of its own, that outlives the server until its run is finished."""

    def __init__(self, home: Path, wake: threading.Event) -> None:
        package = Path(skmm_core.__file__).parents[1]
        path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "skmm_core.jobs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"SKMM_HOME": str(home), "PYTHONPATH": path},
        )
        self.key: ProcessKey = process_key(self._process.pid)
        self._given = self._ready = 0
        self._wake = wake
        threading.Thread(target=self._listen, name="worker output", daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs; one that ended is waited for, so that it does not stay as a zombie."""
        return self._process.poll() is None

    @property
    def idle(self) -> bool:
        """Whether it takes a run: a new one at once, else when it said so; one that is about to exit never says so."""
        return self._given == 0 or self._ready > self._given

    @property
    def broken(self) -> bool:
        """Whether it ended by an error of its own before it could take a run: the next one would too."""
        return self._ready == 0 and (self._process.poll() or 0) > 0

    def give(self, folder: Path) -> None:
        """Hand over a run that was claimed for this worker."""
        self._given += 1
        with contextlib.suppress(BrokenPipeError):  # it just died: its run is then found without a process
            self._input.write(f"{folder}\n")
            self._input.flush()

    def release(self) -> None:
        """Let it exit when its run is finished."""
        with contextlib.suppress(OSError):
            self._input.close()

    def _listen(self) -> None:
        """Count how often it says that it is ready for the next run."""
        output = self._process.stdout
        if output is None:
            raise RuntimeError("the worker was started without an output")
        with output:
            for line in output:
                if line == READY:
                    self._ready += 1
                    self._wake.set()
        self._wake.set()

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
