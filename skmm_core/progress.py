"""Progress of a long task: what is reported, and how the time that is left is estimated from it.

A long function takes ``report: Report = ignore`` and calls it at least a few times a second. A caller that wants to
stop the task raises :class:`~skmm_core.errors.Cancelled` from its report.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """One report of a running task.

    Attributes:
        phase: what is being done, in words for a person, such as "Solving the relaxation".
        step: units of the phase that are done.
        total: units of the phase in all, or None when it is not known beforehand.
        values: numbers worth showing live, such as ``{"objective": 1.2e-4}``.
    """

    phase: str
    step: int
    total: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def fraction(self) -> float | None:
        """Share of the phase that is done, in 0..1, or None when the total is unknown."""
        return None if not self.total else min(1.0, self.step / self.total)


Report = Callable[[Progress], None]


def ignore(progress: Progress) -> None:
    """Drop the report: the default of every long function."""


class Eta:
    """Seconds left in the current stretch of work, from the pace since it began.

    A stretch ends when the total changes or the step falls back, not when the phase's words change: a comparison
    renames its phase with every cell and still counts on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total: int | None = None
        self._began = 0.0
        self._first_step = 0
        self._last_step = 0

    def __call__(self, progress: Progress) -> float | None:
        """Take a report; return the seconds left in its stretch, or None while that is unknown."""
        now = self._clock()
        fresh = not progress.total or progress.total != self._total or progress.step < self._last_step
        self._last_step = progress.step
        if fresh:
            self._total, self._began, self._first_step = progress.total, now, progress.step
            return None
        done = progress.step - self._first_step
        if not progress.total or done <= 0:
            return None
        return (progress.total - progress.step) * (now - self._began) / done
