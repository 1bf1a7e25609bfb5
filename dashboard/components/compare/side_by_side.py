"""Two finished comparisons beside each other: the curves and the table of each, under its own learner."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.compare.tables import paper_table
from dashboard.components.shared.answered_chart import draw_answer
from dashboard.components.shared.comparisons.learning_curves import learning_curves
from dashboard.components.shared.comparisons.methods import Methods, with_readers
from dashboard.components.shared.comparisons.reading import read_comparison, task_of
from dashboard.components.shared.places import COMPARE, RESULTS, place_link
from dashboard.components.shared.theme import columns, error_line, escape
from dashboard.services import cache
from skmm_core.errors import InputError
from skmm_core.probes import in_order, main_learner, primary_metric
from skmm_core.runs import RunRecord, RunState

PARAM, COUNT = "runs", 2


def linked() -> list[RunRecord]:
    """The comparisons that the address names; empty unless two are there and done."""
    found = []
    for id_ in dict.fromkeys(filter(None, st.query_params.get(PARAM, "").split(","))):
        try:
            record = cache.store().get(id_)
        except InputError:
            continue
        if record.kind == "compare" and record.state is RunState.DONE:
            found.append(record)
    return found[:COUNT] if len(found) >= COUNT else []


def side_by_side(records: Sequence[RunRecord], methods: Methods) -> None:
    """Draw them; each has a link to the whole of it.

    Raises:
        InputError: a file of a run is missing or damaged.
    """
    if len({record.fingerprint for record in records}) > 1:
        st.info("These are of different data: compare the shape of their curves, not their scores.")
    for area, record in zip(columns([1] * len(records), key="side-by-side", gap="large"), records, strict=True):
        with area:
            _draw(record, with_readers(methods, record.config))


def _draw(record: RunRecord, methods: Methods) -> None:
    st.markdown(f"##### {escape(record.name)}")
    place_link(COMPARE, RESULTS, label=f"Open run {record.id}", icon=":material/open_in_new:", run=record.id)
    every = read_comparison(record, methods)
    if every is None:
        error_line("It holds no scores; delete it in Runs and compare again.")
        return
    found = every.by_learner[main_learner(in_order(every.by_learner))]
    metric = primary_metric(task_of(found.scores))
    answer = learning_curves(found.summary, metric, methods, found.full.get(metric.key))
    draw_answer(answer, f"side-curves:{record.id}")
    st.table(paper_table(found.summary, found.scores, metric, methods), border="horizontal")
