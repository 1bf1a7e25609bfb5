"""The pool of a finished run as one table: where each point lies, what it is, and whether and when it was chosen."""

from collections.abc import Collection

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.components.shared.theme import plural
from dashboard.services import cache
from skmm_core.runs import RunRecord

NO_LABEL = "no label"
TEXT = "text"  # of the points: the column with the start of each text, where there are texts


def merge_points(places: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Join the map and the scores of a run.

    Args:
        places: (N) `position` and coordinates.
        scores: (N) `position`, `row`, `id`, `target`, `label`, `score`, `leverage`, `distance`, `order` (missing
            where not chosen), `weight`.

    Returns:
        (N) rows by position, and `rank`: 0 for the point chosen first, -1 where not chosen; `weight` is
        missing where not chosen.
    """
    points = scores.merge(places, on="position", validate="one_to_one").sort_values("position", ignore_index=True)
    chosen = points["order"].notna().to_numpy()
    rank = np.full(len(points), -1, dtype=np.int64)
    order = points.loc[chosen, "order"].to_numpy(dtype=np.float64)
    rank[chosen] = order.argsort(kind="stable").argsort(kind="stable")
    return points.assign(rank=rank, weight=points["weight"].where(chosen))


def is_chosen(points: pd.DataFrame, budget: int) -> np.ndarray:
    """(N,) bool: which points are among the first `budget` chosen."""
    rank = points["rank"].to_numpy()
    return np.asarray((rank >= 0) & (rank < budget))


def linked_points(
    points: pd.DataFrame, budget: int, selected: Collection[int], found: np.ndarray | None = None
) -> tuple[pd.DataFrame, str]:
    """What the gallery and the table show: points marked on the map or found by a search, else the chosen ones.

    Args:
        points: of :func:`merge_points`.
        budget: how many of the chosen points count, in pick order.
        selected: positions marked on the map; empty for none.
        found: positions that a search found; None while nothing is looked for.

    Returns:
        The rows, those that are both marked and found where there are both; chosen ones first in pick order, with a
        `chosen` column; and a heading that says what they are.
    """
    marked = points.assign(chosen=is_chosen(points, budget))
    if selected or found is not None:
        shown = marked[marked["position"].isin(list(selected))] if selected else marked
        shown = shown if found is None else shown[shown["position"].isin(found)]
    else:
        shown = marked[marked["chosen"]]
    key = shown["rank"].where(shown["chosen"], len(points) + shown["position"])
    shown = shown.iloc[key.to_numpy().argsort(kind="stable")].reset_index(drop=True)
    if not selected and found is None:
        return shown, plural(len(shown), "chosen point")
    how = "marked on the map" if found is None else "found and marked on the map" if selected else "found"
    return shown, f"{plural(len(shown), 'point')} {how}, {int(shown['chosen'].sum()):,} of them chosen"


def class_order(points: pd.DataFrame) -> list[str]:
    """Class names in the order that fixes their colours: numbers by value, then words."""
    names = (str(name) for name in points["label"].dropna().unique())
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def label_text(label: object) -> str:
    """A label in words, of a point of a partly labelled pool too."""
    return NO_LABEL if pd.isna(label) else str(label)  # type: ignore[call-overload]


def has_values(points: pd.DataFrame, column: str) -> bool:
    """Whether a column is there and holds anything."""
    return column in points and bool(points[column].notna().any())


def has_classes(points: pd.DataFrame) -> bool:
    """Whether the points have class names."""
    return has_values(points, "label")


def run_points(record: RunRecord) -> pd.DataFrame:
    """The pool of a finished selection; see :func:`~dashboard.components.shared.points.merge_points`.

    Raises:
        InputError: a file of the run is missing or damaged.
    """
    files = (str(record.folder / f"{name}.parquet") for name in ("map", "scores"))
    return _points(record.id, cache.file_stamp(*files))


@st.cache_resource(max_entries=16, show_spinner=False)
def _points(run_id: str, stamp: cache.Stamp) -> pd.DataFrame:
    return merge_points(cache.run_table(run_id, "map"), cache.run_table(run_id, "scores"))
