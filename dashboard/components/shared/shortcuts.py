"""Keys and gestures, gathered under one question mark, and the few things that only the browser can do."""

import streamlit as st

from dashboard.components.shared.tour import COOKIE, HIDE

PICK = "Mod+Enter"
LINES = """
**Keys**

- `?`: this list
- `Ctrl` + `Enter` (`⌘` + `Enter`): pick points, on Pick
- `Tab`, `Shift` + `Tab`: next or previous control; `Enter` or `Space` presses it
- `1` … `9`, `0`, `n`, `s`, `z`, `←` `→`: a class, another class, skip, undo, back and later; while you label
- `←` `→`: move a slider by one
- `←` `→`, `Esc`: step before, step after, end; while a page presents

**On a map**

- Drag: lasso points. Hold `Shift` to add to what is marked
- Click: mark one point
- Double-click: clear the marks
- The buttons at its upper right: box instead of lasso, zoom, pan, full screen
"""
# Streamlit takes no question mark as a shortcut and writes no cookies; `once` because a page draws this at every run.
_SCRIPT = """
<script>
  if (!window.skmmKeys) {
    window.skmmKeys = 'once';
    const typing = 'textarea, [contenteditable="true"], input:not([type="radio"], [type="checkbox"], [type="range"])';
    document.addEventListener('keydown', event => {
      const sheet = document.querySelector('.st-key-shortcuts button');
      if (event.key !== '?' || !sheet || event.target.closest(typing)) return;
      sheet.scrollIntoView({block: 'nearest'});
      sheet.click();
    });
    document.addEventListener('click', event => {
      if (!event.target.closest('.st-key-TOUR')) return;
      document.cookie = 'COOKIE=hidden; path=/; max-age=31536000; SameSite=Lax';
    });
  }
</script>
""".replace("TOUR", HIDE).replace("COOKIE", COOKIE)


def shortcuts_help() -> None:
    """A question mark at the end of the page that opens the list; so does its key."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.html(_SCRIPT, unsafe_allow_javascript=True)
        with st.popover("?", type="tertiary", help="Keys and gestures", key="shortcuts"):
            st.markdown(LINES)
