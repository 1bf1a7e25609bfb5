"""Keys that press buttons wherever the focus is: Streamlit's own shortcuts stay silent on switches and choices."""

from collections.abc import Mapping

import streamlit as st

_JS = """
export default function ({ data }) {
  const typing = 'textarea, [contenteditable="true"], [role="slider"], input:not([type="checkbox"], [type="radio"])';
  const listen = event => {
    const button = data.keys[event.key] && document.querySelector(`.st-key-${data.keys[event.key]} button`);
    if (!button || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(typing)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!button.disabled) button.click();
  };
  document.addEventListener('keydown', listen, true);
  return () => document.removeEventListener('keydown', listen, true);
}
"""
_keys = st.components.v2.component("skmm_presenter_keys", js=_JS)


def presenter_keys(keys: Mapping[str, str]) -> None:
    """Let keys press buttons of the page.

    Args:
        keys: name of the key in the browser, such as "ArrowLeft", to the key of the button.
    """
    with st.container(key="presenter-keys"):
        _keys(key="presenter-keys-listener", data={"keys": dict(keys)})
