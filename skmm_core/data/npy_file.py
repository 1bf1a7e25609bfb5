"""One array in NumPy's own form: its header is checked before anything is read, and no pickle is ever loaded."""

import math
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from skmm_core.data.file_limits import check_array_size
from skmm_core.data.named_arrays import ArrayKind
from skmm_core.errors import InputError

# What zipfile and NumPy's header parser raise for damaged bytes; found by damaging files at random.
READ_ERRORS = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError, zipfile.BadZipFile, zlib.error),
    *(SyntaxError, TypeError, KeyError, AttributeError, tokenize.TokenError, struct.error),
)


def load_npy(path: Path, *, mapped: bool = False) -> np.ndarray:
    """One array of an npy file, `mapped` for one that is read from the disk as it is used.

    Raises:
        InputError: it is damaged, holds objects, or declares more than may be held.
    """
    try:
        with path.open("rb") as file:
            if not mapped:
                return load_array(file, path.stat().st_size, path.name)
            check_header(file, path.stat().st_size, path.name)
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except READ_ERRORS as error:
        raise unreadable(path.name, "npy", "np.save", error) from None


def load_array(file: IO[bytes], size: int, where: str) -> np.ndarray:
    """Read one npy stream after checking what its header declares.

    Args:
        file: at its start.
        size: bytes of the stream.
        where: name for messages.

    Raises:
        InputError: it holds objects, or declares more than is there or may be held.
    """
    check_header(file, size, where)
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def check_header(file: IO[bytes], size: int, where: str, *, strict: bool = True) -> ArrayKind:
    """Shape and type that a header declares.

    Args:
        file: at the start of an npy stream; left after its header.
        size: bytes of the stream.
        where: name for messages.
        strict: whether what cannot be read is refused; else its kind says so ("O" objects, "V" named fields).

    Raises:
        InputError: of a strict check: it holds objects, or declares more than is there or may be held.
    """
    if strict:
        header = array_header(file, size, where)
        return ArrayKind(header.shape, header.dtype.kind)
    found = _read_header(file)
    if found is None:
        return ArrayKind((), "V")
    return ArrayKind(found.shape, "O" if found.dtype.hasobject else found.dtype.kind)


@dataclass(frozen=True)
class Header:
    """What an npy stream declares of its array.

    Attributes:
        shape: of the array.
        by_columns: whether the first index runs fastest (Fortran order).
        dtype: of its numbers.
    """

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype


def array_header(file: IO[bytes], size: int, where: str, *, held: bool = True) -> Header:
    """Read a header, which leaves the stream where its numbers begin.

    Args:
        file: at its start.
        size: bytes of the stream.
        where: name for messages.
        held: whether the whole array is to be held, and so must be below the limit.

    Raises:
        InputError: it holds objects or named fields, or declares more than is there or may be held.
    """
    found = _read_header(file)
    if found is None:
        raise InputError(f"{where} is a table of named fields; save plain numbers as float32")
    if found.dtype.hasobject:
        raise InputError(
            f"{where} holds pickled Python objects, which are not loaded since they can run code; "
            "save numbers as float32 and text as dtype U"
        )
    if held:
        # One row of bytes stays bytes: thumbnails and texts never become float32 features.
        packed = found.dtype == np.uint8 and len(found.shape) == 1
        check_array_size(where, (-(-found.shape[0] // 4),) if packed else found.shape, found.dtype.itemsize)
    declared = math.prod(found.shape) * found.dtype.itemsize
    if declared > size - file.tell():
        raise InputError(
            f"{where} is truncated: its header declares {declared:,} bytes, {size - file.tell():,} are there; "
            "copy or save it again"
        )
    return found


def _read_header(file: IO[bytes]) -> Header | None:
    """What a header declares, or None of a version that only named fields need."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        return None
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return Header(*read(file))


def unreadable(name: str, kind: str, writer: str, error: Exception) -> InputError:
    """What to say of a file that could not be read.

    Args:
        name: of the file.
        kind: its format, such as "npz".
        writer: the function that writes such files.
        error: what was raised; an InputError is said as it is.
    """
    if isinstance(error, InputError):  # raised inside the block, already clear
        return error
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"{name} cannot be read: {error.strerror.lower()}; check its permissions and the disk")
    return InputError(f"{name} is truncated or not an {kind} file; copy it again, or save it again with {writer}")
