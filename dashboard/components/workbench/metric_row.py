"""Key numbers of a selection, or of its first points, each explained on hover."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.components.shared.theme import fmt_int, fmt_number, fmt_percent, fmt_seconds
from skmm_core.diagnostics import QUANTITIES

MEASURED = ("bias", "variance", "moment_error", "c_s", "coverage_mean", "class_tv")
OPTIONAL = {"class_tv"}  # left out where there are no classes; the others keep their place while they are measured


def metric_row(result: Mapping[str, Any], found: Mapping[str, Any], budget: int, pool_size: int) -> None:
    """Draw the numbers.

    Args:
        result: of the run.
        found: summary of the diagnostics of the points that are shown; empty for none.
        budget: points that are shown.
        pool_size: N.
    """
    hand = [f"{result[name]:,} {words}" for name, words in _HAND if result.get(name)]
    chosen_help = f"{fmt_percent(budget / pool_size, 1)} of it." + (f" By hand: {', '.join(hand)}." if hand else "")
    rows = [("Chosen", f"{fmt_int(budget)} of {fmt_int(pool_size)}", chosen_help)]
    for key in MEASURED:
        measured = QUANTITIES[key].of(found)
        if measured is not None or key not in OPTIONAL:
            text = "∞" if key == "c_s" and found and measured is None else fmt_number(measured)
            rows.append((QUANTITIES[key].title, text, QUANTITIES[key].help))
    rows.append(("Time", fmt_seconds(result.get("seconds")), f"To pick. {result.get('advice', '')}".strip()))
    with st.container(horizontal=True, key="metrics"):
        for label, value, help_ in rows:
            st.metric(label, value, help=help_, width="content")


_HAND = (("included", "included"), ("excluded", "excluded"))
