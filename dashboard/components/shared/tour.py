"""The first visitor's way: from a sample to a measured selection, on a strip that can be hidden for good."""

from dataclasses import dataclass

import streamlit as st

from dashboard.components.shared.places import (
    COMPARE,
    DATA,
    HOME,
    PICK,
    RESULTS,
    WHY,
    WORKBENCH,
    place_link,
)
from dashboard.services import state
from skmm_core.runs import RunRecord, RunState

COOKIE = "skmm_tour"  # written by the script of `shortcuts.py` when HIDE is pressed
HIDE = "tour-hide"
_HIDDEN = "skmm:tour-hidden"
_SEEN = "skmm:tour-seen"


@dataclass(frozen=True)
class Stop:
    """One step of the way: what to do, where it is done, and the pixels that this takes on the strip.

    Links of a set width are in their places before the browser has loaded what draws them.
    """

    label: str
    page: str
    view: str | None
    width: int


STOPS = (
    Stop("Open a sample", DATA, None, 134),
    Stop("Pick and export", PICK, WORKBENCH, 136),
    Stop("See why", PICK, WHY, 96),
    Stop("Test against random", COMPARE, RESULTS, 164),
)


def stops_done(view: str | None, *, opened: bool, record: RunRecord | None, seen: bool) -> int:
    """How many steps lie behind a visitor.

    Args:
        view: that is open.
        opened: whether a dataset is open.
        record: the open run.
        seen: whether Why was open before, with this or another selection.
    """
    if not opened:
        return 0
    if record is None or record.state is not RunState.DONE:
        return 1
    if record.kind == "compare":
        return len(STOPS)
    return 3 if seen or view == WHY else 2


def tour(page: str, view: str | None) -> None:
    """Draw the strip on the pages of the way, until the visitor hides it; a cookie keeps it hidden on later visits.

    Args:
        page: script of the open page.
        view: of this page; None where it has none.
    """
    # `in` on Streamlit's own mapping holds for any name where there is no browser
    if st.session_state.get(_HIDDEN) or COOKIE in st.context.cookies.to_dict():
        return
    if (page, view) not in {(HOME, None), *((stop.page, stop.view) for stop in STOPS)}:
        return
    opened, seen = state.current_dataset() is not None, _SEEN in st.session_state
    done = stops_done(view, opened=opened, record=state.current_record(), seen=seen)
    if done == 3:
        st.session_state[_SEEN] = True
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour"):
        st.markdown("**New here?**", width="content")
        for number, stop in enumerate(STOPS):
            icon = "check_circle" if number < done else f"counter_{number + 1}"
            place_link(stop.page, stop.view, label=stop.label, icon=f":material/{icon}:", width=stop.width)
        st.button("Hide", key=HIDE, type="tertiary", icon=":material/close:", on_click=_hide)


def _hide() -> None:
    st.session_state[_HIDDEN] = True
