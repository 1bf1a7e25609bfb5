"""What a point costs: the fields that ask for it, and what the visitor filled in last."""

import streamlit as st

from dashboard.components.shared.theme import columns
from skmm_core.comparison import Costs

_CURRENCIES = ("€", "$", "£", "¥")


def cost_inputs() -> Costs:
    """Fields for what a point costs; kept for the session, also on other pages."""
    left, middle, right = columns([1, 1, 0.7], key="costs", below=700, vertical_alignment="bottom")
    left.number_input(
        "Cost per label", min_value=0.0, max_value=1e6, value=0.0, step=0.1, key="costs:label", persist_state="session",
        help="Money for the label of one point; 0 leaves money out.",
    )  # fmt: skip
    middle.number_input(
        "Hours per 1,000 points", min_value=0.0, max_value=1e6, value=0.0, step=1.0, key="costs:hours",
        persist_state="session", help="To label them, or to train on them; 0 leaves time out.",
    )  # fmt: skip
    right.selectbox("Currency", _CURRENCIES, accept_new_options=True, key="costs:currency", persist_state="session")
    return costs_given()


def costs_given() -> Costs:
    """What the visitor filled in last, on whichever page."""
    kept = st.session_state
    currency = str(kept.get("costs:currency") or _CURRENCIES[0])[:4]
    return Costs(float(kept.get("costs:label") or 0.0), float(kept.get("costs:hours") or 0.0), currency)
