"""The one protocol by which rows are touched that memory cannot hold: a sum over all of them, or one result a row."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from skmm_core.blocks.checkpoint import Checkpoint
from skmm_core.progress import Progress, Report, ignore


class Blocks(ABC):
    """N rows of d numbers, read in row order, a block at a time."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """N and d."""

    @abstractmethod
    def read(self, first: int = 0) -> Iterator[tuple[int, Tensor]]:
        """Blocks of (rows, d) float32 with the row that each starts at; from `first` on, at which a block began."""

    def sum(
        self,
        f: Callable[[Tensor], tuple[Tensor, ...]],
        *,
        phase: str,
        checkpoint: Checkpoint | None = None,
        report: Report = ignore,
    ) -> tuple[Tensor, ...]:
        """Add up f(block) over all blocks.

        Args:
            f: gives the sums over the rows of one (b, d) block, in the type to add up in.
            phase: what is done, for people.
            checkpoint: where the sums so far are kept, so that a call that was killed goes on from there; or None.
            report: told of the rows done; may raise Cancelled.
        """
        count = self.shape[0]
        first, totals = checkpoint.load() if checkpoint else (0, ())
        for start, block in self.read(first) if first < count else ():
            parts = f(block)
            totals = tuple(a + b for a, b in zip(totals, parts, strict=True)) if totals else parts
            done = start + len(block)
            if checkpoint:
                checkpoint.keep(done, totals, last=done == count)
            report(Progress(phase, done, count))
        return totals

    def map(self, f: Callable[[Tensor], Tensor], *, phase: str, report: Report = ignore) -> Tensor:
        """(N, …) results of f for every row, joined.

        Args:
            f: gives (b, …) results for the (b, d) rows of a block.
            phase: what is done, for people.
            report: told of the rows done; may raise Cancelled.
        """
        count = self.shape[0]
        joined: Tensor | None = None
        for start, block in self.read():
            found = f(block)
            if joined is None:
                joined = torch.empty((count, *found.shape[1:]), dtype=found.dtype, device=found.device)
            joined[start : start + len(found)] = found
            report(Progress(phase, start + len(found), count))
        if joined is None:
            raise ValueError("there are no rows")
        return joined
