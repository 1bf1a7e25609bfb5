"""What a page that works on a dataset shows while none is open: where to open one, and one to try."""

from typing import NoReturn

import streamlit as st

from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.places import DATA
from dashboard.services import demo, state


def no_dataset(text: str) -> NoReturn:
    """Draw the empty state and end the page.

    Args:
        text: what to do, and what this page does then.
    """
    if empty_state(
        "No dataset is open",
        text,
        page=DATA,
        label="Go to Data",
        icon=":material/database:",
        button="Try handwritten digits",
    ):
        state.set_current_dataset(demo.SELECT.dataset)
        st.rerun()
    st.stop()
