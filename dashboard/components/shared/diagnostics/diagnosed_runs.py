"""Finished selections made ready for the Diagnose page: which can be compared, how they are called, their files."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from dashboard.components.shared.diagnostics.charts import DiagnosedRun
from dashboard.components.shared.series_style import run_style
from dashboard.services import cache
from skmm_core.config import SelectJob
from skmm_core.data.mixed_units import spread_notes
from skmm_core.encoders.untrained import marks
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState
from skmm_core.runs.record import default_name

MAX_RUNS = 4
WANTED = "skmm:diagnose"  # session key: ids of the runs that another page asks to see here


def runs_by_dataset(records: Sequence[RunRecord], first: str | None = None) -> dict[str, list[RunRecord]]:
    """Finished selections by dataset fingerprint, newest first.

    Args:
        records: newest first.
        first: fingerprint of the dataset to name first.
    """
    groups: dict[str, list[RunRecord]] = {first: []} if first else {}
    for record in records:
        if record.kind == "select" and record.state is RunState.DONE:
            groups.setdefault(record.fingerprint, []).append(record)
    return {fingerprint: runs for fingerprint, runs in groups.items() if runs}


def labels(records: Sequence[RunRecord]) -> dict[str, str]:
    """A short, distinct label a run, by id: its name, made distinct by the seed or, failing that, the id.

    A name that the person did not give is shortened to method and budget, since all runs shown share the dataset.
    """
    names = {record.id: _short(record) for record in records}
    for distinct in (_with_seed, _with_id):
        taken = list(names.values())
        names = {r.id: distinct(r, names[r.id]) if taken.count(names[r.id]) > 1 else names[r.id] for r in records}
    return names


def start_with(ids: Sequence[str], opened: str | None, wanted: Collection[str]) -> list[str]:
    """Which runs to show first: those another page asked for, else the open one, else the newest."""
    asked = [id_ for id_ in ids if id_ in wanted][:MAX_RUNS]
    if asked and (opened is None or opened not in ids or opened in asked):
        return asked
    return [opened] if opened is not None and opened in ids else list(ids[:1])


def _short(record: RunRecord) -> str:
    if record.name != default_name(record.config):
        return record.name
    return f"{record.method} · {record.budget}"


def _with_seed(record: RunRecord, name: str) -> str:
    return f"{name}, seed {record.config.job.seed}" if isinstance(record.config.job, SelectJob) else name


def _with_id(record: RunRecord, name: str) -> str:
    return f"{name} ({record.id[:4]})"


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
