"""Presenter mode of the Learn and Present pages: large letters, no chrome, arrow keys between the steps."""

from collections.abc import Sequence

import streamlit as st

PRESENT, STEP = "present", "step"
_CSS = """
<style>
  html { font-size: 21px !important; }
  [data-testid="stHeader"], [data-testid="stSidebar"], .st-key-shortcuts { display: none !important; }
  [data-testid="stMainBlockContainer"] { padding-top: 1.25rem; max-width: none; }
</style>
"""


def go(names: Sequence[str], by: int) -> None:
    """Move by some steps; the ends hold."""
    place = names.index(st.session_state[STEP] or names[0]) + by
    st.session_state[STEP] = names[max(0, min(len(names) - 1, place))]


def leave() -> None:
    """End presenter mode."""
    st.session_state[PRESENT] = False


def presenting(what: str = "the lesson; ← and → change the step, Esc ends it") -> bool:
    """Whether presenter mode is on; draws the switch where it is off, and the look where it is on.

    Args:
        what: is left on the page, and which keys work.
    """
    on: bool = st.toggle(
        "Present",
        key=PRESENT,
        bind="query-params",
        help=f"Large letters and nothing but {what}.",
    )
    if on:
        st.html(_CSS)
    return on


def step_buttons(names: Sequence[str], name: str, *, keys: bool) -> None:
    """Buttons to the step before and after.

    Args:
        names: of all steps.
        name: of the present one.
        keys: whether the arrow keys press them, and Esc ends the presentation.
    """
    place = names.index(name)
    with st.container(horizontal=True):
        st.button(
            "Back", key="learn-back", icon=":material/arrow_back:", on_click=go, args=(names, -1),
            disabled=place == 0, shortcut="Left" if keys else None,
        )  # fmt: skip
        st.button(
            "Next", key="learn-next", icon=":material/arrow_forward:", on_click=go, args=(names, 1), type="primary",
            disabled=place == len(names) - 1, shortcut="Right" if keys else None,
        )  # fmt: skip
        if keys:
            st.button("End", key="learn-end", on_click=leave, shortcut="Esc")
