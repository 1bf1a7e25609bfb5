"""Which method and budget of a comparison the story is about: the visitor's choice, kept while a room is shown it."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.components.present.story import best_at_middle, told_methods
from dashboard.components.shared.theme import fmt_int


def about_given(result: Mapping[str, Any], run: str) -> tuple[str, int]:
    """Method and budget as chosen last for this run; the best at the middle budget before any was.

    Args:
        result: `result.json` of the comparison, under the learner of the story.
        run: its id.
    """
    method, budget = best_at_middle(result)
    kept = st.session_state.get(_kept(run), (method, budget))
    return kept if kept[0] in told_methods(result) and kept[1] in result["budgets"] else (method, budget)


def choose_about(result: Mapping[str, Any], run: str, titles: Mapping[str, str]) -> tuple[str, int]:
    """Draw the two choices.

    Args:
        result: as in :func:`about_given`.
        run: id of the comparison.
        titles: of methods.
    """
    method, budget = about_given(result, run)
    methods, budgets = told_methods(result), sorted(set(result["budgets"]))
    with st.container(horizontal=True, vertical_alignment="bottom", key="present-about"):
        method = st.selectbox(
            "Method", methods, index=methods.index(method), format_func=lambda key: titles.get(key, key),
            key=f"present:method:{run}", width=260,
        )  # fmt: skip
        budget = st.selectbox(
            "Budget", budgets, index=budgets.index(budget), format_func=fmt_int, key=f"present:budget:{run}", width=140
        )
    st.session_state[_kept(run)] = (method, budget)
    return method, budget


def step_buttons(result: Mapping[str, Any], run: str) -> None:
    """Buttons to the budget before and after, for the arrow keys; the ends hold."""
    method, budget = about_given(result, run)
    budgets = sorted(set(result["budgets"]))
    place = budgets.index(budget)
    for by, label, key in ((-1, "Fewer points", "present-fewer"), (1, "More points", "present-more")):
        after = budgets[max(0, min(len(budgets) - 1, place + by))]
        st.button(label, key=key, type="tertiary", disabled=after == budget, on_click=_keep, args=(run, method, after))


def _keep(run: str, method: str, budget: int) -> None:
    st.session_state[_kept(run)] = (method, budget)
    st.session_state.pop(f"present:budget:{run}", None)  # the choice follows when the room has gone


def _kept(run: str) -> str:
    return f"skmm:present:{run}"
