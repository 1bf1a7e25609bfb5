"""Diagnose: why one to four selections of a dataset are good or not, side by side."""

import streamlit as st

from dashboard.components.diagnose.choice import start_with
from dashboard.components.diagnose.maps import diagnose_maps
from dashboard.components.shared.diagnostics.diagnosed_runs import read_run, same_pool
from dashboard.components.shared.diagnostics.view import diagnose_view
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.finished_selections import MAX_RUNS, WANTED, labels, runs_by_dataset
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.theme import columns, error_line
from dashboard.services import cache, state
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord


def choose_runs(groups: dict[str, list[RunRecord]], opened: RunRecord | None) -> list[RunRecord]:
    """Let the visitor choose runs of one dataset; the open run's dataset comes first."""
    fingerprint = next(iter(groups))
    left, area = columns([1, 3], key="diagnose", below=700) if len(groups) > 1 else (None, st.container())
    if left is not None:
        fingerprint = left.selectbox(
            "Dataset",
            list(groups),
            format_func=lambda key: groups[key][0].dataset,
            key=f"diagnose:dataset:{fingerprint}",
        )
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


opened = state.current_record()
if opened is not None and opened.kind == "select":
    job_panel(opened.id)
groups = runs_by_dataset(cache.store().records(kind="select"), first=opened.fingerprint if opened else None)
if not groups:
    empty_state(
        "No finished selection yet",
        "Pick points first; this page then shows why they are good, or not.",
        page="app_pages/select.py",
        label="Go to Select",
        icon=":material/ads_click:",
    )
    st.stop()
chosen = choose_runs(groups, opened)
if not chosen:
    st.info("Choose at least one selection above.", icon=":material/arrow_upward:")
    st.stop()
names = labels(chosen)
try:
    diagnose_view(same_pool([read_run(run, number, names[run.id]) for number, run in enumerate(chosen)]))
    diagnose_maps(chosen, [names[run.id] for run in chosen])
except InputError as error:
    error_line(str(error))
