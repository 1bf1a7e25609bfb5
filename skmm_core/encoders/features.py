"""Features of pictures: encode them block by block, so that a stopped run goes on where it was."""

import contextlib
import itertools
import json
import os
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from skmm_core.data import ImageIndex
from skmm_core.encoders.encoder import Encoder
from skmm_core.encoders.feature_cache import FeatureCache
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.storage import to_json, write_file

_BLOCK_ROWS = 256  # what a killed run loses at most
_BATCH_ROWS = 32
_AHEAD = 2  # batches that are decoded while one is encoded
_MOST_WORKERS = 8
_PARTS = {"train": "", "validation": "_val", "test": "_test"}
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Embedded:
    """What :func:`embed_images` did.

    Attributes:
        rows: N, pictures in the file, of all parts.
        dim: d, features of each.
        encoded: pictures that were encoded now; the others were in the cache.
        seconds: for encoding these.
    """

    rows: int
    dim: int
    encoded: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Pictures a second, or None when all were in the cache."""
        return self.encoded / self.seconds if self.encoded and self.seconds > 0 else None


def embed_images(
    index: ImageIndex,
    encoder: Encoder,
    out: Path,
    *,
    batch: int = _BATCH_ROWS,
    workers: int | None = None,
    report: Report = ignore,
) -> Embedded:
    """Encode every picture of an index and write an npz file of features.

    Pictures are decoded by threads while the encoder computes. Each batch has `batch` rows, the last one of a block is
    filled up, so that neither a resumed run nor the pictures beside it change the features of a picture.

    Args:
        index: the pictures, with their parts, targets and thumbnails.
        encoder: what makes features of them.
        out: npz file: X, y, ids, captions, the same of validation (`_val`) and test rows (`_test`), names, thumbnails
            in the order of these parts, provenance. Written under another name and renamed.
        batch: pictures encoded at once.
        workers: threads that decode; default one a core, 8 at most.
        report: told after each batch, with pictures a second; raise Cancelled from it to stop.

    Raises:
        InputError: no picture is in the training part, one cannot be read any more, or the encoder gives numbers
            that are not finite.
        OSError: the disk is full.
    """
    rows = {part: [row for row, own in enumerate(index.parts) if own == part] for part in _PARTS}
    if not rows["train"]:
        raise InputError("there is no picture to pick from: all are in validation or test folders; add a train folder")
    work = _Work(index, encoder, FeatureCache(encoder.key), batch, len(index), report)
    with _decoders(encoder, workers) as pool:
        blocks = {part: [work.block(pool, some) for some in _chunks(rows[part], _BLOCK_ROWS)] for part in _PARTS}
    report(Progress("Writing the features", 0))
    write_file(out, lambda path: _write_npz(path, index, rows, blocks, encoder))
    work.cache.trim()
    return Embedded(len(index), encoder.dim, work.encoded, work.seconds)


def encode_rows(
    index: ImageIndex,
    encoder: Encoder,
    rows: Sequence[int],
    *,
    batch: int = _BATCH_ROWS,
    workers: int | None = None,
    report: Report = ignore,
) -> list[Path]:
    """Encode some pictures of an index, block by block, into the cache.

    Args:
        index: the pictures.
        encoder: what makes features of them.
        rows: of the index.
        batch: pictures encoded at once.
        workers: threads that decode; default one a core, 8 at most.
        report: told after each batch, with pictures a second; raise Cancelled from it to stop.

    Returns:
        npy files of (B, d) float32 rows, in the order of `rows`.

    Raises:
        InputError: a picture cannot be read any more, or the encoder gives numbers that are not finite.
        OSError: the disk is full.
    """
    work = _Work(index, encoder, FeatureCache(encoder.key), batch, len(rows), report)
    with _decoders(encoder, workers) as pool:
        return [work.block(pool, some) for some in _chunks(rows, _BLOCK_ROWS)]


class _Work:
    """Counts what is done while blocks are made."""

    def __init__(
        self, index: ImageIndex, encoder: Encoder, cache: FeatureCache, batch: int, total: int, report: Report
    ) -> None:
        self.index, self.encoder, self.cache, self.batch = index, encoder, cache, batch
        self.total, self.report = total, report
        self.done = self.encoded = 0
        self.seconds = 0.0

    def block(self, pool: ThreadPoolExecutor, rows: Sequence[int]) -> Path:
        """Make sure that the features of these pictures are on disk; say where."""
        hashes = [self.index.hashes[row] for row in rows]
        if self.cache.read(hashes, self.encoder.dim) is None:
            self.cache.write(hashes, self._encode(pool, rows))
        else:
            self.done += len(rows)
            self._tell()
        return self.cache.path(hashes)

    def _encode(self, pool: ThreadPoolExecutor, rows: Sequence[int]) -> np.ndarray:
        found = np.empty((len(rows), self.encoder.dim), np.float32)
        start, began = 0, time.perf_counter()
        try:
            for part in self._encoded(pool, _chunks(rows, self.batch)):
                count = len(part)
                found[start : start + count] = part
                self._check(found[start : start + count])
                start += count
                self.done += count
                self.encoded += count
                self.seconds += time.perf_counter() - began
                began = time.perf_counter()
                self._tell()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return found

    def _encoded(self, pool: ThreadPoolExecutor, batches: Iterator[Sequence[int]]) -> Iterator[np.ndarray]:
        """Features of the batches in order; pictures are decoded a few batches ahead of their turn."""
        if self.encoder.side_by_side:

            def whole(rows: Sequence[int]) -> np.ndarray:
                return self._features([_prepare(self.index, self.encoder, row) for row in rows])

            yield from _ahead(batches, lambda rows: pool.submit(whole, rows).result, depth=_MOST_WORKERS + 1)
            return

        def decode(rows: Sequence[int]) -> Callable[[], list[Tensor]]:
            futures = [pool.submit(_prepare, self.index, self.encoder, row) for row in rows]
            return lambda: [future.result() for future in futures]

        for pictures in _ahead(batches, decode, depth=_AHEAD):
            yield self._features(pictures)

    def _features(self, pictures: Sequence[Tensor]) -> np.ndarray:
        filled = pictures[0].new_zeros((self.batch, *pictures[0].shape))
        torch.stack(list(pictures), out=filled[: len(pictures)])
        return np.asarray(self.encoder(filled)[: len(pictures)].numpy())

    def _check(self, rows: np.ndarray) -> None:
        if not np.isfinite(rows).all():
            raise InputError(
                f"{self.encoder.name} gives features that are not finite; its weights are damaged or need float32 "
                "(--device cpu)"
            )

    def _tell(self) -> None:
        rate = {"images/s": self.encoded / self.seconds} if self.seconds else {}
        self.report(Progress("Embedding images", self.done, self.total, rate))


def _chunks(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _ahead(
    batches: Iterator[Sequence[int]], start: Callable[[Sequence[int]], Callable[[], _Result]], *, depth: int
) -> Iterator[_Result]:
    """Results in order of work that is started `depth` batches before it is needed."""
    waiting = deque(start(rows) for rows in itertools.islice(batches, depth))
    while waiting:
        result = waiting.popleft()()
        waiting += [start(rows) for rows in itertools.islice(batches, 1)]
        yield result


@contextlib.contextmanager
def _decoders(encoder: Encoder, workers: int | None) -> Iterator[ThreadPoolExecutor]:
    count = workers or min(_MOST_WORKERS, os.cpu_count() or 1)
    with _threads_each(encoder), ThreadPoolExecutor(count, thread_name_prefix="decode") as pool:
        yield pool


@contextlib.contextmanager
def _threads_each(encoder: Encoder) -> Iterator[None]:
    """Let each thread of an encoder that wants it so compute alone; threads made in the block follow."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if encoder.side_by_side else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _prepare(index: ImageIndex, encoder: Encoder, row: int) -> Tensor:
    try:
        return encoder.preprocess(index.picture(row))
    except (OSError, ValueError, SyntaxError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{index.ids[row]} cannot be read any more ({reason}); start again") from None


def _write_npz(
    path: Path, index: ImageIndex, rows: dict[str, list[int]], blocks: dict[str, list[Path]], encoder: Encoder
) -> None:
    """Write the file array by array; features go from block to file, so memory does not grow with N."""
    order = np.array([row for part in _PARTS for row in rows[part]], np.int64)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for part, ending in _PARTS.items():
            own = np.array(rows[part], np.int64)
            if not len(own):
                continue
            with _member(archive, f"X{ending}") as file:
                shape = {"descr": "<f4", "fortran_order": False, "shape": (len(own), encoder.dim)}
                np.lib.format.write_array_header_1_0(file, shape)
                for block in blocks[part]:
                    file.write(np.load(block, allow_pickle=False).data)
            _write(archive, f"ids{ending}", np.array([index.ids[row] for row in own]))
            if index.targets is not None:
                _write(archive, f"y{ending}", index.targets[own])
            elif index.labels is not None:
                _write(archive, f"y{ending}", index.labels[own])
            if index.captions is not None:
                _write(archive, f"captions{ending}", np.array([index.captions[row] for row in own]))
        if index.class_names:
            _write(archive, "names", np.array(index.class_names))
        data, ends = index.thumbnails(order)
        _write(archive, "thumbnails", data)
        _write(archive, "thumbnail_ends", ends)
        _write(archive, "provenance", np.array(to_json(dict(encoder.provenance))))


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with _member(archive, name) as file:
        np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member with a fixed date, so that the same features give the same file, byte by byte."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def read_provenance(path: Path) -> dict[str, Any]:
    """What an npz file of :func:`embed_images` says of its encoder."""
    with np.load(path, allow_pickle=False) as found:
        return dict(json.loads(str(found["provenance"])))
