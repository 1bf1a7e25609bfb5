"""Keys and gestures, gathered under one question mark."""

import streamlit as st

PICK = "Mod+Enter"
_LINES = """
**Keys**

- `Ctrl` + `Enter` (`⌘` + `Enter`): pick points, on Select
- `Tab`, `Shift` + `Tab`: next or previous control; `Enter` or `Space` presses it
- `←` `→`: move a slider by one

**On a map**

- Drag: lasso points. Hold `Shift` to add to what is marked
- Click: mark one point
- Double-click: clear the marks
- The buttons at its upper right: box instead of lasso, zoom, pan, full screen
"""


def shortcuts_help() -> None:
    """A question mark at the end of the page that opens the list."""
    with (
        st.container(horizontal=True, horizontal_alignment="right"),
        st.popover("?", type="tertiary", help="Keys and gestures", key="shortcuts"),
    ):
        st.markdown(_LINES)
