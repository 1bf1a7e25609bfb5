"""Features made block by block, each block kept as soon as it is whole, so that a stopped run goes on where it was."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from skmm_core.encoders.feature_cache import FeatureCache
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

BLOCK_ROWS = 256  # what a killed run loses at most
_Rows = TypeVar("_Rows", Sequence[int], np.ndarray)
# Features of some rows of a block, with their places in it.
Encoded = Generator[tuple[slice | np.ndarray, np.ndarray], None, None]


class NamedFeatures(Protocol):
    """What makes features, as far as the blocks need to know it."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def dim(self) -> int:
        """Features of one row."""

    @property
    def key(self) -> str:
        """Changes with everything that changes the features."""


@dataclass(frozen=True)
class Embedded:
    """What a call that makes features did.

    Attributes:
        rows: N, pictures or texts in the file, of all parts.
        dim: d, features of each.
        encoded: those that were encoded now; the others were in the cache.
        seconds: for encoding these.
        cut: texts that are longer than what the encoder reads of one.
    """

    rows: int
    dim: int
    encoded: int
    seconds: float
    cut: int = 0

    @property
    def rate(self) -> float | None:
        """Pictures or texts a second, or None when all were in the cache."""
        return self.encoded / self.seconds if self.encoded and self.seconds > 0 else None


class Blocks:
    """Makes blocks that are not there yet, and counts what is done."""

    def __init__(self, encoder: NamedFeatures, total: int, things: str, report: Report) -> None:
        """Open the cache of an encoder.

        Args:
            encoder: what makes the features.
            total: rows in all.
            things: "images" or "texts", for the progress.
            report: told after each batch, with things a second; raise Cancelled from it to stop.
        """
        self.cache = FeatureCache(encoder.key)
        self.encoded, self.seconds = 0, 0.0
        self._encoder, self._total, self._things, self._report, self._done = encoder, total, things, report, 0

    def block(self, content: str, rows: int, encode: Callable[[], Encoded]) -> Path:
        """Make sure that the features of a block are on disk; say where.

        Args:
            content: hash of all that the block is made of.
            rows: in it.
            encode: starts making the features, batch by batch; closed when no more are wanted.

        Raises:
            InputError: the encoder gives numbers that are not finite.
            OSError: the disk is full.
        """
        if self.cache.read(content, rows, self._encoder.dim) is None:
            with contextlib.closing(encode()) as batches:
                self.cache.write(content, self._filled(rows, batches))
        else:
            self._done += rows
            self._tell()
        return self.cache.path(content)

    def _filled(self, rows: int, batches: Encoded) -> np.ndarray:
        found = np.empty((rows, self._encoder.dim), np.float32)
        began = time.perf_counter()
        for places, part in batches:
            if not np.isfinite(part).all():
                raise InputError(
                    f"{self._encoder.name} gives features that are not finite; its weights are damaged or need float32 "
                    "(--device cpu)"
                )
            found[places] = part
            self._done += len(part)
            self.encoded += len(part)
            self.seconds += time.perf_counter() - began
            began = time.perf_counter()
            self._tell()
        return found

    def _tell(self) -> None:
        rate = {f"{self._things}/s": self.encoded / self.seconds} if self.seconds else {}
        self._report(Progress(f"Embedding {self._things}", self._done, self._total, rate))


def chunks(rows: _Rows, size: int) -> Iterator[_Rows]:
    """These rows, `size` at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))
