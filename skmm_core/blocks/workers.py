"""Who works on the pieces of a pool."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Workers(Protocol):
    """Those who work on pieces, one or many."""

    def each(self, work: Callable[[range], T], pieces: Sequence[range]) -> Iterator[T]:
        """What the work gives for every piece, in their order; with many workers also of pieces still ahead."""
        ...


class _Here:
    """The process itself, a piece at a time."""

    def each(self, work: Callable[[range], T], pieces: Sequence[range]) -> Iterator[T]:
        """See :class:`Workers`."""
        return map(work, pieces)


HERE: Workers = _Here()
