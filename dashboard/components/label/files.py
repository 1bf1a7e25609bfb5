"""Labels out to files and back."""

from typing import TYPE_CHECKING

import streamlit as st

from skmm_core.projects import Project

if TYPE_CHECKING:
    from skmm_core.data import Dataset


def export_files(dataset: "Dataset", project: Project) -> None:
    """A popover with the labels so far as a file."""
    with st.popover("Export", icon=":material/download:", key="label:export"):
        st.download_button(
            "Labels so far (csv)",
            data=lambda: project.snapshot().read_bytes(),
            file_name=f"{dataset.name}-labels.csv",
            mime="text/csv",
            key="label:export-csv",
            on_click="ignore",
        )
