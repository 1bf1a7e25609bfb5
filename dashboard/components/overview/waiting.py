"""What the Overview shows while a part of its example is still being made."""

import streamlit as st

from dashboard.services import demo


@st.fragment(run_every="1s")
def wait_for_demo() -> None:
    """Say that the demo is being prepared, and draw the page anew once its run is there, or word of what went wrong."""
    runs = demo.demo_runs()
    if runs.select is not None or runs.problem:
        st.rerun()
    st.markdown("### Preparing a first example over 1,797 small images of digits…")
    st.progress(0.0, text="Reading the images")
