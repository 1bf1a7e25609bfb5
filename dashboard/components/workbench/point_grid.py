"""Points as large pictures, cards of text or rows of a table, drawn by the browser; a click or a key opens one."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

Layout = Literal["Pictures", "Texts", "Table"]
PICTURES: Layout = "Pictures"
TEXTS: Layout = "Texts"
TABLE: Layout = "Table"
_CSS = """
  .grid { display: grid; gap: 10px; grid-template-columns: repeat(auto-fill, minmax(min(WIDTH, 100%), 1fr)); }
  .grid.texts { grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); }
  .grid.strip { grid-template-columns: repeat(auto-fill, minmax(min(92px, 100%), 1fr)); gap: 6px; }
  button.card { all: unset; box-sizing: border-box; cursor: pointer; display: flex; flex-direction: column;
    min-width: 0; padding: 5px; border-radius: 10px; border: 1px solid rgba(128, 140, 152, 0.38);
    color: var(--st-text-color); font: inherit; overflow: hidden; }
  button.card:hover { border-color: var(--st-primary-color); }
  button.card.chosen { border: 2px solid #D55E00; padding: 4px; }
  button.card.open, tr.open { outline: 3px solid var(--st-primary-color); outline-offset: -1px; }
  :is(button, tr, a):focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
  img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px; display: block;
    background: rgba(128, 140, 152, 0.12); }
  img.tiny { image-rendering: pixelated; }
  .head { font-size: 0.8rem; line-height: 1.35; margin-top: 4px; white-space: nowrap; overflow: hidden;
    text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
  .texts .head { margin: 0 0 4px; order: -1; }
  .text { font-size: 0.9rem; line-height: 1.45; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 7; overflow: hidden; padding: 0 4px 2px; }
  .texts button.card { padding: 9px; }
  mark { background: #F0E442; color: #000; border-radius: 2px; }
  .scroll { overflow-x: auto; max-height: 620px; overflow-y: auto; border: 1px solid rgba(128, 140, 152, 0.38);
    border-radius: 8px; }
  table { border-collapse: collapse; width: 100%; font-size: 0.85rem; font-variant-numeric: tabular-nums;
    color: var(--st-text-color); }
  th { text-align: left; position: sticky; top: 0; background: var(--st-secondary-background-color); font-weight: 600; }
  th, td { padding: 5px 9px; white-space: nowrap; max-width: 340px; overflow: hidden; text-overflow: ellipsis;
    border-bottom: 1px solid rgba(128, 140, 152, 0.25); }
  tbody tr { cursor: pointer; }
  tbody tr:hover { background: rgba(128, 140, 152, 0.12); }
  tr.chosen td:first-child { border-left: 4px solid #D55E00; }
""".replace("WIDTH", "168px")
# Everything from a file is set as text, never as markup.
_JS = """
export default ({data, parentElement, setTriggerValue}) => {
  const root = parentElement.querySelector('.points') ?? parentElement.appendChild(document.createElement('div'));
  root.className = 'points';
  const open = item => setTriggerValue('open', item.position);
  const quote = word => word.replace(/[.*+?^${}()|[\\]\\\\]/g, '\\\\$&');
  const marked = (element, text) => {
    const words = (data.query || '').split(/\\s+/).filter(Boolean).map(quote);
    if (!words.length) { element.textContent = text; return; }
    text.split(new RegExp(`(${words.join('|')})`, 'i' + 'g')).forEach((part, place) => {
      const piece = place % 2 ? document.createElement('mark') : document.createTextNode(part);
      if (place % 2) piece.textContent = part;
      element.append(piece);
    });
  };
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const state = item => (item.chosen && data.mixed ? ' chosen' : '') + (item.position === data.opened ? ' open' : '');
  const card = item => {
    const button = make('button', 'card' + state(item));
    button.type = 'button';
    button.setAttribute('aria-label', item.name);
    button.title = item.name;
    if (item.picture) {
      const image = make('img', item.tiny ? 'tiny' : '');
      image.src = item.picture;
      image.alt = '';
      image.loading = 'lazy';
      button.append(image);
    }
    if (item.text !== null && data.layout === 'Texts') {
      const text = make('div', 'text');
      text.dir = 'auto';
      marked(text, item.text);
      button.append(text);
    }
    button.append(make('div', 'head', item.head));
    return button;
  };
  const row = item => {
    const line = make('tr', state(item).trim());
    item.cells.forEach(cell => {
      const place = make('td', '', undefined);
      place.title = cell;
      marked(place, cell);
      line.append(place);
    });
    line.setAttribute('aria-label', item.name);
    return line;
  };
  const table = () => {
    const scroll = make('div', 'scroll'), whole = make('table'), head = make('thead'), body = make('tbody');
    const names = make('tr');
    data.columns.forEach(name => { const cell = make('th', '', name); cell.scope = 'col'; names.append(cell); });
    head.append(names);
    whole.append(head, body);
    scroll.append(whole);
    scroll.tabIndex = 0;
    scroll.setAttribute('role', 'region');
    scroll.setAttribute('aria-label', data.title);
    return [scroll, body];
  };
  const size = {Pictures: 'pictures', Texts: 'texts'}[data.layout];
  let outer, inner, parts;
  if (data.layout === 'Table') { [outer, inner] = table(); parts = data.items.map(row); }
  else { outer = inner = make('div', `grid ${data.strip ? 'strip' : size}`); parts = data.items.map(card); }
  inner.append(...parts);
  const start = Math.max(0, data.items.findIndex(item => item.position === data.opened));
  parts.forEach((part, place) => {
    part.tabIndex = place === start ? 0 : -1;
    part.dataset.position = data.items[place].position;
    part.onclick = () => open(data.items[place]);
  });
  const across = () => parts.filter(part => part.offsetTop === parts[0].offsetTop).length || 1;
  outer.onkeydown = event => {
    const at = parts.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: across(), ArrowUp: -across(), Home: -at,
      End: parts.length - 1 - at};
    if (event.key === 'Enter' || event.key === ' ') open(data.items[at]);
    else if (event.key === 'PageDown' && data.page < data.pages) setTriggerValue('page', data.page + 1);
    else if (event.key === 'PageUp' && data.page > 1) setTriggerValue('page', data.page - 1);
    else if (event.key in steps) {
      const next = parts[Math.min(parts.length - 1, Math.max(0, at + steps[event.key]))];
      parts[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else return;
    event.preventDefault();
  };
  root.replaceChildren(outer);
};
"""


@dataclass(frozen=True)
class Item:
    """One point.

    Attributes:
        position: in the pool.
        head: short line with it.
        name: what it is, for people who cannot see it.
        chosen: whether it is framed as a chosen point where others stand beside it.
        picture: `data:` address of its picture, or None.
        tiny: whether the picture is to keep hard pixel edges.
        text: of the point, or None.
        cells: its values in a table.
    """

    position: int
    head: str
    name: str
    chosen: bool
    picture: str | None = None
    tiny: bool = False
    text: str | None = None
    cells: tuple[str, ...] = ()


def point_grid(
    items: Sequence[Item],
    *,
    key: str,
    title: str,
    layout: Layout,
    on_open: Callable[[int], None],
    on_page: Callable[[int], None] | None = None,
    columns: Sequence[str] = (),
    opened: int | None = None,
    query: str = "",
    page: int = 1,
    pages: int = 1,
    strip: bool = False,
) -> None:
    """Draw points; arrow keys move among them, Enter or a click opens one, Page up and down turn pages.

    Args:
        items: what to draw.
        key: of the element, distinct on the page.
        title: what the points are.
        layout: as what they are drawn.
        on_open: told the position of a point that is opened.
        on_page: told the page that is asked for.
        columns: heads of the table.
        opened: position that is opened now.
        query: words to mark.
        page: this one, 1 for the first.
        pages: how many there are.
        strip: whether to draw them small, as beside something else.
    """

    def opened_one() -> None:
        if (position := _told(key, "open")) is not None:
            on_open(position)

    def turned() -> None:
        if on_page is not None and (number := _told(key, "page")) is not None:
            on_page(number)

    data: dict[str, Any] = {
        "items": [asdict(item) for item in items],
        "columns": list(columns),
        "layout": layout,
        "opened": opened,
        "query": query,
        "page": page,
        "pages": pages,
        "strip": strip,
        "title": title,
        "mixed": any(not item.chosen for item in items),
    }
    grid = st.components.v2.component("skmm_points", css=_CSS, js=_JS)
    grid(key=key, data=data, on_open_change=opened_one, on_page_change=turned)


def _told(key: str, name: str) -> int | None:
    value = (st.session_state.get(key) or {}).get(name)
    return int(value) if isinstance(value, int | float) else None
