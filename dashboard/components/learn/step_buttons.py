"""Back and Next on the Learn page, with the arrow keys that press them in presenter mode."""

from collections.abc import Sequence

import streamlit as st

from dashboard.components.shared.presenter_keys import presenter_keys
from dashboard.components.shared.presenter_mode import leave

STEP = "step"


def go(names: Sequence[str], by: int) -> None:
    """Move by some steps; the ends hold."""
    place = names.index(st.session_state[STEP] or names[0]) + by
    st.session_state[STEP] = names[max(0, min(len(names) - 1, place))]


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
            disabled=place == 0,
        )  # fmt: skip
        st.button(
            "Next", key="learn-next", icon=":material/arrow_forward:", on_click=go, args=(names, 1), type="primary",
            disabled=place == len(names) - 1,
        )  # fmt: skip
        if keys:
            st.button("End", key="learn-end", on_click=leave)
            presenter_keys({"ArrowLeft": "learn-back", "ArrowRight": "learn-next", "Escape": "learn-end"})
