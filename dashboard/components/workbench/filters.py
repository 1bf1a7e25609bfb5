"""What a visitor filters a pool by and in which order points are shown: values, kept with the project, and masks."""

from collections.abc import Callable, Mapping
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from dashboard.components.shared.theme import fmt_number
from dashboard.components.workbench.standing import STATES, Standing
from dashboard.services.pool_columns import Column, Numbers, PoolColumns, Words

DUPLICATES, OUTLIERS = "Near-duplicates", "Outliers"
PICK_ORDER, BY_ID, REMOTE, ALIKE = "Pick order", "Id", "Farthest from others", "Most alike"
ORDERS = (PICK_ORDER, BY_ID, REMOTE, ALIKE)
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class ColumnFilter(BaseModel):
    """Points whose value in a column lies in a range, or is one of some words.

    Attributes:
        column: its name.
        low: smallest value, None for no limit; of a column of numbers.
        high: largest value.
        words: of a column of words; none pass all.
    """

    model_config = _FROZEN

    column: str
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()

    def mask(self, column: Column) -> np.ndarray:
        """(N,) bool, the points that pass; points without a value pass no limit."""
        if isinstance(column, Words):
            if not self.words:
                return np.ones(len(column.codes), bool)
            places = [place for place, name in enumerate(column.names) if name in self.words]
            return np.isin(column.codes, places)
        passed = np.ones(len(column.values), bool)
        if self.low is not None:
            passed &= column.values >= self.low
        if self.high is not None:
            passed &= column.values <= self.high
        return passed

    def text(self) -> str:
        """In words: "price 10 to 20", "colour: red, blue"."""
        if self.words:
            return f"{self.column}: {', '.join(self.words)}"
        low, high = (None if value is None else fmt_number(value) for value in (self.low, self.high))
        if low is None or high is None:
            return f"{self.column} at least {low}" if high is None else f"{self.column} at most {high}"
        return f"{self.column} {low} to {high}"


class Filters(BaseModel):
    """All filters at once; a point must pass each. Of several classes, tags, batches or states one is enough.

    Attributes:
        text: words that stand in the id, the text or a column of words.
        columns: ranges and words of columns.
        classes: labels in words.
        tags: names.
        batches: numbers.
        states: keys of :data:`~dashboard.components.workbench.standing.STATES`.
        duplicates: only points with a near-duplicate.
        outliers: only points far from all others.
        like: id of the point that points are to be like, for the order :data:`ALIKE`.
        order: one of :data:`ORDERS`, or the name of a column.
        descending: the other way round.
    """

    model_config = _FROZEN

    text: str = ""
    columns: tuple[ColumnFilter, ...] = ()
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    batches: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    duplicates: bool = False
    outliers: bool = False
    like: str | None = None
    order: str = PICK_ORDER
    descending: bool = False

    @property
    def active(self) -> bool:
        """Whether any point might not pass."""
        return any(
            (
                self.text,
                self.columns,
                self.classes,
                self.tags,
                self.batches,
                self.states,
                self.duplicates,
                self.outliers,
            )
        )

    @property
    def needs_nearness(self) -> bool:
        """Whether the nearest points of each must be known."""
        return self.duplicates or self.outliers or self.order == REMOTE

    def with_column(self, filter_: ColumnFilter) -> Self:
        """One filter of a column more, in the place of an earlier one of it."""
        return self.model_copy(update={"columns": (*self.without_column(filter_.column).columns, filter_)})

    def without_column(self, name: str) -> Self:
        """No filter of a column."""
        return self.model_copy(update={"columns": tuple(of for of in self.columns if of.column != name)})

    def cleared(self) -> "Filters":
        """No filter; the order stays."""
        return Filters(order=self.order, descending=self.descending, like=self.like)

    def texts(self) -> list[str]:
        """Each filter in words."""
        found = [f"“{self.text}”"] if self.text else []
        found += [of.text() for of in self.columns]
        found += [f"class {', '.join(self.classes)}"] if self.classes else []
        found += [f"tag {', '.join(self.tags)}"] if self.tags else []
        found += [f"batch {', '.join(map(str, self.batches))}"] if self.batches else []
        found += [", ".join(STATES[state].lower() for state in self.states)] if self.states else []
        return found + [DUPLICATES.lower()] * self.duplicates + [OUTLIERS.lower()] * self.outliers


def passing(
    filters: Filters, columns: PoolColumns, where: Standing, odd: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """(N,) bool, the points that pass every filter.

    Args:
        filters: what is asked.
        columns: of the pool.
        where: how its points stand.
        odd: masks of :data:`DUPLICATES` and :data:`OUTLIERS`; needed when these are asked for.
    """
    found = columns.search(filters.text) if filters.text else np.ones(len(columns.ids), bool)
    for of in filters.columns:
        if (column := columns.all.get(of.column)) is not None:
            found &= of.mask(column)
    if filters.classes:
        found &= np.isin(where.labels.astype(str), filters.classes) & (where.labels != None)  # noqa: E711
    if filters.tags:
        found &= _any([where.tags[tag] for tag in filters.tags if tag in where.tags], len(found))
    if filters.batches:
        found &= np.isin(where.batch, filters.batches)
    if filters.states:
        found &= _any([where.states[state] for state in filters.states], len(found))
    for asked, name in ((filters.duplicates, DUPLICATES), (filters.outliers, OUTLIERS)):
        if asked and odd is not None:
            found &= odd[name]
    return found


def ordered(
    positions: np.ndarray,
    filters: Filters,
    columns: PoolColumns,
    rank: np.ndarray,
    *,
    remoteness: Callable[[], np.ndarray],
    likeness: Callable[[], np.ndarray | None],
) -> np.ndarray:
    """Positions in the order that is asked for; what has no value comes last, equal ones by position.

    Args:
        positions: points to sort, ascending.
        filters: says the order.
        columns: of the pool.
        rank: (N,) pick order, -1 for points that were not picked.
        remoteness: gives (N,) mean distances to the nearest points.
        likeness: gives (N,) distances to the point that others are to be like; None where there is none.
    """
    keys: np.ndarray
    column = columns.all.get(filters.order)
    if filters.order == PICK_ORDER or (filters.order not in ORDERS and column is None):
        keys = np.where(rank[positions] >= 0, rank[positions], np.inf)
    elif filters.order == BY_ID:
        keys = np.argsort(np.argsort(columns.ids[positions].astype(str), kind="stable"), kind="stable").astype(float)
    elif filters.order == REMOTE:
        keys = -remoteness()[positions]
    elif filters.order == ALIKE:
        found = likeness()
        keys = np.zeros(len(positions)) if found is None else found[positions]
    elif isinstance(column, Numbers):
        keys = column.values[positions]
    else:
        keys = _alphabet(column)[positions]
    missing = ~np.isfinite(keys)
    values = np.where(missing, 0.0, -keys if filters.descending else keys)
    return positions[np.lexsort((positions, values, missing))]


def _alphabet(column: Words | None) -> np.ndarray:
    """(N,) place of each word among the sorted ones; NaN where empty."""
    if column is None:
        return np.empty(0)
    places = np.argsort(np.argsort(np.array(column.names, dtype=str), kind="stable"), kind="stable").astype(float)
    return np.asarray(np.append(places, np.nan)[column.codes])


def _any(masks: list[np.ndarray], size: int) -> np.ndarray:
    return np.logical_or.reduce(masks) if masks else np.zeros(size, bool)
