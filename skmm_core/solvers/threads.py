"""How many threads linear algebra may use: thin products gain nothing from more, and lose much on busy cores."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def at_most_threads(count: int | None) -> AbstractContextManager[object]:
    """A context in which BLAS and OpenMP use at most so many threads; None leaves them as they are."""
    limited: AbstractContextManager[object] = _pools().limit(limits=count)
    return limited


@cache
def _pools() -> ThreadpoolController:
    """Looking for the pools takes as long as a small fit."""
    return ThreadpoolController()
