"""Files of a folder, a zip file or a list, by names in one form; hidden ones and impossible names left out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.archive import extract
from skmm_core.data.file_names import MAX_PATH_BYTES, is_plain, one_form, why_hidden
from skmm_core.data.skipped import Skipped, clean_name
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

MAX_FILES = 2_000_000


@dataclass(frozen=True)
class GivenFiles:
    """What a source holds.

    Attributes:
        root: folder that the paths are relative to.
        files: where each file is, by its relative path in one Unicode form, sorted.
        skipped: what was left out.
        notes: what a person should know.
    """

    root: Path
    files: dict[str, Path]
    skipped: list[Skipped]
    notes: tuple[str, ...] = ()


def find_files(source: Path | Sequence[Path], report: Report) -> GivenFiles:
    """List the files of a folder, of a zip file, which is unpacked, or the files given.

    Args:
        source: a folder, a zip file, or several files.
        report: told of unpacking and looking.

    Raises:
        InputError: there is no such source, it cannot be unpacked, or it holds too many files.
    """
    several = [] if isinstance(source, Path) else list(source)
    if not isinstance(source, Path) and len(several) != 1:
        return _listed_files(several)
    only = source if isinstance(source, Path) else several[0]
    if only.is_dir():
        skipped: list[Skipped] = []
        return _named(only, _walk(only, skipped, report), skipped)
    if not only.is_file():
        raise InputError(f"{only} was not found; give a folder of pictures or a zip file")
    if only.suffix.lower() != ".zip":
        if not isinstance(source, Path):
            return _listed_files(several)
        raise InputError(f"{only.name} is neither a folder nor a zip file; give one of these")
    unpacked = extract(only, report=report)
    skipped = list(unpacked.skipped)
    return _named(unpacked.folder, _walk(unpacked.folder, skipped, report), skipped, unpacked.notes)


def _listed_files(paths: Sequence[Path]) -> GivenFiles:
    if not paths:
        raise InputError("no picture was given; choose a folder, a zip file or several pictures")
    archives = [path for path in paths if path.suffix.lower() == ".zip"]
    skipped = [Skipped(clean_name(path.name), "an archive among pictures; give it alone") for path in archives]
    return _named(paths[0].parent, ((path.name, path) for path in paths if path not in archives), skipped)


def _named(
    root: Path, found: Iterable[tuple[str, Path]], skipped: list[Skipped], notes: tuple[str, ...] = ()
) -> GivenFiles:
    """Leave out files that are hidden, that have no usable name, or whose name another file has already."""
    files: dict[str, Path] = {}
    for name, path in found:
        if reason := why_hidden(name) or _why_no_name(name):
            skipped.append(Skipped(clean_name(name), reason))
        elif files.setdefault(one_form(name), path) is not path:
            skipped.append(Skipped(clean_name(name), "another file has the same name"))
    return GivenFiles(root, dict(sorted(files.items())), skipped, notes)


def _why_no_name(name: str) -> str | None:
    if not is_plain(name):
        return "its name is not printable UTF-8 text; rename it"
    return "its name is too long; shorten it" if len(name.encode()) > MAX_PATH_BYTES else None


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
