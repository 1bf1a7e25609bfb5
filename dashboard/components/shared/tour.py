"""The first visitor's way: from a sample to a measured selection, on a strip that can be hidden for good."""

from dataclasses import dataclass

import streamlit as st

from dashboard.services import state
from skmm_core.runs import RunRecord, RunState

COOKIE = "skmm_tour"  # written by the script of `shortcuts.py` when HIDE is pressed
HIDE = "tour-hide"
_HIDDEN = "skmm:tour-hidden"
_SEEN = "skmm:tour-seen"


@dataclass(frozen=True)
class Stop:
    """One step of the way: what to do, the page where it is done, and the pixels that this takes on the strip.

    Links of a set width are in their places before the browser has loaded what draws them.
    """

    label: str
    page: str
    width: int


STOPS = (
    Stop("Open a sample", "data", 134),
    Stop("Pick and export", "select", 136),
    Stop("See why", "diagnose", 96),
    Stop("Test against random", "compare", 164),
)


def stops_done(page: str, *, opened: bool, record: RunRecord | None, seen: bool) -> int:
    """How many steps lie behind a visitor.

    Args:
        page: that is open.
        opened: whether a dataset is open.
        record: the open run.
        seen: whether Diagnose was open before, with this or another selection.
    """
    if not opened:
        return 0
    if record is None or record.state is not RunState.DONE:
        return 1
    if record.kind == "compare":
        return len(STOPS)
    return 3 if seen or page == "diagnose" else 2


def tour(page: str) -> None:
    """Draw the strip on the pages of the way, until the visitor hides it; a cookie keeps it hidden on later visits.

    Args:
        page: path of the open page, "" for Overview.
    """
    # `in` on Streamlit's own mapping holds for any name where there is no browser
    if st.session_state.get(_HIDDEN) or COOKIE in st.context.cookies.to_dict():
        return
    if page not in ("", *(stop.page for stop in STOPS)):
        return
    opened, seen = state.current_dataset() is not None, _SEEN in st.session_state
    done = stops_done(page, opened=opened, record=state.current_record(), seen=seen)
    if done == 3:
        st.session_state[_SEEN] = True
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour"):
        st.markdown("**New here?**", width="content")
        for number, stop in enumerate(STOPS):
            icon = "check_circle" if number < done else f"counter_{number + 1}"
            st.page_link(f"app_pages/{stop.page}.py", label=stop.label, icon=f":material/{icon}:", width=stop.width)
        st.button("Hide", key=HIDE, type="tertiary", icon=":material/close:", on_click=_hide)


def _hide() -> None:
    st.session_state[_HIDDEN] = True
