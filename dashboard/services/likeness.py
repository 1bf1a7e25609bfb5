"""What is alike in a pool, computed once a dataset and kept in memory."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    from skmm_core.data import Dataset
    from skmm_core.diagnostics import Nearness


def likeness_of(dataset: "Dataset") -> np.ndarray:
    """(N, p) float32 rows of the pool between which distance says how alike points are."""
    return _rows(dataset.fingerprint, dataset)


def nearness_of(dataset: "Dataset") -> "Nearness":
    """The nearest points of each point of the pool; says so while it is worked out."""
    return _nearness(dataset.fingerprint, dataset)


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(fingerprint: str, _dataset: "Dataset") -> np.ndarray:
    from skmm_core.diagnostics import likeness_rows

    return likeness_rows(_dataset)


@st.cache_resource(max_entries=4, show_spinner="Comparing points with each other…")
def _nearness(fingerprint: str, _dataset: "Dataset") -> "Nearness":
    from skmm_core.diagnostics import nearness

    return nearness(_rows(fingerprint, _dataset))


def distances_from(dataset: "Dataset", position: int) -> np.ndarray:
    """(N,) distances of the points of the pool to one of them."""
    return _distances(dataset.fingerprint, position, dataset)


@st.cache_resource(max_entries=32, show_spinner=False)
def _distances(fingerprint: str, position: int, _dataset: "Dataset") -> np.ndarray:
    from skmm_core.diagnostics import distances_to

    return distances_to(_rows(fingerprint, _dataset), position)
