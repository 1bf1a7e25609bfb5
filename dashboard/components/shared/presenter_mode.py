"""Presenter mode of the Learn and Present pages: large letters, no chrome; its switch and its end."""

import streamlit as st

PRESENT = "present"
_CSS = """
<style>
  html { font-size: 21px !important; }
  [data-testid="stHeader"], [data-testid="stSidebar"], .st-key-shortcuts, .st-key-view { display: none !important; }
  [data-testid="stMainBlockContainer"] { padding-top: 1.25rem; max-width: none; }
</style>
"""


def leave() -> None:
    """End presenter mode."""
    st.session_state[PRESENT] = False


def presenting(what: str = "the lesson; ← and → change the scene, ↑ and ↓ its control, Esc ends it") -> bool:
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
