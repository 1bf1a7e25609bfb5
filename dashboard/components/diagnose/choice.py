"""Which selections the Diagnose page shows: those the visitor chooses, and those it starts with."""

from collections.abc import Collection, Sequence

import streamlit as st

from dashboard.components.shared.finished_selections import MAX_RUNS, WANTED, choose_dataset, labels
from skmm_core.runs import RunRecord


def choose_runs(groups: dict[str, list[RunRecord]], opened: RunRecord | None) -> list[RunRecord]:
    """Let the visitor choose runs of one dataset; the open run's dataset comes first."""
    fingerprint, area = choose_dataset(groups, "diagnose", f"diagnose:dataset:{next(iter(groups))}")
    records = {record.id: record for record in groups[fingerprint]}
    names = labels(list(records.values()))
    start = start_with(list(records), opened.id if opened else None, st.session_state.get(WANTED, ()))
    chosen = area.multiselect(
        "Selections to look at, up to four of one dataset",
        list(records),
        default=start,
        format_func=names.__getitem__,
        max_selections=MAX_RUNS,
        key=f"diagnose:runs:{'-'.join(start)}",
        placeholder="Choose a selection",
    )
    return [records[id_] for id_ in chosen]


def start_with(ids: Sequence[str], opened: str | None, wanted: Collection[str]) -> list[str]:
    """Which runs to show first: those another page asked for, else the open one, else the newest."""
    asked = [id_ for id_ in ids if id_ in wanted][:MAX_RUNS]
    if asked and (opened is None or opened not in ids or opened in asked):
        return asked
    return [opened] if opened is not None and opened in ids else list(ids[:1])
