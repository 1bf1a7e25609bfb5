"""Pools that memory cannot hold: which files can be read in blocks, and when they are."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from skmm_core.blocks import Workers
from skmm_core.config import DatasetConfig
from skmm_core.data.arrays import read_npz
from skmm_core.data.candidates import Candidates, find_candidates, held_count
from skmm_core.data.dataset import Dataset
from skmm_core.data.file_limits import check_array_size, check_file, file_path
from skmm_core.data.formats import IN_BLOCKS, array_parts, kind_of
from skmm_core.data.named_arrays import Chosen
from skmm_core.data.natural_order import missing_part
from skmm_core.data.npy_stream import NpyStream
from skmm_core.data.parquet_parts import split_parts
from skmm_core.data.parquet_stream import ParquetStream
from skmm_core.data.part_stream import PartStream
from skmm_core.data.row_stream import RowStream
from skmm_core.data.rows import RawRows
from skmm_core.data.tables import Columns
from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore

_MANY_ROWS, _MOST_ROWS = 100_000, 250_000_000  # some ten numbers are kept of each row
_MANY_NUMBERS = 2**27  # 512 MB in float32, of which several copies are made
_SMALL_BYTES = 2**26  # files below hold no such pool, whatever they unpack to


@dataclass(frozen=True)
class LargePool:
    """A pool that is read in blocks.

    Attributes:
        stream: of its rows.
        paths: its files.
        held: rows to hold.
        held_out: its rows that are never picked from, by "validation" and "test".
    """

    stream: RowStream
    paths: list[Path]
    held: int
    held_out: dict[str, RowStream]

    def read(
        self, config: DatasetConfig, workers: Workers, report: Report
    ) -> tuple[RawRows, dict[str, RawRows], Candidates]:
        """The rows to hold and those held out, as their files give them, and which rows are held."""
        found = find_candidates(
            self.stream,
            self.paths,
            self.held,
            read_as=config.model_dump_json(include={"features", "target", "id", "ignore", "text"}),
            drop=config.drop_bad_rows,
            workers=workers,
            report=report,
        )
        held_out = {name: _all(stream, report) for name, stream in self.held_out.items()}
        return self.stream.take(found.rows, workers=workers, report=report), held_out, found


def open_large(path: Path, config: DatasetConfig, columns: Columns) -> LargePool | None:
    """Open a pool that is to be read in blocks; None for one that is read whole, or whose format knows no blocks.

    Raises:
        InputError: a file cannot be read, or an option asks for what is done to rows in memory alone.
    """
    files = _files(path)
    paths = files.pop("train")
    if not paths or (config.candidates is None and sum(each.stat().st_size for each in paths) < _SMALL_BYTES):
        return None
    stream = _open(path, paths, config, columns)
    count, width = stream.shape
    if count > _MOST_ROWS:
        raise InputError(f"{path.name} has {count:,} rows, more than {_MOST_ROWS:,}; pick from a part of them")
    many = count > _MANY_ROWS and count * width > _MANY_NUMBERS
    if not many and (config.candidates is None or config.candidates >= count):
        return None
    for option, asked in (("scale-columns", config.scale_columns), ("labelled-only", config.labelled_only)):
        if asked:
            raise InputError(
                f"{path.name} has {count:,} rows, more than memory holds, and --{option} changes all of them; do so "
                "when the file is made"
            )
    held_out = {name: _open(path, parts, config, columns) for name, parts in files.items()}
    return LargePool(stream, paths, held_count(count, width, config.candidates), held_out)


def _files(path: Path) -> dict[str, list[Path]]:
    """Files that can be read in blocks, by "train" (the pool), "validation" and "test"; none of other formats."""
    if not path.is_dir():
        return {"train": [path] if kind_of(path) in IN_BLOCKS and path.is_file() else []}
    arrays = array_parts(path)
    return {"train": arrays} if arrays else split_parts(path)


def read_array_parts(folder: Path, config: DatasetConfig, columns: Columns, report: Report) -> RawRows:
    """All rows of a folder of arrays, one part below the other.

    Raises:
        InputError: a part is damaged or does not go with the others, or they are too many to hold.
    """
    return _all(_open(folder, array_parts(folder), config, columns), report)


def _all(stream: RowStream, report: Report) -> RawRows:
    check_array_size(stream.where, stream.shape, 4)
    return stream.take(np.arange(stream.shape[0]), report=report)


def _open(path: Path, paths: list[Path], config: DatasetConfig, columns: Columns) -> RowStream:
    kind = kind_of(paths[0])
    if gone := missing_part([each.name for each in paths]):
        raise InputError(f"{path.name}: {gone} is missing; copy the folder again")
    for each in paths:
        check_file(each, kinds=(kind,), held=False)
    if kind == ".npy":
        return NpyStream(paths, path.name, file_path(config.labels) if config.labels else None)
    if kind == ".npz":
        chosen = Chosen(config.features, config.target, config.id)

        def read(part: Path) -> RawRows:
            return read_npz(part, chosen=chosen, report=ignore).pool

        return PartStream(paths, path.name, "NumPy archives", read)
    return ParquetStream(paths, path.name, columns)


def with_whole(dataset: Dataset, found: Candidates, rows: np.ndarray) -> Dataset:
    """A dataset of the held rows that knows of all others.

    Args:
        dataset: of the held rows, in their order, with held-out rows behind them.
        found: of the pool.
        rows: of the files, those that are left of the held ones; ascending.
    """
    others = len(dataset.features) - len(rows)
    whole = found.whole.of(torch.from_numpy(np.searchsorted(found.rows, rows)))
    none = torch.zeros(others, dtype=torch.bool)
    whole = replace(whole, drawn=torch.cat([whole.drawn, none]), certain=torch.cat([whole.certain, none]))
    digest = hashlib.sha256(f"{dataset.fingerprint}:{found.digest}:{whole.size}".encode()).hexdigest()
    left_out = (f"{found.bad:,} rows with NaN or infinite numbers: left out.",) if found.bad else ()
    told = (
        f"Of {whole.size:,} rows {len(rows):,} are held, and points are picked among these: "
        f"{int(whole.drawn.sum()):,} drawn at random and the rest far out; moments are those of all rows, other sums "
        "are over the random ones."
    )
    return replace(dataset, whole=whole, fingerprint=f"sha256:{digest}", notes=(*dataset.notes, *left_out, told))
