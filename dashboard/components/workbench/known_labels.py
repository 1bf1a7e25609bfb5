"""Labels so far, as a run from the workbench will know them; they say which methods can be offered."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from skmm_core.config import DatasetConfig
from skmm_core.projects import Project, ProjectState
from skmm_core.storage import home

if TYPE_CHECKING:
    from skmm_core.data import Dataset, KnownTargets


def known_so_far(
    dataset: "Dataset", config: DatasetConfig, project: Project | None, state: ProjectState
) -> "KnownTargets | None":
    """Targets of the points with a label, where these are all that is known; None where no point has one.

    Args:
        dataset: the pool; labels of a file with one in every row count only once something was answered beside them.
        config: how it was read.
        project: of the pool whose answers count, or None to go by the file alone.
        state: of the project.

    Raises:
        InputError: the labels cannot be what the dataset is read for.
    """
    if project is None or not (state.labels or state.skipped):
        return _known(home(), dataset.fingerprint, config.task, None, dataset, None)
    return _known(home(), dataset.fingerprint, config.task, project.version(), dataset, state)


@st.cache_resource(max_entries=8, show_spinner=False)
def _known(
    folder: Path,
    fingerprint: str,
    task: str,
    version: tuple[int, int] | None,
    _dataset: "Dataset",
    _state: ProjectState | None,
) -> "KnownTargets | None":
    from skmm_core.data import known_targets
    from skmm_core.labels import LabelsRead, begin_round

    if _state is None:
        return known_targets(_dataset)
    read = LabelsRead(dict(_state.labels), skipped=tuple(_state.skipped), barred=tuple(_state.barred))
    return known_targets(begin_round(_dataset, read, task=task).dataset)
