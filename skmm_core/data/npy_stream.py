"""npy files of features, one or several, read block by block: no more of them is held than one block."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from skmm_core.data.arrays import array_features, array_targets, check_features, plain_rows
from skmm_core.data.column_offsets import HeldColumns, as_float32
from skmm_core.data.file_limits import check_file
from skmm_core.data.npy_file import READ_ERRORS, array_header, load_npy, unreadable
from skmm_core.data.row_stream import PIECE_BLOCKS, RowStream, block_rows, cut
from skmm_core.data.rows import RawRows, RawTargets, targets_at
from skmm_core.errors import InputError

_SAMPLE = 16_384
_EXACT = (np.dtype(np.float16), np.dtype(np.float32))


class _Part:
    """One npy file: where its numbers begin, and what they are."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                header = array_header(file, path.stat().st_size, path.name, held=False)
                self.offset = file.tell()
        except READ_ERRORS as error:
            raise unreadable(path.name, "npy", "np.save", error) from None
        check_features(header.dtype, header.shape, path.name)
        if header.by_columns and header.shape[1] > 1:
            raise InputError(
                f"{path.name} holds its columns one after another (Fortran order), and rows are read; save it with "
                "np.save of np.ascontiguousarray"
            )
        self.path, self.shape, self.dtype = path, header.shape, header.dtype

    def rows(self, first: int, count: int) -> np.ndarray:
        """(count, d) rows from `first` on."""
        width, start = self.shape[1], self.offset + first * self.shape[1] * self.dtype.itemsize
        found = np.fromfile(self.path, self.dtype, count * width, offset=start)
        if len(found) < count * width:
            raise InputError(f"{self.path.name} became shorter while it was read; copy or save it again")
        return found.reshape(count, width)


class NpyStream(RowStream):
    """The rows of npy files, one below the other, each (rows, d) numbers."""

    def __init__(self, paths: Sequence[Path], where: str, labels: Path | None) -> None:
        """Check the headers; no number is read but the labels, and some rows where they are no 16- or 32-bit floats.

        Raises:
            InputError: a file is damaged, has another number of columns than the first, or another type; or the labels
                do not fit.
        """
        self.where = where
        self.described = "NumPy array" if len(paths) == 1 else f"NumPy arrays in {len(paths):,} parts"
        self._parts = [_Part(path) for path in paths]
        first = self._parts[0]
        for part in self._parts:
            if part.shape[1:] != first.shape[1:] or part.dtype != first.dtype:
                raise InputError(
                    f"{part.path.name} holds {part.dtype} in {part.shape[1]:,} columns, {first.path.name} "
                    f"{first.dtype} in {first.shape[1]:,}; give every part the same"
                )
        self._count = sum(part.shape[0] for part in self._parts)
        self._targets = self._labels(labels)
        self._held = self._sampled()

    @property
    def shape(self) -> tuple[int, int]:
        """N and d."""
        return self._count, self._parts[0].shape[1]

    def pieces(self) -> list[range]:
        """See :class:`~skmm_core.blocks.Blocks`."""
        step = PIECE_BLOCKS * block_rows(self.shape[1])
        return [piece for part, first in self._placed() for piece in cut(first, part.shape[0], step)]

    def raw(self, piece: range) -> Iterator[RawRows]:
        """See :class:`RowStream`."""
        for start, block in self._blocks(piece):
            held = HeldColumns(self._cast(block), self._held.offsets, self._held.notes)
            mine = self._targets and targets_at(self._targets, slice(start, start + len(block)))
            yield plain_rows(self.where, held, mine)

    def _placed(self) -> Iterator[tuple[_Part, int]]:
        """Parts, and the row of all that each begins with."""
        first = 0
        for part in self._parts:
            yield part, first
            first += part.shape[0]

    def _blocks(self, piece: range) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks of a piece, which lies in one part, and the row of all that each begins with."""
        part, first = next(
            (part, first) for part, first in self._placed() if first <= piece.start < first + part.shape[0]
        )
        for block in cut(piece.start, len(piece), block_rows(self.shape[1])):
            yield block.start, part.rows(block.start - first, len(block))

    def _cast(self, block: np.ndarray) -> np.ndarray:
        """In float32, less the offsets of the columns that it could not hold."""
        return as_float32(block - self._held.offsets if self._held.offsets.any() else block)

    def _sampled(self) -> HeldColumns:
        """Offsets and notes, from rows evenly apart, where the type has more digits than float32."""
        if self._parts[0].dtype.newbyteorder("=") in _EXACT:
            return HeldColumns(np.empty((0, self.shape[1]), np.float32), np.zeros(self.shape[1]), ())
        step = max(1, self._count // _SAMPLE)
        found = [block[-start % step :: step] for piece in self.pieces() for start, block in self._blocks(piece)]
        return array_features(np.concatenate(found), self.where, None)

    def _labels(self, path: Path | None) -> RawTargets | None:
        if path is None:
            return None
        check_file(path, kinds=(".npy",))
        return array_targets(load_npy(path), path.name, self._count, self.where)
