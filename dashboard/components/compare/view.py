"""The results of a comparison, finished or still coming in."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.components.compare.budget_planner import default_target, draw_plans, saturated_sentence, target_slider
from dashboard.components.compare.learners import draw_learners, draw_together
from dashboard.components.compare.tables import TIE, difference_table, paper_table, weak_test_line
from dashboard.components.compare.time_chart import time_bars
from dashboard.components.shared.answered_chart import draw_answer
from dashboard.components.shared.comparisons.learner_choice import choose_learner, result_under
from dashboard.components.shared.comparisons.learning_curves import learning_curves
from dashboard.components.shared.comparisons.methods import Methods, with_readers
from dashboard.components.shared.comparisons.point_costs import cost_inputs
from dashboard.components.shared.comparisons.reading import read_comparison, task_of
from dashboard.components.shared.comparisons.score_words import is_share
from dashboard.components.shared.copy_as import copy_panel, image_format
from dashboard.components.shared.theme import columns, escape, plural
from dashboard.services import cache
from skmm_core.comparison import (
    REFERENCE,
    STRATIFIED,
    Comparison,
    against_linear,
    against_stratified,
    few_seeds,
    judged,
    needs,
    plans,
    random_start,
    rounds_sentence,
)
from skmm_core.config import CompareJob
from skmm_core.errors import InputError
from skmm_core.probes import METRICS, Metric, in_order, labels_note, primary_metric
from skmm_core.runs import REPORT, RESULT, SCORES_CSV, SUMMARY_CSV, RunRecord, RunState, scored_by

_DOWNLOADS = (
    (SCORES_CSV, "Scores (csv)", "text/csv"),
    (SUMMARY_CSV, "Summary (csv)", "text/csv"),
    (RESULT, "Result (json)", "application/json"),
    (REPORT, "Report (html)", "text/html"),
)


def against_random(record: RunRecord, found: Comparison, methods: Methods) -> list[dict[str, Any]]:
    """Methods that see labels set beside class-stratified uniform; see `against_stratified`."""
    aware = tuple(sorted(methods.label_aware))
    return _against(record.folder, len(found.scores), found.learner, found.scores, aware)


@st.cache_data(max_entries=32, show_spinner=False)
def _against(
    folder: Path, size: int, learner: str, _scores: pd.DataFrame, label_aware: tuple[str, ...]
) -> list[dict[str, Any]]:
    return against_stratified(_scores, label_aware, task_of(_scores))


@st.cache_data(max_entries=32, show_spinner=False)
def _together(
    folder: Path, size: int, learner: str, _found: Comparison, label_aware: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Every method under a learner set beside random picks with a linear probe; see `against_linear`."""
    scores = pd.concat([each.scores for each in _found.by_learner.values()])
    return against_linear(scores, learner, task_of(scores), label_aware=[*label_aware, STRATIFIED])


def progress_line(scores: pd.DataFrame, job: CompareJob, *, ended: bool) -> str:
    """How much of the grid is scored: "24 of 96 selections scored so far", and what that means."""
    done = len(scores.drop_duplicates(["method", "budget", "seed"]))
    methods = {*job.methods, REFERENCE, *scores["method"]}  # yardsticks are scored whether asked or not
    total = plural(len(methods) * len(set(job.budgets)) * job.seeds, "selection")
    if ended:
        return f"{done:,} of {total} scored; start the run again to score the rest."
    return f"{done:,} of {total} scored so far; the numbers below will still move."


def compare_view(record: RunRecord, methods: Methods) -> None:
    """Draw the results; while the run goes on, what there is so far, again every two seconds."""
    st.fragment(_draw, run_every=None if record.state.ended else "2s")(record.id, methods)


def _draw(run_id: str, methods: Methods) -> None:
    record = cache.store().get(run_id)
    job = record.config.job
    if not isinstance(job, CompareJob):
        raise InputError(f"{record.name} is a selection; open it in Pick")
    methods = with_readers(methods, record.config)
    every = read_comparison(record, methods)
    if every is None:
        if not record.state.ended:
            with st.container(key="compare-pending"):  # as long as the results to come, or the page would scroll
                st.skeleton(height=400)
        return
    learner = choose_learner(in_order(every.by_learner))
    found = every.by_learner[learner]
    with st.container():  # lines that come and go have a place of their own, so that what follows is not drawn anew
        if record.state is not RunState.DONE:
            st.caption(f":material/hourglass_top: {progress_line(found.scores, job, ended=record.state.ended)}")
        elif labels := labels_note(result_under(cache.run_result(run_id), learner).get("validation_rows"), learner):
            st.caption(f":material/label: {labels}")
    # while scores come in, those to come count: a sentence that goes at the fifth seed would pull up all below it
    seeds = int(found.scores["seed"].nunique()) if record.state.ended else job.seeds
    if job.rounds > 1:
        st.caption(f":material/replay: {rounds_sentence(job.budgets, _random_start(job, found, methods))}")
    st.caption(f":material/info: {found.claim} {few_seeds(seeds)}".strip())
    for note in scored_by(job.finetune):
        st.caption(f":material/model_training: {escape(note)}")
    metric = _metric(found, run_id)
    draw_answer(learning_curves(found.summary, metric, methods, found.full.get(metric.key)), f"curves:{run_id}")
    with st.container():
        for key, reason in found.left_out.items():
            st.caption(f":material/block: {escape(methods.title(key))} left out: {escape(reason)}.")
    against = against_random(record, found, methods)
    _savings(found, against, metric, methods, run_id)
    _learners(record, every, found, metric, methods)
    _tables(found, against, metric, methods)
    draw_answer(time_bars(found.scores, methods), f"time:{run_id}")
    _take_away(record)


def _random_start(job: CompareJob, found: Comparison, methods: Methods) -> list[str]:
    return [methods.title(key) for key in random_start(job, found.scores["method"])]


def _metric(found: Comparison, run_id: str) -> Metric:
    metrics = {metric.key: metric for metric in METRICS[task_of(found.scores)]}
    present = [key for key in metrics if key in set(found.summary["metric"])]
    chosen = st.segmented_control(
        "Score", present, default=present[0], required=True, key=f"metric:{run_id}",
        format_func=lambda key: metrics[key].title,
    )  # fmt: skip
    return metrics[chosen or present[0]]


def _savings(found: Comparison, against: list[dict[str, Any]], metric: Metric, methods: Methods, run_id: str) -> None:
    """The budget planner at a score that the visitor may move."""
    start = default_target(found.summary, metric)
    if start is None:
        return
    st.markdown(
        "##### How much data does it save?",
        help="Read off the mean curves, between measured budgets and never beyond them; the error of reading between "
        "them is in the intervals. A tie: at the measured budget nearest to n, the 95 % interval of the paired "
        "difference holds zero or the corrected p is .05 or more. † is set beside random picks within classes.",
    )
    if (saturated := saturated_sentence(found.summary, metric)) is not None:
        st.info(saturated, icon=":material/vertical_align_top:")
        return
    left, right = columns([1, 1], key="planner", gap="large", vertical_alignment="bottom")
    with left:
        target = target_slider(found.summary, metric, start, f"target:{run_id}:{metric.key}")
    with right:
        costs = cost_inputs()
    draw_plans(needs(found, metric, target), plans(found, metric, target, against), metric, methods, target, costs)


def _learners(record: RunRecord, every: Comparison, found: Comparison, metric: Metric, methods: Methods) -> None:
    """The methods under all learners at a budget; and picks and learner beside random picks with a linear probe."""
    if not every.others:
        return
    budget = draw_learners(every, metric, methods, record.id)
    if metric == primary_metric(task_of(found.scores)):
        aware = tuple(sorted(methods.label_aware))
        rows = _together(record.folder, len(found.scores), found.learner, every, aware)
        draw_together([row for row in rows if row["budget"] == budget], found.learner, metric, methods)


def _tables(found: Comparison, against: list[dict[str, Any]], metric: Metric, methods: Methods) -> None:
    unit = ", %" if is_share(metric) else ""
    st.markdown(f"##### {metric.title}{unit}: mean ± standard deviation over seeds")
    table = paper_table(found.summary, found.scores, metric, methods)
    st.table(table, border="horizontal")
    better = "Higher" if metric.higher_is_better else "Lower"
    marks = f"{better} is better; best in bold; {TIE} not told apart from the best (paired, corrected)."
    fixed = ", ".join(methods.title(key) for key in found.fixed)
    same = f" {escape(fixed)}: the same scores for every seed." if fixed else ""
    league = (
        " † sees the pool's labels and is ranked apart." if methods.label_aware & set(found.scores["method"]) else ""
    )
    st.caption(marks + same + league)
    tests = judged(found.summary, against, metric.key)
    if not tests:
        return
    st.markdown(
        "##### Is the difference from random picks real?",
        help="Pairs of runs with the same seed; Student's t test, p-values corrected by Holm over the methods of a "
        "league at a budget. What sees class labels (†) is set beside random picks within classes. "
        f"{found.claim}",
    )
    with st.container():
        if weak := weak_test_line(tests, found.summary, found.scores, metric, methods):
            st.caption(f":material/info: {weak}")
    table = difference_table(tests, found.summary, found.scores, metric, methods)
    st.dataframe(table, hide_index=True, height="content", alt="Paired differences from random picks.")


def _take_away(record: RunRecord) -> None:
    st.markdown("##### Take it away")
    with st.container(horizontal=True, key="compare-downloads"):
        for name, label, mime in _DOWNLOADS:
            if (path := record.folder / name).exists():
                st.download_button(
                    label, data=_reader(path), file_name=f"compare-{record.id}-{name}", mime=mime,
                    key=f"download:{name}", on_click="ignore", icon=":material/download:",
                )  # fmt: skip
    copy_panel(record, "makes the same comparison again")
    image_format()


def _reader(path: Path) -> Any:
    return path.read_bytes
