"""The embed job: from a folder or zip of pictures to a file of features and what is worth saying about it."""

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skmm_core.config import DatasetConfig, EmbedJob
from skmm_core.data.files import file_path
from skmm_core.data.hub import fetch, hub_name
from skmm_core.data.image_index import index_images
from skmm_core.device import resolve_device
from skmm_core.encoders.features import embed_images
from skmm_core.encoders.registry import load_encoder
from skmm_core.encoders.weights import file_hash
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.runs.record import encoder_text

_MOST_SKIPPED = 200  # entries kept in a result; the count stays exact


def embed(dataset: DatasetConfig, job: EmbedJob, out: Path, *, device: str, report: Report = ignore) -> dict[str, Any]:
    """Index pictures, encode them and write the npz file.

    Args:
        dataset: `source` is a folder, a zip file or the name of a public set (hub:cifar10); `target` names a column of
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
            "skipped_count": len(index.skipped),
            "skipped": [{"path": each.path, "reason": each.reason} for each in index.skipped[:_MOST_SKIPPED]],
            "provenance": dict(encoder.provenance),
            "notes": [*encoder.provenance["warnings"], *index.notes],
            "encoded": done.encoded,
            "seconds": done.seconds,
            "images_per_second": done.rate,
        }


def image_source(source: str, *, report: Report = ignore) -> Path:
    """Folder or zip file of pictures that a source names; a public set is downloaded first.

    Args:
        source: a path, or `hub:NAME`.
        report: told of the download.

    Raises:
        InputError: the public set is unknown or cannot be downloaded.
    """
    name = hub_name(source)
    return file_path(source) if name is None else fetch(name, report=report)


def source_fingerprint(source: str) -> str:
    """Tell apart sources of pictures without decoding them: "sha256:…" of a file, or of a folder's names, sizes, dates.

    A public set is known by its name alone.

    Args:
        source: a path, or `hub:NAME`.

    Raises:
        InputError: there is no such file or folder, or it cannot be read.
    """
    if hub_name(source) is not None:
        return f"sha256:{hashlib.sha256(source.encode()).hexdigest()}"
    return _path_fingerprint(file_path(source))


def _path_fingerprint(source: Path) -> str:
    if source.is_file():
        return f"sha256:{file_hash(source)}"
    if not source.is_dir():
        raise InputError(f"{source} was not found; give a folder or zip file of images")
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            facts = path.stat()
            name = path.relative_to(source).as_posix().encode("utf-8", "surrogateescape")
            digest.update(name + f"\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return f"sha256:{digest.hexdigest()}"


def summary_line(result: Mapping[str, Any]) -> str:
    """What was done, in one line."""
    rate = result["images_per_second"]
    speed = f"{rate:,.0f} images a second" if rate else "all were in the cache"
    classes = len(result["class_names"])
    targets = f"{classes} classes" if classes else "numeric targets" if result["labelled"] else "no labels"
    encoder = encoder_text(result["model"])
    return f"{result['N']:,} images ({targets}) → {result['d']:,} features each by {encoder}; {speed}."
