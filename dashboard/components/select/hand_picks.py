"""Points that a visitor decided by hand, a dataset: to choose in any case (pinned), or never (barred)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.components.shared.theme import fmt_int, plural
from skmm_core.config import SelectJob

_HELP = (
    "Pinned points are chosen first and count in the budget; the method chooses the others around them. Barred points "
    "are never chosen, but stay part of what the selection is to represent. Both are decided under the map."
)


@dataclass(frozen=True)
class HandPicks:
    """Rows of the input file.

    Attributes:
        include: to choose in any case.
        exclude: never to choose.
    """

    include: frozenset[int] = frozenset()
    exclude: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is decided."""
        return bool(self.include or self.exclude)

    def pin(self, rows: Collection[int]) -> "HandPicks":
        """These rows are to be chosen in any case."""
        return HandPicks(self.include | set(rows), self.exclude - set(rows))

    def bar(self, rows: Collection[int]) -> "HandPicks":
        """These rows are never to be chosen."""
        return HandPicks(self.include - set(rows), self.exclude | set(rows))

    def free(self, rows: Collection[int]) -> "HandPicks":
        """Nothing is decided of these rows."""
        return HandPicks(self.include - set(rows), self.exclude - set(rows))

    def text(self) -> str:
        """What is decided, in a few words; empty when nothing is."""
        parts = [f"{plural(len(self.include), 'point')} pinned"] if self.include else []
        if self.exclude:
            parts.append(f"{fmt_int(len(self.exclude)) if parts else plural(len(self.exclude), 'point')} barred")
        return ", ".join(parts)


def hand_picks(fingerprint: str, job: SelectJob | None = None) -> HandPicks:
    """What the visitor decided about a dataset; at first what the open run was told.

    Args:
        fingerprint: of the dataset.
        job: of the open run.
    """
    found = st.session_state.get(_key(fingerprint))
    if isinstance(found, HandPicks):
        return found
    return HandPicks(frozenset(job.include), frozenset(job.exclude)) if job else HandPicks()


def keep_hand_picks(fingerprint: str, picks: HandPicks) -> None:
    """Keep what the visitor decided."""
    st.session_state[_key(fingerprint)] = picks


def hand_summary(fingerprint: str, job: SelectJob | None, key: str) -> HandPicks:
    """Say in the form what is decided, with a button to forget it; returns it."""
    picks = hand_picks(fingerprint, job)
    if picks:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/push_pin: **{picks.text()}** by hand", help=_HELP, width="content")
            if st.button("Forget", key=f"{key}:forget", type="tertiary", help="Decide nothing by hand."):
                keep_hand_picks(fingerprint, HandPicks())
                st.rerun()
    return picks


def hand_buttons(fingerprint: str, job: SelectJob, points: pd.DataFrame, focus: Sequence[int]) -> None:
    """Pin or bar the points in focus: the table's ticked rows, else those marked on the map.

    Args:
        fingerprint: of the dataset.
        job: of the open run.
        points: of :func:`~dashboard.components.shared.points.merge_points`.
        focus: their positions.
    """
    picks = hand_picks(fingerprint, job)
    if not focus and not picks:
        st.caption(
            ":material/push_pin: Mark points on the map or tick rows of the table; then pin or bar them here, and pick "
            "again around them."
        )
        return
    rows = frozenset(points["row"].to_numpy()[list(focus)].tolist())
    count = plural(len(rows), "point")
    with st.container(horizontal=True, vertical_alignment="center", key="hand"):
        for label, made, icon, useful in (
            (f"Pin {count}", picks.pin(rows), "push_pin", not rows <= picks.include),
            (f"Bar {count}", picks.bar(rows), "block", not rows <= picks.exclude),
            ("Leave to the method", picks.free(rows), "undo", bool(rows & (picks.include | picks.exclude))),
        ):
            if rows and useful and st.button(label, key=f"hand:{icon}", icon=f":material/{icon}:", type="secondary"):
                keep_hand_picks(fingerprint, made)
                st.rerun()
        if picks:
            st.caption(f"{picks.text()} by hand. Press **Pick** in the form to choose around them.", width="content")


def positions_of(points: pd.DataFrame, rows: Collection[int]) -> tuple[int, ...]:
    """Places in the pool of rows of the input file."""
    return tuple(points.loc[points["row"].isin(list(rows)), "position"].tolist()) if rows else ()


def _key(fingerprint: str) -> str:
    return f"hand:{fingerprint}"
