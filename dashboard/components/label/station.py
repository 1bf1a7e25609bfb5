"""The desk of the Label view in the browser: one component that shows points, listens to keys and tells presses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_HTML, _CSS, _JS = ((_HERE / f"station.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
_TOLD = "told"


def station(data: dict[str, Any], *, key: str, on_press: Callable[[dict[str, Any]], None]) -> None:
    """Draw the desk.

    Args:
        data: of :func:`~dashboard.components.label.desk.desk_data`.
        key: of the element, distinct on the page.
        on_press: takes what the browser tells, before the page is drawn again.
    """

    def told() -> None:
        found: Any = st.session_state.get(key, {})
        if isinstance(message := found.get(_TOLD), dict):
            on_press(message)

    desk = st.components.v2.component("skmm_label_station", html=_HTML, css=_CSS, js=_JS)
    desk(key=key, data=data, on_told_change=told)
