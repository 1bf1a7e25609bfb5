"""Runs: the history, and what can be done with each run."""

import hashlib
from typing import Literal

import streamlit as st

from dashboard.components.runs.actions import action_bar, import_panel, undo_bar
from dashboard.components.runs.table import KIND_WORDS, STATE_WORDS, filter_runs, run_frame, summary_line
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.places import PICK
from dashboard.services import cache, state
from skmm_core.runs import RunRecord, RunState

_TICKED = "skmm:ticked"  # ids of the ticked runs, so that they stay ticked when rows come and go
_OPENED = "skmm:runs-opened"  # the open run when this page was last drawn; another one is ticked at once
_ROW_PIXELS, _MOST_ROWS = 35, 14


def run_table(records: list[RunRecord]) -> list[RunRecord]:
    """Draw the table; returns the ticked runs. The widget belongs to these rows: other rows, other widget."""
    ids = [record.id for record in records]
    if st.session_state.get(_OPENED) != state.current_run():
        st.session_state[_OPENED] = state.current_run()
        st.session_state[_TICKED] = [state.current_run()]
    wanted = st.session_state.get(_TICKED, [])
    digest = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:12]
    frame = run_frame(records)
    height: int | Literal["content"] = _ROW_PIXELS * (_MOST_ROWS + 1) if len(records) > _MOST_ROWS else "content"
    event = st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        height=height,
        column_order=[str(name) for name in frame if name != "note" or frame["note"].any()],
        key=f"runs:table:{digest}",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(id_) for id_ in wanted if id_ in ids]}},
        alt=f"Table of {len(records)} runs, newest first, with state, name, dataset, method and points.",
        column_config={
            "state": st.column_config.TextColumn("State", width=110),
            "name": st.column_config.TextColumn("Name", width=330),
            "kind": st.column_config.TextColumn("Kind", width=100),
            "dataset": st.column_config.TextColumn("Dataset", width=120),
            "method": st.column_config.TextColumn("Methods", width=150),
            "points": st.column_config.TextColumn("Points", width=150),
            "created": st.column_config.DatetimeColumn("Created", format="distance", width=120),
            "seconds": st.column_config.NumberColumn("Took", format="%.1f s", width=80),
            "note": st.column_config.TextColumn("Note", width=300),
        },
    )
    ticked = [records[row] for row in event["selection"]["rows"] if row < len(records)]
    st.session_state[_TICKED] = [record.id for record in ticked]
    return ticked


def any_live(records: list[RunRecord]) -> bool:
    """Whether a run is queued or running."""
    return any(not record.state.ended for record in records)


def history(search: str, kind: str | None, states: list[RunState], *, live: bool) -> None:
    """Draw table and buttons; refreshes itself while a run goes on, and draws the page once more when none does."""
    cache.jobs().poll()
    everything = cache.store().records()
    if live and not any_live(everything):
        st.rerun()
    undo_bar()
    records = filter_runs(cache.store().records(search, kind), states)
    if not everything:
        empty_state(
            "No runs yet",
            "What you pick and compare is kept here, also after a restart.",
            page=PICK,
            label="Go to Pick",
            icon=":material/ads_click:",
        )
        return
    if not records:
        st.info("No run fits this search. Clear the search or the filters.", icon=":material/search_off:")
        return
    st.caption(f"{summary_line(len(records), len(everything))}. Tick one to open it, several to set them side by side.")
    ticked = run_table(records)
    if ticked:
        action_bar(ticked)


with st.container(horizontal=True, vertical_alignment="bottom", key="run-filters"):
    search = st.text_input("Search", key="runs:search", placeholder="name, method, id", icon=":material/search:")
    kind = st.selectbox(
        "Kind", list(KIND_WORDS), index=None, format_func=KIND_WORDS.__getitem__, placeholder="Any", key="runs:kind",
        width=150,
    )  # fmt: skip
    states = st.multiselect(
        "State", list(RunState), format_func=STATE_WORDS.__getitem__, placeholder="Any", key="runs:states", width=220
    )
    with st.popover("Import", icon=":material/upload:", key="runs:import-popover"):
        import_panel()
live = any_live(cache.store().records())
st.fragment(history, run_every="2s" if live else None)(search, kind, states, live=live)
