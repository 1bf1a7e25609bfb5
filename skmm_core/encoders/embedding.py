"""From pictures, or from the texts of a table, to a file of features, and what is worth saying about it."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data import as_rows, file_path, hub_name, image_source, index_images, load_texts
from skmm_core.device import resolve_device
from skmm_core.encoders.feature_blocks import Embedded
from skmm_core.encoders.features import embed_images
from skmm_core.encoders.registry import load_encoder
from skmm_core.encoders.text_features import embed_texts
from skmm_core.encoders.text_models import load_text_encoder
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_MOST_SKIPPED = 200  # entries kept in a result; the count stays exact


def embed(dataset: DatasetConfig, job: EmbedJob, out: Path, *, device: str, report: Report = ignore) -> dict[str, Any]:
    """Read pictures or texts, encode them and write the npz file.

    Args:
        dataset: for pictures, `source` is a folder, an archive or the name of a public set (hub:cifar10), and `target`
            names a column of its metadata; for texts it is a table.
        job: what is read, encoder and naming pattern.
        out: the npz file.
        device: "auto", "cpu", "cuda", …
        report: told of the progress; raise Cancelled from it to stop.

    Returns:
        JSON values: reads, N, d, parts, class_names, reading (how pictures or table were read), skipped (the first 200)
        and their count, provenance, and the speed as images_per_second or texts_per_second, None where all were in the
        cache. Of texts also cut_count, the texts that are longer than what the encoder reads of one.

    Raises:
        InputError: pictures, table or weights cannot be used.
        OSError: the disk is full.
    """
    return (_embed_table if job.reads == "texts" else _embed_pictures)(dataset, job, out, device, report)


def _embed_pictures(dataset: DatasetConfig, job: EmbedJob, out: Path, device: str, report: Report) -> dict[str, Any]:
    report(Progress("Loading the encoder", 0))
    encoder = load_encoder(job, resolve_device(device))
    found = index_images(
        image_source(dataset.source, report=report), pattern=job.pattern, target=dataset.target, report=report
    )
    with contextlib.closing(found) as index:
        done = embed_images(index, encoder, out, report=report)
        return {
            "dataset": dataset.name or hub_name(dataset.source) or file_path(dataset.source).name,
            "parts": {part: index.parts.count(part) for part in ("train", "validation", "test")},
            "class_names": list(index.class_names),
            "labelled": index.targets is not None,
            "partly_labelled": index.partly_labelled,
            "skipped_count": len(index.skipped),
            "skipped": [{"path": each.path, "reason": each.reason} for each in index.skipped[:_MOST_SKIPPED]],
            "reading": as_rows(index.reading),
            "images_per_second": done.rate,
            **_facts(job, encoder.name, done, encoder.provenance, index.notes),
        }


def _embed_table(config: DatasetConfig, job: EmbedJob, out: Path, device: str, report: Report) -> dict[str, Any]:
    if config.holdout is not None:
        raise InputError("rows are held out when points are picked, not when features are made; leave out --holdout")
    dataset = load_texts(config, report=report)
    report(Progress("Loading the encoder", 0))
    encoder = load_text_encoder(job, resolve_device(device))
    done = embed_texts(dataset, encoder, out, report=report)
    notes = list(dataset.notes)
    if done.cut:
        are = "is" if done.cut == 1 else "are"
        notes.append(f"{done.cut:,} of {done.rows:,} texts {are} longer than {encoder.limit:,} pieces and cut there.")
    split = dataset.split
    return {
        "dataset": dataset.name,
        "parts": {part: len(getattr(split, part)) for part in ("train", "validation", "test")},
        "class_names": list(dataset.class_names),
        "labelled": dataset.targets is not None,
        "partly_labelled": dataset.partly_labelled,
        "skipped_count": 0,
        "skipped": [],
        "reading": as_rows(dataset.reading),
        "cut_count": done.cut,
        "texts_per_second": done.rate,
        **_facts(job, encoder.name, done, encoder.provenance, notes),
    }


def _facts(
    job: EmbedJob, model: str, done: Embedded, provenance: Mapping[str, Any], notes: Sequence[str]
) -> dict[str, Any]:
    """What the results of pictures and of texts say alike."""
    return {
        "kind": "embed",
        "reads": job.reads,
        "model": model,
        "N": done.rows,
        "d": done.dim,
        "provenance": dict(provenance),
        "notes": [*provenance["warnings"], *notes],
        "encoded": done.encoded,
        "seconds": done.seconds,
    }
