"""Which members of a zip file may be unpacked: safe names, ordinary files, pictures and metadata."""

import re
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

from skmm_core.data.file_names import MAX_PATH_BYTES, is_plain, one_form, why_hidden
from skmm_core.data.image_metadata import METADATA_NAMES
from skmm_core.data.picture_file import MAX_PICTURE_BYTES, PICTURE_KINDS
from skmm_core.data.skipped import Skipped, clean_name

MAX_DEPTH = 32
MAX_NAME_BYTES = 200
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")


class Refused(Exception):
    """A member is left out; the message is the reason."""


def choose_members(
    infos: Iterable[zipfile.ZipInfo], names: Iterable[str]
) -> tuple[dict[str, zipfile.ZipInfo], list[Skipped]]:
    """Pick the pictures and metadata files with a safe name.

    Args:
        infos: the table of contents.
        names: of its members, as :func:`skmm_core.data.archive_names.read_names` reads them.

    Returns:
        Members by name, which is a relative path without any way out, and the others with reasons.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for info, name in zip(infos, names, strict=True):
        try:
            _check_name(info, name)
            if name.endswith("/"):
                continue
            _check_member(info, name)
            # Names that differ only in case or in how accents are written are one file on some disks.
            key = one_form(name).casefold()
            if key in taken:
                raise Refused("another file in the archive has the same name")
            taken.add(key)
            members[name] = info
        except Refused as error:
            skipped.append(Skipped(clean_name(name), str(error)))
    return members, skipped


def _check_name(info: zipfile.ZipInfo, name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise Refused("an absolute path")
    if "\\" in name:
        raise Refused("a backslash in its name; pack it again with / between folders")
    if len(parts) > MAX_DEPTH:
        raise Refused(f"more than {MAX_DEPTH} folders deep")
    if any(part in ("", ".", "..") for part in parts):
        raise Refused("a path that leaves its folder")
    if not is_plain(name):
        raise Refused("unprintable characters in its name")
    sizes = [len(part.encode()) for part in parts]
    if max(sizes) > MAX_NAME_BYTES or sum(sizes) > MAX_PATH_BYTES:
        raise Refused("its name is too long")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused("a link" if kind == stat.S_IFLNK else "a special file")


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    if reason := why_hidden(name):
        raise Refused(reason)
    kind = Path(name).suffix.lower()
    base = name.rsplit("/", 1)[-1].lower()
    if kind in _ARCHIVES:
        raise Refused("an archive in the archive; unpack it first")
    if base in METADATA_NAMES or kind in PICTURE_KINDS or not kind:
        if info.flag_bits & 1:
            raise Refused("encrypted; pack it without a password")
        # The other methods unpack without a bound on memory.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("compressed in a way that is not read; pack it as an ordinary zip (deflate)")
        if info.file_size > MAX_PICTURE_BYTES:
            raise Refused(f"too large: {info.file_size >> 20:,} MB, at most {MAX_PICTURE_BYTES >> 20} MB are read")
        return
    raise Refused(f"not an image ({clean_name(kind)})")
