"""Which point is labelled next: the picked points in their order, and a place among them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from skmm_core.projects import Batch, ProjectState


@dataclass(frozen=True)
class Queue:
    """The points that were picked, batch after batch, in the order picked; made anew from the project at every look.

    Attributes:
        batches: in order.
        pending: points without an answer.
    """

    batches: tuple[Batch, ...]
    pending: frozenset[str]

    @classmethod
    def of(cls, state: ProjectState) -> "Queue":
        """The queue of a project as it is now."""
        return cls(state.batches, frozenset(state.pending))

    @cached_property
    def items(self) -> tuple[str, ...]:
        """All points that were picked."""
        return tuple(item for batch in self.batches for item in batch.items)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    def __contains__(self, item: object) -> bool:
        return item in self._place

    def first(self) -> str | None:
        """The first point without an answer; None when there is none."""
        return next((item for item in self.items if item in self.pending), None)

    def after(self, item: str) -> str | None:
        """The next point without an answer behind this one, else the first of all; None when there is none."""
        behind = self.items[self._place[item] + 1 :]
        return next((each for each in behind if each in self.pending), None) or self.first()

    def step(self, item: str, by: int) -> str:
        """The point so many places further, answered or not; the last one at an end."""
        return self.items[min(max(self._place[item] + by, 0), len(self.items) - 1)]

    def ahead(self, item: str, count: int) -> tuple[str, ...]:
        """The next points without an answer behind this one, at most so many, without going round."""
        behind = self.items[self._place[item] + 1 :]
        found = (each for each in behind if each in self.pending)
        return tuple(each for each, _ in zip(found, range(count), strict=False))

    def batch_of(self, item: str) -> Batch:
        """The batch of a point."""
        return next(batch for batch in self.batches if item in batch.items)

    def current_batch(self) -> Batch:
        """The first batch with a point without an answer, else the last one."""
        return next((batch for batch in self.batches if self.left(batch.items)), self.batches[-1])

    def left(self, items: Collection[str]) -> int:
        """How many of these points have no answer."""
        return sum(item in self.pending for item in items)

    def sheet(self, item: str, size: int) -> Sequence[str]:
        """The page of a grid on which a point stands; no page holds points of two batches."""
        items = self.batch_of(item).items
        begin = items.index(item) // size * size
        return items[begin : begin + size]

    def after_sheet(self, item: str, size: int) -> str | None:
        """The next point without an answer, on the page of this one as long as it has any."""
        sheet = self.sheet(item, size)
        rest = [*sheet[sheet.index(item) + 1 :], *sheet]
        return next((each for each in rest if each in self.pending), None) or self.after(item)
