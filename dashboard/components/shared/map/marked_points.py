"""The points that a visitor marked on a map and what its legend hides, kept while the map is drawn anew.

Streamlit makes a chart anew when its figure changes: what the legend hid is shown again, and the selection is forgotten
and reported as empty. So both live under a session key of their own, the empty report after a change is told from a
real one, and both are drawn into the new figure.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard.components.shared.map.figure import selected_positions
from dashboard.components.shared.map.legend import is_listened_to, listen_to_legend
from dashboard.components.shared.theme import chart


@dataclass(frozen=True)
class Marks:
    """Marks on one map.

    Attributes:
        positions: marked positions in the pool.
        look: what the figure on the page was made from.
        drawn: marks that are part of that figure; they change only with its look, so the figure stays the same while
            the visitor marks points.
        hidden: legend groups that the visitor hid.
        drawn_hidden: those that are hidden in that figure.
        cleared: how often the marks were cleared; part of the figure, so that clearing draws it anew.
        expect_empty: whether the browser will report an empty selection because the figure changed.
    """

    positions: tuple[int, ...] = ()
    look: Hashable = None
    drawn: tuple[int, ...] = ()
    hidden: tuple[str, ...] = ()
    drawn_hidden: tuple[str, ...] = ()
    cleared: int = 0
    expect_empty: bool = False


def with_look(marks: Marks, look: Hashable, *, held: bool, fresh: bool = False) -> Marks:
    """Marks for the figure that is drawn next.

    Args:
        marks: so far.
        look: what the figure is made from.
        held: whether the browser holds a selection, which a change of the figure will end.
        fresh: whether the page was elsewhere before, so that the browser has no figure.
    """
    if look == marks.look and not fresh:
        return marks
    return replace(marks, look=look, drawn=marks.positions, drawn_hidden=marks.hidden, expect_empty=held)


def with_report(marks: Marks, positions: tuple[int, ...]) -> Marks:
    """Marks after the browser reported a selection."""
    if not positions and marks.expect_empty:
        return replace(marks, expect_empty=False)
    return replace(marks, positions=positions, expect_empty=False)


def draw_map(figure: go.Figure, *, key: str, look: Hashable, alt: str) -> None:
    """Draw a map on which points can be marked by lasso, box or click, and classes hidden by the legend.

    Args:
        figure: of :func:`~dashboard.components.shared.map.figure.map_figure`.
        key: of the chart; :func:`marked` takes it too.
        look: what the figure was made from; equal look, equal figure.
        alt: what the map shows.
    """

    def keep() -> None:
        st.session_state[_key(key)] = with_report(_marks(key), selected_positions(st.session_state.get(key)))

    def hide(groups: tuple[str, ...]) -> None:
        st.session_state[_key(key)] = replace(_marks(key), hidden=groups)

    before = _marks(key)
    held = bool(selected_positions(st.session_state.get(key)))
    marks = with_look(before, (look, before.cleared), held=held, fresh=not is_listened_to(key))
    st.session_state[_key(key)] = marks
    if marks.drawn:
        for trace in figure.data:
            if trace.customdata is not None:
                trace.selectedpoints = np.flatnonzero(np.isin(trace.customdata, marks.drawn)).tolist()
    for trace in figure.data:
        if trace.legendgroup in marks.drawn_hidden:
            trace.visible = "legendonly"
    figure.update_layout(selectionrevision=marks.cleared)
    chart(figure, key=key, alt=alt, on_select=keep, selection_mode=("points", "box", "lasso"))
    listen_to_legend(key, hide)


def marked(key: str) -> tuple[int, ...]:
    """Positions in the pool that are marked on a map."""
    return _marks(key).positions


def clear_marks(key: str) -> None:
    """Forget the marks of a map, on the map too."""
    marks = _marks(key)
    st.session_state[_key(key)] = replace(marks, positions=(), cleared=marks.cleared + 1)


def _marks(key: str) -> Marks:
    found = st.session_state.get(_key(key))
    return found if isinstance(found, Marks) else Marks()


def _key(key: str) -> str:
    return f"marks:{key}"
