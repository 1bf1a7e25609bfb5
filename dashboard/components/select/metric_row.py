"""Key numbers of a selection, or of its first points, each explained on hover."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.components.shared.theme import fmt_int, fmt_number, fmt_percent, fmt_seconds


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
    infinite = bool(found) and found.get("c_s") is None
    rows: list[tuple[str, str, str]] = [
        ("Chosen", f"{fmt_int(budget)} of {fmt_int(pool_size)}", chosen_help),
        ("Bias", fmt_number(found.get("bias")), "Share of the pool's energy that the chosen points cannot see."),
        ("Variance", fmt_number(found.get("variance")), "How shaky an estimate from the chosen points is."),
        (
            "Moment error",
            fmt_number(found.get("moment_error")),
            "Relative difference of second moments, chosen against pool; 0 = equal.",
        ),
        (
            "Certificate c_S",
            "∞" if infinite else fmt_number(found.get("c_s")),
            "The pool's energy is at most this many times the selection's, in every direction; 1 is best, "
            "∞ = a direction has no chosen point.",
        ),
        ("Coverage", fmt_number(found.get("coverage_mean")), "Mean distance of a pool point to the nearest chosen."),
    ]
    if found.get("class_tv") is not None:
        meaning = "Total variation between class shares, chosen against pool; 0 = the pool's balance."
        rows.append(("Class imbalance", fmt_number(found["class_tv"]), meaning))
    rows.append(("Time", fmt_seconds(result.get("seconds")), f"To pick. {result.get('advice', '')}".strip()))
    with st.container(horizontal=True, key="metrics"):
        for label, value, help_ in rows:
            st.metric(label, value, help=help_, width="content")


_HAND = (("included", "included"), ("excluded", "excluded"))
