"""Gallery and table of the points marked on a map, or of the chosen ones; rows ticked in the table are ringed on it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.components.shared.gallery import PointCards, gallery, pool_cards
from dashboard.components.shared.map.marked_points import clear_marks, marked
from dashboard.components.shared.points import TEXT, has_classes, linked_points
from dashboard.components.shared.text_search import Search
from dashboard.services import cache
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord

_MAX_ROWS = 20_000
_NO_SEARCH = Search()
_NONE_FOUND = "No text here holds all of these words; look for fewer words, or for a part of one."


@dataclass(frozen=True)
class Linked:
    """What stands beside a map.

    Attributes:
        shown: the points, chosen ones first in pick order.
        heading: what they are.
        table_key: of their table; other points, another table, so that no tick moves to another point.
        ringed: positions of the rows that are ticked in it.
        search: what is looked for in the texts.
    """

    shown: pd.DataFrame
    heading: str
    table_key: str
    ringed: tuple[int, ...]
    search: Search

    def focus(self, marks: Sequence[int]) -> tuple[int, ...]:
        """Points that a button is about: the ticked rows, else those marked on the map."""
        return self.ringed or tuple(marks)


def link(points: pd.DataFrame, budget: int, key: str, search: Search = _NO_SEARCH) -> Linked:
    """Gather what stands beside a map, before the map is drawn.

    Args:
        points: of :func:`~dashboard.components.shared.points.merge_points`.
        budget: how many of the chosen points count, in pick order.
        key: of the map.
        search: what is looked for in the texts.
    """
    shown, heading = linked_points(points, budget, marked(key), search.positions)
    positions = shown["position"].to_numpy(dtype=np.int64)
    table_key = f"table:{key}:{zlib.crc32(positions.tobytes()):08x}"
    return Linked(shown, heading, table_key, ticked_positions(st.session_state.get(table_key), positions), search)


def ticked_positions(event: Any, positions: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """Positions in the pool of the rows that are ticked.

    Args:
        event: what `st.dataframe(on_select=…)` keeps under its key.
        positions: of the table's rows.
    """
    rows = (event.get("selection") or {}).get("rows") or () if isinstance(event, Mapping) else ()
    return tuple(int(positions[row]) for row in rows if 0 <= row < len(positions))


def linked_views(record: RunRecord, linked: Linked, *, key: str, per_page: int | None = None) -> None:
    """Draw gallery and table.

    Args:
        record: of the finished selection.
        linked: of :func:`link`.
        key: of the map.
        per_page: points at once in the gallery; None takes what is usual.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"##### {linked.heading}", width="content")
        if marked(key):
            st.button(
                "Show the chosen ones",
                key=f"clear:{key}",
                type="tertiary",
                icon=":material/close:",
                on_click=clear_marks,
                args=(key,),
            )
        else:
            st.caption("Lasso or click on the map to look at others.", width="content")
    if linked.shown.empty:
        st.info(_NONE_FOUND, icon=":material/search_off:")
        return
    cards = run_cards(record, linked.search.query)
    if cards is None:
        points_table(linked.shown, key=linked.table_key)
        return
    first, table = st.tabs([cards.title, "Table"], key=f"views:{record.id}", on_change="rerun")
    if first.open:
        with first:
            gallery(linked.shown, cards, key=f"gallery:{record.id}", per_page=per_page)
    if table.open:
        with table:
            points_table(linked.shown, key=linked.table_key)


def run_cards(record: RunRecord, query: str = "") -> PointCards | None:
    """How the points of a run are shown, as pictures or texts; None when there are neither.

    Args:
        record: of the finished selection.
        query: words to mark in the texts.
    """
    try:
        dataset = cache.dataset(record.config.dataset)
    except InputError:  # its file is gone: the table still tells
        return None
    return pool_cards(dataset, query) if dataset.fingerprint == record.fingerprint else None


def points_table(shown: pd.DataFrame, *, key: str | None = None) -> None:
    """The points as a table, chosen ones first in pick order.

    Args:
        shown: rows of :func:`~dashboard.components.shared.points.linked_points`.
        key: lets rows be ticked, which are read under it.
    """
    target = "label" if has_classes(shown) else "target"
    mixed = ["chosen"] if not shown["chosen"].all() else []
    columns = [
        *mixed,
        "rank",
        "id",
        target,
        *([TEXT] if TEXT in shown else []),
        "weight",
        "score",
        "leverage",
        "distance",
        "row",
    ]
    table = shown[[column for column in columns if shown[column].notna().any() or column == "id"]].head(_MAX_ROWS)
    table = table.assign(rank=(table["rank"] + 1).where(shown["chosen"]).astype("Int64"))
    ticks: dict[str, Any] = {"key": key, "on_select": "rerun", "selection_mode": "multi-row"} if key else {}
    st.dataframe(
        table,
        hide_index=True,
        height=min(420, 38 + 35 * max(1, len(table))),
        alt=f"Table of {len(table)} points, chosen ones first.",
        column_config={
            "chosen": st.column_config.CheckboxColumn("Chosen", width="small"),
            "rank": st.column_config.NumberColumn("Pick", width="small", help="1 = picked first"),
            "id": st.column_config.TextColumn("Id"),
            "label": st.column_config.TextColumn("Class"),
            "target": st.column_config.NumberColumn("Target", format="%.4g"),
            TEXT: st.column_config.TextColumn("Text", width="large", help="The start of each text"),
            "weight": st.column_config.NumberColumn("Weight", format="%.4f"),
            "score": st.column_config.NumberColumn("Score", format="%.4g", help="The method's own score"),
            "leverage": st.column_config.NumberColumn("Leverage", format="%.4g"),
            "distance": st.column_config.NumberColumn(
                "Distance", format="%.4g", help="To the nearest point of the whole selection"
            ),
            "row": st.column_config.NumberColumn("Row", help="0-based row of the input file"),
        },
        **ticks,
    )
    if key:
        st.caption("Tick rows to ring them on the map.")
