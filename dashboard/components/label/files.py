"""Labels out to files and to other tools, and back."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.shared.theme import error_line, escape, fmt_int, mistakes_told, plural
from dashboard.services.sources import MAX_UPLOAD_MB, save_upload
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.projects import Project

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_MADE, _BROUGHT = "label:made", "label:brought"  # session keys: the file made last, and what was read of an upload


@dataclass(frozen=True)
class _Made:
    """A file for a tool, made on request: for which points and tool, its content, and what to know of it."""

    of: tuple[str, tuple[int, int], str]
    content: bytes
    points: int
    notes: tuple[str, ...]
    paste: str


def export_files(dataset: "Dataset", config: DatasetConfig, project: Project) -> None:
    """A popover with the labels so far as a file, and the points that wait for a label as a file of each tool.

    Args:
        dataset: the pool.
        config: how it is read.
        project: of the pool.
    """
    from skmm_core.labels import LABEL_TOOLS

    with st.popover("Export", icon=":material/download:", key="label:export"):
        st.download_button(
            "Labels so far (csv)",
            data=lambda: project.snapshot().read_bytes(),
            file_name=f"{_stem(dataset)}-labels.csv",
            mime="text/csv",
            key="label:export-csv",
            on_click="ignore",
        )
        pending = project.state().pending
        st.markdown(f"**Label elsewhere**: {plural(len(pending), 'point')} without an answer, in pick order.")
        tools = {tool.title: tool for tool in LABEL_TOOLS if dataset.images is not None or not tool.pictures_only}
        tool = tools[st.selectbox("Tool", list(tools), key="label:tool")]
        of = (project.id, project.version(), tool.key)
        if st.button("Make the file", disabled=not pending, key="label:make"):
            with mistakes_told():
                st.session_state[_MADE] = _make(dataset, config, project, of)
        made = st.session_state.get(_MADE)
        if isinstance(made, _Made) and made.of == of:
            _offer(made, f"{_stem(dataset)}-{tool.key}{tool.ending}", tool.back)


def _offer(made: _Made, name: str, back: str) -> None:
    st.download_button(
        f"{name} ({fmt_int(made.points)})", made.content, file_name=name, key="label:export-tool", on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip
    for note in made.notes:
        st.caption(escape(note))
    if made.paste:
        st.code(made.paste, language=None, height=160)
    st.caption(f"Bring labels back takes {back}.")


def _make(dataset: "Dataset", config: DatasetConfig, project: Project, of: tuple[str, tuple[int, int], str]) -> _Made:
    from skmm_core.labels import export_selection, gather

    state = project.state()
    points = [(item, state.batch_of.get(item)) for item in state.pending]
    out = gather(dataset, config, points, labels=state.labels.values())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points"
        written = export_selection(out, of[2], path)
        return _Made(of, path.read_bytes(), written.points, tuple(written.notes), written.paste or "")


def bring_back(dataset: "Dataset", project: Project) -> bool:
    """A popover that takes a file of labels, of whatever tool; each upload is read once.

    Args:
        dataset: the pool.
        project: that the labels go to.

    Returns:
        Whether labels came in, in this run of the script.
    """
    from skmm_core.labels import LABEL_KINDS

    with st.popover("Bring labels back", icon=":material/upload:", key="label:back"):
        file = st.file_uploader(
            "A table of id and label, or an export of Label Studio, CVAT, FiftyOne, Argilla or Prodigy",
            type=[kind.removeprefix(".") for kind in LABEL_KINDS],
            max_upload_size=MAX_UPLOAD_MB,
            key="label:upload",
        )
        if file is None:
            return False
        fresh = st.session_state.get(_BROUGHT, ("",))[0] != file.file_id
        if fresh:
            try:
                path = save_upload(file, file.name, tuple(kind.removeprefix(".") for kind in LABEL_KINDS))
                said, wrong = _read(dataset, project, path), ""
            except InputError as error:
                said, wrong = [], str(error)
            st.session_state[_BROUGHT] = (file.file_id, said, wrong)
        _, said, wrong = st.session_state[_BROUGHT]
        if wrong:
            error_line(wrong)
        for number, line in enumerate(said):
            (st.caption if number else st.success)(escape(line))
        return fresh and not wrong


def _read(dataset: "Dataset", project: Project, path: Path) -> list[str]:
    """Take a file over; returns what came of it, and how to take it back."""
    from skmm_core.labels import import_labels, read_labels

    ids = [dataset.ids[row] for row in dataset.split.train.tolist()]
    report = import_labels(project, read_labels(path), ids, name=path.name)
    return [report.sentence, *report.notes, "Undo (z) takes all of it back at once."]


def _stem(dataset: "Dataset") -> str:
    """Start of the names of files: of the dataset's name, what every disk takes."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(dataset.name).stem)[:60] or "points"
