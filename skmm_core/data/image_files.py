"""Files of a folder, an archive or a list, by names in one form; hidden ones and impossible names left out."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.archive import extract
from skmm_core.data.file_names import MAX_PATH_BYTES, is_plain, one_form, why_hidden
from skmm_core.data.formats import TAR_ENDINGS, is_archive, is_tar
from skmm_core.data.natural_order import natural_key
from skmm_core.data.picture_kinds import PICTURE_KINDS
from skmm_core.data.skipped import Skipped, clean_name, counted
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

MAX_FILES = 2_000_000
_AMONG_PICTURES = "an archive among pictures; give it alone"


@dataclass(frozen=True)
class GivenFiles:
    """What a source holds.

    Attributes:
        root: folder that the paths are relative to.
        title: what was given, as it is called.
        kind: what it is, in words.
        files: where each file is, by its relative path in one Unicode form, sorted.
        skipped: what was left out.
        notes: what a person should know.
        shards: prefixes of the files that come from tar files, such as "00000/", or "" for a single one.
    """

    root: Path
    title: str
    kind: str
    files: dict[str, Path]
    skipped: list[Skipped]
    notes: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()


def find_files(source: Path | Sequence[Path], report: Report) -> GivenFiles:
    """List the files of a folder, of an archive, which is unpacked, or the files given.

    Args:
        source: a folder, perhaps of tar files, a zip or tar file, or several files.
        report: told of unpacking and looking.

    Raises:
        InputError: there is no such source, it cannot be unpacked, or it holds too many files.
    """
    several = [] if isinstance(source, Path) else list(source)
    if not isinstance(source, Path) and len(several) != 1:
        return _listed_files(several)
    only = source if isinstance(source, Path) else several[0]
    if only.is_dir():
        return _folder(only, report)
    if not only.is_file():
        raise InputError(f"{only} was not found; give a folder of pictures, or a zip or tar file")
    if not is_archive(only.name):
        if not isinstance(source, Path):
            return _listed_files(several)
        raise InputError(f"{only.name} is neither a folder nor a zip or tar file; give one of these")
    unpacked = extract(only, report=report)
    skipped = list(unpacked.skipped)
    files = _named(_walk(unpacked.folder, skipped, report), skipped)
    shards = ("",) if is_tar(only.name) else ()
    kind = "tar file" if shards else "zip file"
    return GivenFiles(unpacked.folder, only.name, kind, files, skipped, unpacked.notes, shards)


def _listed_files(paths: Sequence[Path]) -> GivenFiles:
    if not paths:
        raise InputError("no picture was given; choose a folder, a zip or tar file or several pictures")
    archives = [path for path in paths if is_archive(path.name)]
    skipped = [Skipped(clean_name(path.name), _AMONG_PICTURES) for path in archives]
    files = _named(((path.name, path) for path in paths if path not in archives), skipped)
    return GivenFiles(paths[0].parent, paths[0].parent.name, "files", files, skipped)


def _folder(root: Path, report: Report) -> GivenFiles:
    """The files of a folder; where it holds tar files and no pictures, what is in these."""
    skipped: list[Skipped] = []
    files = _named(_walk(root, skipped, report), skipped)
    archives = {name: path for name, path in files.items() if is_archive(name)}
    rest = {name: path for name, path in files.items() if name not in archives}
    tars = [name for name in archives if is_tar(name)]
    if not tars or any(name.lower().endswith(PICTURE_KINDS) for name in rest):
        skipped += [Skipped(clean_name(name), _AMONG_PICTURES) for name in archives]
        return GivenFiles(root, root.name, "folder", rest, skipped)
    notes: list[str] = []
    shards = []
    for name in sorted(tars, key=natural_key):
        shards.append(_without_ending(name) + "/")
        unpacked = extract(archives[name], report=report)
        own = [Skipped(f"{clean_name(name)}: {each.path}", each.reason) for each in unpacked.skipped]
        inside = _named(_walk(unpacked.folder, own, report), own)
        rest |= {shards[-1] + member: path for member, path in inside.items()}
        skipped += own
        notes += unpacked.notes
    skipped += [Skipped(clean_name(name), "an archive among tar files") for name in archives if name not in tars]
    kind = counted(len(shards), "tar file", "tar files")
    return GivenFiles(root, root.name, kind, dict(sorted(rest.items())), skipped, tuple(notes), tuple(shards))


def _without_ending(name: str) -> str:
    return next(name[: -len(ending)] for ending in TAR_ENDINGS if name.lower().endswith(ending))


def _named(found: Iterable[tuple[str, Path]], skipped: list[Skipped]) -> dict[str, Path]:
    """Leave out files that are hidden, that have no usable name, or whose name another file has already."""
    files: dict[str, Path] = {}
    for name, path in found:
        if reason := why_hidden(name) or _why_no_name(name):
            skipped.append(Skipped(clean_name(name), reason))
        elif files.setdefault(one_form(name), path) is not path:
            skipped.append(Skipped(clean_name(name), "another file has the same name"))
    return dict(sorted(files.items()))


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
