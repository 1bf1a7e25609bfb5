"""What one visitor has before them at a pool: filters, marks, the open point; kept for the session, with undo."""

from dataclasses import dataclass, field, replace

import streamlit as st

from dashboard.components.workbench.filters import Filters

WORDS = "words"  # in the address: what is searched for
_MOST_STEPS = 100
Step = Filters | None  # an earlier state of the filters, or None for an action of the project


@dataclass(frozen=True)
class Desk:
    """Positions are those of the pool, so that the desk stays as it is when another run is opened.

    Attributes:
        filters: what is shown, in which order.
        marks: points marked on the map by lasso or box.
        opened: the point that is looked at in full, or None.
        page: of the gallery, 1 for the first.
        layout: how points are shown, or None for what is usual for them.
        hidden: groups of the map that its legend hides.
        cleared: how often the marks were cleared; part of the map, so that they are cleared there too.
        past: what can be undone, the last action last.
        future: what can be done again, the next one last.
    """

    filters: Filters = field(default_factory=Filters)
    marks: tuple[int, ...] = ()
    opened: int | None = None
    page: int = 1
    layout: str | None = None
    hidden: tuple[str, ...] = ()
    cleared: int = 0
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    def filtered(self, filters: Filters) -> "Desk":
        """Other filters, as an action that can be undone."""
        if filters == self.filters:
            return self
        past = (*self.past, self.filters)[-_MOST_STEPS:]
        return replace(self, filters=filters, page=1, past=past, future=())

    def acted(self) -> "Desk":
        """The project did something that can be undone."""
        return replace(self, past=(*self.past, None)[-_MOST_STEPS:], future=())

    def undone(self) -> tuple["Desk", bool]:
        """Before the last action; and whether it is the project that must undo it."""
        if not self.past:
            return self, True  # what the project did before this session
        last = self.past[-1]
        if last is None:
            return replace(self, past=self.past[:-1], future=(*self.future, None)), True
        return replace(self, filters=last, page=1, past=self.past[:-1], future=(*self.future, self.filters)), False

    def redone(self) -> tuple["Desk", bool]:
        """After the action that was undone last; and whether it is the project that must do it again."""
        if not self.future:
            return self, True
        following = self.future[-1]
        if following is None:
            return replace(self, future=self.future[:-1], past=(*self.past, None)), True
        return replace(self, filters=following, page=1, future=self.future[:-1], past=(*self.past, self.filters)), False


def desk(fingerprint: str) -> Desk:
    """The desk of a pool."""
    found = st.session_state.get(_key(fingerprint))
    return found if isinstance(found, Desk) else Desk(Filters(text=st.query_params.get(WORDS, "")))


def keep_desk(fingerprint: str, changed: Desk) -> None:
    """Leave the desk like this."""
    st.session_state[_key(fingerprint)] = changed


def _key(fingerprint: str) -> str:
    return f"desk:{fingerprint}"
