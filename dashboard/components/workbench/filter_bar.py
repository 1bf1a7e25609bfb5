"""The filters above the map: search, columns, class, tag, batch, how points stand; near-duplicates and outliers.

Every widget shows what the desk holds and tells it in a callback, so that undo needs no other way.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dashboard.components.shared.points import class_order, has_classes
from dashboard.components.shared.theme import escape, fmt_int, plural
from dashboard.components.workbench import actions
from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.desk import WORDS, desk, keep_desk
from dashboard.components.workbench.filters import (
    ALIKE,
    DUPLICATES,
    ORDERS,
    OUTLIERS,
    ColumnFilter,
    Filters,
    passing,
)
from dashboard.components.workbench.standing import STATES
from dashboard.services.pool_columns import Numbers, Words

_MOST_TYPED = 200
_ODD_HELP = "Near-duplicates: another point is closer than a fifth of what is usual. Outliers: far from all others."
Change = Callable[[Filters, Any], Filters]


def filter_bar(bench: Bench) -> np.ndarray:
    """Draw the filters; returns (N,) bool, the points that pass."""
    filters = desk(bench.fingerprint).filters
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="filters"):
        st.text_input(
            "Search",
            max_chars=_MOST_TYPED,
            placeholder="id, text, words of a column",
            icon=":material/search:",
            width=230,
            help="Finds the points in whose id, text or columns all of these words stand, in whatever case and order.",
            **_bound(bench, "text", filters.text, lambda of, typed: _with(of, text=(typed or "").strip())),
        )
        _columns(bench, filters)
        _standing(bench, filters)
        if bench.dataset is not None:
            given = [name for name, on in ((DUPLICATES, filters.duplicates), (OUTLIERS, filters.outliers)) if on]
            st.pills(
                "Show only", (DUPLICATES, OUTLIERS), selection_mode="multi", help=_ODD_HELP,
                **_bound(bench, "odd", given, _with_odd),
            )  # fmt: skip
        _order(bench, filters)
        _steps(bench)
        st.caption(plural(bench.size, "point"), width="content")
    if filters.text:
        st.query_params[WORDS] = filters.text
    else:
        st.query_params.pop(WORDS, None)
    found = passing(filters, bench.columns, bench.where, odd_points(bench, filters))
    _said(bench, filters, found)
    return found


def odd_points(bench: Bench, filters: Filters) -> dict[str, np.ndarray] | None:
    """Masks of near-duplicates and outliers, worked out when a filter asks for them first."""
    found = bench.nearness() if filters.duplicates or filters.outliers else None
    return None if found is None else {DUPLICATES: found.duplicates, OUTLIERS: found.outliers}


def _columns(bench: Bench, filters: Filters) -> None:
    usable = {name: of for name, of in bench.columns.all.items() if isinstance(of, Numbers) or of.few}
    if not usable:
        return
    with st.popover(_counted("Columns", len(filters.columns)), icon=":material/tune:", key=f"{bench.key}:columns"):
        name = st.selectbox("Column", list(usable), key=f"{bench.key}:column")
        _of_column(bench, filters, name, usable[name])
        for of in filters.columns:
            st.button(
                of.text(), icon=":material/close:", type="tertiary", key=f"{bench.key}:drop:{of.column}",
                on_click=_change, args=(bench.fingerprint, lambda now, name=of.column: now.without_column(name)),
            )  # fmt: skip


def _of_column(bench: Bench, filters: Filters, name: str, column: Numbers | Words) -> None:
    given = next((of for of in filters.columns if of.column == name), ColumnFilter(column=name))
    if isinstance(column, Words):
        words = [word for word in given.words if word in column.names]
        st.multiselect("Is one of", column.names, **_bound(bench, f"words:{name}", words, partial(_with_words, name)))
        return
    low, high = column.limits
    with st.container(horizontal=True):
        for title, edge, hint in (("At least", "low", low), ("At most", "high", high)):
            st.number_input(
                title, placeholder=f"{hint:.6g}",
                **_bound(bench, f"{edge}:{name}", getattr(given, edge), partial(_with_edge, name, edge)),
            )  # fmt: skip


def _standing(bench: Bench, filters: Filters) -> None:
    where = bench.where
    counts = {state: int(mask.sum()) for state, mask in where.states.items()}
    states = [state for state in STATES if counts[state] or state in filters.states]
    batches = sorted({*np.unique(where.batch[where.batch > 0]).tolist(), *filters.batches})
    classes = class_order(bench.points) if has_classes(bench.points) else []
    tags = list(dict.fromkeys((*where.tags, *filters.tags)))
    asked = len(filters.states) + len(filters.batches) + len(filters.classes) + len(filters.tags)
    title = _counted("Class, tag, state", asked)
    with st.popover(title, icon=":material/filter_list:", key=f"{bench.key}:standing"):
        st.pills(
            "How points stand", states, selection_mode="multi", format_func=lambda of: f"{STATES[of]} {counts[of]:,}",
            **_bound(bench, "states", list(filters.states), lambda of, chosen: _with(of, states=tuple(chosen))),
        )  # fmt: skip
        if batches:
            st.pills(
                "Batch", batches, selection_mode="multi",
                **_bound(bench, "batches", list(filters.batches), lambda of, them: _with(of, batches=tuple(them))),
            )  # fmt: skip
        if classes:
            given = [name for name in filters.classes if name in classes]
            change = lambda of, chosen: _with(of, classes=tuple(chosen))  # noqa: E731
            st.multiselect("Class", classes, **_bound(bench, "classes", given, change))
        if tags:
            change = lambda of, chosen: _with(of, tags=tuple(chosen))  # noqa: E731
            st.multiselect("Tag", tags, **_bound(bench, "tags", list(filters.tags), change))


def _order(bench: Bench, filters: Filters) -> None:
    orders = [name for name in ORDERS if name != ALIKE or filters.like] + list(bench.columns.all)
    given = filters.order if filters.order in orders else orders[0]
    st.selectbox("Sort", orders, width=170, **_bound(bench, "order", given, lambda of, name: _with(of, order=name)))
    st.toggle(
        "Reversed", **_bound(bench, "descending", filters.descending, lambda of, on: _with(of, descending=bool(on)))
    )


def _steps(bench: Bench) -> None:
    what = actions.last_step(bench)
    for title, useful, act, help_ in (
        ("Undo", what is not None, actions.undo, f"Undo {what}" if what else None),
        ("Redo", bool(desk(bench.fingerprint).future), actions.redo, None),
    ):
        st.button(
            title, icon=f":material/{title.lower()}:", key=f"{bench.key}:{title}", type="tertiary",
            disabled=not useful, help=help_, on_click=act, args=(bench,),
        )  # fmt: skip


def _said(bench: Bench, filters: Filters, found: np.ndarray) -> None:
    """How many points are shown, and by which filters."""
    if not filters.active:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="filtered"):
        said = "; ".join(escape(text) for text in filters.texts())
        count = fmt_int(found.sum())
        st.markdown(f"**{count}** of {fmt_int(bench.size)} points: {said}", width="content")
        if (filters.duplicates or filters.outliers) and (of := bench.nearness()) and of.compared < bench.size:
            st.caption(f"Each was compared with a sample of {fmt_int(of.compared)} points.", width="content")
        st.button(
            "Show all", icon=":material/close:", type="tertiary", key=f"{bench.key}:all",
            on_click=_change, args=(bench.fingerprint, Filters.cleared),
        )  # fmt: skip


def _bound(bench: Bench, name: str, value: object, change: Change) -> dict[str, Any]:
    """Key and callback of a widget that shows a value of the desk and changes it there."""
    key = f"{bench.key}:filter:{name}"
    st.session_state[key] = value

    def told() -> None:
        _change(bench.fingerprint, lambda of: change(of, st.session_state[key]))

    return {"key": key, "on_change": told}


def _change(fingerprint: str, change: Callable[[Filters], Filters]) -> None:
    before = desk(fingerprint)
    keep_desk(fingerprint, before.filtered(change(before.filters)))


def _with(filters: Filters, **values: object) -> Filters:
    return filters.model_copy(update=values)


def _with_odd(filters: Filters, pressed: list[str]) -> Filters:
    return _with(filters, duplicates=DUPLICATES in pressed, outliers=OUTLIERS in pressed)


def _with_words(name: str, filters: Filters, words: list[str]) -> Filters:
    if not words:
        return filters.without_column(name)
    return filters.with_column(ColumnFilter(column=name, words=tuple(words)))


def _with_edge(name: str, edge: str, filters: Filters, value: float | None) -> Filters:
    given = next((of for of in filters.columns if of.column == name), ColumnFilter(column=name))
    changed = given.model_copy(update={edge: value})
    if changed.low is None and changed.high is None:
        return filters.without_column(name)
    return filters.with_column(changed)


def _counted(title: str, count: int) -> str:
    return f"{title} ({count})" if count else title
