"""The file of finished cells of a comparison: appended cell by cell, readable at any moment, safe against a kill.

A kill can only tear the last line; it is dropped on the next read. No torch here: pages read running comparisons.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.comparison.score_table import DRAW_COLUMNS, LEARNER_COLUMNS, SCORE_COLUMNS
from skmm_core.errors import InputError
from skmm_core.probes import LINEAR

SCORES_FILE, STATE_FILE = "scores.csv", "compare.json"
_COLUMNS = SCORE_COLUMNS + DRAW_COLUMNS + LEARNER_COLUMNS
_LATER = DRAW_COLUMNS + LEARNER_COLUMNS
_EARLIER = (SCORE_COLUMNS, SCORE_COLUMNS + DRAW_COLUMNS)
Cell = tuple[str, int, int]  # method, budget, seed


def read_scores(folder: Path, *, learner: str = LINEAR) -> pd.DataFrame:
    """Finished cells of a comparison's folder; empty when nothing is yet.

    A torn last line is left out. Repeated rows count once.

    Args:
        folder: of the comparison.
        learner: what scored a file of an earlier version, which had one learner and does not name it; see
            `CompareJob.single_learner`.

    Returns:
        Rows with the columns SCORE_COLUMNS, DRAW_COLUMNS and LEARNER_COLUMNS. What an earlier version did not know is
        empty, but for the learner.

    Raises:
        InputError: the file is no score file.
    """
    path = folder / SCORES_FILE
    text = path.read_bytes().decode("utf-8", "replace") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if not whole:
        return pd.DataFrame(columns=_COLUMNS)
    try:
        frame = pd.read_csv(
            io.StringIO(whole),
            dtype=dict.fromkeys(_COLUMNS, str) | {"budget": int, "seed": int},  # floats from text lose no digit
            keep_default_na=False,
        )
        if list(frame.columns) not in (*_EARLIER, _COLUMNS):
            raise ValueError("other columns")
        named = frame if "learner" in frame else frame.assign(learner=learner)
        frame = named.astype({"value": float, "seconds": float}).reindex(columns=_COLUMNS, fill_value="")
    except (ValueError, pd.errors.ParserError):
        raise InputError(f"{path}: not a score file of a comparison; choose another folder") from None
    return frame.drop_duplicates(["learner", "method", "budget", "seed", "metric"], ignore_index=True)


class ScoreLog:
    """Finished cells in memory and, when there is a folder, on disk.

    Args:
        folder: where to keep them; None keeps them in memory only.
        identity: what the scores depend on; a folder that holds scores of another identity is refused.
        metrics: metric keys that make a cell complete, under every learner.
        learners: keys of the learners; one without a name where metrics tell what was trained.

    Raises:
        InputError: the folder belongs to another comparison, or is unreadable.
    """

    def __init__(
        self,
        folder: Path | None,
        identity: Mapping[str, Any],
        metrics: Iterable[str],
        *,
        learners: Sequence[str] = ("",),
    ) -> None:
        self._folder = folder
        self._identity = dict(identity)
        self._learners = tuple(learners)
        self._rows: list[dict[str, Any]] = []
        self.full: dict[str, dict[str, float]] = {}  # learner -> metric -> score on the whole pool
        self.done: set[Cell] = set()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._resume(folder, set(product(self._learners, metrics)))

    @property
    def scores(self) -> pd.DataFrame:
        """All rows so far, with the columns of :func:`read_scores`."""
        return pd.DataFrame([dict.fromkeys(_LATER, "") | row for row in self._rows], columns=_COLUMNS)

    def rows(self, cell: Cell) -> list[dict[str, Any]]:
        """The rows of one finished cell."""
        return [row for row in self._rows if (row["method"], row["budget"], row["seed"]) == cell]

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Keep the rows of one finished cell; on return they are on the disk."""
        self._rows += rows
        self.done |= {_cell(row) for row in rows}
        if self._folder is not None:
            with (self._folder / SCORES_FILE).open("a", encoding="utf-8", newline="") as file:
                file.write(_lines(rows))
                file.flush()
                os.fsync(file.fileno())

    def set_full(self, learner: str, full: Mapping[str, float]) -> None:
        """Keep the full-data scores of a learner."""
        self.full[learner] = dict(full)
        if self._folder is not None:
            self._write_state(self._folder)

    def _resume(self, folder: Path, whole: set[tuple[str, str]]) -> None:
        """Go on with what a folder holds; a cell is done where it has all of the (learner, metric) in `whole`."""
        state_path = folder / STATE_FILE
        scores = read_scores(folder, learner=self._learners[0])
        if state_path.exists():
            try:
                state = json.loads(state_path.read_text(encoding="utf-8"))
                same = state["identity"] == json.loads(json.dumps(self._identity))
                self.full = self._full_of(state["full"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(
                    f"{state_path}: unreadable; remove it with {SCORES_FILE} or choose another folder"
                ) from None
        else:
            same = scores.empty
        if not same:
            raise InputError(
                f"{folder} holds the scores of another comparison (other data, methods, budgets, seeds, sketch or "
                "learners, or one about a fixed pool); choose another folder"
            )
        records: list[dict[str, Any]] = [
            {str(key): value for key, value in row.items()} for row in scores.to_dict("records")
        ]
        seen: dict[Cell, set[tuple[str, str]]] = {}
        for row in records:
            seen.setdefault(_cell(row), set()).add((row["learner"], row["metric"]))
        self.done = {cell for cell, names in seen.items() if names >= whole}
        self._rows = [row for row in records if _cell(row) in self.done]
        header = ",".join(_COLUMNS) + "\n"
        _replace(folder / SCORES_FILE, header + _lines(self._rows))
        self._write_state(folder)

    def _full_of(self, stored: Mapping[str, Any] | None) -> dict[str, dict[str, float]]:
        """Full-data scores by learner; earlier versions had one learner, and None before it was scored."""
        full = dict(stored or {})
        if full and not any(isinstance(value, dict) for value in full.values()):
            return {self._learners[0]: full}
        return full

    def _write_state(self, folder: Path) -> None:
        _replace(folder / STATE_FILE, json.dumps({"identity": self._identity, "full": self.full}, indent=1) + "\n")


def _cell(row: Mapping[str, Any]) -> Cell:
    return (row["method"], row["budget"], row["seed"])


def _lines(rows: list[dict[str, Any]]) -> str:
    buffer = io.StringIO()
    csv.DictWriter(buffer, _COLUMNS, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _replace(path: Path, text: str) -> None:
    """Write to a temporary name and rename, so that the file is always whole."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
