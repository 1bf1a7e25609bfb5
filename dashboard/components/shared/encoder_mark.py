"""The line on every page that shows features of an encoder without trained weights."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from dashboard.components.shared.places import RESULTS, WORKBENCH
from dashboard.components.shared.theme import escape
from dashboard.services.cache import Stamp, file_stamp
from dashboard.services.sources import check_allowed
from skmm_core.config import DatasetConfig
from skmm_core.encoders import file_marks
from skmm_core.errors import InputError

MARKED = {("pick", WORKBENCH), ("compare", RESULTS), ("runs", None)}  # the others show the notes of what they show


def encoder_mark(config: DatasetConfig | None) -> None:
    """Mark a page that works on this dataset.

    Args:
        config: the open dataset, or None.
    """
    if config is None or not config.source.lower().endswith(".npz"):
        return
    try:
        check_allowed(config)
    except InputError:
        return  # the page says so
    draw_marks(_marks(config.source, file_stamp(config.source)))


def draw_marks(marks: Iterable[str]) -> None:
    """Draw the lines."""
    for mark in marks:
        st.caption(f":material/warning: {escape(mark)}")


@st.cache_data(max_entries=64, show_spinner=False)
def _marks(source: str, stamp: Stamp) -> tuple[str, ...]:
    return file_marks(Path(source))
