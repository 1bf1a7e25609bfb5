"""What a visitor does on the map of the workbench, told to the pane beside it, and rings around points; no redraw."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

# Streamlit's own selection makes the whole chart anew at every click; here only the pane beside it is.
_JS = """
export default ({data, setTriggerValue}) => {
  const find = () => document.querySelector(`[class*="st-key-${data.map}"] .js-plotly-plot`);
  const known = point => typeof point.customdata === 'number' || Array.isArray(point.customdata);
  const place = point => Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
  const store = window.skmmMapLinks ??= new WeakMap();
  const draw = chart => {
    let layer = chart.querySelector(':scope > .skmm-rings');
    if (!layer) {
      layer = document.createElement('div');
      layer.className = 'skmm-rings';
      layer.style.cssText = 'position:absolute;inset:0;pointer-events:none;overflow:hidden;z-index:3';
      chart.append(layer);
    }
    const full = chart._fullLayout, x = full?.xaxis, y = full?.yaxis;
    if (!x?._length) return;
    layer.replaceChildren(...store.get(chart).rings.flatMap(([px, py]) => {
      const left = x._offset + x.d2p(px), top = y._offset + y.d2p(py);
      if (left < x._offset || left > x._offset + x._length || top < y._offset || top > y._offset + y._length) return [];
      const ring = document.createElement('div');
      ring.className = 'ring';
      ring.style.cssText = `position:absolute;left:${left - 13}px;top:${top - 13}px;width:26px;height:26px;` +
        `box-sizing:border-box;border:3px solid ${data.ink};border-radius:50%;box-shadow:0 0 0 2px ${data.paper}`;
      return [ring];
    }));
  };
  // Streamlit takes these two out of the bar of a chart whose selection it does not watch itself; Plotly sets the mode
  // that a button of its own names.
  const modes = {
    lasso: ['Lasso Select', 'M12 4C5 4 3 9 5 12s8 2 8 5-4 4-7 3'],
    select: ['Box Select', 'M4 5H20V19H4Z'],
  };
  const offer = chart => {
    const pan = chart.querySelector('.modebar-btn[data-val="pan"]');
    if (!pan || pan.parentElement.querySelector('[data-mode]')) return;
    for (const [mode, [title, path]] of Object.entries(modes)) {
      const button = pan.cloneNode();
      button.dataset.mode = mode;
      button.dataset.title = title;
      button.removeAttribute('data-val');
      button.setAttribute('aria-label', title);
      button.innerHTML = '<svg viewBox="0 0 24 24" class="icon" width="1em" height="1em"><path fill="none" ' +
        `stroke="currentColor" stroke-width="2.4" stroke-dasharray="4 2" d="${path}"/></svg>`;
      button.onclick = () => {
        pan.dataset.val = mode;
        pan.click();
        pan.dataset.val = 'pan';
      };
      pan.after(button);
    }
  };
  const attach = chart => {
    const fresh = !store.has(chart);
    store.set(chart, {rings: data.rings, tell: setTriggerValue});
    if (fresh) {
      const tell = (name, value) => store.get(chart).tell(name, value);
      chart.on('plotly_click', event => {
        const point = event.points.find(known);
        if (!point) return;
        store.get(chart).rings = [[point.x, point.y]];  // at once; the server says the same a moment later
        draw(chart);
        tell('clicked', place(point));
      });
      chart.on('plotly_selected', event => {
        if (!event) return;
        tell('lassoed', [...new Set((event.points ?? []).filter(known).map(place))]);
      });
      chart.on('plotly_deselect', () => tell('lassoed', []));
      chart.on('plotly_restyle', () => {
        const hidden = chart._fullData.filter(trace => trace.visible === 'legendonly').map(trace => trace.legendgroup);
        tell('hidden', [...new Set(hidden)]);
      });
      for (const name of ['plotly_relayout', 'plotly_relayouting', 'plotly_afterplot'])
        chart.on(name, () => { draw(chart); offer(chart); });
    }
    draw(chart);
    offer(chart);
  };
  let seen = null;
  const look = () => {
    const chart = find();
    if (chart?.on && chart._fullLayout && chart !== seen) { seen = chart; attach(chart); }
  };
  look();
  const watch = setInterval(look, 250);
  return () => clearInterval(watch);
};
"""


def map_link(
    chart: str,
    *,
    key: str,
    rings: Sequence[tuple[float, float]],
    ink: str,
    paper: str,
    on_click: Callable[[int], None],
    on_lasso: Callable[[tuple[int, ...]], None],
    on_hidden: Callable[[tuple[str, ...]], None],
) -> None:
    """Listen to a map, and ring points on it.

    Args:
        chart: key of its chart.
        key: of this element, distinct on the page.
        rings: map coordinates of the points to ring.
        ink: colour of the rings.
        paper: colour of the page.
        on_click: told the position of a point that is clicked.
        on_lasso: told the positions of the points that are marked; none when the marks are cleared.
        on_hidden: told the groups that the legend hides.
    """

    def told(name: str) -> Any:
        return (st.session_state.get(key) or {}).get(name)

    def clicked() -> None:
        if isinstance(told("clicked"), int | float):
            on_click(int(told("clicked")))

    def lassoed() -> None:
        if isinstance(told("lassoed"), list):
            on_lasso(tuple(int(position) for position in told("lassoed")))

    def hidden() -> None:
        if isinstance(told("hidden"), list):
            on_hidden(tuple(str(name) for name in told("hidden")))

    link = st.components.v2.component("skmm_map_link", js=_JS)
    data = {"map": _class(chart), "rings": [list(map(float, ring)) for ring in rings], "ink": ink, "paper": paper}
    link(
        key=key,
        data=data,
        height=1,
        on_clicked_change=clicked,
        on_lassoed_change=lassoed,
        on_hidden_change=hidden,
    )


def _class(key: str) -> str:
    """The key as it stands in the class of its element."""
    return "".join(c if c.isalnum() else "-" for c in key)
