"""Light, dark or as the system has it: the choice is kept by the browser, where Streamlit itself looks for it."""

import streamlit as st

SYSTEM, LIGHT, DARK = "System", "Light", "Dark"
_HTML = '<div class="switch" role="group" aria-label="Theme"></div>'
_CSS = """
.switch { display: flex; gap: 8px; flex-wrap: wrap; }
button { font: inherit; padding: 8px 16px; min-height: 40px; border-radius: 8px; cursor: pointer;
  border: 1px solid color-mix(in srgb, currentColor 35%, transparent);
  background: var(--st-background-color); color: var(--st-text-color); }
button[aria-pressed="true"] { border: 2px solid var(--st-primary-color); font-weight: 600; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 2px; }
"""
# Streamlit 1.67 keeps a theme for each address under which the app was opened, as JSON: "Light" or "Dark".
_JS = """
export default function ({ parentElement, data }) {
  const base = window.location.pathname.replace(/[^/]*$/, '');
  const keys = data.paths.map(path => `stActiveTheme-${base}${path}-v2`);
  const here = `stActiveTheme-${window.location.pathname}-v2`;
  const kept = JSON.parse(window.localStorage.getItem(here) || 'null') || data.names[0];
  const area = parentElement.querySelector('.switch');
  area.replaceChildren(...data.names.map(name => {
    const button = document.createElement('button');
    button.textContent = name;
    button.setAttribute('aria-pressed', String(name === kept));
    button.onclick = () => {
      for (const key of [...keys, here]) {
        if (name === data.names[0]) window.localStorage.removeItem(key);
        else window.localStorage.setItem(key, JSON.stringify(name));
      }
      window.location.reload();
    };
    return button;
  }));
}
"""
_switch = st.components.v2.component("skmm_theme_switch", html=_HTML, css=_CSS, js=_JS)


def theme_switch(paths: list[str]) -> None:
    """Draw the choice.

    Args:
        paths: addresses of all pages, below the address of the app.
    """
    _switch(key="theme-switch", data={"paths": paths, "names": [SYSTEM, LIGHT, DARK]})
