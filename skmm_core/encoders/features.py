"""Features of pictures: decoded by threads while the encoder computes."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.data import ImageIndex, RowTexts
from skmm_core.encoders.encoder import Encoder
from skmm_core.encoders.feature_blocks import BLOCK_ROWS, Blocks, Embedded, Encoded, chunks
from skmm_core.encoders.feature_file import PARTS, FeatureRows, write_features
from skmm_core.encoders.side_by_side import ahead, threads_each
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_BATCH_ROWS = 32
_AHEAD = 2  # batches that are decoded while one is encoded
_MOST_WORKERS = 8


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
        out: npz file: X, y, ids, the same of validation (`_val`) and test rows (`_test`), names, thumbnails
            and captions (as `texts`) in the order of these parts, provenance. Written under another name and renamed.
        batch: pictures encoded at once.
        workers: threads that decode; default one a core, 8 at most.
        report: told after each batch, with pictures a second; raise Cancelled from it to stop.

    Raises:
        InputError: no picture is in the training part, one cannot be read any more, or the encoder gives numbers
            that are not finite.
        OSError: the disk is full.
    """
    rows = {part: [row for row, own in enumerate(index.parts) if own == part] for part in PARTS}
    if not rows["train"]:
        raise InputError("there is no picture to pick from: all are in validation or test folders; add a train folder")
    work = _Work(index, encoder, batch, len(index), report)
    with _decoders(encoder, workers) as pool:
        parts = {
            part: FeatureRows(
                work.blocks_of(pool, own),
                [index.ids[row] for row in own],
                _targets(index, own),
            )
            for part, own in rows.items()
        }
    report(Progress("Writing the features", 0))
    order = np.array([row for own in rows.values() for row in own], np.int64)
    data, ends = index.thumbnails(order)
    shown = {"thumbnails": data, "thumbnail_ends": ends}
    if index.captions is not None:
        shown["texts"], shown["text_ends"] = RowTexts.of(index.captions).take(order).bytes_and_ends()
    write_features(out, parts, encoder.dim, names=index.class_names, shown=shown, provenance=encoder.provenance)
    work.blocks.cache.trim()
    return Embedded(len(index), encoder.dim, work.blocks.encoded, work.blocks.seconds)


def _targets(index: ImageIndex, rows: Sequence[int]) -> np.ndarray | None:
    """Targets of these pictures, or the labels of a partly labelled set; None without."""
    found = index.labels if index.targets is None else index.targets
    return None if found is None else found[list(rows)]


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
    work = _Work(index, encoder, batch, len(rows), report)
    with _decoders(encoder, workers) as pool:
        return work.blocks_of(pool, rows)


class _Work:
    """The blocks of some pictures."""

    def __init__(self, index: ImageIndex, encoder: Encoder, batch: int, total: int, report: Report) -> None:
        self.index, self.encoder, self.batch = index, encoder, batch
        self.blocks = Blocks(encoder, total, "images", report)

    def blocks_of(self, pool: ThreadPoolExecutor, rows: Sequence[int]) -> list[Path]:
        """Make sure that the features of these pictures are on disk; say where, block by block."""
        return [self._block(pool, some) for some in chunks(rows, BLOCK_ROWS)]

    def _block(self, pool: ThreadPoolExecutor, rows: Sequence[int]) -> Path:
        hashes = " ".join(self.index.hashes[row] for row in rows)
        content = hashlib.sha256(hashes.encode()).hexdigest()[:40]
        return self.blocks.block(content, len(rows), lambda: self._encode(pool, rows))

    def _encode(self, pool: ThreadPoolExecutor, rows: Sequence[int]) -> Encoded:
        start = 0
        try:
            for part in self._encoded(pool, chunks(rows, self.batch)):
                yield slice(start, start + len(part)), part
                start += len(part)
        except BaseException:  # closed before its end too
            pool.shutdown(wait=False, cancel_futures=True)
            raise

    def _encoded(self, pool: ThreadPoolExecutor, batches: Iterator[Sequence[int]]) -> Iterator[np.ndarray]:
        """Features of the batches in order; pictures are decoded a few batches ahead of their turn."""
        if self.encoder.side_by_side:

            def whole(rows: Sequence[int]) -> np.ndarray:
                return self._features([_prepare(self.index, self.encoder, row) for row in rows])

            yield from ahead(batches, lambda rows: pool.submit(whole, rows).result, depth=_MOST_WORKERS + 1)
            return

        def decode(rows: Sequence[int]) -> Callable[[], list[Tensor]]:
            futures = [pool.submit(_prepare, self.index, self.encoder, row) for row in rows]
            return lambda: [future.result() for future in futures]

        for pictures in ahead(batches, decode, depth=_AHEAD):
            yield self._features(pictures)

    def _features(self, pictures: Sequence[Tensor]) -> np.ndarray:
        filled = pictures[0].new_zeros((self.batch, *pictures[0].shape))
        torch.stack(list(pictures), out=filled[: len(pictures)])
        return np.asarray(self.encoder(filled)[: len(pictures)].numpy())


@contextlib.contextmanager
def _decoders(encoder: Encoder, workers: int | None) -> Iterator[ThreadPoolExecutor]:
    count = workers or min(_MOST_WORKERS, os.cpu_count() or 1)
    with threads_each(alone=encoder.side_by_side), ThreadPoolExecutor(count, thread_name_prefix="decode") as pool:
        yield pool


def _prepare(index: ImageIndex, encoder: Encoder, row: int) -> Tensor:
    try:
        return encoder.preprocess(index.picture(row))
    except (OSError, ValueError, SyntaxError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{index.ids[row]} cannot be read any more ({reason}); start again") from None
