"""What the command line shows: results on stdout, progress on stderr."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from skmm_core.progress import Eta, Progress
from skmm_core.storage import to_json

_REDRAW, _REPEAT = 0.1, 5.0  # seconds between two updates on a terminal, and in a file
_CLEAR_LINE = "\r\x1b[2K"


def show_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    typer.echo(to_json(value, indent=1))


def show_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns of text, left-aligned."""
    typer.echo(_table_text((head, *rows)))


def how_read_text(reading: Sequence[Mapping[str, str]]) -> str:
    """How the file was read, as lines to add to a summary; nothing for data that are no file."""
    if not reading:
        return ""
    rows = [(line["part"], line["taken"], line["why"], line["change"]) for line in reading]
    return f"\nHow your file was read:\n{_table_text((('PART', 'TAKEN', 'WHY', 'CHANGE WITH'), *rows))}"


def _table_text(rows: Sequence[Sequence[object]]) -> str:
    lines = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


class ConsoleReport:
    """Progress on stderr: one line that updates on a terminal, a few lines elsewhere, none when quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._eta = Eta()
        self._phase: str | None = None
        self._shown = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take a report."""
        if self._quiet:
            return
        eta, now = self._eta(progress), time.monotonic()
        due = now - self._shown >= (_REDRAW if self._terminal else _REPEAT)
        if progress.phase == self._phase and not due:
            return
        self._phase, self._shown = progress.phase, now
        line = _line(progress, eta)
        sys.stderr.write(f"{_CLEAR_LINE}{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Leave a clean line for what comes next."""
        if self._terminal and self._phase is not None and not self._quiet:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()


def _line(progress: Progress, eta: float | None) -> str:
    parts = [progress.phase]
    if progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%}")
    if eta is not None:
        parts.append(f"{eta:.0f} s left")
    parts += [f"{name} {value:.3g}" for name, value in progress.values.items()]
    return "  ".join(parts)
