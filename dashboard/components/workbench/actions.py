"""What a visitor does to points, kept with the project of the pool at once; and undo of that and of filters."""

from collections.abc import Collection

import streamlit as st

from dashboard.components.workbench.bench import Bench
from dashboard.components.workbench.desk import desk, keep_desk
from dashboard.services.projects import begun
from skmm_core.projects import Project

PIN, BAR, FREE = "pin", "bar", "free"


def project(bench: Bench) -> Project:
    """The project of the pool, begun where there is none.

    Raises:
        InputError: it cannot be written.
    """
    if bench.project is not None:
        return bench.project
    name = bench.dataset.name if bench.dataset else bench.config.source
    return begun(bench.config, bench.fingerprint, name)


def ids_of(bench: Bench, positions: Collection[int]) -> list[str]:
    """Ids of points."""
    return [str(bench.columns.ids[position]) for position in positions]


def decide(bench: Bench, positions: Collection[int], how: str) -> None:
    """Pin points, bar them, or leave them to the method."""
    project(bench).decide(ids_of(bench, positions), how)
    _acted(bench)


def tag(bench: Bench, positions: Collection[int], name: str) -> None:
    """Give points a tag."""
    project(bench).tag(ids_of(bench, positions), name)
    _acted(bench)


def untag(bench: Bench, positions: Collection[int], name: str) -> None:
    """Take a tag from points."""
    project(bench).untag(ids_of(bench, positions), name)
    _acted(bench)


def undo(bench: Bench) -> None:
    """Take back the last filter or action, whichever came later."""
    before, by_project = desk(bench.fingerprint).undone()
    if by_project and bench.project is not None and (what := bench.project.undo()):
        st.toast(f"Undone: {what}")
    keep_desk(bench.fingerprint, before)


def redo(bench: Bench) -> None:
    """Do again what was undone last."""
    after, by_project = desk(bench.fingerprint).redone()
    if by_project and bench.project is not None and (what := bench.project.redo()):
        st.toast(f"Done again: {what}")
    keep_desk(bench.fingerprint, after)


def last_step(bench: Bench) -> str | None:
    """What undo would take back, in words; None when there is nothing."""
    past = desk(bench.fingerprint).past
    if past and past[-1] is not None:
        return "the last change of the filters"
    return bench.project.last_action() if bench.project is not None else None


def _acted(bench: Bench) -> None:
    keep_desk(bench.fingerprint, desk(bench.fingerprint).acted())
