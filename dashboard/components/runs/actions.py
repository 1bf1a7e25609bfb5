"""The buttons of the Runs page: open, why, rename, export, cancel, delete with undo, import."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from dashboard.components.runs.table import STATE_WORDS, actions
from dashboard.components.shared.exports import run_zip
from dashboard.components.shared.finished_selections import WANTED
from dashboard.components.shared.places import (
    COMPARE,
    DATA,
    LABEL,
    PICK,
    REPRODUCE,
    RESULTS,
    SELECTIONS,
    WHY,
    WORKBENCH,
    go,
)
from dashboard.components.shared.theme import error_line, escape, plural
from dashboard.services import state
from dashboard.services.cache import jobs, store
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState

_DELETED = "skmm:deleted"
_PROBLEM = "skmm:runs-problem"
_BESIDE = {"select": (PICK, SELECTIONS), "compare": (COMPARE, RESULTS)}
_PLACES: dict[str, tuple[str, str | None]] = {
    "select": (PICK, WORKBENCH),
    "compare": (COMPARE, RESULTS),
    "embed": (DATA, None),
    "paper": (REPRODUCE, None),
    "estimate": (PICK, LABEL),
}


def action_bar(ticked: Sequence[RunRecord]) -> None:
    """Draw the buttons for the ticked runs; one that cannot be used says why on hover."""
    can = actions(ticked)
    if len(ticked) == 1:
        _facts(ticked[0])
    else:
        st.caption(plural(len(ticked), "run") + " ticked")
    with st.container(horizontal=True, key="run-actions"):
        if _button("Open", "open_in_new", can.open, primary=True):
            state.set_current_run(ticked[0].id)
            go(*_PLACES[ticked[0].kind])
        if _button("Why", "help", can.diagnose):
            st.session_state[WANTED] = [record.id for record in ticked]
            state.set_current_run(ticked[0].id)
            go(PICK, WHY)
        if _button("Side by side", "splitscreen_right", can.beside):
            ids = ",".join(record.id for record in ticked)
            go(*(_BESIDE[ticked[0].kind]), runs=ids)
        _rename(ticked, can.rename)
        _export(ticked, can.export)
        if can.cancel is None:
            _button("Cancel", "stop_circle", None, on_click=lambda: _try(_cancel, ticked))
        _button("Delete", "delete", can.delete, on_click=lambda: _try(_delete, ticked))


def undo_bar() -> None:
    """Say what was deleted last, with a button that brings it back; and what went wrong last, once."""
    if problem := st.session_state.pop(_PROBLEM, None):
        error_line(problem)
    deleted: list[str] = st.session_state.get(_DELETED, [])
    if not deleted:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="undo"):
        st.markdown(f":material/delete: {plural(len(deleted), 'run')} deleted.", width="content")
        st.button("Undo", icon=":material/undo:", key="runs:undo", on_click=lambda: _try(_undo, deleted))
        st.button("Dismiss", type="tertiary", key="runs:dismiss", on_click=st.session_state.pop, args=(_DELETED, None))


def import_panel() -> None:
    """Take a run from a zip file that the Export button, or the command line, made."""
    file = st.file_uploader("Zip file of a run", type="zip", key="runs:import", max_upload_size=512)
    if file is None:
        return
    token = f"runs:imported:{file.file_id}"
    if token not in st.session_state:  # the file stays in the uploader; it is imported once
        try:
            record = import_bundle(file, file.name)
        except InputError as error:
            st.session_state[token] = ("", str(error))
        else:
            st.session_state[token] = (record.id, record.name)
    id_, text = st.session_state[token]
    if id_:
        st.success(f"Imported {escape(text)} (run {id_}).", icon=":material/check:")
    else:
        error_line(text)


def import_bundle(file: BinaryIO, name: str) -> RunRecord:
    """Put an uploaded bundle into the store.

    Raises:
        InputError: the file is no bundle, or is not safe to take; the message names the file as the visitor does.
    """
    from skmm_core.jobs import import_run

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.zip"
        file.seek(0)
        path.write_bytes(file.read())
        try:
            return import_run(store(), path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), name[:80])) from None


def _facts(record: RunRecord) -> None:
    st.markdown(f"**{escape(record.name)}** · {STATE_WORDS[record.state]} · run `{record.id}`")
    if record.state is RunState.FAILED:
        error_line(record.error or "The run failed without saying why; open it and start it again.")


def _button(
    label: str, icon: str, reason: str | None, *, primary: bool = False, on_click: Callable[[], None] | None = None
) -> bool:
    return st.button(
        label,
        icon=f":material/{icon}:",
        key=f"runs:{label.lower()}",
        disabled=reason is not None,
        help=None if reason is None else f"{reason[:1].upper()}{reason[1:]}.",
        type="primary" if primary else "secondary",
        on_click=on_click,
    )


def _rename(ticked: Sequence[RunRecord], reason: str | None) -> None:
    with st.popover("Rename", icon=":material/edit:", disabled=reason is not None, key="runs:rename"):
        if reason is None:
            record = ticked[0]
            key = f"runs:name:{record.id}:{record.name}"
            name = st.text_input("Name", value=record.name, max_chars=200, key=key)
            st.button("Save", key="runs:save", type="primary", on_click=lambda: _try(_save_name, (record,), name))


def _export(ticked: Sequence[RunRecord], reason: str | None) -> None:
    record = ticked[0] if reason is None else None
    st.download_button(
        "Export",
        data=(lambda: run_zip(record.id)) if record else b"",
        file_name=f"run-{record.id}.zip" if record else None,
        mime="application/zip",
        key="runs:export",
        icon=":material/folder_zip:",
        disabled=record is None,
        help=None if reason is None else f"{reason[:1].upper()}{reason[1:]}.",
        on_click="ignore",
    )


def _try(act: Callable[..., None], *arguments: object) -> None:
    """Do it before the page is drawn again; what goes wrong is told on that page."""
    try:
        act(*arguments)
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)


def _cancel(ticked: Sequence[RunRecord]) -> None:
    for record in ticked:
        jobs().cancel(record.id)


def _delete(ticked: Sequence[RunRecord]) -> None:
    deleted: list[str] = []
    st.session_state[_DELETED] = deleted
    for record in ticked:
        store().delete(record.id)
        deleted.append(record.id)


def _undo(deleted: Sequence[str]) -> None:
    st.session_state.pop(_DELETED, None)
    for id_ in deleted:
        store().undelete(id_)


def _save_name(ticked: Sequence[RunRecord], name: str) -> None:
    store().rename(ticked[0].id, name)
