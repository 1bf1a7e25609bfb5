"""A run to copy: the command and the Python lines that repeat it, and what to cite."""

import streamlit as st

from dashboard.components.shared.theme import IMAGE_FORMAT, IMAGE_FORMATS
from skmm_core.config import CompareJob, RunConfig, SelectJob
from skmm_core.report import bibtex
from skmm_core.runs import RunRecord, command_line, python_lines

COMMAND, PYTHON, BIBTEX = "Command", "Python", "BibTeX"


def copy_panel(record: RunRecord, what: str) -> None:
    """Draw one text to copy, as the visitor chooses; the button at its corner copies it.

    Args:
        record: of a selection or a comparison.
        what: what repeating the run does, such as "picks the same 60 points again".
    """
    kind = st.segmented_control(
        "Copy as", (COMMAND, PYTHON, BIBTEX), default=COMMAND, required=True, key=f"copy-as:{record.id}"
    )
    said = f"Run {record.id}. This {what}:"
    st.caption("What to cite for this run:" if kind == BIBTEX else said)
    text, language = copy_text(record.config, kind or COMMAND)
    st.code(text, language=language, wrap_lines=True)


def copy_text(config: RunConfig, kind: str) -> tuple[str, str]:
    """The text to copy and its language."""
    if kind == PYTHON:
        return python_lines(config), "python"
    if kind == BIBTEX:
        from skmm_core.methods import list_methods

        job = config.job
        keys = {job.method} if isinstance(job, SelectJob) else set(job.methods if isinstance(job, CompareJob) else ())
        return bibtex(spec for spec in list_methods() if spec.key in keys), "latex"
    return command_line(config), "bash"


def image_format() -> None:
    """The format in which the camera button of every chart saves it."""
    st.segmented_control(
        "The camera button of a chart saves", IMAGE_FORMATS, default=IMAGE_FORMATS[0], required=True,
        format_func=str.upper, key=IMAGE_FORMAT, persist_state="session",
        help="PNG: pixels, for slides. SVG: lines that stay sharp at any size, for print.",
    )  # fmt: skip
