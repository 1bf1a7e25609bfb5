"""The file of finished cells of a comparison: appended cell by cell, readable at any moment, safe against a kill.

A kill can only tear the last line; it is dropped on the next read. No torch here: pages read running comparisons.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from skmm_core.comparison.score_table import DRAW_COLUMNS, SCORE_COLUMNS
from skmm_core.errors import InputError

SCORES_FILE, STATE_FILE = "scores.csv", "compare.json"
_COLUMNS = SCORE_COLUMNS + DRAW_COLUMNS
Cell = tuple[str, int, int]  # method, budget, seed


def read_scores(folder: Path) -> pd.DataFrame:
    """Finished cells of a comparison's folder, columns SCORE_COLUMNS and DRAW_COLUMNS; empty when nothing is yet.

    Files of earlier versions lack DRAW_COLUMNS, which are empty then. A torn last line is left out. Repeated rows count
    once.

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
        if list(frame.columns) not in (SCORE_COLUMNS, _COLUMNS):
            raise ValueError("other columns")
        frame = frame.astype({"value": float, "seconds": float}).reindex(columns=_COLUMNS, fill_value="")
    except (ValueError, pd.errors.ParserError):
        raise InputError(f"{path}: not a score file of a comparison; choose another folder") from None
    return frame.drop_duplicates(["method", "budget", "seed", "metric"], ignore_index=True)


class ScoreLog:
    """Finished cells in memory and, when there is a folder, on disk.

    Args:
        folder: where to keep them; None keeps them in memory only.
        identity: what the scores depend on; a folder that holds scores of another identity is refused.
        metrics: metric keys that make a cell complete.

    Raises:
        InputError: the folder belongs to another comparison, or is unreadable.
    """

    def __init__(self, folder: Path | None, identity: Mapping[str, Any], metrics: Iterable[str]) -> None:
        self._folder = folder
        self._identity = dict(identity)
        self._rows: list[dict[str, Any]] = []
        self.full: dict[str, float] | None = None
        self.done: set[Cell] = set()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._resume(folder, set(metrics))

    @property
    def scores(self) -> pd.DataFrame:
        """All rows so far, columns SCORE_COLUMNS and DRAW_COLUMNS."""
        return pd.DataFrame([dict.fromkeys(DRAW_COLUMNS, "") | row for row in self._rows], columns=_COLUMNS)

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

    def set_full(self, full: Mapping[str, float]) -> None:
        """Keep the full-data scores."""
        self.full = dict(full)
        if self._folder is not None:
            self._write_state(self._folder)

    def _resume(self, folder: Path, metrics: set[str]) -> None:
        state_path = folder / STATE_FILE
        scores = read_scores(folder)
        if state_path.exists():
            try:
                state = json.loads(state_path.read_text(encoding="utf-8"))
                same = state["identity"] == json.loads(json.dumps(self._identity))
                self.full = state["full"]
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{state_path}: unreadable; remove it with {SCORES_FILE} or choose another folder"
                ) from None
        else:
            same = scores.empty
        if not same:
            raise InputError(
                f"{folder} holds the scores of another comparison (other data, methods, budgets, seeds or sketch, or "
                "one about a fixed pool); choose another folder"
            )
        records: list[dict[str, Any]] = [
            {str(key): value for key, value in row.items()} for row in scores.to_dict("records")
        ]
        seen: dict[Cell, set[str]] = {}
        for row in records:
            seen.setdefault(_cell(row), set()).add(row["metric"])
        self.done = {cell for cell, names in seen.items() if names >= metrics}
        self._rows = [row for row in records if _cell(row) in self.done]
        header = ",".join(_COLUMNS) + "\n"
        _replace(folder / SCORES_FILE, header + _lines(self._rows))
        self._write_state(folder)

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
