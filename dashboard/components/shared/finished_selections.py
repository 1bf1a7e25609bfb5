"""Finished selections to choose from: grouped by dataset, and told apart by short labels."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.shared.theme import columns
from skmm_core.config import SelectJob
from skmm_core.runs import RunRecord, RunState, default_name

MAX_RUNS = 4  # side by side
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


def choose_dataset(groups: Mapping[str, Sequence[RunRecord]], page: str, key: str) -> tuple[str, DeltaGenerator]:
    """Let the visitor choose a dataset where there are several.

    Args:
        groups: of :func:`runs_by_dataset`, one at least.
        page: key of the columns.
        key: of the widget.

    Returns:
        The fingerprint of the dataset, and the place beside the choice.
    """
    if len(groups) == 1:
        return next(iter(groups)), st.container()
    left, area = columns([1, 3], key=page, below=700)
    return left.selectbox("Dataset", list(groups), format_func=lambda name: groups[name][0].dataset, key=key), area


def labels(records: Sequence[RunRecord]) -> dict[str, str]:
    """A short, distinct label a run, by id: its name, made distinct by the seed or, failing that, the id.

    A name that the person did not give is shortened to method and budget, since all runs shown share the dataset.
    """
    names = {record.id: _short(record) for record in records}
    for distinct in (_with_seed, _with_id):
        taken = list(names.values())
        names = {r.id: distinct(r, names[r.id]) if taken.count(names[r.id]) > 1 else names[r.id] for r in records}
    return names


def _short(record: RunRecord) -> str:
    if record.name != default_name(record.config):
        return record.name
    return f"{record.method} · {record.budget}"


def _with_seed(record: RunRecord, name: str) -> str:
    return f"{name}, seed {record.config.job.seed}" if isinstance(record.config.job, SelectJob) else name


def _with_id(record: RunRecord, name: str) -> str:
    return f"{name} ({record.id[:4]})"
