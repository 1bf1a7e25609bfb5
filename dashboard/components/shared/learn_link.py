"""Links from a control or a chart to the step of Learn that explains it."""

import streamlit as st

from dashboard.components.shared.places import LEARN

EXPLAINS = {
    "Why": "why choosing beats chance",
    "Variance": "what variance is",
    "Bias": "what bias is",
    "Sketch": "what a sketch keeps",
    "SkMM": "how SkMM balances both",
}


def learn_link(step: str) -> None:
    """Draw a link to a step of Learn; the open dataset and run stay open.

    Args:
        step: a key of EXPLAINS.
    """
    st.page_link(
        LEARN,
        label=f"Learn {EXPLAINS[step]}",
        icon=":material/school:",
        query_params={"step": step},
    )
