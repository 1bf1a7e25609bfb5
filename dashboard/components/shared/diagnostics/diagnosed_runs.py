"""Finished selections ready to be diagnosed: their files read into what the charts and the table draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.components.shared.theme import escape
from dashboard.services import cache
from skmm_core.data import spread_notes
from skmm_core.diagnostics import Band, read_band
from skmm_core.encoders import marks
from skmm_core.errors import InputError
from skmm_core.report import Style, run_style
from skmm_core.runs import RunRecord

if TYPE_CHECKING:
    from skmm_core.diagnostics import Diagnostics


@dataclass(frozen=True)
class DiagnosedRun:
    """A finished selection as the charts see it.

    Attributes:
        label: short name of the run, distinct among those shown.
        diagnostics: its measurements.
        chosen: (n,) positions in the pool, in pick order.
        objective: (steps,) objective of the solver, or None when the method has none.
        sketch: what decides the sketch, such as "gaussian 64, seed 0"; equal text = the same directions.
        marks: what is to be said of its features wherever they are shown.
        remarks: what its method settled by itself, a sentence each.
        band: random draws of its size; None in runs of earlier versions.
    """

    label: str
    diagnostics: Diagnostics
    chosen: np.ndarray
    objective: np.ndarray | None = None
    sketch: str = ""
    style: Style = field(default_factory=lambda: run_style(0))
    marks: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    band: Band | None = None


Runs = Sequence[DiagnosedRun]


def read_run(record: RunRecord, number: int, label: str) -> DiagnosedRun:
    """Read what the charts need of a finished selection.

    Args:
        record: of the run.
        number: place among the runs shown, which decides its colour and marker.
        label: how it is called.

    Raises:
        InputError: a file is missing or damaged.
    """
    trace = cache.run_table(record.id, "trace")
    objective = trace.loc[trace["name"] == "objective"].sort_values("step")["value"].to_numpy(dtype=np.float64)
    chosen = cache.run_table(record.id, "selection").sort_values("order")["position"].to_numpy(dtype=np.int64)
    result = cache.run_result(record.id)
    return DiagnosedRun(
        label=label,
        diagnostics=cache.run_diagnostics(record.id),
        chosen=chosen,
        objective=objective if len(objective) else None,
        sketch=sketch_text(result),
        style=run_style(number),
        marks=(*marks(result.get("notes", ())), *spread_notes(result.get("notes", ()))),
        remarks=tuple(result.get("remarks", ())),
        band=read_band(result.get("band")),
    )


def sketch_text(result: dict[str, Any]) -> str:
    """What decides the sketch of a run: kind, size and, where one is drawn, the seed."""
    sketch = result.get("sketch") or {}
    drawn = "" if sketch.get("kind") == "none" else f", seed {result.get('seed')}"
    return f"{sketch.get('kind')} {sketch.get('dim')}{drawn}"


def same_pool(runs: list[DiagnosedRun]) -> list[DiagnosedRun]:
    """Return the runs when all were picked from pools of the same size.

    Raises:
        InputError: they were not, so their charts cannot share axes.
    """
    if len({len(run.diagnostics.leverage) for run in runs}) > 1:
        raise InputError("these runs were picked from pools of different sizes; choose runs of one dataset")
    return runs


def name_of(run: DiagnosedRun, runs: Runs) -> str:
    """The run's label in bold, to begin a part of a sentence with; nothing when it is the only run."""
    return f"**{escape(run.label)}** " if len(runs) > 1 else ""
