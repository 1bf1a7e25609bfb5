"""What the Overview shows while a part of its example is still being made."""

from collections.abc import Callable

import streamlit as st

from dashboard.services import demo
from skmm_core.runs import RunRecord


@st.fragment(run_every="1s")
def wait_for_demo() -> None:
    """Say that the demo is being prepared, and draw the page anew as soon as its run is there."""
    _draw_anew_with(lambda runs: runs.select)
    st.markdown("### Preparing a first example over 1,797 small images of digits…")
    st.progress(0.0, text="Reading the images")


@st.fragment(run_every="1s")
def wait_for_comparison() -> None:
    """Draw the page anew as soon as the comparison, which lets the map go first, is there."""
    _draw_anew_with(lambda runs: runs.compare)
    st.caption("It starts in a moment.")


def _draw_anew_with(wanted: Callable[[demo.DemoRuns], RunRecord | None]) -> None:
    """Draw the whole page anew once this run of the demo is there, or word of what went wrong with it."""
    runs = demo.demo_runs()
    if wanted(runs) is not None or runs.problem:
        st.rerun()
