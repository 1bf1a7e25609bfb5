"""Batches that are worked on beside each other, each core with one of its own, and given back in order."""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

_Rows = TypeVar("_Rows")
_Result = TypeVar("_Result")


def ahead(
    batches: Iterator[_Rows], start: Callable[[_Rows], Callable[[], _Result]], *, depth: int
) -> Iterator[_Result]:
    """Results in order of work that is started `depth` batches before it is needed."""
    waiting = deque(start(rows) for rows in itertools.islice(batches, depth))
    while waiting:
        result = waiting.popleft()()
        waiting += [start(rows) for rows in itertools.islice(batches, 1)]
        yield result


@contextlib.contextmanager
def threads_each(*, alone: bool) -> Iterator[None]:
    """Let each thread that is made in the block compute alone, without the help of other cores, if that is wanted."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if alone else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
