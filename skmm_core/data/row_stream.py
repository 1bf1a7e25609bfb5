"""Rows of files that memory cannot hold, read block by block in the order of the file."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from skmm_core.blocks import HERE, Blocks, Workers
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.rows import RawRows, RawTargets, take_rows
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

BLOCK_NUMBERS = 4_000_000  # of a block: 16 MB in float32
PIECE_BLOCKS = 8  # of a piece: what one worker does at a time


class RowStream(Blocks):
    """The rows of a pool's files as they are given: features, and targets and ids where there are some.

    Attributes:
        where: name for messages.
        described: the format in words.
    """

    where: str
    described: str

    @abstractmethod
    def raw(self, piece: range) -> Iterator[RawRows]:
        """The rows of a piece in blocks, numbered from 0 in each."""

    def read(self, piece: range) -> Iterator[Tensor]:
        """See :class:`~skmm_core.blocks.Blocks`."""
        return (torch.from_numpy(block.features) for block in self.raw(piece))

    def take(self, rows: np.ndarray, *, workers: Workers = HERE, report: Report = ignore) -> RawRows:
        """Some rows, with their numbers in the files; pieces without any are not read.

        Args:
            rows: (n,) int64 distinct rows, ascending.
            workers: who reads the pieces.
            report: told of the rows passed.
        """
        pieces = [piece for piece in self.pieces() if len(_within(rows, piece.start, piece.stop))]
        found = []
        for piece, part in zip(pieces, workers.each(partial(_taken, self, rows), pieces), strict=True):
            found.append(part)
            report(Progress(f"Taking rows of {self.where}", piece.stop, self.shape[0]))
        return joined_rows(found)


def block_rows(width: int) -> int:
    """Rows of a block of this many columns."""
    return max(1, BLOCK_NUMBERS // max(1, width))


def cut(start: int, count: int, step: int) -> list[range]:
    """Rows `start`, `start + 1`, …, `count` of them, in pieces of `step` rows; the last one may be shorter."""
    stop = start + count
    return [range(first, min(first + step, stop)) for first in range(start, stop, step)]


def _within(rows: np.ndarray, start: int, stop: int) -> np.ndarray:
    return rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)]


def _taken(stream: RowStream, rows: np.ndarray, piece: range) -> RawRows:
    found, start = [], piece.start
    for block in stream.raw(piece):
        stop = start + len(block.features)
        mine = _within(rows, start, stop)
        if len(mine):
            found.append(replace(take_rows(block, mine - start), rows=mine))
        start = stop
    return joined_rows(found)


def joined_rows(parts: Sequence[RawRows]) -> RawRows:
    """Rows of one pool that were read in parts, one below the other; what is said of all is that of the first part.

    Raises:
        InputError: only some parts have targets, or columns to look at have types that do not go together.
    """
    first = parts[0]
    if len(parts) == 1:  # what came from another process may lie in memory that is shared and so not to be changed
        return first if first.features.flags.writeable else replace(first, features=first.features.copy())
    if odd := next((part for part in parts if (part.targets is None) != (first.targets is None)), None):
        raise InputError(f"{odd.where}: some parts have targets and some have none; give every part the same")
    ids = None if any(part.ids is None for part in parts) else tuple(id_ for part in parts for id_ in part.ids or ())
    texts = None if any(part.texts is None for part in parts) else [part.texts for part in parts if part.texts]
    tables = [part.shown for part in parts if part.shown is not None]
    try:
        shown = pa.concat_tables(tables, promote_options="permissive") if len(tables) == len(parts) else None
    except pa.ArrowException as error:
        raise InputError(f"{first.where}: its parts do not fit each other ({error}); save them alike") from None
    return replace(
        first,
        features=np.concatenate([part.features for part in parts]),
        targets=_joined_targets([part.targets for part in parts if part.targets is not None]),
        rows=np.concatenate([part.rows for part in parts]),
        ids=ids,
        shown=shown,
        texts=RowTexts.all_of(texts) if texts else None,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _joined_targets(parts: Sequence[RawTargets]) -> RawTargets | None:
    if not parts:
        return None
    first = parts[0]
    levels = None
    values = [part.values for part in parts]
    if any(part.levels is not None for part in parts):
        if any(part.levels is None and not part.missing.all() for part in parts):
            raise InputError(f"{first.column} holds text in some parts and numbers in others; save them alike")
        levels = tuple(sorted({level for part in parts for level in part.levels or ()}))
        place = {level: code for code, level in enumerate(levels)}
        known = [np.array([place[level] for level in part.levels or ()] or [0], np.int64) for part in parts]
        values = [np.where(part.missing, -1, codes[part.values]) for codes, part in zip(known, parts, strict=True)]
    unusable = None
    if any(part.unusable is not None for part in parts):
        unusable = np.concatenate(
            [np.zeros(len(part.values), bool) if part.unusable is None else part.unusable for part in parts]
        )
    missing = np.concatenate([part.missing for part in parts])
    return RawTargets(np.concatenate(values), missing, levels, first.column, unusable)
