"""From a folder or archive of pictures to a file of features, and what is worth saying about it."""

import contextlib
from pathlib import Path
from typing import Any

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data import as_rows, file_path, hub_name, image_source, index_images
from skmm_core.device import resolve_device
from skmm_core.encoders.features import embed_images
from skmm_core.encoders.registry import load_encoder
from skmm_core.progress import Progress, Report, ignore

_MOST_SKIPPED = 200  # entries kept in a result; the count stays exact


def embed(dataset: DatasetConfig, job: EmbedJob, out: Path, *, device: str, report: Report = ignore) -> dict[str, Any]:
    """Index pictures, encode them and write the npz file.

    Args:
        dataset: `source` is a folder, an archive or the name of a public set (hub:cifar10); `target` names a column of
            its metadata.
        job: encoder and naming pattern.
        out: the npz file.
        device: "auto", "cpu", "cuda", …
        report: told of the progress; raise Cancelled from it to stop.

    Returns:
        JSON values: N, d, parts, classes, skipped (the first 200) and their count, provenance, speed.

    Raises:
        InputError: pictures or weights cannot be used.
        OSError: the disk is full.
    """
    report(Progress("Loading the encoder", 0))
    encoder = load_encoder(job, resolve_device(device))
    found = index_images(
        image_source(dataset.source, report=report), pattern=job.pattern, target=dataset.target, report=report
    )
    with contextlib.closing(found) as index:
        done = embed_images(index, encoder, out, report=report)
        return {
            "kind": "embed",
            "dataset": dataset.name or hub_name(dataset.source) or file_path(dataset.source).name,
            "model": encoder.name,
            "N": done.rows,
            "d": done.dim,
            "parts": {part: index.parts.count(part) for part in ("train", "validation", "test")},
            "class_names": list(index.class_names),
            "labelled": index.targets is not None,
            "labelled_in_part": index.labels is not None,
            "skipped_count": len(index.skipped),
            "skipped": [{"path": each.path, "reason": each.reason} for each in index.skipped[:_MOST_SKIPPED]],
            "provenance": dict(encoder.provenance),
            "reading": as_rows(index.reading),
            "notes": [*encoder.provenance["warnings"], *index.notes],
            "encoded": done.encoded,
            "seconds": done.seconds,
            "images_per_second": done.rate,
        }
