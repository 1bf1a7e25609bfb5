"""What a page shows when there is nothing to show yet: why, and what to do."""

import streamlit as st


def empty_state(title: str, text: str, *, page: str, label: str, icon: str) -> None:
    """Draw an empty state with one link onwards.

    Args:
        title: what is missing.
        text: what to do about it.
        page: script of the page to go to, such as "app_pages/data.py".
        label: of the link.
        icon: Material symbol of the link, such as ":material/database:".
    """
    with st.container(border=True, horizontal_alignment="center", key="empty-state"):
        st.space("small")
        st.markdown(f"#### {title}", text_alignment="center", width="content")
        st.markdown(text, text_alignment="center", width="content")
        st.page_link(page, label=label, icon=icon)
        st.space("small")
