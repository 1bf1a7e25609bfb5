"""Limits on input files: how large files and arrays may be.

Every size is checked before memory is taken: the file on disk, the arrays that its header declares, and the float32
rows made of them. So neither a huge file nor a small one that unpacks to something huge can exhaust the machine.
"""

import math
import os
from pathlib import Path

from skmm_core.data.formats import FILE_KINDS, is_archive, kind_of
from skmm_core.errors import InputError

MAX_COLUMNS = 65_536
_DEFAULT_MAX_MB = 2048
_MB = 1 << 20


def max_megabytes() -> int:
    """Largest file, and largest array, that is read: `SKMM_MAX_FILE_MB` or 2048.

    Raises:
        InputError: the variable is set and is not a whole number above 0.
    """
    text = os.environ.get("SKMM_MAX_FILE_MB", "").strip()
    if not text:
        return _DEFAULT_MAX_MB
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"SKMM_MAX_FILE_MB is {text!r}; set it to a whole number of megabytes, such as 4096")
    return int(text)


def file_path(text: str) -> Path:
    """Path of what a person typed, with ~ for the home folder.

    Raises:
        InputError: no file can be called that.
    """
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError):
        raise InputError(f"{text[:80]!r} cannot be the path of a file; check it") from None
    return path


def check_file(path: Path, *, kinds: tuple[str, ...] = FILE_KINDS, held: bool = True) -> None:
    """Refuse what cannot be read: not there, a folder, the wrong kind, locked, empty or too large.

    Args:
        path: of the file.
        kinds: endings that are read.
        held: whether all of it is to be held in memory, and so must be below the limit.

    Raises:
        InputError: any of these; the message names the file and says what to do.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name one file ({' '.join(kinds)})")
    if kind_of(path) not in kinds:
        if is_archive(path.name):
            raise InputError(
                f"{path.name} holds pictures; make features of them first (embed --images, Images in Data)"
            )
        raise InputError(f"{path.name}: files of kind {path.suffix or '(none)'!r} are not read; use {', '.join(kinds)}")
    if not path.is_file():
        raise InputError(f"{path} was not found; check the path")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path.name} may not be read by this user; change its permissions")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path.name} is empty (0 bytes); save it again")
    _refuse_stand_in(path)
    limit = max_megabytes()
    if held and size > limit * _MB:
        raise InputError(
            f"{path.name} has {size / _MB:,.0f} MB, more than the limit of {limit:,} MB; keep fewer rows or columns, "
            "save it as float16 npz, or raise SKMM_MAX_FILE_MB"
        )


def _refuse_stand_in(path: Path) -> None:
    """Refuse what a download leaves where the file itself was not sent."""
    try:
        with path.open("rb") as file:
            start = file.read(256).lstrip().lower()
    except OSError:  # said better by what reads the file
        return
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise InputError(f"{path.name} stands for a file of Git LFS that is not here; get it with git lfs pull")
    if start.startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{path.name} is a web page; download the file itself, as with a link called raw or download")


def check_array_size(where: str, shape: tuple[int, ...], item_bytes: int) -> None:
    """Refuse an array that would not fit, before it is made.

    Args:
        where: what is read, for the message.
        shape: declared shape.
        item_bytes: bytes of one item; at least 4 are counted, since features become float32.

    Raises:
        InputError: the array is above the limit.
    """
    limit = max_megabytes()
    size = math.prod(shape) * max(item_bytes, 4)
    if size > limit * _MB:
        raise InputError(
            f"{where} unpacks to {' × '.join(f'{n:,}' for n in shape)} = {size / _MB:,.0f} MB, more than the limit of "
            f"{limit:,} MB; keep fewer rows or columns, or raise SKMM_MAX_FILE_MB"
        )


def check_columns(where: str, count: int) -> None:
    """Refuse a table that is wider than any method can use.

    Raises:
        InputError: more than MAX_COLUMNS columns.
    """
    if count > MAX_COLUMNS:
        raise InputError(
            f"{where} has {count:,} columns, more than the limit of {MAX_COLUMNS:,}; if rows and columns are swapped, "
            "transpose it, else reduce the dimension first (PCA, for instance)"
        )
