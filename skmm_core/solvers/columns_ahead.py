"""Columns of a kernel for greedy choice, had in blocks: those of the next picks are guessed and computed together.

A product of all rows with one row reads every row from memory for two operations a number; with 64 rows at a time a
column takes an eighth of the time. Which columns are needed is settled only as picks are made, so the greedy choice is
played ahead among the few hundred best rows alone. A wrong guess costs time and never changes a pick.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

_AHEAD = 64  # columns in one product
_CANDIDATES = 512  # rows among which the choice is played ahead
_FEW_ROWS = 2048  # with so few, a column costs less than a guess
_KEPT_BYTES = 256 * 2**20


class Columns(Protocol):
    """A symmetric kernel over N rows, read by columns."""

    def __call__(self, indices: Tensor, among: Tensor | None = None) -> Tensor:
        """(N, len) of all rows, or (len(among), len) of the rows `among`, with the rows `indices`."""
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


class ColumnsAhead:
    """Columns of a kernel, kept until 256 MB are full, for when they are asked for again.

    Those computed on a guess and never asked for make room first, then those asked for longest ago. What is handed out
    lies in that memory: it may not be changed, and stays as it is for the next `ahead` columns asked for.

    Attributes:
        ahead: most columns computed together, 64, or fewer where so many rows of the pool would not leave room for four
            such blocks.
    """

    def __init__(self, columns: Columns, size: int, dtype: torch.dtype, device: torch.device) -> None:
        """Take a kernel over `size` rows, whose columns have that type and lie on that device."""
        self._columns = columns
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
        cost = outlook.cost.clone()
        cost[row] = -torch.inf  # picked first
        candidates = cost.topk(min(_CANDIDATES, len(cost)), largest=False).indices
        costs, numbers = cost[candidates], candidates.tolist()
        between = self._columns(candidates, among=candidates).to(costs) * outlook.weight
        if outlook.drift is not None:
            between -= outlook.drift[candidates]
        wanted: list[int] = []
        for _ in range(2 * self.ahead):  # some are known already
            best = int(costs.argmin())
            if float(costs[best]) == torch.inf or len(wanted) == self.ahead:
                break
            if not self._has(numbers[best]):
                wanted.append(numbers[best])
            costs += between[best]
            costs[best] = torch.inf
        return wanted[1:]
