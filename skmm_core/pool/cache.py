"""What methods computed of a pool and need again at another budget: the last few things, and how long they took."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

_MOST_THINGS = 8
# Of one thing, so that all of them together stay below half a GiB however large the pool is.
_MOST_BYTES = 64 * 2**20


class HasBytes(Protocol):
    """Something that knows its size, such as a tensor."""

    @property
    def nbytes(self) -> int: ...  # noqa: D102 - said above


Thing = TypeVar("Thing", bound=HasBytes)


class Kept:
    """The last few things that were made of one pool; threads that ask for the same one at once may both make it."""

    def __init__(self) -> None:
        self._things: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Thing]) -> tuple[Thing, float]:
        """The thing of this key, made now unless it is here; one above 64 MiB is made anew each time.

        Args:
            key: everything that the thing depends on beside the pool.
            make: makes it.

        Returns:
            The thing, not to be changed, and the seconds saved: what making it took earlier, 0 when it was made now.
        """
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                thing, seconds = self._things[key]
                return thing, seconds
        began = time.perf_counter()
        made = make()
        seconds = time.perf_counter() - began
        if made.nbytes <= _MOST_BYTES:
            with self._lock:
                self._things[key] = made, seconds
                while len(self._things) > _MOST_THINGS:
                    self._things.popitem(last=False)
        return made, 0.0
