"""One point in full: its picture or whole text, every column, what resembles it, and what is decided about it."""

from collections.abc import Callable
from dataclasses import replace
from html import escape as html_escape

import numpy as np
import streamlit as st

from dashboard.components.shared.text_cards import MOST_SENT, harmless, marked_words
from dashboard.components.shared.theme import columns as side_by_side, escape, fmt_int, fmt_number, plural
from dashboard.components.workbench import actions
from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.desk import desk, keep_desk
from dashboard.components.workbench.filters import ALIKE
from dashboard.components.workbench.items import items_of, layouts, target_text, words_of
from dashboard.components.workbench.point_grid import PICTURES, TABLE, TEXTS, Item, point_grid
from dashboard.services.likeness import distances_from
from dashboard.services.originals import original

_MOST_FEATURES = 40  # columns: more, such as the pixels of a picture, say nothing one by one
_ALIKE = 6  # points of each kind
_THUMBNAIL = 256
_STYLE = """
<style>
  .skmm-columns { display: grid; grid-template-columns: minmax(90px, auto) 1fr; gap: 3px 14px; margin: 0 !important;
    font-size: 0.88rem; font-variant-numeric: tabular-nums; max-height: 300px; overflow-y: auto; }
  .skmm-columns dt { opacity: 0.8; overflow-wrap: anywhere; }
  .skmm-columns dd { margin: 0 !important; overflow-wrap: anywhere; white-space: pre-wrap; }
  .skmm-whole { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; line-height: 1.5;
    max-height: 340px; overflow-y: auto; padding: 10px 12px; border: 1px solid rgba(128, 140, 152, 0.4);
    border-radius: 8px; }
  .skmm-whole mark { background: #F0E442; color: #000; }
</style>
"""
Open = Callable[[int | None], None]


def detail(bench: Bench, position: int, order: np.ndarray, *, open_: Open) -> None:
    """Draw a point.

    Args:
        bench: everything of the pool.
        position: of the point.
        order: positions that the pane shows, in its order; before and after are among them.
        open_: opens another point, or none.
    """
    with st.container(key=f"{bench.key}-detail"):
        _steps(bench, position, order, open_)
        _decide(bench, position)
        _what(bench, position)
        _alike(bench, position, open_)


def _steps(bench: Bench, position: int, order: np.ndarray, open_: Open) -> None:
    places = np.flatnonzero(order == position)
    place = int(places[0]) if len(places) else None
    before = int(order[place - 1]) if place else None
    after = int(order[place + 1]) if place is not None and place + 1 < len(order) else None
    with st.container(horizontal=True, vertical_alignment="center", key=f"{bench.key}-detail-steps"):
        st.button("Back", icon=":material/arrow_back:", key=f"{bench.key}:back", on_click=open_, args=(None,),
                  shortcut="Escape")  # fmt: skip
        for title, icon, to in (("Before", "chevron_left", before), ("After", "chevron_right", after)):
            st.button(title, icon=f":material/{icon}:", type="tertiary", key=f"{bench.key}:{title}",
                      disabled=to is None, on_click=open_, args=(to,))  # fmt: skip
        if place is not None:
            st.caption(f"{fmt_int(place + 1)} of {fmt_int(len(order))}", width="content")
    head, _ = words_of(bench, position)
    st.markdown(f"##### {escape(head)}")
    if stands := bench.where.words(position):
        st.caption(" · ".join(escape(word) for word in stands))


def _what(bench: Bench, position: int) -> None:
    """Picture or text, and every column."""
    lines = [("Id", str(bench.columns.ids[position]))]
    if label := target_text(bench, position):
        lines.append(("Label", label))
    lines += bench.columns.row(position, _MOST_FEATURES)
    for column, title in (("distance", "Distance to the nearest chosen"), ("weight", "Weight"), ("score", "Score")):
        value = float(bench.points[column].to_numpy(np.float64)[position])
        if not np.isnan(value):
            lines.append((title, fmt_number(value)))
    pictured = bench.dataset is not None and bench.dataset.images is not None
    if pictured:
        left, right = side_by_side([1.3, 1], key=f"{bench.key}-full", below=1300)
        with left:
            _picture(bench, position)
        with right:
            _columns(lines)
    if bench.columns.texts is not None:
        _text(bench, position)
    if not pictured:
        _columns(lines)


def _picture(bench: Bench, position: int) -> None:
    name = words_of(bench, position)[1]
    whole = original(bench.config, str(bench.columns.ids[position]))
    if whole is not None:
        st.image(whole, alt=name, width="stretch")
        return
    if bench.dataset is not None and bench.dataset.images is not None:
        row = int(bench.dataset.split.train[position])
        longest = bench.dataset.images.longest
        st.image(bench.dataset.images.png(row, size=max(longest, _THUMBNAIL)), alt=name, width="stretch")
        if longest >= 128:
            st.caption("The kept thumbnail; the original file cannot be read from here.")


def _text(bench: Bench, position: int) -> None:
    if bench.columns.texts is None:
        return
    text = harmless(bench.columns.texts.text(position)).strip()
    shown = marked_words(text[:MOST_SENT], desk(bench.fingerprint).filters.text)
    more = len(text) - MOST_SENT
    cut = f"<p><em>… and {fmt_int(more)} more characters.</em></p>" if more > 0 else ""
    st.html(f'{_STYLE}<div class="skmm-whole" dir="auto" tabindex="0">{shown or "<em>no text</em>"}{cut}</div>')


def _columns(lines: list[tuple[str, str]]) -> None:
    rows = "".join(
        f"<dt>{html_escape(name)}</dt><dd><bdi>{html_escape(harmless(value)) or '–'}</bdi></dd>"
        for name, value in lines
    )
    st.html(f'{_STYLE}<dl class="skmm-columns" tabindex="0">{rows}</dl>')


def _decide(bench: Bench, position: int) -> None:
    """Pin, bar, tag; what is decided is kept before the page is drawn again."""
    pinned, barred = (bool(bench.where.states[state][position]) for state in ("pinned", "barred"))
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{bench.key}-decide"):
        for title, on, how, icon in (
            ("Always include", pinned, actions.PIN, "push_pin"),
            ("Never pick", barred, actions.BAR, "block"),
        ):
            kind = "primary" if on else "secondary"
            if st.button(title, icon=f":material/{icon}:", type=kind, key=f"{bench.key}:{how}"):  # type: ignore[arg-type]
                actions.decide(bench, [position], actions.FREE if on else how)
                st.rerun()
        if bench.dataset is not None and st.button(
            "Find similar", icon=":material/join:", key=f"{bench.key}:similar",
            help="Shows all points, those most like this one first.",
        ):  # fmt: skip
            _similar(bench, position)
    _tags(bench, position)


def _tags(bench: Bench, position: int) -> None:
    own = [name for name, mask in bench.where.tags.items() if mask[position]]
    key = f"{bench.key}:tags:{position}:{len(own)}"
    given = st.multiselect(
        "Tags", list(bench.where.tags), default=own, accept_new_options=True, key=key,
        placeholder="Type a tag and press Enter",
    )  # fmt: skip
    for name in given:
        if name.strip() and name not in own:
            actions.tag(bench, [position], name.strip())
    for name in own:
        if name not in given:
            actions.untag(bench, [position], name)
    if set(given) != set(own):
        st.rerun()


def _similar(bench: Bench, position: int) -> None:
    held = desk(bench.fingerprint)
    filters = held.filters.model_copy(
        update={"like": str(bench.columns.ids[position]), "order": ALIKE, "descending": False}
    )
    keep_desk(bench.fingerprint, replace(held.filtered(filters), opened=None, marks=()))
    st.rerun()


def _alike(bench: Bench, position: int, open_: Open) -> None:
    """The most similar points, chosen and not, near-duplicates named."""
    if bench.dataset is None:
        return
    from skmm_core.diagnostics import nearest_to

    distances = distances_from(bench.dataset, position)
    others = np.ones(bench.size, bool)
    others[position] = False
    chosen = bench.where.states["chosen"] | (bench.where.batch > 0) | bench.where.states["labelled"]
    equal = int(((distances == 0) & others).sum())
    if equal:
        st.caption(f":material/content_copy: {plural(equal, 'point')} with equal features.")
    kinds = layouts(bench)
    layout = kinds[0] if kinds[0] != TABLE else TEXTS
    for title, among in (("Most alike, picked", chosen & others), ("Most alike, not picked", ~chosen & others)):
        near = nearest_to(distances, among, _ALIKE)
        if len(near):
            st.markdown(f"**{title}**")
            items = items_of(bench, near.tolist(), layout) if layout in kinds else _plain(bench, near, distances)
            point_grid(items, key=f"{bench.key}-{title}", title=title, layout=layout, on_open=open_,
                       strip=layout == PICTURES)  # fmt: skip


def _plain(bench: Bench, near: np.ndarray, distances: np.ndarray) -> list[Item]:
    """Points that have neither picture nor text: their lines, with the distance."""
    return [
        replace(item, text=f"distance {fmt_number(float(distances[item.position]))}")
        for item in items_of(bench, near.tolist(), TABLE)
    ]
