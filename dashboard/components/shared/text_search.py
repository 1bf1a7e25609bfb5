"""Search in the texts of a pool: the field, the points found, and the start of each text for map and table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import streamlit as st

from dashboard.components.shared.points import TEXT
from dashboard.components.shared.theme import fmt_int, plural
from dashboard.services import cache
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord

if TYPE_CHECKING:
    from skmm_core.data import Dataset, RowTexts

QUERY = "words"  # key of the field and its name in the URL
_START = 240  # characters
_MOST_TYPED = 200
_FIELD_PIXELS = 330


@dataclass(frozen=True)
class Search:
    """What a visitor looks for in the texts of a pool.

    Attributes:
        query: words, in any order; empty while nothing is looked for.
        positions: (F,) places in the pool of the points found, ascending; None while nothing is looked for.
        starts: (N,) the start of each text, or None for a pool without texts.
    """

    query: str = ""
    positions: np.ndarray | None = None
    starts: pd.Series | None = None

    def beside(self, points: pd.DataFrame) -> pd.DataFrame:
        """Points of :func:`~dashboard.components.shared.points.merge_points` with the start of each text, if any."""
        return points if self.starts is None else points.assign(**{TEXT: self.starts})

    def among(self, points: pd.DataFrame) -> pd.DataFrame:
        """The points found; all while nothing is looked for."""
        return points if self.positions is None else points[points["position"].isin(self.positions)]


def has_texts(record: RunRecord) -> bool:
    """Whether the points of a finished run have texts, as far as it says how its file was read."""
    return any(line["part"] == "Texts" for line in cache.run_result(record.id).get("reading", ()))


def search_texts(record: RunRecord) -> Search:
    """Draw the field where the points of a finished selection have texts, with how many are found.

    Raises:
        InputError: the run has no result.
    """
    dataset = _dataset(record) if has_texts(record) else None
    texts = pool_texts(dataset) if dataset else None
    if dataset is None or texts is None:
        return Search()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="search"):
        query = search_field()
        positions = np.flatnonzero(texts.matches(query)) if query else None
        if positions is not None:
            st.markdown(f"**{plural(len(positions), 'text')}** of {fmt_int(len(texts))} found", width="content")
    return Search(query, positions, _starts(dataset.fingerprint, texts))


def search_field() -> str:
    """Draw the field; returns what stands in it, without blanks around it."""
    typed = st.text_input(
        "Search in texts",
        key=QUERY,
        bind="query-params",
        max_chars=_MOST_TYPED,
        placeholder="words, in any order",
        icon=":material/search:",
        width=_FIELD_PIXELS,
        help="Finds the texts that hold all of these words, in whatever case. They are ringed on the map and listed "
        "below it, chosen ones first.",
    )
    return (typed or "").strip()


def pool_texts(dataset: "Dataset") -> "RowTexts | None":
    """The texts of a dataset by position in its pool; None when it has none."""
    texts = dataset.texts
    if texts is None or len(texts) == dataset.pool_size:
        return texts
    return _taken(dataset.fingerprint, texts, dataset.split.train.numpy())


@st.cache_resource(max_entries=6, show_spinner=False)
def _taken(fingerprint: str, _texts: "RowTexts", _rows: np.ndarray) -> "RowTexts":
    return _texts.take(_rows)


@st.cache_resource(max_entries=6, show_spinner=False)
def _starts(fingerprint: str, _texts: "RowTexts") -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pc.utf8_slice_codeunits(_texts.values, 0, _START)))


def _dataset(record: RunRecord) -> "Dataset | None":
    """The dataset of a run; None when its files are gone or have changed."""
    try:
        dataset = cache.dataset(record.config.dataset)
    except InputError:
        return None
    return dataset if dataset.fingerprint == record.fingerprint else None
