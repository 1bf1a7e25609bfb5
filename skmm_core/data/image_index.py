"""Pictures in a folder, an archive or a list of files: which can be used, in which part, with which target."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from skmm_core.data.how_read import ReadLine
from skmm_core.data.image_checks import at_one_depth, check_files, reading_notes
from skmm_core.data.image_files import GivenFiles, find_files
from skmm_core.data.image_layout import Layout, folder_layout, sample_layout
from skmm_core.data.image_metadata import Found
from skmm_core.data.image_samples import find_samples
from skmm_core.data.image_tables import METADATA_NAMES
from skmm_core.data.image_twins import leave_one_of_each
from skmm_core.data.known_labels import known_words, target_taken
from skmm_core.data.natural_order import natural_key
from skmm_core.data.picture_depth import DEPTHS
from skmm_core.data.picture_file import Checked, read_picture
from skmm_core.data.picture_targets import PictureTargets, understood
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.skipped import Skipped, clean_name
from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore


@dataclass(frozen=True)
class ImageIndex:
    """The usable pictures, sorted by path, and what was left out.

    Attributes:
        root: folder that holds the files.
        ids: N paths relative to `root`, with "/", in one Unicode form (NFC).
        parts: "train", "validation" or "test" of each.
        targets: (N,) int64 class indices or float32 numbers, or None without labels.
        class_names: by class index; empty unless targets are classes.
        skipped: every file that is not used, with the reason.
        hashes: SHA-256 of the content of each file, and of how it is read where that depends on other files.
        fingerprint: "sha256:…" of contents, names, targets and parts.
        images: thumbnails in the order of `ids`.
        notes: one line each for what a person should know.
        paths: where each file is.
        depth: bits at which values of more than 8 bits are read, in every picture that has them; None without such.
        labels: (N,) text or float64 labels of a pool that is labelled in part, "" or NaN where there is none; its
            `targets` are None. Else None.
        captions: texts to look at, or None.
        reading: how the pictures were read, line by line.
    """

    root: Path
    ids: tuple[str, ...]
    parts: tuple[str, ...]
    targets: np.ndarray | None
    class_names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    hashes: tuple[str, ...]
    fingerprint: str
    images: EncodedImages
    notes: tuple[str, ...] = ()
    paths: tuple[Path, ...] = field(default=(), repr=False)
    depth: int | None = None
    labels: np.ndarray | None = field(default=None, repr=False)
    captions: tuple[str, ...] | None = field(default=None, repr=False)
    reading: tuple[ReadLine, ...] = ()

    @property
    def partly_labelled(self) -> str | None:
        """How many pictures of a pool that is labelled in part have a label, in words; None for other pools."""
        if self.labels is None:
            return None
        known = sum(label is not None for label in known_words(self.labels))
        return f"labels in {known:,} of {len(self):,} pictures"

    def __len__(self) -> int:
        return len(self.ids)

    def picture(self, row: int) -> Image.Image:
        """Decode one picture: RGB, upright.

        Raises:
            OSError: the file has changed or is gone.
        """
        return read_picture(self.paths[row], self.depth)

    def thumbnails(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """JPEG thumbnails of these rows: all bytes joined (uint8), and (n,) int64 ends of each."""
        joined = EncodedImages.joined([self.images.file(int(row)) for row in rows])
        return joined.data, joined.ends

    def close(self) -> None:
        """Nothing is held open; unpacked archives stay in the cache for the next time."""


def index_images(
    source: Path | Sequence[Path], *, pattern: str | None = None, target: str | None = None, report: Report = ignore
) -> ImageIndex:
    """Find the pictures of a source, decode each once, and read their parts and targets.

    A picture that cannot be used never stops the others: it is listed with the reason. Targets come from the named
    pattern, else from a table beside the pictures that names them (metadata.csv, labels.jsonl, …), else from class
    folders. The samples of webdataset and img2dataset shards have targets of their own.

    Args:
        source: a folder, also of tar files, a zip or tar file, or several files.
        pattern: how file names give the target: "utkface" (age), or None.
        target: name of the target column of the tables, or of a value of the samples.
        report: told of unpacking and checking.

    Raises:
        InputError: no picture can be used, or what gives the targets cannot be read.
    """
    if pattern is not None and target is not None:
        raise InputError("targets come from the pattern or from a metadata column, not from both; leave one out")
    given = find_files(source, report)
    skipped = given.skipped
    checked, layout, shards = _laid_out(given, pattern=pattern, target=target, report=report)
    names, found, parts = list(checked), layout.found, layout.parts
    reasons, told = _left_out(checked, layout)
    skipped += [Skipped(clean_name(names[row]), reason) for row, reason in sorted(reasons.items())]
    keep = np.array([row for row in range(len(names)) if row not in reasons], np.int64)
    if not len(keep):
        raise InputError(_nothing(given.title, skipped))
    kept_parts = tuple(parts[row] for row in keep)
    known = understood(found, keep, kept_parts, given.title)
    kept = {names[row]: checked[names[row]] for row in keep}
    depth = max((each.depth for each in kept.values() if each.depth), default=None)
    read = at_one_depth(kept, given.files, depth, report)
    kept_ids = tuple(layout.ids[row] for row in keep)
    hashes = tuple(_hash(each, depth) for each in kept.values())
    return ImageIndex(
        root=layout.root,
        ids=kept_ids,
        parts=kept_parts,
        targets=known.targets,
        class_names=known.class_names,
        skipped=tuple(sorted(skipped, key=lambda each: each.path)),
        hashes=hashes,
        fingerprint=_fingerprint(kept_ids, kept_parts, hashes, known),
        images=EncodedImages.joined([each.thumbnail for each in read.values()]),
        notes=(*given.notes, *layout.notes, *known.notes, *told, *reading_notes(kept, depth)),
        paths=tuple(given.files[name] for name in kept),
        depth=depth,
        labels=known.labels,
        captions=None if found.captions is None else tuple(found.captions[row] for row in keep),
        reading=tuple(_reading(given, layout, kept_parts, known, samples=shards)),
    )


def _laid_out(
    given: GivenFiles, *, pattern: str | None, target: str | None, report: Report
) -> tuple[dict[str, Checked], Layout, bool]:
    """The files that are pictures, what is known of them, and whether they are samples of shards."""
    samples = find_samples(given.files, given.shards)
    metadata = [] if samples else sorted(name for name in given.files if _describes(name))
    if samples:
        pictures = sorted(samples.keys, key=natural_key)
        given.skipped.extend(samples.skipped)
    else:
        pictures = [name for name in given.files if name not in metadata]
    checked = check_files({name: given.files[name] for name in pictures}, given.skipped, report)
    if not checked:
        raise InputError(_nothing(given.title, given.skipped))
    names = list(checked)
    if samples:
        return checked, sample_layout(given, names, samples, pattern=pattern, target=target), True
    return checked, folder_layout(given, names, metadata, pattern=pattern, target=target), False


def _left_out(checked: Mapping[str, Checked], layout: Layout) -> tuple[dict[int, str], tuple[str, ...]]:
    """Why pictures are not used, by position, and what a person should know of equal ones."""
    names, found, parts = list(checked), layout.found, layout.parts
    reasons = {**layout.reasons, **_unlabelled_held_out(found, parts)}
    twins = leave_one_of_each(layout.ids, [each.sha256 for each in checked.values()], parts, found.targets, reasons)
    reasons |= {row: f"same content as {clean_name(names[other])}" for row, other in twins.of.items()}
    return reasons | _unseen_classes(found, parts, reasons), twins.notes


def _reading(
    given: GivenFiles, layout: Layout, parts: Sequence[str], known: PictureTargets, *, samples: bool
) -> Iterator[ReadLine]:
    """How the pictures were read, line by line."""
    yield ReadLine("Format", given.kind, "samples, as of webdataset" if samples else "")
    found = layout.found
    if known.targets is None and known.labels is None:
        yield ReadLine("Target", "none", "", "--target")
    elif found.targets is not None:
        labels = None if known.labels is None else known_words(known.labels)
        yield ReadLine("Target", target_taken(found.targets.column, known.class_names, labels), "", "--target")
    yield ReadLine("Id", layout.named)
    counts = Counter(parts)
    if len(counts) > 1:
        taken = ", ".join(f"{part} {counts[part]:,}" for part in ("train", "validation", "test") if part in counts)
        yield ReadLine("Parts", taken, layout.divided)
    if found.captions is not None:
        yield ReadLine("Captions", f"{sum(map(bool, found.captions)):,}", "kept to look at")


def _describes(name: str) -> bool:
    """Whether a file describes pictures."""
    return PurePosixPath(name).name.lower() in METADATA_NAMES


def _hash(picture: Checked, depth: int | None) -> str:
    """What features of a picture are kept under: its content, and its depth where that is below 16 bits."""
    if picture.depth is None or depth == DEPTHS[-1]:
        return picture.sha256
    return hashlib.sha256(f"{picture.sha256}:{depth}".encode()).hexdigest()


def _unlabelled_held_out(found: Found, parts: Sequence[str]) -> dict[int, str]:
    """Held-out pictures without a target, on which nothing could be scored; where no picture has one, none."""
    if found.targets is None or found.targets.missing.all():
        return {}
    missing = np.flatnonzero(found.targets.missing)
    return {
        int(row): f"held out without a target in {found.targets.column}"
        for row in missing.tolist()
        if parts[row] != "train" and row not in found.reasons
    }


def _unseen_classes(found: Found, parts: Sequence[str], reasons: dict[int, str]) -> dict[int, str]:
    """Held-out pictures of classes that no picture of the training part has."""
    targets = found.targets
    if targets is None or targets.levels is None:
        return {}
    usable = [row for row in range(len(parts)) if row not in reasons]
    seen = {int(targets.values[row]) for row in usable if parts[row] == "train" and not targets.missing[row]}
    return {
        row: f"no training picture has its class {targets.levels[int(targets.values[row])]!r}"
        for row in usable
        if parts[row] != "train" and seen and int(targets.values[row]) not in seen
    }


def _nothing(where: str, skipped: Sequence[Skipped]) -> str:
    first = min(skipped, key=lambda each: each.path, default=None)
    why = f"; {len(skipped):,} files were skipped, first {first.path}: {first.reason}" if first else ""
    return f"{where} holds no picture that can be used{why}; give JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC files"


def _fingerprint(ids: Sequence[str], parts: Sequence[str], hashes: Sequence[str], known: PictureTargets) -> str:
    digest = hashlib.sha256()
    for id_, part, content in zip(ids, parts, hashes, strict=True):
        digest.update(f"{id_}\0{part}\0{content}\0".encode())
    values = known.targets if known.labels is None else known.labels
    digest.update(b"none" if values is None else f"{values.dtype}:".encode() + values.tobytes())
    digest.update("\0".join(known.class_names).encode())
    return f"sha256:{digest.hexdigest()}"
