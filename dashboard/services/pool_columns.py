"""What the file of a dataset says of each point of its pool: ids, columns, texts; and search in them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from skmm_core.data import RowTexts

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_MOST_WORDS = 200  # distinct ones: a column of more is searched, not chosen from


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes:
        values: (N,) float64, NaN where empty.
    """

    values: np.ndarray

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest finite number; (0, 0) where there is none."""
        finite = self.values[np.isfinite(self.values)]
        return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


@dataclass(frozen=True)
class Words:
    """A column of words.

    Attributes:
        values: (N,) `large_string`, null where empty.
        names: the distinct ones, most frequent first.
        codes: (N,) int32 place of each in `names`; -1 where empty.
    """

    values: pa.LargeStringArray
    names: tuple[str, ...]
    codes: np.ndarray

    @property
    def few(self) -> bool:
        """Whether there are so few distinct words that a person can choose among them."""
        return len(self.names) <= _MOST_WORDS

    @classmethod
    def of(cls, values: pa.Array) -> "Words":
        """Number the distinct words."""
        coded = values.dictionary_encode()
        raw = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
        counts = np.bincount(raw[raw >= 0], minlength=len(coded.dictionary))
        order = np.argsort(-counts, kind="stable")
        places = np.empty(len(order) + 1, np.int32)
        places[order], places[-1] = np.arange(len(order)), -1
        return cls(values, tuple(coded.dictionary.take(pa.array(order)).to_pylist()), places[raw])


Column = Numbers | Words


@dataclass(frozen=True)
class PoolColumns:
    """The columns of a pool by name, those beside the features first.

    Attributes:
        ids: (N,) names of the points.
        beside: columns of the file that are no features.
        features: named columns that are features, as they stand in the file.
        texts: of the points, or None.
    """

    ids: np.ndarray
    beside: dict[str, Column]
    features: dict[str, Numbers]
    texts: RowTexts | None

    @property
    def all(self) -> dict[str, Column]:
        """Every column."""
        return {**self.beside, **{name: column for name, column in self.features.items() if name not in self.beside}}

    def search(self, query: str) -> np.ndarray:
        """(N,) bool, points of which every word of the query stands in the id, the text or a column of words."""
        fields = [self._id_texts, *([self.texts] if self.texts is not None else [])]
        fields += [RowTexts(pc.fill_null(of.values, "")) for of in self.beside.values() if isinstance(of, Words)]
        found = np.ones(len(self.ids), bool)
        for word in query.split():
            found &= np.logical_or.reduce([field.matches(word) for field in fields])
        return found

    @property
    def _id_texts(self) -> RowTexts:
        return RowTexts(pa.array(self.ids, pa.large_string()))

    def row(self, position: int, most: int) -> list[tuple[str, str]]:
        """Name and value in words of every column of one point; of features only where there are at most so many."""
        shown = self.all if len(self.features) <= most else self.beside
        return [(name, _text(column, position)) for name, column in shown.items()]


def pool_columns(dataset: "Dataset") -> PoolColumns:
    """The columns of a dataset's pool, read once."""
    return _columns(dataset.fingerprint, dataset)


@st.cache_resource(max_entries=6, show_spinner=False)
def _columns(fingerprint: str, _dataset: "Dataset") -> PoolColumns:
    rows = _dataset.split.train.numpy()
    ids = np.array(_dataset.ids, dtype=object)[rows]
    texts = _dataset.texts.take(rows) if _dataset.texts is not None else None
    numbers = _dataset.shown_numbers()
    beside: dict[str, Column] = {}
    if _dataset.shown is not None:
        for name, column in zip(_dataset.shown.column_names, _dataset.shown.columns, strict=True):
            beside[name] = Numbers(numbers[name]) if name in numbers else Words.of(_words(column, rows))
            if texts is not None and isinstance(of := beside[name], Words) and of.values.equals(texts.values):
                del beside[name]  # the text of the points is shown as such
    values = _dataset.split.of_pool(_dataset.features).numpy() if _dataset.feature_names else np.zeros((0, 0))
    features = {name: Numbers(values[:, j].astype(np.float64)) for j, name in enumerate(_dataset.feature_names)}
    return PoolColumns(ids, beside, features, texts)


def _words(column: pa.ChunkedArray, rows: np.ndarray) -> pa.LargeStringArray:
    taken = column.take(pa.array(rows)).combine_chunks()
    taken = taken if isinstance(taken, pa.Array) else pa.concat_arrays(taken.chunks)
    try:
        return taken.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # lists, structs: as Python writes them
        return pa.array([None if value is None else str(value) for value in taken.to_pylist()], pa.large_string())


def _text(column: Column, position: int) -> str:
    if isinstance(column, Words):
        found = column.values[position].as_py()
        return "" if found is None else str(found)
    value = float(column.values[position])
    return "" if np.isnan(value) else f"{value:.10g}"
