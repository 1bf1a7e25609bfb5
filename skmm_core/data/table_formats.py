"""From a path to a table: one door for every format that has columns; the readers are loaded when they are needed."""

import importlib
import itertools
from pathlib import Path

from skmm_core.data.formats import FORMATS, Format, format_of, is_archive
from skmm_core.data.picture_kinds import PICTURE_KINDS
from skmm_core.data.table_file import AsText, Reader, TableFile
from skmm_core.errors import InputError

_LOOK = 2000  # files and folders that tell what another folder holds


def read_table_file(path: Path, as_text: AsText) -> TableFile:
    """Read a file or folder with columns.

    Args:
        path: that was checked.
        as_text: whether the column of a name is read digit by digit, where a format knows no types.

    Raises:
        InputError: it cannot be read, or is a folder that is not read as a whole.
    """
    form = format_found(path)
    read = None if form is None else _reader(form).read
    if read is None:
        raise _unknown(path)
    return read(path, as_text)


def names_in(path: Path) -> list[str]:
    """Names of the columns or arrays of a file, from as little of it as tells them.

    Raises:
        InputError: it cannot be read.
    """
    form = format_found(path)
    if form is None:
        raise _unknown(path)
    reader = _reader(form)
    if reader.names is not None and not path.is_dir():
        return reader.names(path)
    return [] if reader.read is None else reader.read(path, lambda name: False).names


def format_found(path: Path) -> Format | None:
    """The format that a path looks like from inside, or else that its name tells; None where neither does.

    The plainest formats stand first in the table, so they are asked last: other folders hold parts of parquet too.
    """
    for form in reversed(FORMATS):
        finds = _reader(form).finds
        if finds is not None and finds(path):
            return form
    return None if path.is_dir() else format_of(path)


def _reader(form: Format) -> Reader:
    found: Reader = importlib.import_module(f"skmm_core.data.{form.reader}").READERS[form.key]
    return found


def _unknown(path: Path) -> InputError:
    known = "; ".join(f"{form.title}: {form.folder}" for form in FORMATS if form.folder)
    if path.is_dir() and _holds_pictures(path):
        return InputError(f"{path} holds pictures; make features of them first (embed --images, Images in Data)")
    if path.is_dir():
        return InputError(f"{path} is a folder; name one file, or a folder that is read as one dataset ({known})")
    return InputError(f"{path.name} is no table; name a file or folder that holds one ({known})")


def _holds_pictures(folder: Path) -> bool:
    """Whether a folder holds archives of pictures, or pictures as far as its first files tell."""
    if any(is_archive(each.name) for each in folder.iterdir()):
        return True
    return any(each.suffix.lower() in PICTURE_KINDS for each in itertools.islice(folder.rglob("*"), _LOOK))
