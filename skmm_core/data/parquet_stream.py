"""Parquet files, one or several, read batch by batch: no more of them is held than one batch."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from skmm_core.data.arrow_reader import table_of
from skmm_core.data.parquet_reader import ERRORS, damaged, declared
from skmm_core.data.row_stream import PIECE_BLOCKS, RowStream, block_rows
from skmm_core.data.rows import RawRows
from skmm_core.data.table_file import TableFile
from skmm_core.data.tables import Columns, rows_of
from skmm_core.errors import InputError
from skmm_core.progress import ignore

_FIRST_ROWS = 1_024
_BUFFER = 1 << 20


class _Group(NamedTuple):
    """Rows that a file holds together: the group at this place of it."""

    path: Path
    place: int
    rows: int


class ParquetStream(RowStream):
    """The rows of parquet files with the same columns, one below the other."""

    def __init__(self, paths: Sequence[Path], where: str, columns: Columns) -> None:
        """Read the schemas, and some rows, by which the columns are understood.

        Raises:
            InputError: a file is damaged, has other columns than the first, or lacks what `columns` asks for.
        """
        self.where = where
        _, metadata = declared(paths)
        self.described = "parquet" if len(paths) == 1 else f"parquet in {len(paths):,} parts"
        if not any(each.num_rows for each in metadata):
            raise InputError(f"{where} has a header but no rows; add the data")
        self._columns = columns
        self._groups = [
            _Group(path, group, each.row_group(group).num_rows)
            for path, each in zip(paths, metadata, strict=True)
            for group in range(each.num_row_groups)
            if each.row_group(group).num_rows
        ]
        first = next(self._batches(self._groups[:1], _FIRST_ROWS))
        self._width = first.features.shape[1]
        self._columns = _settled(first, columns)

    @property
    def shape(self) -> tuple[int, int]:
        """N and d."""
        return sum(group.rows for group in self._groups), self._width

    def pieces(self) -> list[range]:
        """See :class:`~skmm_core.blocks.Blocks`: groups of rows as the files hold them, small ones together."""
        least, start, found = PIECE_BLOCKS * block_rows(self._width), 0, []
        stop = 0
        for group, after in zip(self._groups, [*self._groups[1:], None], strict=True):
            stop += group.rows
            if stop - start >= least or after is None or after.path != group.path:
                found.append(range(start, stop))
                start = stop
        return found

    def raw(self, piece: range) -> Iterator[RawRows]:
        """See :class:`RowStream`."""
        starts = itertools.accumulate((group.rows for group in self._groups), initial=0)
        groups = [group for start, group in zip(starts, self._groups, strict=False) if start in piece]
        return self._batches(groups, block_rows(self._width))

    def _batches(self, groups: Sequence[_Group], rows: int) -> Iterator[RawRows]:
        """Blocks of groups that lie in one file."""
        path = groups[0].path
        try:
            with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
                for batch in file.iter_batches(rows, row_groups=[group.place for group in groups]):
                    if len(batch):
                        yield self._understood(batch)
        except ERRORS as error:
            raise damaged(path.name, "parquet", error) from None

    def _understood(self, batch: pa.RecordBatch) -> RawRows:
        file: TableFile = table_of(pa.Table.from_batches([batch]), self.where, self.described)
        return rows_of(file, self._columns, None, ignore)


def _settled(first: RawRows, columns: Columns) -> Columns:
    """The columns as the first rows were understood, so that all others are understood alike."""
    taken = {line.part: line.taken for line in first.reading}
    named = None if taken["Id"] == "row number" else taken["Id"]
    settled = replace(columns, target=first.target_name, id=named, text=first.text_name)
    if first.feature_names:
        return replace(settled, features=None, fixed=first.feature_names)
    return replace(settled, features=columns.features or taken["Features"].rsplit(": ", 1)[0])
