"""Cancel: a request to stop, asked for by a signal or another process and obeyed at the next report of progress."""

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType

from skmm_core.errors import Cancelled
from skmm_core.progress import Progress

CANCELLED_EXIT = 3


class Stop:
    """A request to stop, from a signal or from another process; called as a report, it raises Cancelled.

    Args:
        hard: end the process when the work has not reached a report soon after the request (a long computation inside
            a library); only for a process that does nothing else.
    """

    def __init__(self, *, hard: bool = False) -> None:
        self.hard = hard
        self.since: float | None = None

    @property
    def requested(self) -> bool:
        """Whether someone asked."""
        return self.since is not None

    def request(self) -> None:
        """Ask; the first time counts."""
        self.since = self.since or time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Take a report.

        Raises:
            Cancelled: someone asked to stop.
        """
        if self.requested:
            raise Cancelled(f"cancelled while {progress.phase[:1].lower()}{progress.phase[1:]}")

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM ask to stop, while in the block."""

        def ask(number: int, frame: FrameType | None) -> None:
            self.request()

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
