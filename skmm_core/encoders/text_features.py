"""Features of texts: encoded with others of about their length, so that little is computed for nothing."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from skmm_core.data import Dataset, RowTexts, known_array
from skmm_core.encoders.feature_blocks import BLOCK_ROWS, Blocks, Embedded, Encoded, chunks
from skmm_core.encoders.feature_file import PARTS, FeatureRows, write_features
from skmm_core.encoders.side_by_side import ahead, threads_each
from skmm_core.encoders.text_encoder import TextEncoder
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_BATCH_ROWS = 16
_MOST_WORKERS = 8


def embed_texts(
    dataset: Dataset, encoder: TextEncoder, out: Path, *, batch: int = _BATCH_ROWS, report: Report = ignore
) -> Embedded:
    """Encode the text of every row and write an npz file of features.

    Args:
        dataset: as `load_texts` gives it.
        encoder: what makes features of the texts.
        out: npz file: X, y, ids, the same of validation (`_val`) and test rows (`_test`), names, texts in the order of
            these parts, provenance. Labels of a partly labelled pool are as :func:`known_array` writes them.
        batch: texts encoded at once.
        report: told after each batch, with texts a second; raise Cancelled from it to stop.

    Raises:
        InputError: the encoder fails on a text, or gives numbers that are not finite.
        OSError: the disk is full.
    """
    if dataset.texts is None:
        raise InputError(f"{dataset.name} has no texts; name their column with --text")
    blocks, cut = Blocks(encoder, len(dataset.texts), "texts", report), 0
    parts, order = {}, []
    for part in PARTS:
        rows = getattr(dataset.split, part).numpy()
        made = []
        for some in chunks(rows, BLOCK_ROWS):
            texts = dataset.texts.take(some)
            made.append(blocks.block(_content(texts), len(texts), partial(_encode, texts, encoder, batch)))
            cut += int(encoder.is_cut(texts.values.to_pylist()).sum())
        parts[part] = FeatureRows(made, _ids(dataset, part, rows), _targets(dataset, part, rows))
        order.append(rows)
    report(Progress("Writing the features", 0))
    data, ends = dataset.texts.take(np.concatenate(order)).bytes_and_ends()
    shown = {"texts": data, "text_ends": ends}
    write_features(out, parts, encoder.dim, names=dataset.class_names, shown=shown, provenance=encoder.provenance)
    blocks.cache.trim()
    return Embedded(len(dataset.texts), encoder.dim, blocks.encoded, blocks.seconds, cut)


def _content(texts: RowTexts) -> str:
    data, ends = texts.bytes_and_ends()
    return hashlib.sha256(ends.tobytes() + data.tobytes()).hexdigest()[:40]


def _encode(texts: RowTexts, encoder: TextEncoder, batch: int) -> Encoded:
    """Each core takes a batch of its own: many small operations lose more to waiting for each other than they win."""
    order = np.argsort(np.asarray(pc.binary_length(texts.values)), kind="stable")
    alone = encoder.device.type == "cpu"
    workers = min(_MOST_WORKERS, os.cpu_count() or 1) if alone else 1

    def one(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return places, encoder.encode(texts.take(places).values.to_pylist())

    with threads_each(alone=alone), ThreadPoolExecutor(workers, thread_name_prefix="encode") as pool:
        try:
            yield from ahead(chunks(order, batch), lambda rows: pool.submit(one, rows).result, depth=workers + 1)
        except BaseException:  # closed before its end too
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ids(dataset: Dataset, part: str, rows: np.ndarray) -> list[str]:
    """Names of rows as they are in their own file, without the part that a dataset puts before those held out."""
    prefix = "" if part == "train" else f"{part}:"
    return [dataset.ids[row].removeprefix(prefix) for row in rows.tolist()]


def _targets(dataset: Dataset, part: str, rows: np.ndarray) -> np.ndarray | None:
    if dataset.targets is not None:
        return np.asarray(dataset.targets.numpy()[rows])
    if dataset.known_labels is not None and part == "train":
        return known_array(tuple(dataset.known_labels[row] for row in rows.tolist()))
    return None
