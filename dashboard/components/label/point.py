"""What a person sees of a point while they label it: its picture, its text, or its columns."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.shared.text_cards import MOST_SENT, harmless
from dashboard.components.shared.theme import fmt_number

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_MOST_COLUMNS, _MOST_FEATURES = 8, 24
_MOST_SHOWN = 200  # characters of a cell


def row_of(dataset: "Dataset", item: str) -> int | None:
    """Row of a point; None where the pool has none of this id."""
    return _rows(dataset, dataset.fingerprint).get(item)


@st.cache_resource(max_entries=4, show_spinner=False)
def _rows(_dataset: "Dataset", fingerprint: str) -> dict[str, int]:
    return {_dataset.ids[row]: row for row in _dataset.split.train.tolist()}


def seen_of(dataset: "Dataset", item: str) -> dict[str, Any]:
    """Text and columns of a point: {"text": str or None, "columns": [[name, value], …]}."""
    row = row_of(dataset, item)
    if row is None:
        return {"text": f"{item} is not in this pool any more.", "columns": []}
    text = None
    if dataset.texts is not None:
        whole = harmless(dataset.texts.text(row)).strip()
        cut = len(whole) - MOST_SENT
        text = f"{whole[:MOST_SENT]}\n… and {cut:,} more characters." if cut > 0 else whole or "no text"
    columns = [[name, value] for name, value in _columns(dataset, row) if text is None or value != text[:_MOST_SHOWN]]
    if text is None and dataset.images is None:
        columns += _features(dataset, row)
    return {"text": text, "columns": columns}


def _columns(dataset: "Dataset", row: int) -> list[list[str]]:
    if dataset.shown is None:
        return []
    names = dataset.shown.column_names[:_MOST_COLUMNS]
    values = ((name, dataset.shown.column(name)[row].as_py()) for name in names)
    return [[name, harmless(str(value)).strip()[:_MOST_SHOWN]] for name, value in values if value is not None]


def _features(dataset: "Dataset", row: int) -> list[list[str]]:
    values = dataset.features[row][:_MOST_FEATURES].tolist()
    names = dataset.feature_names or tuple(f"feature {number + 1}" for number in range(len(values)))
    return [[name, fmt_number(value)] for name, value in zip(names, values, strict=False)]
