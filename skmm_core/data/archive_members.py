"""Which members of an archive may be unpacked: safe names, ordinary files, pictures and what describes them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.file_names import MAX_PATH_BYTES, is_plain, one_form, why_hidden
from skmm_core.data.image_tables import METADATA_NAMES
from skmm_core.data.picture_file import MAX_PICTURE_BYTES
from skmm_core.data.picture_kinds import may_be_picture, why_no_picture
from skmm_core.data.skipped import Skipped, clean_name

MAX_DEPTH = 32
MAX_NAME_BYTES = 200
COMPANION_KINDS = (".cls", ".json", ".txt")  # what stands beside a picture in a webdataset sample
MAX_COMPANION_BYTES = 1 << 20
TABLE_KIND = ".parquet"  # of the samples of a shard, as img2dataset writes it
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_PICKLED = (".pyd", ".pickle", ".pkl", ".pth", ".pt")


class Refused(Exception):
    """A member is left out; the message is the reason."""


@dataclass(frozen=True)
class Member:
    """What an archive says of one of its members.

    Attributes:
        name: with "/" between folders; not yet checked for being harmless.
        size: bytes when unpacked, as declared.
        odd: what it is where it is neither a file nor a folder, such as "a link"; else None.
        folder: whether it is one.
        locked: why its content cannot be read, or None.
    """

    name: str
    size: int
    odd: str | None = None
    folder: bool = False
    locked: str | None = None


def choose_members(members: Iterable[Member]) -> tuple[dict[str, int], list[Skipped]]:
    """Pick the pictures and what describes them, with a safe name.

    Args:
        members: the table of contents.

    Returns:
        Places of members by name, which is a relative path without any way out, and the others with reasons.
    """
    chosen: dict[str, int] = {}
    skipped: list[Skipped] = []
    taken: set[str] = set()
    for place, member in enumerate(members):
        try:
            _check_name(member)
            if member.folder:
                continue
            _check_member(member)
            # Names that differ only in case or in how accents are written are one file on some disks.
            key = one_form(member.name).casefold()
            if key in taken:
                raise Refused("another file in the archive has the same name")
            taken.add(key)
            chosen[member.name] = place
        except Refused as error:
            skipped.append(Skipped(clean_name(member.name), str(error)))
    return chosen, skipped


def _check_name(member: Member) -> None:
    name = member.name
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
    if member.odd is not None:
        raise Refused(member.odd)


def _check_member(member: Member) -> None:
    if reason := why_hidden(member.name):
        raise Refused(reason)
    kind = Path(member.name).suffix.lower()
    base = member.name.rsplit("/", 1)[-1].lower()
    if kind in _ARCHIVES:
        raise Refused("an archive in the archive; unpack it first")
    if kind in _PICKLED:
        raise Refused(f"pickled data ({kind}), which can run code and is never read")
    companion = kind in COMPANION_KINDS
    if not (companion or base in METADATA_NAMES or kind == TABLE_KIND or may_be_picture(member.name)):
        raise Refused(why_no_picture(kind))
    if member.locked is not None:
        raise Refused(member.locked)
    limit = MAX_COMPANION_BYTES if companion else MAX_PICTURE_BYTES
    if member.size > limit:
        raise Refused(f"too large: {member.size >> 20:,} MB, at most {limit >> 20} MB are read")
