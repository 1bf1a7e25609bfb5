"""Tar files: their members, found header by header, and what they hold.

The headers are walked here, since those that carry long names may declare any size, which `tarfile` would read whole.
What is read: the old form, ustar, GNU long names, and the names and sizes of pax (POSIX.1-2001).
"""

import io
import tarfile
from collections.abc import Sequence
from typing import IO

from skmm_core.data.archive_members import Member
from skmm_core.data.skipped import clean_name
from skmm_core.errors import InputError

MAX_MEMBERS = 500_000
_BLOCK = tarfile.BLOCKSIZE
_MAX_EXTRA = 1 << 16  # bytes of a header that carries a name
_SPARSE = "GNU.sparse."
_EXTRA = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


class TarContents:
    """An open tar file that is not packed.

    Attributes:
        members: in the order of the file.
        notes: what a person should know.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Find the members.

        Raises:
            InputError: it is no tar file, or holds too many members.
        """
        self._file, self._name = file, name
        self._end = file.seek(0, io.SEEK_END)
        self._starts: list[int] = []
        self.notes: tuple[str, ...] = ()
        self.members: Sequence[Member] = self._found()

    def open(self, place: int) -> IO[bytes]:
        """Content of a member; its size is to be checked before, since it is read whole.

        Raises:
            EOFError: the file ends before it does.
        """
        start, size = self._starts[place], self.members[place].size
        if start + size > self._end:
            raise EOFError("it ends early")
        self._file.seek(start)
        return io.BytesIO(self._file.read(size))

    def _found(self) -> list[Member]:
        members: list[Member] = []
        place = 0
        said: dict[str, str] = {}
        while (info := self._header(place, members)) is not None:
            place += _BLOCK
            size = info.size if info.isreg() or info.type not in tarfile.SUPPORTED_TYPES else 0
            if info.type in _EXTRA:
                said |= self._extra(info, place)
                size = info.size
            else:
                if not info.isdir():
                    place += self._sparse_map(info, place)
                    members.append(_member(info, said))
                    self._starts.append(place)
                    size = members[-1].size if info.isreg() else size
                said = {}
            place += -(-size // _BLOCK) * _BLOCK
            if len(members) > MAX_MEMBERS:
                raise InputError(
                    f"{self._name} lists too many files (at most {MAX_MEMBERS:,}); split it, or unpack it into a folder"
                )
        return members

    def _header(self, place: int, members: list[Member]) -> tarfile.TarInfo | None:
        """The header at a place; None at the end, and where what follows is damaged."""
        self._file.seek(place)
        block = self._file.read(_BLOCK)
        if not block.strip(b"\0"):
            if place == 0:
                raise InputError(f"{self._name} holds no files; pack it again")
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            if info.size < 0:
                raise tarfile.HeaderError("negative size")
            return info
        except tarfile.HeaderError:
            if not members:
                raise InputError(f"{self._name} is truncated or not a tar file; copy or pack it again") from None
            last = clean_name(members[-1].name)
            self.notes = (f"{self._name} is damaged after {last}: what follows is not read; copy it again.",)
            return None

    def _extra(self, info: tarfile.TarInfo, place: int) -> dict[str, str]:
        """What a header says of the member after it."""
        if info.type == tarfile.XGLTYPE or info.size > _MAX_EXTRA:
            return {} if info.type == tarfile.XGLTYPE else {"odd": "its name is too long"}
        self._file.seek(place)
        content = self._file.read(info.size)
        if info.type == tarfile.GNUTYPE_LONGNAME:
            return {"path": content.partition(b"\0")[0].decode("utf-8", "surrogateescape")}
        return _pax(content) if info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE) else {}

    def _sparse_map(self, info: tarfile.TarInfo, place: int) -> int:
        """Bytes of the blocks that go on with the map of an old GNU sparse file."""
        if info.type != tarfile.GNUTYPE_SPARSE:
            return 0
        flag, length = 482, 0  # where the header, then each further block, says that one more follows
        self._file.seek(place - _BLOCK)
        while (block := self._file.read(_BLOCK)) and block[flag : flag + 1] not in (b"\0", b""):
            flag, length = 504, length + _BLOCK
        return length


def _member(info: tarfile.TarInfo, said: dict[str, str]) -> Member:
    name = said.get("path", info.name)
    while name.startswith("./"):  # as `tar -cf set.tar .` writes them
        name = name[2:].lstrip("/")
    size = int(said["size"]) if said.get("size", "").isdecimal() else info.size
    sparse = info.type == tarfile.GNUTYPE_SPARSE or any(key.startswith(_SPARSE) for key in said)
    odd = said.get("odd")
    if info.issym() or info.islnk():
        odd = "a link"
    elif not info.isreg():
        odd = "a special file"
    elif sparse:
        odd = "a sparse file; pack it again without --sparse"
    return Member(name, size, odd)


def _pax(content: bytes) -> dict[str, str]:
    """Records of length, key and value of a pax header, as far as they can be read."""
    found, place = {}, 0
    while place < len(content):
        length, blank, _ = content[place : place + 20].partition(b" ")
        if not blank or not length.isdigit() or int(length) <= len(length) + 1:
            break
        key, _, value = content[place + len(length) + 1 : place + int(length) - 1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        place += int(length)
    return found
