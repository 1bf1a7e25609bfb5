"""Archives from strangers, unpacked into a folder of their own and nowhere else; sizes, disk space, bombs.

A member with a bad name, a link, an encrypted or a damaged one is left out with a reason. The whole archive is refused
only when its table of contents cannot be read or when what it declares would fill memory or disk. Decompression stops
at the declared size, so the check before the first byte holds for what is written too.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from skmm_core.data.archive_members import Refused, choose_members
from skmm_core.data.file_limits import check_file
from skmm_core.data.formats import is_tar
from skmm_core.data.skipped import Skipped, clean_name
from skmm_core.data.tar_file import TarContents
from skmm_core.data.unpacked import plain_file
from skmm_core.data.zip_file import ZIP_ERRORS, ZipContents
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.storage import home, write_json

MAX_RATIO = 200
SMALL_BYTES = 256 << 20  # below this a high ratio does no harm: flat drawings pack well
_DEFAULT_MAX_MB = 16_384
_FREE_BYTES = 256 << 20  # left on the disk for others
_CHUNK = 1 << 20
_CONTENTS = "contents.json"
_RULES = b"3"  # raised when other members or names come out, so that what was unpacked before is not taken
_STALE_SECONDS = 24 * 3600
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Unpacked:
    """An archive on disk.

    Attributes:
        folder: with the files.
        skipped: members that are not in it, with the reason.
        notes: what a person should know of how names were read.
    """

    folder: Path
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()


def unpacked_megabytes() -> int:
    """Most that one archive may unpack to: `SKMM_MAX_UNPACKED_MB` or 16,384.

    Raises:
        InputError: the variable is set and is not a whole number above 0.
    """
    text = os.environ.get("SKMM_MAX_UNPACKED_MB", "").strip()
    if text and (not text.isdecimal() or int(text) < 1):
        raise InputError(f"SKMM_MAX_UNPACKED_MB is {text!r}; set it to a whole number of megabytes, such as 16384")
    return int(text) if text else _DEFAULT_MAX_MB


def extract(path: Path, *, report: Report = ignore) -> Unpacked:
    """Unpack the pictures and metadata of an archive into the cache, or find them there.

    Args:
        path: of the zip or tar file.
        report: told of hashing and unpacking; raise Cancelled from it to stop.

    Raises:
        InputError: the archive cannot be read, is a bomb, or the disk is full.
    """
    check_file(path, kinds=(".zip", ".tar", ".tgz", ".gz"))
    try:
        with path.open("rb") as file:
            return _extract(file, path, report)
    except OSError as error:
        if error.errno in _FULL:
            raise InputError(f"{path.name}: the disk is full; free some space or set SKMM_HOME") from None
        raise InputError(f"{path.name} cannot be unpacked: {(error.strerror or str(error)).lower()}") from None


def _extract(file: IO[bytes], path: Path, report: Report) -> Unpacked:
    cache = home() / "images"
    target = cache / _hash(file, path, report)[:40]
    if (known := _cached(target)) is not None:
        return known
    with _contents(file, path) as archive:
        places, skipped = choose_members(archive.members)
        declared = sum(archive.members[place].size for place in places.values())
        _check_size(declared, path)
        cache.mkdir(parents=True, exist_ok=True)
        _trim(cache, unpacked_megabytes() << 20)
        if shutil.disk_usage(cache).free < declared + _FREE_BYTES:
            raise InputError(
                f"{path.name} unpacks to {declared >> 20:,} MB, more than the disk has free; free some space or set "
                "SKMM_HOME"
            )
        temporary = cache / f".{os.getpid()}-{threading.get_ident()}-{target.name}"
        try:
            (temporary / "files").mkdir(parents=True)
            for done, (name, place) in enumerate(places.items()):
                now = Progress(f"Unpacking {path.name}", done, len(places))
                try:
                    _write(archive, place, temporary / "files" / name, partial(report, now))
                except Refused as error:
                    skipped.append(Skipped(clean_name(name), str(error)))
            write_json(temporary / _CONTENTS, _facts(declared, skipped, archive.notes))
            if _cached(target) is None:
                shutil.rmtree(target, ignore_errors=True)  # damaged, or not there
            with contextlib.suppress(OSError):  # another process was faster; its files are the same
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return Unpacked(target / "files", tuple(skipped), archive.notes)


@contextlib.contextmanager
def _contents(file: IO[bytes], path: Path) -> Iterator[ZipContents | TarContents]:
    """The open archive; a packed tar file is unpacked first."""
    with contextlib.ExitStack() as stack:
        if is_tar(path.name):
            plain = stack.enter_context(plain_file(path))
            opened = stack.enter_context(plain.open("rb"))
            yield TarContents(opened, path.name)
        else:
            yield stack.enter_context(contextlib.closing(ZipContents(file, path.name)))


def _hash(file: IO[bytes], path: Path, report: Report) -> str:
    digest, size, done = hashlib.sha256(_RULES), path.stat().st_size, 0
    while chunk := file.read(_CHUNK):
        report(Progress(f"Reading {path.name}", done, size))
        digest.update(chunk)
        done += len(chunk)
    return digest.hexdigest()


def _cached(target: Path) -> Unpacked | None:
    try:
        found = json.loads((target / _CONTENTS).read_bytes())
        skipped = tuple(Skipped(str(name), str(reason)) for name, reason in found["skipped"])
        os.utime(target)
        return Unpacked(target / "files", skipped, tuple(map(str, found["notes"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _facts(size: int, skipped: list[Skipped], notes: tuple[str, ...]) -> dict[str, Any]:
    return {"bytes": size, "skipped": [[each.path, each.reason] for each in skipped], "notes": notes}


def _trim(cache: Path, room: int) -> None:
    """Remove what killed processes left, and the archives used longest ago while all are too large.

    Nothing that was used within a day is removed: a run may still read it.
    """
    used = []
    for folder in cache.iterdir():
        with contextlib.suppress(OSError):  # another process was faster
            used.append((folder.stat().st_mtime, folder))
    used.sort(reverse=True)
    for when, folder in used:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            room -= 0 if folder.name.startswith(".") else int(json.loads((folder / _CONTENTS).read_bytes())["bytes"])
        if time.time() - when > _STALE_SECONDS and (room < 0 or folder.name.startswith(".")):
            shutil.rmtree(folder, ignore_errors=True)


def _check_size(declared: int, path: Path) -> None:
    packed = path.stat().st_size
    limit = unpacked_megabytes()
    if declared > limit << 20:
        raise InputError(
            f"{path.name} unpacks to {declared >> 20:,} MB, more than the limit of {limit:,} MB; split it, or raise "
            "SKMM_MAX_UNPACKED_MB"
        )
    if declared > SMALL_BYTES and declared > MAX_RATIO * packed:
        raise InputError(
            f"{path.name} unpacks to {declared >> 20:,} MB, {declared // packed:,} times its size, which pictures "
            "never do: it looks like a zip bomb; pack the pictures again or give a folder"
        )


def _write(archive: ZipContents | TarContents, place: int, target: Path, tell: Callable[[], None]) -> None:
    tell()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(place) as source, target.open("xb") as file:
            for chunk in member_chunks(source, archive.members[place].size):
                tell()
                file.write(chunk)
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise Refused(f"cannot be written: {(error.strerror or 'unknown error').lower()}") from None
    except (*ZIP_ERRORS, Refused) as error:
        target.unlink(missing_ok=True)
        raise Refused(f"damaged: {' '.join(str(error).split())[:80] or 'it ends early'}") from None


def member_chunks(source: IO[bytes], declared: int) -> Iterator[bytes]:
    """The bytes of a member, never more than it declares."""
    left = declared
    while chunk := source.read(min(_CHUNK, left + 1)):
        left -= len(chunk)
        if left < 0:
            raise Refused("it holds more than it declares")
        yield chunk
