"""Files that are read whole, one after another, such as the parts of a folder: no more is held than one of them."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from skmm_core.data.row_stream import RowStream
from skmm_core.data.rows import RawRows
from skmm_core.errors import InputError


class PartStream(RowStream):
    """The rows of several files, one below the other."""

    def __init__(self, paths: Sequence[Path], where: str, described: str, read: Callable[[Path], RawRows]) -> None:
        """Read every file once, to count its rows.

        Raises:
            InputError: one cannot be read, or has another number of columns than the first.
        """
        self.where, self.described = where, f"{described} in {len(paths):,} parts"
        self._paths, self._one = paths, read
        shapes = [read(path).features.shape for path in paths]
        odd = next((place for place, shape in enumerate(shapes) if shape[1] != shapes[0][1]), None)
        if odd is not None:
            raise InputError(
                f"{paths[odd].name} has {shapes[odd][1]:,} columns but {paths[0].name} has {shapes[0][1]:,}; give "
                "every part the same"
            )
        self._rows, self._width = [shape[0] for shape in shapes], shapes[0][1]

    @property
    def shape(self) -> tuple[int, int]:
        """N and d."""
        return sum(self._rows), self._width

    def pieces(self) -> list[range]:
        """See :class:`~skmm_core.blocks.Blocks`: one for each file."""
        starts = itertools.accumulate(self._rows, initial=0)
        return [range(start, start + count) for start, count in zip(starts, self._rows, strict=False)]

    def raw(self, piece: range) -> Iterator[RawRows]:
        """See :class:`RowStream`."""
        path = self._paths[self.pieces().index(piece)]
        part = self._one(path)
        if part.features.shape != (len(piece), self._width):
            raise InputError(f"{path.name} changed while it was read; start again")
        yield part
