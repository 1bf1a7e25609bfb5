"""What every sketch is: a linear map fixed by (kind, seed, r, m), applied in blocks, never held whole where large.

The rows of Γ are drawn in pieces, each from a generator of its own, so any piece can be drawn again at any time and the
map does not depend on how rows or columns of the gradients come in.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from skmm_core.device import generator
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches.outer import OuterRows, Rows, columns

PIECE_NUMBERS = 2**24  # of Γ drawn and held at a time: 64 MB
BLOCK_ROWS = 16_384
BLOCK_NUMBERS = 2**24  # of gradients multiplied out, padded or turned at a time
PHASE = "Sketching gradients"


class Sketch(ABC):
    """One linear map G ↦ GΓ with E‖Γᵀg‖² = ‖g‖², drawn once.

    Attributes:
        kind: name in configs and results.
        seed: of the run.
        r: gradient dimension.
        dim: m.
    """

    kind: str

    def __init__(self, r: int, dim: int, *, seed: int) -> None:
        self.r, self.dim, self.seed = r, dim, seed

    @abstractmethod
    def __call__(self, gradients: Rows, *, report: Report = ignore) -> Tensor:
        """Map (N, r) rows to (N, m), block by block; the result does not depend on the blocks up to rounding."""

    @abstractmethod
    def add(self, sketched: Tensor, part: Tensor, start: int) -> None:
        """Add what columns `start`, `start + 1`, … of the gradients contribute, for gradients that come in parts.

        Args:
            sketched: (N, m) running sum, changed in place.
            part: (N, w) columns of the gradients.
            start: number of the first of them, 0..r - w.
        """

    @abstractmethod
    def rows(self, start: int, stop: int) -> Tensor:
        """(stop - start, m) rows of Γ, float32 on the CPU."""

    def _generator(self, piece: int = 0, part: str = "") -> torch.Generator:
        """Of one piece of Γ; the first one's name has no number."""
        return generator(self.seed, f"sketch:{self.kind}{part}" + (f":{piece}" if piece else ""))


class Identity(Sketch):
    """Keeps every dimension."""

    kind = "none"

    def __init__(self, r: int) -> None:
        super().__init__(r, r, seed=0)

    def __call__(self, gradients: Rows, *, report: Report = ignore) -> Tensor:
        """Return the rows themselves, multiplied out."""
        return gradients.dense() if isinstance(gradients, OuterRows) else gradients

    def add(self, sketched: Tensor, part: Tensor, start: int) -> None:
        """Put the columns in their place."""
        sketched[:, start : start + part.shape[1]] += part

    def rows(self, start: int, stop: int) -> Tensor:
        """Rows of the identity."""
        return torch.eye(self.r)[start:stop]


class PiecewiseSketch(Sketch):
    """A sketch whose Γ is drawn in pieces of consecutive rows; the piece drawn last is held."""

    _numbers_a_row: int  # of what is drawn for one row of Γ

    def __init__(self, r: int, dim: int, *, seed: int) -> None:
        super().__init__(r, dim, seed=seed)
        self._held: tuple[int, Tensor] | None = None

    def __call__(self, gradients: Rows, *, report: Report = ignore) -> Tensor:
        """Map (N, r) rows to (N, m), block by block; the result does not depend on the blocks up to rounding."""
        sketched = gradients.new_zeros(len(gradients), self.dim)
        pieces = list(self._spans(0, self.r, _widest(gradients)))
        for number, (start, stop) in enumerate(pieces):
            drawn = self._part(start, stop).to(gradients.device)
            for rows in row_blocks(len(gradients), stop - start):
                report(Progress(PHASE, number * len(gradients) + rows.start, len(pieces) * len(gradients)))
                self._accumulate(sketched[rows], columns(gradients, rows, start, stop), drawn, first=number == 0)
        return sketched

    def add(self, sketched: Tensor, part: Tensor, start: int) -> None:
        """Add what some columns contribute, block by block."""
        for low, high in self._spans(start, start + part.shape[1], BLOCK_NUMBERS):
            drawn = self._part(low, high).to(part.device)
            for rows in row_blocks(len(part), high - low):
                self._accumulate(sketched[rows], part[rows, low - start : high - start], drawn, first=False)

    @abstractmethod
    def _draw(self, piece: int, count: int) -> Tensor:
        """What `count` rows of Γ are made of, along the first dimension."""

    @abstractmethod
    def _accumulate(self, sketched: Tensor, part: Tensor, drawn: Tensor, *, first: bool) -> None:
        """Add one part of the columns to `sketched`; the first may overwrite its zeros."""

    @property
    def _piece_rows(self) -> int:
        return max(1, PIECE_NUMBERS // self._numbers_a_row)

    def _spans(self, start: int, stop: int, widest: int) -> Iterator[tuple[int, int]]:
        """Split columns start..stop so that no span crosses a piece of Γ or is wider than `widest`."""
        while start < stop:
            end = min(stop, (start // self._piece_rows + 1) * self._piece_rows, start + widest)
            yield start, end
            start = end

    def _part(self, start: int, stop: int) -> Tensor:
        """What rows start..stop of Γ, all of one piece, are made of."""
        piece = start // self._piece_rows
        origin = piece * self._piece_rows
        if self._held is None or self._held[0] != piece:
            self._held = piece, self._draw(piece, min(self._piece_rows, self.r - origin))
        return self._held[1][start - origin : stop - origin]


def row_blocks(count: int, width: int) -> Iterator[slice]:
    """Split `count` rows so that a block times `width` numbers stays near 64 MB."""
    step = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // max(1, width)))
    for start in range(0, count, step):
        yield slice(start, min(count, start + step))


def _widest(gradients: Rows) -> int:
    """Columns taken at a time: all that a piece has of dense rows; of outer products, what may be multiplied out."""
    if isinstance(gradients, OuterRows):
        return max(1, BLOCK_NUMBERS // max(1, min(len(gradients), BLOCK_ROWS)))
    return max(1, gradients.shape[1])
