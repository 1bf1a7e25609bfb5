"""The history of runs as a table, and what can be done with the runs that are ticked in it."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from skmm_core.runs import RunRecord, RunState

STATE_WORDS: dict[RunState, str] = {
    RunState.QUEUED: "◌ queued",
    RunState.RUNNING: "▶ running",
    RunState.DONE: "✔ done",
    RunState.FAILED: "✖ failed",
    RunState.CANCELLED: "■ cancelled",
}
KIND_WORDS = {
    "select": "Selection",
    "compare": "Comparison",
    "embed": "Embedding",
    "paper": "Paper table",
    "estimate": "Worth of labels",
}
MAX_DIAGNOSED = 4


@dataclass(frozen=True)
class Actions:
    """What can be done with the ticked runs; a text says why not, None means that it can.

    Attributes:
        open, diagnose, beside, rename, export, delete, cancel: see the class.
    """

    open: str | None
    diagnose: str | None
    beside: str | None
    rename: str | None
    export: str | None
    delete: str | None
    cancel: str | None


def filter_runs(records: Sequence[RunRecord], states: Sequence[RunState]) -> list[RunRecord]:
    """Keep runs in one of the states; all when none is given."""
    return [record for record in records if not states or record.state in states]


def run_frame(records: Sequence[RunRecord]) -> pd.DataFrame:
    """One row a run: state, name, kind, dataset, method, points, created (UTC), seconds, note."""
    return pd.DataFrame(
        {
            "state": [STATE_WORDS[record.state] for record in records],
            "name": [record.name for record in records],
            "kind": [KIND_WORDS.get(record.kind, record.kind) for record in records],
            "dataset": [record.dataset for record in records],
            "method": [record.method for record in records],
            "points": [record.budget for record in records],
            "created": [datetime.datetime.fromtimestamp(record.created, datetime.UTC) for record in records],
            "seconds": [duration(record) for record in records],
            "note": [record.error or "" for record in records],
        }
    )


def duration(record: RunRecord) -> float | None:
    """Seconds from start to end; None for a run that has not both."""
    if record.started is None or record.finished is None:
        return None
    return max(0.0, record.finished - record.started)


def actions(ticked: Sequence[RunRecord]) -> Actions:
    """Say what can be done with these runs."""
    single = None if len(ticked) == 1 else "tick one run"
    live = [record for record in ticked if not record.state.ended]
    ended = "cancel it first; it has not ended" if live else None
    return Actions(
        open=single or _open(ticked[0]),
        diagnose=_diagnose(ticked),
        beside=_beside(ticked),
        rename=single,
        export=single or ended,
        delete=ended if ticked else "tick a run",
        cancel=None if live else "nothing ticked is queued or running",
    )


def _open(record: RunRecord) -> str | None:
    made = record.kind != "embed" or record.state is RunState.DONE
    return None if made else "there are no features yet; it has not finished"


def _diagnose(ticked: Sequence[RunRecord]) -> str | None:
    if not 1 <= len(ticked) <= MAX_DIAGNOSED:
        return f"tick one to {MAX_DIAGNOSED} selections"
    if any(record.kind != "select" or record.state is not RunState.DONE for record in ticked):
        return "only finished selections can be diagnosed"
    if len({record.fingerprint for record in ticked}) > 1:
        return "tick runs of one dataset"
    return None


def _beside(ticked: Sequence[RunRecord]) -> str | None:
    kinds = {record.kind for record in ticked}
    if len(ticked) < 2 or len(kinds) > 1 or not kinds <= {"select", "compare"}:
        return f"tick two to {MAX_DIAGNOSED} selections, or two comparisons"
    if any(record.state is not RunState.DONE for record in ticked):
        return "only finished runs can be set side by side"
    if kinds == {"compare"}:
        return None if len(ticked) == 2 else "tick two comparisons"
    return _diagnose(ticked)


def summary_line(shown: int, total: int) -> str:
    """How many runs the table shows."""
    noun = "run" if total == 1 else "runs"
    return f"{total:,} {noun}" if shown == total else f"{shown:,} of {total:,} {noun}"
