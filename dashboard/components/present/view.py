"""A finished run for stakeholders: one headline, one map, one curve, one sentence on savings."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard.components.present.story import (
    Cast,
    bare_headline,
    every_budget,
    saving_line,
    selection_config,
    together_line,
)
from dashboard.components.shared.answered_chart import Answer, plain
from dashboard.components.shared.comparisons.headline import Headline, headline
from dashboard.components.shared.comparisons.learner_choice import result_under
from dashboard.components.shared.comparisons.learning_curves import learning_curves
from dashboard.components.shared.comparisons.methods import Methods, with_readers
from dashboard.components.shared.comparisons.point_costs import costs_given
from dashboard.components.shared.comparisons.reading import read_comparison, task_of
from dashboard.components.shared.comparisons.savings_words import escape_money
from dashboard.components.shared.diagnostics.charts import risk_curve
from dashboard.components.shared.diagnostics.diagnosed_runs import read_run
from dashboard.components.shared.map.figure import map_alt, map_figure, map_note
from dashboard.components.shared.places import COMPARE, RESULTS, place_link
from dashboard.components.shared.points import has_classes, run_points
from dashboard.components.shared.theme import chart, columns, escape, is_dark
from dashboard.services import cache, state
from skmm_core.comparison import REFERENCE, STRATIFIED
from skmm_core.errors import InputError
from skmm_core.probes import primary_metric
from skmm_core.runs import RunRecord

_HEIGHT, _LARGE_HEIGHT, _LARGE_FONT = 420, 440, 18


def present_view(cast: Cast, methods: Methods, *, learner: str, large: bool) -> None:
    """Draw the story; what is missing is said, with the way to get it.

    Args:
        cast: runs that it is told from.
        methods: titles and leagues.
        learner: under which the comparison is told.
        large: whether it is shown to a room.

    Raises:
        InputError: a file of a run is missing or damaged.
    """
    title = methods.titles.get(cast.method, cast.method)
    said = _headline(cast, title, learner)
    if said is not None:  # above the charts: it is what people who decide came for
        st.markdown(f"### {escape_money(saving_line(said.saving, costs_given()))}")
        if together := together_line(_result(cast, learner), cast.method, cast.budget):
            st.markdown(f"##### {together}")
        if told := every_budget(_result(cast, learner), cast.method):
            st.markdown(told)
    alone = large and cast.selection is None  # nothing to offer to a room: the curve takes the whole width
    left, right = (None, st.container()) if alone else columns([1, 1], key="present", gap="large")
    if left is not None:
        with left:
            if cast.selection is not None:
                _map(cast.selection, large=large)
            else:
                _no_map(cast, title)
    with right:
        if cast.comparison is not None:
            _curve(cast, methods, learner, large=large)
        elif cast.selection is not None:
            run = read_run(cast.selection, 0, title)
            _answer(risk_curve([run]), f"risk:{cast.selection.id}", large=large)
    if said is not None:
        st.caption(said.caption)
    elif not large:
        st.caption(f"How much this saves is not measured yet: compare {escape(title)} at {cast.budget:,} points.")
        place_link(COMPARE, RESULTS, label="Compare it", icon=":material/monitoring:")


def _headline(cast: Cast, title: str, learner: str) -> Headline | None:
    """Draw the headline; the measured one is returned, where there is one."""
    if cast.comparison is not None:
        result = _result(cast, learner)
        said = headline(
            result, method=cast.method, title=escape(title), budget=cast.budget, pool_size=result["N"],
            seeds=result["seeds"], noun="points",
        )  # fmt: skip
        if said is not None:
            st.markdown(f"## {said.sentence}")
            return said
    if cast.selection is not None:
        st.markdown(f"## {bare_headline(cache.run_result(cast.selection.id), escape(title))}")
    else:
        st.markdown("## Random picks are all that was scored here, so there is nothing to set beside them.")
    return None


def _result(cast: Cast, learner: str) -> dict[str, Any]:
    return result_under(cache.run_result(_there(cast.comparison).id), learner)


def _map(record: RunRecord, *, large: bool) -> None:
    points, budget = run_points(record), int(record.budget)
    colour, name = ("label", "class") if has_classes(points) else ("chosen", "chosen or not")
    figure = map_figure(points, budget=budget, colour=colour, dark=is_dark(), height=_height(large))
    figure.update_layout(dragmode="pan")
    chart(_sized(figure, large=large), key=f"present-map:{record.id}", alt=map_alt(points, budget, name, "PCA"))
    st.caption(map_note(points, cache.run_result(record.id)["N"]))


def _no_map(cast: Cast, title: str) -> None:
    """Offer the selection that the map needs."""
    config, comparison = selection_config(cast), cast.comparison
    st.markdown("##### No map yet")
    st.caption(f"The comparison scored selections but kept none. Pick {cast.budget:,} points with {escape(title)}.")
    if config is not None and comparison is not None and st.button("Pick them", icon=":material/play_arrow:"):
        state.set_current_run(cache.jobs().submit(config, comparison.fingerprint))
        st.rerun()


def _curve(cast: Cast, methods: Methods, learner: str, *, large: bool) -> None:
    """The method of the headline and its yardstick under one learner, no others."""
    record = _there(cast.comparison)
    methods = with_readers(methods, record.config)
    every = read_comparison(record, methods)
    if every is None or learner not in every.by_learner:
        raise InputError(f"{record.name} holds no scores; delete it in Runs and compare again")
    found = every.by_learner[learner]
    metric = primary_metric(task_of(found.scores))
    shown = {cast.method, STRATIFIED if cast.method in methods.label_aware else REFERENCE, REFERENCE}
    rows = found.summary[found.summary["method"].isin(shown)]
    answer = learning_curves(rows, metric, methods, found.full.get(metric.key))
    _answer(answer, f"present-curve:{record.id}", large=large)


def _answer(answer: Answer, key: str, *, large: bool) -> None:
    panel = answer.panels[0]
    panel.figure.update_layout(height=_height(large))
    chart(_sized(panel.figure, large=large), key=key, alt=plain(panel.alt))
    st.caption(answer.sentence)


def _there(record: RunRecord | None) -> RunRecord:
    if record is None:
        raise InputError("there is no comparison of this data; make one in Compare")
    return record


def _height(large: bool) -> int:
    return _LARGE_HEIGHT if large else _HEIGHT


def _sized(figure: go.Figure, *, large: bool) -> go.Figure:
    return figure.update_layout(font={"size": _LARGE_FONT}) if large else figure
