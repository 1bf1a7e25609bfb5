"""Pictures in a folder, a zip file or a list of files: which can be used, in which part, with which target."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from skmm_core.data.image_checks import at_one_depth, check_files, reading_notes
from skmm_core.data.image_files import find_files
from skmm_core.data.image_metadata import METADATA_NAMES, Found
from skmm_core.data.image_parts import parts_of, wrapping_folders
from skmm_core.data.image_targets import AGES, one_each, read_targets
from skmm_core.data.image_twins import leave_one_of_each
from skmm_core.data.picture_depth import DEPTHS
from skmm_core.data.picture_file import Checked, read_picture
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawTargets
from skmm_core.data.skipped import Skipped, clean_name
from skmm_core.data.targets import understand
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
        """Nothing is held open; unpacked zip files stay in the cache for the next time."""


def index_images(
    source: Path | Sequence[Path], *, pattern: str | None = None, target: str | None = None, report: Report = ignore
) -> ImageIndex:
    """Find the pictures of a source, decode each once, and read their parts and targets.

    A picture that cannot be used never stops the others: it is listed with the reason. Targets come from the named
    pattern, else from metadata.csv or metadata.jsonl (`file_name` and a target column), else from class folders.

    Args:
        source: a folder, a zip file, or several files.
        pattern: how file names give the target: "utkface" (age), or None.
        target: name of the target column of the metadata.
        report: told of unpacking and checking.

    Raises:
        InputError: no picture can be used, or what gives the targets cannot be read.
    """
    if pattern is not None and target is not None:
        raise InputError("targets come from the pattern or from a metadata column, not from both; leave one out")
    given = find_files(source, report)
    files, skipped, where = given.files, given.skipped, given.root.name
    metadata = sorted(name for name in files if PurePosixPath(name).name.lower() in METADATA_NAMES)
    checked = check_files({name: path for name, path in files.items() if name not in set(metadata)}, skipped, report)
    if not checked:
        raise InputError(_nothing(where, skipped))
    wrap = wrapping_folders(list(checked), metadata)
    cut = sum(len(folder) + 1 for folder in wrap)
    names, ids = list(checked), [name[cut:] for name in checked]
    described = {name[cut:]: files[name] for name in metadata}
    parts = parts_of(ids, list(described))
    found = read_targets(ids, parts.inner, described, pattern=pattern, target=target)
    reasons = {**found.reasons, **parts.reasons}
    twins = leave_one_of_each(ids, [each.sha256 for each in checked.values()], parts.parts, found.targets, reasons)
    reasons |= {row: f"same content as {clean_name(names[other])}" for row, other in twins.of.items()}
    reasons |= _unseen_classes(found, parts.parts, reasons)
    skipped += [Skipped(clean_name(names[row]), reason) for row, reason in sorted(reasons.items())]
    keep = np.array([row for row in range(len(ids)) if row not in reasons], np.int64)
    if not len(keep):
        raise InputError(_nothing(where, skipped))
    kept_parts = tuple(parts.parts[row] for row in keep)
    targets, class_names, notes = _understood(found, keep, kept_parts, where)
    kept = {names[row]: checked[names[row]] for row in keep}
    depth = max((each.depth for each in kept.values() if each.depth), default=None)
    read = at_one_depth(kept, files, depth, report)
    kept_ids = tuple(ids[row] for row in keep)
    hashes = tuple(_hash(each, depth) for each in kept.values())
    return ImageIndex(
        root=_folder(given.root, files[names[0]], names[0], wrap),
        ids=kept_ids,
        parts=kept_parts,
        targets=targets,
        class_names=class_names,
        skipped=tuple(sorted(skipped, key=lambda each: each.path)),
        hashes=hashes,
        fingerprint=_fingerprint(kept_ids, kept_parts, hashes, targets, class_names),
        images=EncodedImages.joined([each.thumbnail for each in read.values()]),
        notes=(*given.notes, *parts.notes, *notes, *twins.notes, *reading_notes(kept, depth)),
        paths=tuple(files[name] for name in kept),
        depth=depth,
    )


def _hash(picture: Checked, depth: int | None) -> str:
    """What features of a picture are kept under: its content, and its depth where that is below 16 bits."""
    if picture.depth is None or depth == DEPTHS[-1]:
        return picture.sha256
    return hashlib.sha256(f"{picture.sha256}:{depth}".encode()).hexdigest()


def _folder(root: Path, path: Path, name: str, wrap: Sequence[str]) -> Path:
    """The folder of all pictures as the disk spells it, found by going up from one of them."""
    return path.parents[name.count("/") - len(wrap)] if wrap else root


def _unseen_classes(found: Found, parts: Sequence[str], reasons: dict[int, str]) -> dict[int, str]:
    """Held-out pictures of classes that no picture of the training part has."""
    targets = found.targets
    if targets is None or targets.levels is None:
        return {}
    usable = [row for row in range(len(parts)) if row not in reasons]
    seen = {int(targets.values[row]) for row in usable if parts[row] == "train"}
    return {
        row: f"no training picture has its class {targets.levels[int(targets.values[row])]!r}"
        for row in usable
        if parts[row] != "train" and seen and int(targets.values[row]) not in seen
    }


def _understood(
    found: Found, keep: np.ndarray, parts: Sequence[str], where: str
) -> tuple[np.ndarray | None, tuple[str, ...], tuple[str, ...]]:
    """Targets of the kept pictures as class indices or numbers, class names, and notes."""
    raw = found.targets
    if raw is None:
        return None, (), found.notes
    train = np.array([part == "train" for part in parts])
    values = raw.values[keep]

    def some(rows: np.ndarray) -> RawTargets:
        return RawTargets(values[rows], np.zeros(int(rows.sum()), bool), raw.levels, raw.column)

    if raw.levels is not None and train.any() and np.unique(values[train], return_counts=True)[1].max() == 1:
        return None, (), (*found.notes, one_each(raw.column))
    if not train.any() or (raw.column == "class folder" and len(np.unique(values[train])) < 2):
        note = "The training pictures have no two classes: read as a pool without labels."
        return None, (), (*found.notes, note)
    held = some(~train) if (~train).any() else None
    # Ages of file names are numbers, however many have the same.
    known = understand(some(train), held, task="regression" if raw.column == AGES else "auto", names=(), where=where)
    targets = np.empty(len(keep), known.pool.dtype)
    targets[train] = known.pool
    if known.test is not None:
        targets[~train] = known.test
    return targets, known.class_names, (*found.notes, *known.notes)


def _nothing(where: str, skipped: Sequence[Skipped]) -> str:
    first = min(skipped, key=lambda each: each.path, default=None)
    why = f"; {len(skipped):,} files were skipped, first {first.path}: {first.reason}" if first else ""
    return f"{where} holds no picture that can be used{why}; give JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC files"


def _fingerprint(
    ids: Sequence[str], parts: Sequence[str], hashes: Sequence[str], targets: np.ndarray | None, names: Sequence[str]
) -> str:
    digest = hashlib.sha256()
    for id_, part, content in zip(ids, parts, hashes, strict=True):
        digest.update(f"{id_}\0{part}\0{content}\0".encode())
    digest.update(b"none" if targets is None else f"{targets.dtype}:".encode() + targets.tobytes())
    digest.update("\0".join(names).encode())
    return f"sha256:{digest.hexdigest()}"
