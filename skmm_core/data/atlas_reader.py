"""Exports of Embedding Atlas: a zip, or its folder, with one parquet file and columns of its layout."""

import contextlib
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path

from skmm_core.data.archive import member_chunks
from skmm_core.data.archive_members import Refused
from skmm_core.data.file_limits import check_file, max_megabytes
from skmm_core.data.parquet_reader import read_parquet_files
from skmm_core.data.table_file import AsText, Reader, TableFile
from skmm_core.data.zip_file import ZIP_ERRORS, ZipContents
from skmm_core.errors import InputError

_TABLE = "data/dataset.parquet"
_LAYOUT = ("projection_x", "projection_y", "neighbors", "__row_index__")


def _finds(path: Path) -> bool:
    if path.is_dir():
        return (path / _TABLE).is_file() and (path / "data" / "metadata.json").is_file()
    return path.suffix.lower() == ".zip"


def _read(path: Path, _: AsText) -> TableFile:
    if path.is_dir():
        check_file(path / _TABLE, kinds=(".parquet",))
        return _understood(read_parquet_files([path / _TABLE], path.name))
    folder = Path(tempfile.mkdtemp(prefix="skmm-"))
    try:
        _unpack(path, folder / "dataset.parquet")
        found = _understood(read_parquet_files([folder / "dataset.parquet"], path.name))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)  # its vectors are read later
    return found


def _unpack(path: Path, target: Path) -> None:
    limit = max_megabytes()
    try:
        with path.open("rb") as file, contextlib.closing(ZipContents(file, path.name)) as archive:
            place = next((place for place, each in enumerate(archive.members) if _is_table(each.name)), None)
            if place is None:
                raise InputError(
                    f"{path.name} holds no {_TABLE}, so it is no export of Embedding Atlas; unpack other archives and "
                    "give a file or folder; pictures go to Images in Data, or to the command embed"
                )
            member = archive.members[place]
            if member.size > limit << 20:
                raise InputError(
                    f"{path.name} unpacks to more than the limit of {limit:,} MB; keep fewer rows or columns, or raise "
                    "SKMM_MAX_FILE_MB"
                )
            if member.locked is not None:
                raise InputError(f"{path.name}: {_TABLE} in it is {member.locked}")
            with archive.open(place) as source, target.open("wb") as out:
                for chunk in member_chunks(source, member.size):
                    out.write(chunk)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path.name} cannot be unpacked: {(error.strerror or str(error)).lower()}") from None
    except (*ZIP_ERRORS, Refused):
        raise InputError(f"{path.name} is truncated or damaged; copy it again, or export it again") from None


def _is_table(name: str) -> bool:
    """Whether a member is the table, at the top or below one folder."""
    return _TABLE in (name, name.partition("/")[2])


def _understood(file: TableFile) -> TableFile:
    held = set(file.names)
    layout = {name: "layout of Embedding Atlas" for name in _LAYOUT if name in held}
    return replace(file, described="Embedding Atlas export", set_aside=layout)


READERS = {"atlas": Reader(_read, finds=_finds)}
