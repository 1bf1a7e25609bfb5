"""Which process runs a run, and how it is ended.

A pid alone may be given to another process later, so a process is known by its pid and the moment it began.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

GRACE = 0.8  # seconds between asking a process to stop and ending it
_BURIAL = 2.0  # seconds that the system may take to end a killed process
_LOOK = 0.02
_CLOCK_SLACK = 2.0  # seconds; start times are reckoned from the boot time, which a clock correction shifts


@dataclass(frozen=True)
class ProcessKey:
    """One process for good.

    Attributes:
        host: name of the machine or container; a pid means nothing on another.
        pid: process id.
        began: start time, epoch seconds.
    """

    host: str
    pid: int
    began: float

    @property
    def here(self) -> bool:
        """Whether it belongs to this machine, so that its pid can be looked at."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a process that ended but was not waited for does not."""
        return self.here and _find(self) is not None


def process_key(pid: int | None = None) -> ProcessKey:
    """Key of a running process, by default this one.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    process = psutil.Process(pid)
    return ProcessKey(socket.gethostname(), process.pid, process.create_time())


def end_process(key: ProcessKey, *, grace: float = GRACE) -> None:
    """Ask a process to stop, and end it with all it started when it has not within `grace` seconds.

    Nothing happens when it is gone, or when it is this process: that one asks itself.
    """
    process = _find(key)
    if process is None or process.pid == os.getpid():
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
    _wait(lambda: _find(key) is None, grace)
    if _find(key) is not None:
        _kill(process)
        _wait(lambda: _find(key) is None, _BURIAL)


def _wait(until: Callable[[], bool], seconds: float) -> None:
    """Look at a condition until it holds; the process itself is left for its parent to wait for."""
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(_LOOK)


def _kill(process: psutil.Process) -> None:
    """End a process and its children; the whole group when it leads one, as the dashboard's workers do."""
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
            return
        for each in [*process.children(recursive=True), process]:
            each.kill()


def _find(key: ProcessKey) -> psutil.Process | None:
    try:
        process = psutil.Process(key.pid)
        same = abs(process.create_time() - key.began) < _CLOCK_SLACK
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
