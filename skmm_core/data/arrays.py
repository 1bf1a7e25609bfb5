"""npy and npz files of features and labels. Pickled objects are never loaded: they could run code."""

import json
import math
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from skmm_core.data.column_offsets import HeldColumns, as_float32, hold_columns
from skmm_core.data.file_limits import check_array_size, check_columns, check_file
from skmm_core.data.named_arrays import NOTHING_CHOSEN, ArrayKind, Chosen, assign_keys
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawRows, RawTargets, number_targets
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

# What zipfile and NumPy's header parser raise for damaged bytes; found by damaging files at random.
_READ_ERRORS = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError, zipfile.BadZipFile, zlib.error),
    *(SyntaxError, TypeError, KeyError, AttributeError, tokenize.TokenError, struct.error),
)
_PARTS = {"pool": "", "validation": "_val", "test": "_test"}
_KEYS = (
    *(f"{key}{ending}" for ending in _PARTS.values() for key in ("X", "y", "ids", "captions")),
    *("names", "feature_names", "thumbnails", "thumbnail_ends", "provenance"),
)
_MAX_WARNINGS = 20
_LONGEST_WARNING = 300


@dataclass(frozen=True)
class NpzFile:
    """What an npz file holds.

    Attributes:
        pool: rows to pick from.
        validation: its own validation rows, or None.
        test: its own test rows, or None.
        images: thumbnails of the rows of pool, validation and test, in this order, or None.
    """

    pool: RawRows
    validation: RawRows | None
    test: RawRows | None
    images: EncodedImages | None


def read_npy(path: Path, labels: Path | None, *, offsets: np.ndarray | None = None, report: Report) -> RawRows:
    """Read an npy file of features and, if there is one, the npy file of its labels.

    Offsets are those of the pool, for held-out rows.

    Raises:
        InputError: either cannot be read, or their lengths differ.
    """
    report(Progress(f"Reading {path.name}", 0))
    held = array_features(load_npy(path), path.name, offsets)
    targets = None
    if labels is not None:
        check_file(labels, kinds=(".npy",))
        targets = array_targets(load_npy(labels), labels.name, len(held.features), path.name)
    return plain_rows(path.name, held, targets)


def read_npz(
    path: Path, *, chosen: Chosen = NOTHING_CHOSEN, offsets: np.ndarray | None = None, report: Report
) -> NpzFile:
    """Read an npz file with X and, optionally, y, ids, captions, the same of held-out rows, names, pictures.

    Without X, its one 2-d array of numbers is taken, with labels and ids as they are commonly called; `chosen` names
    arrays instead.
    Held-out rows are X_val, y_val, ids_val and X_test, y_test, ids_test. Thumbnails are the bytes of small pictures,
    joined (`thumbnails`), and where each ends (`thumbnail_ends`). Provenance is JSON text; its warnings become notes.
    Offsets are those of the pool, for a file of held-out rows.

    Raises:
        InputError: the file cannot be read, or its arrays do not fit each other.
    """
    report(Progress(f"Reading {path.name}", 0))
    found, others, told = _load_npz(path, chosen)
    for part, ending in tuple(_PARTS.items())[1:]:
        orphan = next((key for key in ("y", "ids") if f"{key}{ending}" in found and f"X{ending}" not in found), None)
        if orphan:
            raise InputError(
                f"{path.name} has {orphan}{ending} but no X{ending}; add the features of the {part} rows as X{ending}"
            )
    pool = _part(found, "", path.name, offsets)
    validation, test = (
        _part(found, ending, path.name, pool.offsets) if f"X{ending}" in found else None for ending in ("_val", "_test")
    )
    notes = [*told, *([f"{path.name}: arrays not used: {', '.join(others)}."] if others else [])]
    rows = sum(len(part.rows) for part in (pool, validation, test) if part is not None)
    images = _thumbnails(found, rows, path.name, notes)
    notes += _warnings(found, path.name)
    pool = replace(
        pool,
        names=_texts(found, "names", None, path.name),
        feature_names=_texts(found, "feature_names", pool.features.shape[1], path.name),
        notes=(*pool.notes, *notes),
    )
    return NpzFile(pool, validation, test, images)


def _thumbnails(found: dict[str, np.ndarray], rows: int, file: str, notes: list[str]) -> EncodedImages | None:
    """Pictures of all rows; arrays that do not fit cost the pictures, not the dataset."""
    data, ends = found.get("thumbnails"), found.get("thumbnail_ends")
    if data is None and ends is None:
        return None
    if data is None or ends is None:
        problem = "thumbnails and thumbnail_ends go together"
    elif data.dtype != np.uint8 or data.ndim != 1 or ends.dtype.kind not in "iu" or ends.ndim != 1:
        problem = "thumbnails must be one row of bytes (uint8), and thumbnail_ends one row of whole numbers"
    elif len(ends) != rows:
        problem = f"thumbnail_ends has {len(ends):,} entries for {rows:,} rows"
    else:
        ends = ends.astype(np.int64)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
        if (ends >= 0).all() and (starts <= ends).all() and (ends <= len(data)).all():
            return EncodedImages(data, starts, ends)
        problem = "thumbnail_ends points outside of thumbnails"
    notes.append(f"{file}: its thumbnails are not shown: {problem}.")
    return None


def _warnings(found: dict[str, np.ndarray], file: str) -> list[str]:
    """What the provenance warns of, one line each."""
    if "provenance" not in found:
        return []
    try:
        warnings = json.loads(str(found["provenance"].item()))["warnings"]
        texts = [" ".join(str(text).split())[:_LONGEST_WARNING] for text in list(warnings)[:_MAX_WARNINGS]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [f"{file}: its provenance cannot be read, so how its features were made is not known."]
    return [text for text in texts if text]


def _part(found: dict[str, np.ndarray], ending: str, file: str, offsets: np.ndarray | None) -> RawRows:
    x, y = f"X{ending}", f"y{ending}"
    held = array_features(found.pop(x), f"{file} {x}", offsets)
    targets = array_targets(found[y], y, len(held.features), x) if y in found else None
    rows = plain_rows(f"{file} {x}" if ending else file, held, targets)
    captions = _texts(found, f"captions{ending}", len(held.features), file)
    return replace(
        rows,
        ids=_texts(found, f"ids{ending}", len(held.features), file) or None,
        shown=pa.table({"caption": list(captions)}) if captions else None,
    )


def plain_rows(where: str, held: HeldColumns, targets: RawTargets | None) -> RawRows:
    """Rows in the order of the file, without names."""
    rows = np.arange(len(held.features), dtype=np.int64)
    target = None if targets is None else targets.column
    return RawRows(where, held.features, targets, rows, target_name=target, notes=held.notes, offsets=held.offsets)


def array_features(array: np.ndarray, where: str, offsets: np.ndarray | None) -> HeldColumns:
    """Take an array as (N, d) float32 features.

    Raises:
        InputError: it holds no numbers, or is no table of rows and columns.
    """
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where} holds {array.dtype} values; features must be numbers, save them as float32")
    if array.ndim != 2:
        raise InputError(
            f"{where} has shape {array.shape}; give rows × columns (embeddings), flatten or embed anything else first"
        )
    if 0 in array.shape:
        raise InputError(f"{where} is empty: shape {array.shape}; give at least one row and one column")
    check_columns(where, array.shape[1])
    features = as_float32(array)
    if features is array:  # float32 as it was
        return HeldColumns(features, np.zeros(array.shape[1]), ())
    return hold_columns(features, lambda index: array[:, index], where=where, offsets=offsets)


def array_targets(array: np.ndarray, name: str, count: int, features: str) -> RawTargets:
    """Take an array as one target a row.

    Raises:
        InputError: its shape, length or type does not fit.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; give one target a row")
    if len(array) != count:
        raise InputError(f"{name} has {len(array):,} labels but {features} has {count:,} rows; they must match")
    if array.dtype.kind in "biuf":
        return number_targets(array, name)
    if array.dtype.kind not in "US":
        raise InputError(f"{name} holds {array.dtype} values; save labels as numbers or text")
    levels, codes = np.unique(array, return_inverse=True)
    texts = tuple(_decode(level, name) for level in levels.tolist())
    missing = np.array([not text for text in texts])[codes]
    return RawTargets(codes.astype(np.int64), missing, texts, name)


def _texts(found: dict[str, np.ndarray], key: str, count: int | None, file: str) -> tuple[str, ...]:
    if key not in found:
        return ()
    array = found[key]
    if array.ndim != 1 or array.dtype.kind not in "biufUS":
        raise InputError(f"{file} {key} has shape {array.shape} and type {array.dtype}; give one row of names")
    if count is not None and len(array) != count:
        raise InputError(f"{file} {key} has {len(array):,} entries, {count:,} are needed")
    return tuple(_decode(item, f"{file} {key}") for item in array.tolist())


def _decode(item: object, where: str) -> str:
    if not isinstance(item, bytes):
        return str(item)
    try:
        return item.decode()
    except UnicodeDecodeError:
        raise InputError(f"{where} holds bytes that are not UTF-8 text: {item!r}; save text as dtype U") from None


def load_npy(path: Path, *, mapped: bool = False) -> np.ndarray:
    """One array of an npy file, `mapped` for one that is read from the disk as it is used.

    Raises:
        InputError: it is damaged, holds objects, or declares more than may be held.
    """
    try:
        with path.open("rb") as file:
            if not mapped:
                return _load_array(file, path.stat().st_size, path.name)
            _check_header(file, path.stat().st_size, path.name)
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except _READ_ERRORS as error:
        raise _unreadable(path.name, "npy", "np.save", error) from None


def _load_npz(path: Path, chosen: Chosen) -> tuple[dict[str, np.ndarray], list[str], tuple[str, ...]]:
    """Arrays by key, the names of members that nothing here uses (those are not read), and notes."""
    found: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            keys = {key: key for key in _KEYS if key in members}
            notes: tuple[str, ...] = ()
            if "X" not in keys or chosen.asked:
                shapes = {}
                for name, info in members.items():
                    if info.filename.endswith(".npy"):
                        with archive.open(info) as file:
                            shapes[name] = _check_header(file, info.file_size, f"{path.name} {name}", strict=False)
                keys, notes = assign_keys(keys, shapes, chosen, path.name)
            for key, name in keys.items():
                with archive.open(members[name]) as file:
                    found[key] = _load_array(file, members[name].file_size, f"{path.name} {name}")
    except _READ_ERRORS as error:
        raise _unreadable(path.name, "npz", "np.savez", error) from None
    return found, [name for name in members if name not in keys.values()], notes


def npz_names(path: Path) -> list[str]:
    """Names of the arrays in an npz file; none are read.

    Raises:
        InputError: it is no npz file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [info.filename.removesuffix(".npy") for info in archive.infolist()]
    except _READ_ERRORS as error:
        raise _unreadable(path.name, "npz", "np.savez", error) from None


def _load_array(file: IO[bytes], size: int, where: str) -> np.ndarray:
    """Read one npy stream of `size` bytes after checking what its header declares."""
    _check_header(file, size, where)
    file.seek(0)
    return np.asarray(np.lib.format.read_array(file, allow_pickle=False))


def _check_header(file: IO[bytes], size: int, where: str, *, strict: bool = True) -> ArrayKind:
    """Shape and type that a header declares; `strict` refuses what cannot be read."""
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
    # One row of bytes stays bytes: thumbnails never become float32 features.
    packed = dtype == np.uint8 and len(shape) == 1
    check_array_size(where, (-(-shape[0] // 4),) if packed else shape, dtype.itemsize)
    declared = math.prod(shape) * dtype.itemsize
    if declared > size - file.tell():
        raise InputError(
            f"{where} is truncated: its header declares {declared:,} bytes, {size - file.tell():,} are there; "
            "copy or save it again"
        )
    return ArrayKind(shape, dtype.kind)


def _unreadable(name: str, kind: str, writer: str, error: Exception) -> InputError:
    if isinstance(error, InputError):  # raised inside the block, already clear
        return error
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"{name} cannot be read: {error.strerror.lower()}; check its permissions and the disk")
    return InputError(f"{name} is truncated or not an {kind} file; copy it again, or save it again with {writer}")
