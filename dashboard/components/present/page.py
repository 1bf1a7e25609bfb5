"""The Present view of Compare: a finished run on one screen, for people who decide."""

import streamlit as st

from dashboard.components.present.about import about_given, choose_about, step_buttons
from dashboard.components.present.story import cast_of, presentable, told_methods
from dashboard.components.present.view import present_view
from dashboard.components.shared.comparisons.learner_choice import (
    choose_learner,
    learner_given,
    learners_in,
    result_under,
)
from dashboard.components.shared.comparisons.methods import known_methods
from dashboard.components.shared.comparisons.point_costs import cost_inputs
from dashboard.components.shared.comparisons.reading import single_learner
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.places import PICK
from dashboard.components.shared.presenter_keys import presenter_keys
from dashboard.components.shared.presenter_mode import leave, presenting
from dashboard.components.shared.theme import mistakes_told
from dashboard.services import cache, state
from skmm_core.runs import RunRecord


def choose_run(records: list[RunRecord], opened: RunRecord | None) -> RunRecord:
    """The run to present: the open one, or what the visitor chooses."""
    by_id = {record.id: record for record in records}
    start = opened.id if opened is not None and opened.id in by_id else records[0].id
    chosen = st.selectbox(
        "Finished run", list(by_id), index=list(by_id).index(start), key=f"present:run:{start}",
        format_func=lambda id_: f"{by_id[id_].name} · {id_[:4]}", width=520,
    )  # fmt: skip
    if chosen != state.current_run() and (opened is None or opened.state.ended):
        state.set_current_run(chosen)
    return by_id[chosen]


def draw(record: RunRecord, records: list[RunRecord], *, large: bool) -> None:
    """The story of one run, under a learner that may be chosen where its comparison has several."""
    from skmm_core.methods import list_methods

    comparison = record if record.kind == "compare" else cast_of(record, records, None).comparison
    learner, result = "", None
    if comparison is not None:
        learners = learners_in(cache.run_result(comparison.id), single_learner(comparison))
        learner = learner_given(learners) if large else choose_learner(learners)
        result = result_under(cache.run_result(comparison.id), learner)
    known = known_methods(list_methods())
    about = None
    if record.kind == "compare" and result is not None and told_methods(result):
        about = about_given(result, record.id) if large else choose_about(result, record.id, known.titles)
    present_view(cast_of(record, records, result, about), known, learner=learner, large=large)
    if large:
        with st.container(horizontal=True):
            if about is not None and result is not None:
                step_buttons(result, record.id)
            st.button("End", key="present-end", type="tertiary", on_click=leave)
        presenter_keys({"ArrowLeft": "present-fewer", "ArrowRight": "present-more", "Escape": "present-end"})


def present_page() -> None:
    """Draw the view."""
    opened = state.current_record()
    records = presentable(cache.store().records())
    if opened is not None and not opened.state.ended:
        job_panel(opened.id)
    if not records:
        empty_state(
            "Nothing finished to present yet",
            "Pick points or compare methods first; this page then shows what they buy on one screen.",
            page=PICK,
            label="Go to Pick",
            icon=":material/ads_click:",
        )
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        chooser = st.container()
        large = presenting("the story; ← and → change the budget, F11 hides the browser, Esc ends it")
    if large:
        shown = opened if opened is not None and opened.id in {record.id for record in records} else records[0]
    else:
        with chooser:
            shown = choose_run(records, opened)
        with st.expander("What does a point cost?", icon=":material/payments:"):
            cost_inputs()
    with mistakes_told():
        draw(shown, records, large=large)
