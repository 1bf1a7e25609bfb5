"""Pictures in a folder, a zip file or a list of files: which can be used, in which part, with which target."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from skmm_core.data.archive import extract
from skmm_core.data.image_targets import METADATA_NAMES, Found, parts_of, read_targets, wrapping_folders
from skmm_core.data.picture_file import Checked, Unusable, check_picture, read_picture
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawTargets
from skmm_core.data.skipped import Skipped, clean_name
from skmm_core.data.targets import understand
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

MAX_FILES = 2_000_000
_AHEAD = 64
_JUNK_NAMES = (".ds_store", "thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class ImageIndex:
    """The usable pictures, sorted by path, and what was left out.

    Attributes:
        root: folder that holds the files.
        ids: N paths relative to `root`, with "/".
        parts: "train", "validation" or "test" of each.
        targets: (N,) int64 class indices or float32 numbers, or None without labels.
        class_names: by class index; empty unless targets are classes.
        skipped: every file that is not used, with the reason.
        hashes: SHA-256 of the content of each file.
        fingerprint: "sha256:…" of contents, names, targets and parts.
        images: thumbnails in the order of `ids`.
        notes: one line each for what a person should know.
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

    def __len__(self) -> int:
        return len(self.ids)

    def picture(self, row: int) -> Image.Image:
        """Decode one picture: RGB, upright.

        Raises:
            OSError: the file has changed or is gone.
        """
        return read_picture(self.paths[row])

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
    root, files, skipped = _files(source, report)
    metadata = sorted(name for name in files if PurePosixPath(name).name.lower() in METADATA_NAMES)
    checked = _check({name: path for name, path in files.items() if name not in set(metadata)}, skipped, report)
    if not checked:
        raise InputError(_nothing(root.name, skipped))
    wrap = wrapping_folders(list(checked), metadata)
    cut = sum(len(folder) + 1 for folder in wrap)
    names, ids = list(checked), [name[cut:] for name in checked]
    parts, inner, reasons = parts_of(ids)
    base = root.joinpath(*wrap)
    found = read_targets(ids, inner, {name[cut:]: files[name] for name in metadata}, pattern=pattern, target=target)
    reasons = {**found.reasons, **reasons}
    reasons |= _unseen_classes(found, parts, reasons)
    skipped += [Skipped(clean_name(names[row]), reason) for row, reason in sorted(reasons.items())]
    keep = np.array([row for row in range(len(ids)) if row not in reasons], np.int64)
    if not len(keep):
        raise InputError(_nothing(root.name, skipped))
    kept_parts = tuple(parts[row] for row in keep)
    targets, class_names, notes = _understood(found, keep, kept_parts, root.name)
    kept = [checked[names[row]] for row in keep]
    kept_ids = tuple(ids[row] for row in keep)
    hashes = tuple(each.sha256 for each in kept)
    return ImageIndex(
        root=base,
        ids=kept_ids,
        parts=kept_parts,
        targets=targets,
        class_names=class_names,
        skipped=tuple(sorted(skipped, key=lambda each: each.path)),
        hashes=hashes,
        fingerprint=_fingerprint(kept_ids, kept_parts, hashes, targets, class_names),
        images=EncodedImages.joined([each.thumbnail for each in kept]),
        notes=notes,
        paths=tuple(files[names[row]] for row in keep),
    )


def _files(source: Path | Sequence[Path], report: Report) -> tuple[Path, dict[str, Path], list[Skipped]]:
    """Root folder, regular files by relative path in sorted order, and what was left out."""
    several = [] if isinstance(source, Path) else list(source)
    if not isinstance(source, Path) and len(several) != 1:
        return _listed_files(several)
    only = source if isinstance(source, Path) else several[0]
    if only.is_dir():
        skipped: list[Skipped] = []
        return only, dict(sorted(_walk(only, skipped, report))), skipped
    if not only.is_file():
        raise InputError(f"{only} was not found; give a folder of pictures or a zip file")
    if only.suffix.lower() != ".zip":
        if not isinstance(source, Path):
            return _listed_files(several)
        raise InputError(f"{only.name} is neither a folder nor a zip file; give one of these")
    unpacked = extract(only, report=report)
    skipped = list(unpacked.skipped)
    return unpacked.folder, dict(sorted(_walk(unpacked.folder, skipped, report))), skipped


def _listed_files(paths: Sequence[Path]) -> tuple[Path, dict[str, Path], list[Skipped]]:
    if not paths:
        raise InputError("no picture was given; choose a folder, a zip file or several pictures")
    files: dict[str, Path] = {}
    skipped = []
    for path in paths:
        if path.suffix.lower() == ".zip":
            skipped.append(Skipped(clean_name(path.name), "an archive among pictures; give it alone"))
        elif path.name in files:
            skipped.append(Skipped(clean_name(path.name), "another file has the same name"))
        else:
            files[path.name] = path
    return paths[0].parent, dict(sorted(files.items())), skipped


def _walk(root: Path, skipped: list[Skipped], report: Report) -> Iterator[tuple[str, Path]]:
    count = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        report(Progress("Looking for pictures", count))
        for name in sorted(folders):
            if (Path(folder) / name).is_symlink():
                skipped.append(Skipped(clean_name((here / name).as_posix()), "a link to a folder is not followed"))
        for name in names:
            count += 1
            if count > MAX_FILES:
                raise InputError(f"{root} holds more than {MAX_FILES:,} files; give a smaller folder")
            path = Path(folder) / name
            yield (here / name).as_posix(), path


def _check(files: dict[str, Path], skipped: list[Skipped], report: Report) -> dict[str, Checked]:
    """Decode every file once, in threads; usable pictures by name, in the order of `files`."""
    found: dict[str, Checked] = {}
    first: dict[str, str] = {}
    items = iter(files.items())
    # Threads share the filters: a picture so large that Pillow warns of it is an error of that picture.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(4, os.cpu_count() or 1), "check") as pool:
        warnings.simplefilter("ignore", UserWarning)  # of damaged tags, which harm nothing
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        waiting: list[tuple[str, Future[Checked]]] = []

        def refill() -> None:
            for name, path in islice(items, _AHEAD - len(waiting)):
                waiting.append((name, pool.submit(_checked, name, path)))

        try:
            refill()
            done = 0
            while waiting:
                name, future = waiting.pop(0)
                report(Progress("Checking pictures", done, len(files)))
                done += 1
                try:
                    picture = future.result()
                    twin = first.setdefault(picture.sha256, name)
                    if twin != name:
                        raise Unusable(f"same content as {clean_name(twin)}")
                    found[name] = picture
                except Unusable as error:
                    skipped.append(Skipped(clean_name(name), str(error)))
                refill()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _checked(name: str, path: Path) -> Checked:
    parts = PurePosixPath(name).parts
    if "__MACOSX" in parts or parts[-1].lower() in _JUNK_NAMES or parts[-1].startswith("._"):
        raise Unusable("not an image: a file of the operating system")
    if clean_name(name) != name:
        raise Unusable("its name is not printable UTF-8 text; rename it")
    return check_picture(path)


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

    if not train.any() or (raw.column == "class folder" and len(np.unique(values[train])) < 2):
        note = "The training pictures have no two classes: read as a pool without labels."
        return None, (), (*found.notes, note)
    held = some(~train) if (~train).any() else None
    known = understand(some(train), held, task="auto", names=(), where=where)
    targets = np.empty(len(keep), known.pool.dtype)
    targets[train] = known.pool
    if known.test is not None:
        targets[~train] = known.test
    return targets, known.class_names, (*found.notes, *known.notes)


def _nothing(where: str, skipped: Sequence[Skipped]) -> str:
    why = f"; {len(skipped):,} files were skipped, first {skipped[0].path}: {skipped[0].reason}" if skipped else ""
    return f"{where} holds no picture that can be used{why}; give JPEG, PNG, WebP, GIF, BMP or TIFF files"


def _fingerprint(
    ids: Sequence[str], parts: Sequence[str], hashes: Sequence[str], targets: np.ndarray | None, names: Sequence[str]
) -> str:
    digest = hashlib.sha256()
    for id_, part, content in zip(ids, parts, hashes, strict=True):
        digest.update(f"{id_}\0{part}\0{content}\0".encode())
    digest.update(b"none" if targets is None else f"{targets.dtype}:".encode() + targets.tobytes())
    digest.update("\0".join(names).encode())
    return f"sha256:{digest.hexdigest()}"
