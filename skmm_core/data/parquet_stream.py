"""Parquet files, one or several, read batch by batch: no more of them is held than one batch."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skmm_core.data.arrow_reader import table_of
from skmm_core.data.parquet_reader import ERRORS, damaged, declared
from skmm_core.data.row_stream import RowStream, block_rows
from skmm_core.data.rows import RawRows
from skmm_core.data.table_file import TableFile
from skmm_core.data.tables import Columns, rows_of
from skmm_core.errors import InputError
from skmm_core.progress import ignore

_FIRST_ROWS = 1_024
_BUFFER = 1 << 20


class ParquetStream(RowStream):
    """The rows of parquet files with the same columns, one below the other."""

    def __init__(self, paths: Sequence[Path], where: str, columns: Columns) -> None:
        """Read the schemas, and some rows, by which the columns are understood.

        Raises:
            InputError: a file is damaged, has other columns than the first, or lacks what `columns` asks for.
        """
        self.where, self._paths = where, paths
        _, metadata = declared(paths)
        self._rows = [each.num_rows for each in metadata]
        self.described = "parquet" if len(paths) == 1 else f"parquet in {len(paths):,} parts"
        if not sum(self._rows):
            raise InputError(f"{where} has a header but no rows; add the data")
        self._columns = columns
        first = next(self._batches(_FIRST_ROWS, 0))[1]
        self._width = first.features.shape[1]
        self._columns = _settled(first, columns)

    @property
    def shape(self) -> tuple[int, int]:
        """N and d."""
        return sum(self._rows), self._width

    def raw(self, first: int = 0) -> Iterator[tuple[int, RawRows]]:
        """See :class:`RowStream`."""
        return self._batches(block_rows(self._width), first)

    def _batches(self, rows: int, first: int) -> Iterator[tuple[int, RawRows]]:
        start = 0
        for path, count in zip(self._paths, self._rows, strict=True):
            if start + count <= first:
                start += count
                continue
            try:
                with pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
                    for batch in file.iter_batches(rows):
                        if len(batch) and start >= first:
                            yield start, self._understood(batch)
                        start += len(batch)
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
