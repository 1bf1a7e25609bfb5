"""One array in NumPy's own form: its header is checked before anything is read, and no pickle is ever loaded."""

import math
import struct
import tokenize
import zipfile
import zlib
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
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        if not strict:
            return ArrayKind((), "V")
        raise InputError(f"{where} is a table of named fields; save plain numbers as float32")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if not strict:
        return ArrayKind(shape, "O" if dtype.hasobject else dtype.kind)
    if dtype.hasobject:
        raise InputError(
            f"{where} holds pickled Python objects, which are not loaded since they can run code; "
            "save numbers as float32 and text as dtype U"
        )
    # One row of bytes stays bytes: thumbnails and texts never become float32 features.
    packed = dtype == np.uint8 and len(shape) == 1
    check_array_size(where, (-(-shape[0] // 4),) if packed else shape, dtype.itemsize)
    declared = math.prod(shape) * dtype.itemsize
    if declared > size - file.tell():
        raise InputError(
            f"{where} is truncated: its header declares {declared:,} bytes, {size - file.tell():,} are there; "
            "copy or save it again"
        )
    return ArrayKind(shape, dtype.kind)


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
