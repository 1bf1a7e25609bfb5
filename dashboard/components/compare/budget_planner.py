"""The budget planner: points that a wanted score takes with each method, and the money and time that this saves."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.comparisons.savings_words import (
    escape_money,
    fmt_money,
    interval_text,
    with_minus,
    worth,
)
from dashboard.components.shared.comparisons.score_words import is_share, score_text, spans_decades, verdict_text
from dashboard.components.shared.theme import UNKNOWN, fmt_int, fmt_number, fmt_percent, fmt_seconds
from skmm_core.comparison import REFERENCE, SATURATED, Costs, Need, Plan, Relation, Verdict
from skmm_core.probes import Metric

_STEPS = 60


def default_target(summary: pd.DataFrame, metric: Metric) -> float | None:
    """A score worth asking for, in steps that read well.

    The middle of the scores that every method reaches between its smallest and largest budget; where there are none,
    the middle of what the baseline reaches.

    Returns:
        The score, or None when there is no baseline with two budgets.
    """
    rows = summary[summary["metric"] == metric.key]
    base = rows[rows["method"] == REFERENCE]
    if base["budget"].nunique() < 2:
        return None
    spans = rows.groupby("method")["mean"].agg(["min", "max"])
    low, high = float(spans["min"].max()), float(spans["max"].min())
    if low >= high:
        low, high = float(base["mean"].min()), float(base["mean"].max())
    middle = math.sqrt(low * high) if spans_decades(rows["mean"], metric) else (low + high) / 2
    step = 0.01 if is_share(metric) else 10.0 ** (math.floor(math.log10(max(abs(middle), 1e-9))) - 1)
    rounded = round(middle / step) * step
    return float(rounded if low <= rounded <= high else middle)


def saturated_sentence(summary: pd.DataFrame, metric: Metric) -> str | None:
    """Say that all mean scores are one and the same, at every budget; None when they differ."""
    means = summary.loc[summary["metric"] == metric.key, "mean"]
    if means.empty or not np.allclose(means, means.iloc[0], rtol=1e-12, atol=0.0):
        return None
    return (
        f"Every score measured is the same, {goal_text(metric, float(means.iloc[0]))}: {SATURATED}. Compare at smaller "
        "budgets, or on a harder test."
    )


def goal_text(metric: Metric, target: float) -> str:
    """The wanted score in words: "80 % accuracy", "mean absolute error 3.1"."""
    if is_share(metric):
        return f"{fmt_percent(target, 1 if round(100 * target, 1) % 1 else 0)} {metric.title.lower()}"
    return f"{metric.title[:1].lower()}{metric.title[1:]} {fmt_number(target)}"


def best_plan(plans: Sequence[Plan], methods: Methods, *, label_aware: bool = False) -> Plan | None:
    """The plan of one league to recommend: the fewest points among proven savings, else the fewest points."""
    reached = [
        plan
        for plan in plans
        if plan.need.relation is not Relation.MORE_THAN and (plan.need.method in methods.label_aware) == label_aware
    ]
    proven = [plan for plan in reached if plan.verdict is Verdict.BETTER]
    return min(proven or reached, key=lambda plan: plan.need.points or plan.need.bound or 0, default=None)


def plan_sentence(plan: Plan, metric: Metric, methods: Methods, target: float) -> str:
    """Say what one plan buys: the points to choose, what random picks need, and how sure that is."""
    title, other = methods.title(plan.need.method), methods.title(plan.reference.method)
    start = f"For {goal_text(metric, target)} choose **n = {_points(plan.need)}** with **{title}**; {other} "
    if plan.reference.relation is Relation.MORE_THAN:
        start += f"does not reach it within the budgets measured, up to {fmt_int(plan.reference.bound or 0)}"
    else:
        start += f"needs {_points(plan.reference)}"
    if plan.verdict is Verdict.TIE:
        return f"{start}: a tie, no saving is proven."
    if plan.saved is None or plan.relation is None:
        return f"{start}."
    if plan.saved < 0 or plan.verdict is Verdict.WORSE:
        return f"{start}: no points are saved."
    return f"{start}: **{_known(plan, fmt_int)} points saved**{_interval_words(plan.lo, plan.hi)}."


def unreached_sentence(needs: Mapping[str, Need], metric: Metric, target: float) -> str:
    """Say that no method has the score within the budgets measured."""
    largest = max((need.bound or 0 for need in needs.values()), default=0)
    return (
        f"No method reaches {goal_text(metric, target)} within the budgets measured, up to {largest:,} points; compare "
        "at larger budgets."
    )


def cost_sentence(plan: Plan, costs: Costs) -> str:
    """What a proven saving is worth; empty without costs or saving."""
    if plan.verdict is not Verdict.BETTER or plan.saved is None or plan.saved <= 0:
        return ""
    return worth(plan.saved, costs, at_least=plan.relation is Relation.MORE_THAN)


def plan_table(needs: Mapping[str, Need], plans: Sequence[Plan], methods: Methods, costs: Costs) -> pd.DataFrame:
    """One row a method, those that need the fewest points first: points, interval, saving and what it is worth."""
    by_method = {plan.need.method: plan for plan in plans}
    lines = []
    for need in sorted(needs.values(), key=_order):
        plan = by_method.get(need.method)
        line = {
            "Method": methods.title(need.method),
            "Choose n": _points_briefly(need),
            "95 % interval of n": interval_text(need.lo, need.hi),
            "Set beside": methods.title(plan.reference.method) if plan else UNKNOWN,
            "Points saved": _known(plan, fmt_int) if plan else UNKNOWN,
            "95 % interval of the saving": interval_text(plan.lo, plan.hi) if plan else UNKNOWN,
        }
        if costs.per_label:
            line["Labels saved"] = (
                _known(plan, lambda points: fmt_money(costs.money(points), costs.currency)) if plan else UNKNOWN
            )
        if costs.hours_per_thousand:
            line["Time saved"] = (
                _known(plan, lambda points: fmt_seconds(3600 * costs.hours(points))) if plan else UNKNOWN
            )
        lines.append(line | {"Verdict": verdict_text(plan.verdict) if plan else "the yardstick"})
    return pd.DataFrame(lines)


def target_slider(summary: pd.DataFrame, metric: Metric, start: float, key: str) -> float:
    """The wanted score, between the worst and the best mean measured."""
    means = summary.loc[summary["metric"] == metric.key, "mean"]
    low, high = float(means.min()), float(means.max())
    if low >= high:
        return start
    steps = np.geomspace(low, high, _STEPS) if spans_decades(means, metric) else np.linspace(low, high, _STEPS)
    options = sorted({start, *(float(step) for step in steps if abs(step - start) > (high - low) * 1e-6)})
    return st.select_slider(
        f"Wanted {metric.title.lower()}",
        options,
        value=start,
        format_func=lambda value: score_text(metric, value),
        key=f"{key}:{start:.6g}:{low:.6g}:{high:.6g}",
    )


def draw_plans(
    needs: Mapping[str, Need], plans: Sequence[Plan], metric: Metric, methods: Methods, target: float, costs: Costs
) -> None:
    """Draw the sentences of both leagues and the table."""
    with st.container():  # as many sentences as there are: the table after them stays the same element
        for label_aware in (False, True):
            plan = best_plan(plans, methods, label_aware=label_aware)
            if plan is not None:
                sentence = f"{plan_sentence(plan, metric, methods, target)} {cost_sentence(plan, costs)}".strip()
                st.markdown(escape_money(sentence))
        if all(need.relation is Relation.MORE_THAN for need in needs.values()):
            st.markdown(unreached_sentence(needs, metric, target))
    st.dataframe(
        plan_table(needs, plans, methods, costs),
        hide_index=True,
        height="content",
        alt=f"Points that each method needs for {goal_text(metric, target)}.",
    )


def _points(need: Need) -> str:
    if need.relation is Relation.MORE_THAN:
        return f"not reached within the budgets measured, up to {fmt_int(need.bound or 0)}"
    if need.relation is Relation.LESS_THAN:
        return f"{fmt_int(need.bound or 0)} or fewer, the fewest measured"
    return fmt_int(need.points or 0)


def _points_briefly(need: Need) -> str:
    """The same for a narrow column; the sentences above the table say what bounds it."""
    if need.relation is Relation.MORE_THAN:
        return f"more than {fmt_int(need.bound or 0)}"
    return f"{fmt_int(need.bound or 0)} or fewer" if need.relation is Relation.LESS_THAN else _points(need)


def _known(plan: Plan, text: Callable[[float], str]) -> str:
    """The saving as far as it is known: "28", "more than 60", "less than −40"."""
    if plan.saved is None or plan.relation is None:
        return UNKNOWN
    words = {Relation.ABOUT: "", Relation.MORE_THAN: "more than ", Relation.LESS_THAN: "less than "}
    return f"{words[plan.relation]}{with_minus(plan.saved, text)}"


def _interval_words(lo: float | None, hi: float | None) -> str:
    found = interval_text(lo, hi)
    return "" if found == UNKNOWN else f" (95 % interval {found})"


def _order(need: Need) -> tuple[int, int]:
    place = {Relation.LESS_THAN: 0, Relation.ABOUT: 1, Relation.MORE_THAN: 2}[need.relation]
    return place, need.points or need.bound or 0
