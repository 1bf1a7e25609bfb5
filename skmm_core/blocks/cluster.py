"""Pieces worked on by the machines of a Ray cluster. Ray is optional, and imported when it is asked for.

Ray schedules the pieces, and gives those of a machine that was lost to another one; nothing of that is done here. Every
machine reads the pool's files by the same paths, so these lie where all can reach them.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from skmm_core.errors import InputError

INSTALL = "pip install -r requirements-ray.txt"
_AHEAD = 2  # pieces for each core, so that none waits; each result is small
_RETRIES = 5  # of a piece whose worker or machine was lost
_START_WAIT = "RAY_raylet_start_wait_time_s"  # of Ray 2.60: a slow machine takes longer than its 20 s to start
_ROOT = str(Path(__file__).resolve().parents[2])

T = TypeVar("T")


class ClusterWorkers:
    """The cores of a cluster."""

    def __init__(self, address: str) -> None:
        """Join a cluster.

        Args:
            address: of its head, such as 10.0.0.5:6379; or "auto" for the one that this machine belongs to.

        Raises:
            InputError: Ray is not installed, or no cluster answers.
        """
        self._ray = _ray()
        if self._ray.is_initialized():
            return
        os.environ.setdefault(_START_WAIT, "120")
        try:
            self._ray.init(
                address=address,
                runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join([_ROOT, *_paths()])}},
                log_to_driver=False,
                logging_level="error",
            )
        except (ConnectionError, ValueError, RuntimeError, self._ray.exceptions.RayError) as error:
            raise InputError(
                f"no Ray cluster answers at {address} ({str(error).splitlines()[0][:120]}); start one with ray start "
                "--head, or leave --cluster out"
            ) from None

    @property
    def described(self) -> str:
        """How many machines and cores there are, for people."""
        nodes = sum(node["Alive"] for node in self._ray.nodes())
        return f"{nodes} machine{'s' * (nodes != 1)}, {self._cores} core{'s' * (self._cores != 1)}"

    def each(self, work: Callable[[range], T], pieces: Sequence[range]) -> Iterator[T]:
        """See :class:`~skmm_core.blocks.workers.Workers`; a few pieces for each core are worked on ahead.

        Raises:
            InputError: a piece cannot be read; or its workers were lost again and again.
        """
        held, waiting = self._ray.put(work), deque[Any]()
        try:
            for piece in pieces:
                waiting.append(self._task.remote(held, piece))
                if len(waiting) >= _AHEAD * self._cores:
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:  # also of a caller that stops half-way
            for task in waiting:
                self._ray.cancel(task)

    @cached_property
    def _cores(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    @cached_property
    def _task(self) -> Any:
        return self._ray.remote(num_cpus=1, max_retries=_RETRIES)(_work)

    def _result(self, task: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            raise error.cause if isinstance(error.cause, InputError) else error from None
        except errors.RayError as error:
            raise InputError(
                f"the cluster lost the workers of a piece {_RETRIES + 1} times ({type(error).__name__}); look at the "
                "memory of its machines, or leave --cluster out"
            ) from None


def _work(work: Callable[[range], T], piece: range) -> T:
    import torch

    torch.set_num_threads(1)  # each core has a piece of its own
    return work(piece)


def _paths() -> list[str]:
    given = os.environ.get("PYTHONPATH")
    return [given] if given else []


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise InputError(f"--cluster needs Ray: {INSTALL}") from None
    return ray
