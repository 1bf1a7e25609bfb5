"""Everything that the workbench knows of a pool, gathered once a run of the script."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.components.shared.points import has_classes, has_values, is_chosen, run_points
from dashboard.components.workbench.standing import NOTHING_DONE, Standing, standing
from dashboard.services import cache
from dashboard.services.likeness import likeness_of, nearness_of
from dashboard.services.pool_columns import PoolColumns, pool_columns
from dashboard.services.projects import project_of, state_of
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.projects import Project, ProjectState
from skmm_core.runs import RunRecord

if TYPE_CHECKING:
    from skmm_core.data import Dataset
    from skmm_core.diagnostics import Nearness


@dataclass(frozen=True)
class Bench:
    """A pool, a selection from it perhaps, and its project perhaps.

    Attributes:
        fingerprint: of the pool.
        config: how its dataset is read.
        record: of the finished selection that is looked at, or None.
        dataset: None when its file is gone, has changed or may not be read; the run still tells.
        points: (N) of :func:`~dashboard.components.shared.points.merge_points`; `label` holds what is known of labels.
        columns: of the pool's file.
        project: None while nothing was kept of the pool.
        state: of the project.
        budget: how many of the selection's points count, in pick order; 0 without one.
        where: how points stand.
    """

    fingerprint: str
    config: DatasetConfig
    record: RunRecord | None
    dataset: "Dataset | None"
    points: pd.DataFrame
    columns: PoolColumns
    project: Project | None
    state: ProjectState
    budget: int
    where: Standing

    @property
    def key(self) -> str:
        """Part of the keys of widgets: of the pool, whatever run is open."""
        return self.fingerprint[-12:]

    @property
    def size(self) -> int:
        """N."""
        return len(self.points)

    @property
    def whole_size(self) -> int:
        """N, with the points of a large pool that memory does not hold."""
        return self.size if self.dataset is None else self.dataset.whole_size

    @property
    def rank(self) -> np.ndarray:
        """(N,) pick order of the first `budget` points, -1 for all others."""
        rank = self.points["rank"].to_numpy()
        return np.where(rank < self.budget, rank, -1)

    def nearness(self) -> "Nearness | None":
        """The nearest points of each point; None without the dataset."""
        return None if self.dataset is None else nearness_of(self.dataset)

    def likeness(self) -> np.ndarray | None:
        """(N, p) rows in which likeness is measured; None without the dataset."""
        return None if self.dataset is None else likeness_of(self.dataset)


def gather(config: DatasetConfig, fingerprint: str, record: RunRecord | None, budget: int) -> Bench:
    """Read what is known of a pool.

    Args:
        config: how its dataset is read.
        fingerprint: of the pool.
        record: of a finished selection from it, or None.
        budget: how many of its points count.

    Raises:
        InputError: a file of the run or of the project is missing or damaged, or there is neither run nor dataset.
    """
    dataset: Dataset | None = None
    try:
        found = cache.dataset(config)
        dataset = found if found.fingerprint == fingerprint else None
    except InputError:
        if record is None:
            raise
    if record is not None:
        points = run_points(record)
    elif dataset is not None:
        points = _unpicked(fingerprint, dataset)
    else:
        raise InputError("the data have changed; open them anew in Data")
    columns = pool_columns(dataset) if dataset else PoolColumns(points["id"].to_numpy(object), {}, {}, None)
    project = project_of(fingerprint)
    state = state_of(project) if project else NOTHING_DONE
    known = _none_for_missing(points["label"]) if has_classes(points) else None
    where = standing(_places(fingerprint, columns.ids), state, is_chosen(points, budget), known)
    if state.labels and not has_values(points, "target"):
        points = points.assign(label=where.labels)
    return Bench(fingerprint, config, record, dataset, points, columns, project, state, budget, where)


def _none_for_missing(labels: pd.Series) -> np.ndarray:
    """(N,) labels in words, None where there is none."""
    return labels.astype(object).where(labels.notna(), None).to_numpy()


@st.cache_resource(max_entries=6, show_spinner=False)
def _places(fingerprint: str, _ids: np.ndarray) -> dict[str, int]:
    return {str(id_): position for position, id_ in enumerate(_ids.tolist())}


@st.cache_resource(max_entries=4, show_spinner="Drawing the pool…")
def _unpicked(fingerprint: str, _dataset: "Dataset") -> pd.DataFrame:
    """Points of a pool of which nothing was picked, in the form of those of a run."""
    from skmm_core.diagnostics import pca_map
    from skmm_core.jobs import pool_table

    places = pca_map(_dataset.split.of_pool(_dataset.features))
    unknown = dict.fromkeys(("score", "leverage", "distance", "weight"), np.nan)
    return pool_table(_dataset).assign(**unknown, rank=-1, pca_1=places[:, 0], pca_2=places[:, 1])
