"""Two to four selections side by side: overlap, the points only one chose, balance, diagnostics."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.components.selections.balance import balance_answer
from dashboard.components.selections.overlap import (
    LETTERS,
    Region,
    overlap_answer,
    region_name,
    region_points,
    region_title,
    regions,
)
from dashboard.components.selections.scores import best_comparison, missing_line, scored_by, scores_answer
from dashboard.components.shared.answered_chart import draw_answer
from dashboard.components.shared.comparisons.learner_choice import choose_learner, learners_in, result_under
from dashboard.components.shared.comparisons.reading import single_learner
from dashboard.components.shared.diagnostics.diagnosed_runs import read_run, same_pool
from dashboard.components.shared.diagnostics.view import diagnose_view
from dashboard.components.shared.finished_selections import labels
from dashboard.components.shared.gallery import gallery
from dashboard.components.shared.map.linked_views import points_table, run_cards
from dashboard.components.shared.places import PICK, WORKBENCH, place_link
from dashboard.components.shared.points import run_points
from dashboard.components.shared.text_search import search_texts
from dashboard.components.shared.theme import columns, escape, plural
from dashboard.services import cache
from skmm_core.comparison import read_scores, under_learner
from skmm_core.probes import METRICS, primary_metric
from skmm_core.runs import RunRecord, RunState

TABLE = "Table"
_CARD_PIXELS, _REGION_PIXELS, _PER_PAGE = 230, 400, 24


def overlap_view(records: Sequence[RunRecord]) -> None:
    """Draw everything about two to four finished selections of one dataset.

    Raises:
        InputError: a file of a run is missing or damaged.
    """
    names = labels(records)
    titles = [f"{LETTERS[number]} · {names[record.id]}" for number, record in enumerate(records)]
    runs = same_pool([read_run(record, number, titles[number]) for number, record in enumerate(records)])
    tables = [run_points(record) for record in records]
    _cards(records, titles)
    found = regions([run.chosen.tolist() for run in runs])
    balance = balance_answer(tables, [run.diagnostics.n for run in runs], titles)
    left, right = columns([1, 1], key="overlap", gap="large") if balance else (st.container(), None)
    with left:
        draw_answer(overlap_answer(found, [names[record.id] for record in records], len(tables[0])), "overlap")
    if balance and right:
        with right:
            draw_answer(balance, "overlap-balance")
    _points(records, tables, found)
    _scores(records, titles)
    st.divider()
    diagnose_view(runs)


def _cards(records: Sequence[RunRecord], titles: Sequence[str]) -> None:
    grid = st.container(key="overlap-cards").grid(len(records), min_column_width=_CARD_PIXELS)
    for record, title in zip(records, titles, strict=True):
        with grid.container(border=True, gap="small"):
            st.markdown(f"**{escape(title)}**")
            place_link(PICK, WORKBENCH, label=f"Open run {record.id}", icon=":material/open_in_new:", run=record.id)


def _scores(records: Sequence[RunRecord], titles: Sequence[str]) -> None:
    """Scores under one learner from the comparison that repeated most of these selections; what is missing is said."""
    task = cache.run_result(records[0].id)["task"]
    scored = None
    if task in METRICS:
        done = [record for record in cache.store().records(kind="compare") if record.state is RunState.DONE]
        comparison = best_comparison(done, records)
        if comparison is not None:
            result, single = cache.run_result(comparison.id), single_learner(comparison)
            learner = choose_learner(learners_in(result, single))
            scores = under_learner(read_scores(comparison.folder, learner=single), learner)
            scored = scored_by(comparison, scores, records, primary_metric(task))
        if scored is not None and scored.values:
            rows = result_under(result, learner).get("validation_rows")
            answer = scores_answer(scored, titles, primary_metric(task), learner=learner, validation_rows=rows)
            draw_answer(answer, "overlap-scores")
        if line := missing_line(records, scored):
            st.caption(f":material/info: {line}")
    else:
        st.caption(":material/info: Without targets no learner can be scored; add them in Data.")


@st.fragment
def _points(records: Sequence[RunRecord], tables: Sequence[pd.DataFrame], found: Sequence[Region]) -> None:
    """The points of the combinations that the visitor asks for; at first those that only one selection chose."""
    count, by_name = len(records), {region_name(region, len(records)): region for region in found if region.positions}
    token = "-".join(record.id for record in records)
    st.markdown("##### Which points are they?")
    alone = [name for name, region in by_name.items() if len(region.members) == 1]
    with st.container(horizontal=True, vertical_alignment="bottom", key="overlap-choice"):
        wanted = st.pills(
            "Chosen by",
            list(by_name),
            selection_mode="multi",
            default=sorted(alone) or list(by_name)[:1],
            format_func=lambda name: region_title(by_name[name], count),
            key=f"overlap:regions:{token}",
            wrap=True,
        )
        search = search_texts(records[0])
        cards = run_cards(records[0], search.query)
        kind = TABLE
        if cards is not None:
            kind = st.segmented_control(
                "Show as", (cards.title, TABLE), default=cards.title, required=True, key=f"overlap:kind:{token}"
            )
    if not wanted:
        st.info("Choose at least one combination above.", icon=":material/arrow_upward:")
        return
    grid = st.grid(min(2, len(wanted)), min_column_width=_REGION_PIXELS, gap="medium")
    for name in wanted:
        region = by_name[name]
        shown = search.among(region_points(search.beside(tables[region.members[0]]), region))
        with grid.cell():
            size = plural(len(shown), "point") + (" found" if search.query else "")
            st.markdown(f"**{name}**: {size}, in {LETTERS[region.members[0]]}'s pick order")
            if cards is not None and kind == cards.title:
                gallery(shown, cards, key=f"overlap:{token}:{region.members}", per_page=_PER_PAGE)
            else:
                points_table(shown)
