"""Beside the map: a gallery, cards or a table of the points in question, or one point in full; runs by itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from dashboard.components.shared.theme import INK, PAPER, fmt_int, is_dark, mistakes_told, plural
from dashboard.components.workbench import actions
from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.desk import Desk, desk, keep_desk
from dashboard.components.workbench.detail import detail
from dashboard.components.workbench.filters import ordered
from dashboard.components.workbench.items import heads, items_of, layouts
from dashboard.components.workbench.map_link import map_link
from dashboard.components.workbench.map_view import MapLook, chart_key
from dashboard.components.workbench.point_grid import PICTURES, TABLE, TEXTS, point_grid
from dashboard.services.likeness import distances_from

PER_PAGE = {PICTURES: 24, TEXTS: 20, TABLE: 50}


def in_question(bench: Bench, held: Desk, passed: np.ndarray) -> tuple[np.ndarray, str]:
    """Positions that the pane shows, ascending, and what they are in words.

    Those marked on the map among those that pass the filters; without marks and filters the chosen ones; without a
    selection all.
    """
    if held.marks:
        marks = np.array([position for position in held.marks if position < bench.size], np.int64)
        found = np.sort(marks[passed[marks]])
        return found, f"{plural(len(found), 'point')} marked on the map"
    if held.filters.active or bench.record is None:
        found = np.flatnonzero(passed)
        return found, f"{plural(len(found), 'point')} {'found' if held.filters.active else 'in the pool'}"
    found = np.flatnonzero(bench.where.states["chosen"])
    return found, plural(len(found), "chosen point")


@st.fragment
@mistakes_told()
def pane(bench: Bench, look: MapLook, passed: np.ndarray) -> None:
    """Draw what stands beside the map.

    Args:
        bench: everything of the pool.
        look: of the map.
        passed: (N,) bool, points that pass the filters.
    """
    held = desk(bench.fingerprint)
    found, title = in_question(bench, held, passed)
    order = _in_order(bench, held, found)
    opened = held.opened if held.opened is not None and held.opened < bench.size else None
    _link(bench, look, opened)
    if opened is not None:
        detail(bench, opened, order, open_=_opener(bench))
        return
    _points(bench, held, order, title)


def _in_order(bench: Bench, held: Desk, found: np.ndarray) -> np.ndarray:
    def likeness() -> np.ndarray | None:
        places = np.flatnonzero(bench.columns.ids.astype(str) == str(held.filters.like))
        return None if bench.dataset is None or not len(places) else distances_from(bench.dataset, int(places[0]))

    def remoteness() -> np.ndarray:
        of = bench.nearness()
        return np.zeros(bench.size) if of is None else of.remoteness

    return ordered(found, held.filters, bench.columns, bench.rank, remoteness=remoteness, likeness=likeness)


def _link(bench: Bench, look: MapLook, opened: int | None) -> None:
    rings = []
    if opened is not None:
        rings = [tuple(float(look.points[axis].to_numpy()[opened]) for axis in look.axes)]

    def lassoed(positions: tuple[int, ...]) -> None:
        keep_desk(bench.fingerprint, replace(desk(bench.fingerprint), marks=positions, opened=None, page=1))

    def hidden(groups: tuple[str, ...]) -> None:
        keep_desk(bench.fingerprint, replace(desk(bench.fingerprint), hidden=groups))

    map_link(
        chart_key(bench),
        key=f"{bench.key}-link",
        rings=rings,  # type: ignore[arg-type]
        ink=INK[is_dark()],
        paper=PAPER[is_dark()],
        on_click=_opener(bench),
        on_lasso=lassoed,
        on_hidden=hidden,
    )


def _opener(bench: Bench) -> Callable[[int | None], None]:
    def open_(position: int | None) -> None:
        keep_desk(bench.fingerprint, replace(desk(bench.fingerprint), opened=position))

    return open_


def _points(bench: Bench, held: Desk, order: np.ndarray, title: str) -> None:
    kinds = layouts(bench)
    layout = held.layout if held.layout in kinds else kinds[0]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"##### {title}", width="content")
        if held.marks and st.button("Clear marks", icon=":material/close:", type="tertiary", key=f"{bench.key}:clear"):
            keep_desk(bench.fingerprint, replace(held, marks=(), page=1, cleared=held.cleared + 1))
            st.rerun()
        if len(kinds) > 1:
            st.segmented_control(
                "Show as", kinds, default=layout, required=True, key=f"{bench.key}:layout",
                label_visibility="collapsed", on_change=_lay_out, args=(bench,),
            )  # fmt: skip
    if held.marks or held.filters.active:
        _all_at_once(bench, order)
    if not len(order):
        st.info("No point passes all filters; take one away.", icon=":material/search_off:")
        return
    count = PER_PAGE[layout]
    pages = max(1, -(-len(order) // count))
    page = min(held.page, pages)
    shown = order[(page - 1) * count : page * count].tolist()
    query = held.filters.text
    with st.container(height=660, border=False, key=f"{bench.key}-points"):
        point_grid(
            items_of(bench, shown, layout, query=query),
            key=f"{bench.key}-grid",
            title=title,
            layout=layout,
            on_open=_opener(bench),
            on_page=lambda number: _turn(bench, number),
            columns=heads(bench) if layout == TABLE else (),
            query=query,
            page=page,
            pages=pages,
        )
    if pages > 1:
        _pages(bench, page, pages, len(order))


def _pages(bench: Bench, page: int, pages: int, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, icon, to, useful in (
            ("Previous page", "chevron_left", page - 1, page > 1),
            ("Next page", "chevron_right", page + 1, page < pages),
        ):
            st.button(title, icon=f":material/{icon}:", type="tertiary", key=f"{bench.key}:{icon}",
                      disabled=not useful, on_click=_turn, args=(bench, to))  # fmt: skip
        st.caption(f"Page {fmt_int(page)} of {fmt_int(pages)}, {fmt_int(count)} points", width="content")


def _all_at_once(bench: Bench, order: Sequence[int] | np.ndarray) -> None:
    """Tag, pin or bar all points in question."""
    if not len(order):
        return
    positions = [int(position) for position in order]
    with st.popover(f"All {fmt_int(len(positions))}…", icon=":material/checklist:", key=f"{bench.key}:all-of-them"):
        name = st.text_input("Tag them", key=f"{bench.key}:tag-all", max_chars=60, placeholder="name of a tag")
        if st.button("Tag", key=f"{bench.key}:tag-all-now", disabled=not (name or "").strip()):
            actions.tag(bench, positions, name.strip())
            st.rerun()
        for title, how in (
            ("Always include", actions.PIN),
            ("Never pick", actions.BAR),
            ("Decide nothing", actions.FREE),
        ):
            if st.button(title, key=f"{bench.key}:all:{how}", width="stretch"):
                actions.decide(bench, positions, how)
                st.rerun()


def _turn(bench: Bench, page: int) -> None:
    keep_desk(bench.fingerprint, replace(desk(bench.fingerprint), page=page))


def _lay_out(bench: Bench) -> None:
    chosen = st.session_state[f"{bench.key}:layout"]
    keep_desk(bench.fingerprint, replace(desk(bench.fingerprint), layout=chosen, page=1))
