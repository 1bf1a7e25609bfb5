"""Columns of a kernel for greedy choice, had in blocks: those of the next picks are guessed and computed together.

A product of all rows with one row reads every row from memory for two operations a number; with 64 rows at a time a
column takes an eighth of the time. Which columns are needed is settled only as picks are made, so the greedy choice is
played ahead: among the few hundred best rows alone, or, where each pick changes much, among all rows by a rough kernel,
the few best of which are then told apart by the kernel itself. A wrong guess costs time and never changes a pick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

_AHEAD = 64  # columns in one product
_CANDIDATES = 512  # rows among which the choice is played ahead
_NEAR = 64  # rows that may be the best where a rough kernel says which are
_FEW_ROWS = 2048  # with so few, a column costs less than a guess
_KEPT_BYTES = 256 * 2**20


class Columns(Protocol):
    """A symmetric kernel over N rows, read by columns."""

    def __call__(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """(N, len) of all rows, or (len(among), len) of the rows `among`, with the rows `indices`."""
        ...


class Rough(Protocol):
    """A kernel much like another, for a small part of the time."""

    def columns(self, indices: Tensor) -> Tensor:
        """(N, len) of all rows with the rows `indices`."""
        ...


@dataclass(frozen=True)
class Outlook:
    """What greedy choice goes by: a chosen row adds `weight` times its column to all costs, and takes `drift` off.

    Attributes:
        cost: (N,) of each row as the next pick, the least being best; infinite where it may not be picked.
        weight: of the columns.
        drift: (N,), or None.
    """

    cost: Tensor
    weight: float = 1.0
    drift: Tensor | None = None

    def leading(self, count: int) -> Tensor:
        """At most `count` rows, int64, that cost least."""
        return self.cost.topk(min(count, len(self.cost)), largest=False).indices

    def among(self, rows: Tensor) -> "Outlook":
        """For these rows alone, in memory of its own."""
        return Outlook(self.cost[rows], self.weight, None if self.drift is None else self.drift[rows])

    def take(self, row: Tensor, column: Tensor) -> None:
        """Choose a row."""
        self.cost.add_(column, alpha=self.weight)
        if self.drift is not None:
            self.cost.sub_(self.drift)
        self.cost[row] = torch.inf


class ColumnsAhead:
    """Columns of a kernel, kept until 256 MB are full, for when they are asked for again.

    Those computed on a guess and never asked for make room first, then those asked for longest ago. What is handed out
    lies in that memory: it may not be changed, and stays as it is for the next `ahead` columns asked for.

    Attributes:
        ahead: most columns computed together, 64, or fewer where so many rows of the pool would not leave room for four
            such blocks.
    """

    def __init__(
        self,
        columns: Columns,
        size: int,
        dtype: torch.dtype,
        device: torch.device,
        rough: Rough | None = None,
    ) -> None:
        """Take a kernel over `size` rows, whose columns have that type and lie on that device.

        `rough` is much like it, for a small part of the time.
        """
        self._columns, self._rough = columns, rough
        places = _KEPT_BYTES // (size * dtype.itemsize)
        self.ahead = max(1, min(_AHEAD, places // 4))
        self._guesses = size > _FEW_ROWS
        self._kept = torch.empty(min(size, max(places, 4 * self.ahead)), size, dtype=dtype, device=device)
        self._unused = list(range(len(self._kept)))
        self._guessed: dict[int, int] = {}  # row to place, in the order computed
        self._asked: dict[int, int] = {}  # likewise, in the order last asked for

    def column(self, row: Tensor, outlook: Callable[[], Outlook]) -> Tensor:
        """(N,) column of a row; where it is missing, those of the likeliest picks after it are computed with it.

        Args:
            row: () int64, just picked.
            outlook: by which it was picked; called only where the column is missing.
        """
        if not self._has(int(row)):
            rows = [int(row)]
            if self._guesses:
                rows += self._guess(rows[0], outlook())
            self._compute(rows)
        return self._ask(int(row))

    def block(self, rows: Tensor) -> list[Tensor]:
        """(N,) columns of at most `ahead` rows."""
        numbers = rows.tolist()
        for row in numbers:
            if self._has(row):
                self._ask(row)
        if missing := [row for row in numbers if not self._has(row)]:
            self._compute(missing)
        return [self._ask(row) for row in numbers]

    def _has(self, row: int) -> bool:
        return row in self._asked or row in self._guessed

    def _ask(self, row: int) -> Tensor:
        place = self._guessed.pop(row) if row in self._guessed else self._asked.pop(row)
        self._asked[row] = place  # now the last
        return self._kept[place]

    def _compute(self, rows: list[int]) -> None:
        while len(self._unused) < len(rows):
            oldest = self._guessed or self._asked
            self._unused.append(oldest.pop(next(iter(oldest))))
        places = [self._unused.pop() for _ in rows]
        device = self._kept.device
        self._kept[torch.tensor(places, device=device)] = self._columns(torch.tensor(rows, device=device)).T
        self._guessed.update(zip(rows, places, strict=True))

    def _guess(self, row: int, outlook: Outlook) -> list[int]:
        """The likeliest picks after `row` whose columns are missing."""
        outlook = replace(outlook, cost=outlook.cost.clone())
        outlook.cost[row] = -torch.inf  # picked first
        play = _play_among_few(self._columns, outlook) if self._rough is None else self._play_all(self._rough, outlook)
        wanted = []
        for _, number in zip(range(2 * self.ahead), play, strict=False):  # some are known already
            if not self._has(number):
                wanted.append(number)
            if len(wanted) == self.ahead:
                break
        return wanted[1:]

    def _play_all(self, rough: Rough, outlook: Outlook) -> Iterator[int]:
        """Picks by a rough kernel, which says what the best rows are, and by the kernel among these."""
        played, picks = outlook.among(torch.arange(len(outlook.cost), device=outlook.cost.device)), outlook.leading(1)
        while True:
            yield int(picks[-1])
            played.take(picks[-1], rough.columns(picks[-1:]).squeeze(1))
            near = played.leading(_NEAR)
            cost = outlook.among(near)
            if cost.drift is not None:
                cost.cost.sub_(cost.drift, alpha=len(picks))
            cost.cost.add_(self._columns(picks, among=near).sum(dim=1), alpha=outlook.weight)
            picks = torch.cat([picks, near[cost.cost.argmin()][None]])


def _play_among_few(columns: Columns, outlook: Outlook) -> Iterator[int]:
    """Picks among the rows that are best now."""
    candidates = outlook.leading(_CANDIDATES)
    played = outlook.among(candidates)
    between = columns(candidates, among=candidates).T  # symmetric, and rows lie together
    for _ in candidates:
        best = played.cost.argmin()
        yield int(candidates[best])
        played.take(best, between[best])
