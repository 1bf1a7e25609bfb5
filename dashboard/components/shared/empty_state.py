"""What a page shows when there is nothing to show yet: why, and what to do."""

import streamlit as st

from dashboard.components.shared.places import place_link


def empty_state(title: str, text: str, *, page: str, label: str, icon: str, button: str | None = None) -> bool:
    """Draw an empty state with one link onwards, and a button where one press can fill it.

    Args:
        title: what is missing.
        text: what to do about it.
        page: to go to, one of `places`.
        label: of the link.
        icon: Material symbol of the link, such as ":material/database:".
        button: label of the button, or None for none.

    Returns:
        Whether the button was pressed.
    """
    with st.container(border=True, horizontal_alignment="center", key="empty-state"):
        st.space("small")
        st.markdown(f"#### {title}", text_alignment="center", width="content")
        st.markdown(text, text_alignment="center", width="content")
        pressed = button is not None and st.button(button, type="primary", key="empty-state-fill")
        place_link(page, label=label, icon=icon)
        st.space("small")
    return pressed
