"""Key numbers of a selection, or of its first points, each beside what random picks give and explained on hover."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.components.shared.theme import fmt_int, fmt_number, fmt_percent, fmt_seconds
from skmm_core.diagnostics import QUANTITIES, Band

MEASURED = ("represented", "error_bound", "moment_error", "coverage_mean", "class_tv")
OPTIONAL = {
    "represented",
    "class_tv",
}  # left out where unknown; the others keep their place while they are measured


def metric_row(
    result: Mapping[str, Any], found: Mapping[str, Any], budget: int, pool_size: int, band: Band | None
) -> None:
    """Draw the numbers.

    Args:
        result: of the run.
        found: summary of the diagnostics of the points that are shown; empty for none.
        budget: points that are shown.
        pool_size: N.
        band: random draws beside these points; None where they were not measured.
    """
    hand = [f"{result[name]:,} {words}" for name, words in _HAND if result.get(name)]
    chosen_help = f"{fmt_percent(budget / pool_size, 1)} of it." + (f" By hand: {', '.join(hand)}." if hand else "")
    rows = [("Chosen", f"{fmt_int(budget)} of {fmt_int(pool_size)}", chosen_help, "")]
    for key in MEASURED:
        measured = QUANTITIES[key].of(found)
        if measured is not None or key not in OPTIONAL:
            rows.append((QUANTITIES[key].title, _text(key, measured), QUANTITIES[key].help, _random(band, key)))
    rows.append(("Time", fmt_seconds(result.get("seconds")), f"To pick. {result.get('advice', '')}".strip(), ""))
    with st.container(horizontal=True, key="metrics"):
        for label, value, help_, random in rows:
            st.metric(label, value, random or None, help=help_, width="content", delta_color="off", delta_arrow="off")


def _random(band: Band | None, key: str) -> str:
    """What the middle one of the random draws has."""
    measure = None if band is None else band.of(key)
    if measure is None:
        return ""
    return f"random: {_text(key, measure.middle)}"


def _text(key: str, value: float | None) -> str:
    return fmt_percent(value, 1) if key == "represented" else fmt_number(value)


_HAND = (("included", "included"), ("excluded", "excluded"))
