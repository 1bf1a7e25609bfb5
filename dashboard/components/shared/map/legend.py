"""What a visitor hides by the legend of a map, told to the server: a chart of Streamlit does not tell it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

_HIDDEN = "hidden"
# A press comes before the click it begins, so a chart is listened to in time however often it is drawn anew.
_SCRIPT = """
const tell = new Map(), heard = new WeakSet();
export default ({data, setTriggerValue}) => {
  tell.set(data.map, setTriggerValue);
  const listen = event => {
    const chart = event.target.closest?.(`[class*="st-key-${data.map}"] .js-plotly-plot`);
    if (!chart || heard.has(chart)) return;
    heard.add(chart);
    chart.on('plotly_restyle', () => {
      const hidden = chart._fullData.filter(trace => trace.visible === 'legendonly').map(trace => trace.legendgroup);
      tell.get(data.map)?.('hidden', [...new Set(hidden)]);
    });
  };
  document.addEventListener('pointerdown', listen, true);
  return () => document.removeEventListener('pointerdown', listen, true);
};
"""


def listen_to_legend(chart: str, keep: Callable[[tuple[str, ...]], None]) -> None:
    """Have the legend groups that a visitor hides on a chart kept.

    Args:
        chart: its key.
        keep: takes the names of all groups that are hidden now.
    """
    key = _key(chart)

    def told() -> None:
        found: Any = st.session_state.get(key, {})
        hidden = found.get(_HIDDEN)
        if isinstance(hidden, list):
            keep(tuple(str(name) for name in hidden))

    listener = st.components.v2.component("skmm_map_legend", js=_SCRIPT)
    listener(key=key, data={"map": "".join(c if c.isalnum() else "-" for c in chart)}, height=1, on_hidden_change=told)


def is_listened_to(chart: str) -> bool:
    """Whether the chart was on the page before this run of its script."""
    return _key(chart) in st.session_state


def _key(chart: str) -> str:
    return f"legend-{chart}"
