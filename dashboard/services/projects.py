"""The project of a pool: found by its fingerprint, begun by the first thing that is kept, read anew when it changed."""

from pathlib import Path

import streamlit as st

from skmm_core.config import DatasetConfig
from skmm_core.projects import Project, ProjectState, ProjectStore
from skmm_core.storage import home


def projects() -> ProjectStore:
    """All projects under `SKMM_HOME`."""
    return ProjectStore(home())


def project_of(fingerprint: str) -> Project | None:
    """The project of a pool; None while nothing was kept of it.

    Raises:
        InputError: its file cannot be used.
    """
    card = projects().of_pool(fingerprint)
    return None if card is None else projects().open(card.id)


def begun(dataset: DatasetConfig, fingerprint: str, name: str) -> Project:
    """The project of a pool, begun where there is none.

    Raises:
        InputError: it cannot be written.
    """
    return projects().open(projects().begin(dataset, fingerprint, name=name).id)


def state_of(project: Project) -> ProjectState:
    """What a project knows now; read anew when anything was done since."""
    return _state(home(), project.id, project.version(), project)


@st.cache_resource(max_entries=16, show_spinner=False)
def _state(folder: Path, id_: str, version: tuple[int, int], _project: Project) -> ProjectState:
    return _project.state()
