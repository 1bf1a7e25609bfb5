"""The one protocol by which rows are touched that memory cannot hold: a sum over all of them, or one result a row.

Rows come in pieces that can be read one without the other, and who works on the pieces is somebody else's choice: this
process, one after the other, or the machines of a cluster. Sums are added up piece by piece in the order of the rows
either way, so the last digit does not depend on who worked.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial, reduce

import torch
from torch import Tensor

from skmm_core.blocks.checkpoint import Checkpoint
from skmm_core.blocks.workers import HERE, Workers
from skmm_core.progress import Progress, Report, ignore

Sums = tuple[Tensor, ...]


class Blocks(ABC):
    """N rows of d numbers in pieces, each read a block at a time."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """N and d."""

    @abstractmethod
    def pieces(self) -> Sequence[range]:
        """Rows of each piece; together all rows in their order."""

    @abstractmethod
    def read(self, piece: range) -> Iterator[Tensor]:
        """The rows of a piece in blocks of (b, d) float32."""

    def sum(
        self,
        f: Callable[[Tensor], Sums],
        *,
        phase: str,
        checkpoint: Checkpoint | None = None,
        workers: Workers = HERE,
        report: Report = ignore,
    ) -> Sums:
        """Add up f(block) over all blocks.

        Args:
            f: gives the sums over the rows of one (b, d) block, in the type to add up in.
            phase: what is done, for people.
            checkpoint: where the sums so far are kept, so that a call that was killed goes on from there; or None.
            workers: who reads the pieces.
            report: told of the rows done; may raise Cancelled.
        """
        count = self.shape[0]
        done, totals = checkpoint.load() if checkpoint else (0, ())
        left = [piece for piece in self.pieces() if piece.start >= done]
        for piece, part in zip(left, workers.each(partial(_summed, self, f), left), strict=True):
            totals = _added(totals, part) if totals else part
            if checkpoint:
                checkpoint.keep(piece.stop, totals, last=piece.stop == count)
            report(Progress(phase, piece.stop, count))
        return totals

    def map(
        self, f: Callable[[Tensor], Tensor], *, phase: str, workers: Workers = HERE, report: Report = ignore
    ) -> Tensor:
        """(N, …) results of f for every row, joined.

        Args:
            f: gives (b, …) results for the (b, d) rows of a block.
            phase: what is done, for people.
            workers: who reads the pieces.
            report: told of the rows done; may raise Cancelled.
        """
        count, pieces = self.shape[0], self.pieces()
        joined: Tensor | None = None
        for piece, found in zip(pieces, workers.each(partial(_mapped, self, f), pieces), strict=True):
            if joined is None:
                joined = found.new_empty((count, *found.shape[1:]))
            joined[piece.start : piece.stop] = found
            report(Progress(phase, piece.stop, count))
        if joined is None:
            raise ValueError("there are no rows")
        return joined


def _summed(blocks: Blocks, f: Callable[[Tensor], Sums], piece: range) -> Sums:
    return reduce(_added, (f(block) for block in blocks.read(piece)))


def _mapped(blocks: Blocks, f: Callable[[Tensor], Tensor], piece: range) -> Tensor:
    return torch.cat([f(block) for block in blocks.read(piece)])


def _added(first: Sums, second: Sums) -> Sums:
    return tuple(a + b for a, b in zip(first, second, strict=True))
