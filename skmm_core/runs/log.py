"""`log.jsonl`: the progress of a run, one JSON object a line, for whoever watches from another process."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from skmm_core.progress import Eta, Progress
from skmm_core.runs.files import LOG
from skmm_core.storage import to_json

_TAIL_BYTES = 65_536
_SHORTEST, _LONGEST, _POINTS = 0.2, 2.0, 300


@dataclass(frozen=True)
class ProgressView:
    """Where a run is.

    Attributes:
        phase: what is being done, in words for a person.
        fraction: share of the phase that is done, in 0..1, or None when unknown.
        eta: seconds left in the phase, or None when unknown.
        values: live numbers, such as {"objective": …}.
        time: when this was reported, epoch seconds.
    """

    phase: str
    fraction: float | None
    eta: float | None
    values: dict[str, float]
    time: float


class RunLog:
    """Writes the log while the run goes on.

    Lines are thinned by time, more so in a longer run, so that the file stays small; the first report of each phase
    is always written. A log that cannot be written (full disk) never ends the run that it describes.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOG
        self._file: TextIO | None = None
        self._eta = Eta()
        self._began = time.monotonic()
        self._written = 0.0
        self._phase: str | None = None

    def __enter__(self) -> "RunLog":
        try:
            self._file = self._path.open("w", encoding="utf-8", buffering=1)
        except OSError:
            self._file = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def __call__(self, progress: Progress) -> None:
        """Take a report."""
        eta, now = self._eta(progress), time.monotonic()
        interval = min(_LONGEST, max(_SHORTEST, (now - self._began) / _POINTS))
        if progress.phase == self._phase and now - self._written < interval:
            return
        self._phase, self._written = progress.phase, now
        self.line(
            phase=progress.phase,
            step=progress.step,
            total=progress.total,
            eta=eta,
            values=dict(progress.values),
        )

    def line(self, **entry: Any) -> None:
        """Write one line, stamped with the time."""
        if self._file is None:
            return
        try:
            self._file.write(to_json({"time": time.time(), **entry}) + "\n")
        except OSError:
            self._file = None


def read_progress(folder: Path) -> ProgressView | None:
    """The last progress that the run reported; None before the first."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return None
    for raw in reversed(lines):
        entry = _parse(raw)
        if entry is not None:
            total, step = entry.get("total"), entry["step"]
            return ProgressView(
                phase=entry["phase"],
                fraction=min(1.0, step / total) if total else None,
                eta=entry.get("eta"),
                values={key: value for key, value in (entry.get("values") or {}).items() if value is not None},
                time=entry.get("time", 0.0),
            )
    return None


def read_log(folder: Path, name: str, *, limit: int = 400) -> list[tuple[int, float]]:
    """The live curve of one reported value.

    Args:
        folder: the run folder.
        name: of the value, such as "objective".
        limit: most points to return; evenly thinned above, first and last kept.

    Returns:
        (step, value) pairs in the order reported; empty when nothing was.
    """
    try:
        lines = (folder / LOG).read_bytes().splitlines()
    except OSError:
        return []
    points = [
        (int(entry["step"]), float(value))
        for entry in map(_parse, lines)
        if entry is not None and (value := (entry.get("values") or {}).get(name)) is not None
    ]
    if len(points) <= limit:
        return points
    return [points[round(i * (len(points) - 1) / (limit - 1))] for i in range(limit)]


def _parse(raw: bytes) -> dict[str, Any] | None:
    """One progress line; None for a line that is cut off or says something else."""
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "phase" in entry and isinstance(entry.get("step"), int) else None
