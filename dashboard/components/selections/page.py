"""The view of Pick that compares selections: what two to four picks from one pool share, and why they differ."""

import streamlit as st

from dashboard.components.selections.choice import PARAM, check_link, default_pair, read_link
from dashboard.components.selections.view import overlap_view
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.finished_selections import (
    MAX_RUNS,
    choose_dataset,
    labels,
    runs_by_dataset,
)
from dashboard.components.shared.places import PICK
from dashboard.components.shared.theme import error_line, mistakes_told
from dashboard.services import cache, state
from skmm_core.runs import RunRecord

_SHOWN = "skmm:selections"  # ids on the page when it was last drawn, so that a new link is told from a choice


def linked_runs() -> list[RunRecord]:
    """Runs that a newly opened link names, with a line for each that cannot be shown."""
    ids = read_link(st.query_params.get(PARAM, ""))
    if not ids or ids == st.session_state.get(_SHOWN):
        return []
    kept, problems = check_link(ids, {record.id: record for record in cache.store().records()})
    for line in problems:
        error_line(line)
    return kept


def choose(groups: dict[str, list[RunRecord]], linked: list[RunRecord], opened: RunRecord | None) -> list[RunRecord]:
    """Let the visitor choose selections of one dataset; the link's or the open run's come first."""
    if linked:
        st.session_state["selections:dataset"] = linked[0].fingerprint
    fingerprint, area = choose_dataset(groups, "selections", "selections:dataset")
    records = {record.id: record for record in groups[fingerprint]}
    key = f"selections:runs:{fingerprint}"
    if linked:
        st.session_state[key] = [record.id for record in linked]
    elif not set(st.session_state.get(key, [""])) <= set(records):
        shown = [id_ for id_ in st.session_state.get(_SHOWN, ()) if id_ in records]
        st.session_state[key] = shown if len(shown) > 1 else default_pair(groups[fingerprint], opened)
    names = labels(list(records.values()))
    chosen = area.multiselect(
        "Two to four selections of one dataset",
        list(records),
        format_func=names.__getitem__,
        max_selections=MAX_RUNS,
        key=key,
        placeholder="Choose a selection",
    )
    return [records[id_] for id_ in chosen]


def selections_page() -> None:
    """Draw the view."""
    linked = linked_runs()
    opened = state.current_record()
    first = linked[0] if linked else opened
    groups = runs_by_dataset(cache.store().records(kind="select"), first=first.fingerprint if first else None)
    if not groups:
        empty_state(
            "No finished selection yet",
            "Pick points with two methods, or twice with one; this page then shows what they share.",
            page=PICK,
            label="Go to Pick",
            icon=":material/ads_click:",
        )
        return
    chosen = choose(groups, linked, opened)
    ids = [record.id for record in chosen]
    st.session_state[_SHOWN] = ids
    if ids:
        st.query_params[PARAM] = ",".join(ids)
    else:
        st.query_params.pop(PARAM, None)
    if len(chosen) > 1:
        with mistakes_told():
            overlap_view(chosen)
    elif all(len(runs) < 2 for runs in groups.values()):
        empty_state(
            "One selection is not enough",
            "Pick again from the same data, with another method or budget; then compare the two here.",
            page=PICK,
            label="Pick again",
            icon=":material/ads_click:",
        )
    else:
        st.info("Choose two selections or more above.", icon=":material/arrow_upward:")
