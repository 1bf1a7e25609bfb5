"""Zip files: their table of contents, if memory can hold it, and what their members hold."""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

from skmm_core.data.archive_members import Member
from skmm_core.data.archive_names import read_names
from skmm_core.errors import InputError

MAX_MEMBERS = 500_000
MAX_DIRECTORY_BYTES = 96 << 20
# What zipfile raises for damaged bytes.
ZIP_ERRORS = (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, struct.error, zlib.error)


class ZipContents:
    """An open zip file.

    Attributes:
        members: its table of contents.
        notes: what a person should know of how names were read.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read the table of contents.

        Raises:
            InputError: it cannot be read, or lists too many files.
        """
        self._archive = _opened(file, name)
        self._infos = self._archive.infolist()
        read = read_names(self._infos)
        self.members: Sequence[Member] = [_member(info, own) for info, own in zip(self._infos, read.names, strict=True)]
        self.notes = read.notes

    def open(self, place: int) -> IO[bytes]:
        """Content of a member, unpacked while it is read."""
        return self._archive.open(self._infos[place])

    def close(self) -> None:
        """Forget the table of contents."""
        self._archive.close()


def _member(info: zipfile.ZipInfo, name: str) -> Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    odd = None if kind in (0, stat.S_IFREG, stat.S_IFDIR) else "a link" if kind == stat.S_IFLNK else "a special file"
    locked = None
    if info.flag_bits & 1:
        locked = "encrypted; pack it without a password"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The other methods unpack without a bound on memory.
        locked = "compressed in a way that is not read; pack it as an ordinary zip (deflate)"
    return Member(name, info.file_size, odd, name.endswith("/"), locked)


def _opened(file: IO[bytes], name: str) -> zipfile.ZipFile:
    """Read the table of contents, if it is of a size that memory can hold."""
    if _directory_bytes(file) > MAX_DIRECTORY_BYTES:
        raise InputError(f"{name} lists too many files (at most {MAX_MEMBERS:,}); split it, or unpack it into a folder")
    try:
        archive = zipfile.ZipFile(file)
    except UnicodeDecodeError:
        raise InputError(f"{name}: a file name in it is not the UTF-8 text it claims to be; pack it again") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, EOFError, OverflowError):
        raise InputError(f"{name} is truncated or not a zip file; copy or pack it again") from None
    if len(archive.infolist()) > MAX_MEMBERS:
        archive.close()
        raise InputError(f"{name} lists too many files (at most {MAX_MEMBERS:,}); split it, or unpack it into a folder")
    return archive


def _directory_bytes(file: IO[bytes]) -> int:
    """Size of the table of contents as the end of the file declares it; the larger of both forms."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 16) - 22 - 20 - 56))
    tail = file.read()
    file.seek(0)
    found = 0
    for mark, shape, offset in ((b"PK\5\6", "<L", 12), (b"PK\6\6", "<Q", 40)):
        start = tail.find(mark)
        while start >= 0:
            field = tail[start + offset : start + offset + struct.calcsize(shape)]
            if len(field) == struct.calcsize(shape):
                declared = int(struct.unpack(shape, field)[0])
                found = max(found, declared if declared <= size else 0)  # zipfile refuses what does not fit
            start = tail.find(mark, start + 1)
    return found
