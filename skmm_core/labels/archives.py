"""Zip files of labels: how they are made, and what is in them by name, read within limits and never unpacked."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from skmm_core.data import ZIP_ERRORS, Refused, ZipContents, member_chunks, why_hidden
from skmm_core.errors import InputError
from skmm_core.labels.records import MOST_BYTES
from skmm_core.storage import write_file

_WHEN = (1980, 1, 1, 0, 0, 0)  # so that the same points are the same file


class LabelFiles:
    """Files of an archive or folder by name; hidden ones are left out."""

    def __init__(self, where: str, files: dict[str, int | Path], archive: ZipContents | None = None) -> None:
        """Take what :func:`open_files` found."""
        self.where = where
        self._files = files
        self._archive = archive

    @property
    def names(self) -> list[str]:
        """Names with "/" between folders."""
        return list(self._files)

    def ending_in(self, ending: str) -> list[str]:
        """Names that are this name, or end in it below some folder."""
        return [name for name in self._files if name == ending or name.endswith(f"/{ending}")]

    def read(self, name: str) -> bytes:
        """Content of one file.

        Raises:
            InputError: it is damaged or too large.
        """
        place = self._files[name]
        too_large = InputError(f"{self.where}: {name[:80]} is larger than {MOST_BYTES >> 20} MB; export in parts")
        if isinstance(place, Path):
            if place.stat().st_size > MOST_BYTES:
                raise too_large
            return place.read_bytes()
        if self._archive is None:
            raise ValueError("files of an archive need the archive")
        member = self._archive.members[place]
        if member.locked is not None or member.odd is not None:
            raise InputError(f"{self.where}: {name[:80]} is {member.locked or member.odd}")
        if member.size > MOST_BYTES:
            raise too_large
        try:
            with self._archive.open(place) as source:
                return b"".join(member_chunks(source, member.size))
        except (*ZIP_ERRORS, Refused):
            raise InputError(f"{self.where}: {name[:80]} is damaged; pack it again") from None


@contextmanager
def open_files(path: Path) -> Iterator[LabelFiles]:
    """The files of a zip file or folder, while the block lasts.

    Raises:
        InputError: the zip file cannot be read.
    """
    if path.is_dir():
        found = {each.relative_to(path).as_posix(): each for each in sorted(path.rglob("*")) if each.is_file()}
        yield LabelFiles(path.name, {name: each for name, each in found.items() if why_hidden(name) is None})
        return
    with path.open("rb") as file, closing(ZipContents(file, path.name)) as archive:
        places = {member.name: place for place, member in enumerate(archive.members) if not member.folder}
        shown = {name: place for name, place in places.items() if why_hidden(name) is None}
        yield LabelFiles(path.name, dict(shown), archive)


def write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip file; a name that ends in "/" is an empty folder.

    Raises:
        OSError: the file cannot be written.
    """

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, content in members:
                info = zipfile.ZipInfo(name, _WHEN)
                info.external_attr = (0o40755 << 16) | 0x10 if name.endswith("/") else 0o100644 << 16
                archive.writestr(info, content, zipfile.ZIP_STORED if name.endswith("/") else zipfile.ZIP_DEFLATED)

    write_file(path, write)
