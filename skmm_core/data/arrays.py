"""npy and npz files of features and labels. Pickled objects are never loaded: they could run code."""

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skmm_core.data.column_offsets import HeldColumns, as_float32, hold_columns
from skmm_core.data.file_limits import check_columns, check_file
from skmm_core.data.named_arrays import NOTHING_CHOSEN, Chosen, assign_keys
from skmm_core.data.npy_file import READ_ERRORS, check_header, load_array, load_npy, unreadable
from skmm_core.data.row_texts import RowTexts
from skmm_core.data.row_thumbnails import EncodedImages
from skmm_core.data.rows import RawRows, RawTargets, number_targets
from skmm_core.data.stored_extras import EXTRAS, stored_texts, stored_thumbnails, stored_warnings
from skmm_core.data.table_file import Reader
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

_TEXTS = ("texts", "text_ends")
_PARTS = {"pool": "", "validation": "_val", "test": "_test"}
_KEYS = (
    *(f"{key}{ending}" for ending in _PARTS.values() for key in ("X", "y", "ids")),
    *("names", "feature_names", *EXTRAS),
)


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

    Args:
        path: of the features, (N, d) numbers.
        labels: of the (N,) targets, or None.
        offsets: (d,) float64 of the pool, for held-out rows; None finds them.
        report: told of reading.

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
    """Read an npz file with X and, optionally, y, ids, the same of held-out rows, names, thumbnails, texts, provenance.

    Without X, its one 2-d array of numbers is taken, with labels and ids as they are commonly called; `chosen` names
    arrays instead.
    Held-out rows are X_val, y_val, ids_val and X_test, y_test, ids_test. Thumbnails are the bytes of small pictures,
    joined (`thumbnails`), and where each ends (`thumbnail_ends`), texts are UTF-8 held alike (`texts`, `text_ends`).
    Provenance is JSON text; its warnings become notes.

    Args:
        path: of the file.
        chosen: names of the arrays that are features, targets and ids, where a person names them.
        offsets: (d,) float64 of the pool, for a file of held-out rows; None finds them.
        report: told of reading.

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
    images = stored_thumbnails(found, rows, path.name, notes)
    texts = stored_texts(found, rows, path.name, notes)
    notes += stored_warnings(found, path.name)
    pool, validation, test = _with_texts(texts, pool, validation, test)
    pool = replace(
        pool,
        names=_texts(found, "names", None, path.name),
        feature_names=_texts(found, "feature_names", pool.features.shape[1], path.name),
        notes=(*pool.notes, *notes),
    )
    return NpzFile(pool, validation, test, images)


def _with_texts(
    texts: RowTexts | None, pool: RawRows, validation: RawRows | None, test: RawRows | None
) -> tuple[RawRows, RawRows | None, RawRows | None]:
    """The parts with the texts of their rows, which stand in this order."""
    if texts is None:
        return pool, validation, test
    start, found = 0, []
    for part in (pool, validation, test):
        rows = 0 if part is None else len(part.rows)
        found.append(part and replace(part, texts=texts.take(np.arange(start, start + rows))))
        start += rows
    return found[0] or pool, found[1], found[2]


def _part(found: dict[str, np.ndarray], ending: str, file: str, offsets: np.ndarray | None) -> RawRows:
    x, y = f"X{ending}", f"y{ending}"
    held = array_features(found.pop(x), f"{file} {x}", offsets)
    targets = array_targets(found[y], y, len(held.features), x) if y in found else None
    rows = plain_rows(f"{file} {x}" if ending else file, held, targets)
    return replace(rows, ids=_texts(found, f"ids{ending}", len(held.features), file) or None)


def plain_rows(where: str, held: HeldColumns, targets: RawTargets | None) -> RawRows:
    """Rows in the order of the file, without names."""
    rows = np.arange(len(held.features), dtype=np.int64)
    target = None if targets is None else targets.column
    return RawRows(where, held.features, targets, rows, target_name=target, notes=held.notes, offsets=held.offsets)


def array_features(array: np.ndarray, where: str, offsets: np.ndarray | None) -> HeldColumns:
    """Take an array as (N, d) float32 features.

    Args:
        array: (N, d) numbers of any type.
        where: name for messages.
        offsets: (d,) float64 of the pool, for held-out rows; None finds them.

    Raises:
        InputError: it holds no numbers, or is no table of rows and columns.
    """
    check_features(array.dtype, array.shape, where)
    features = as_float32(array)
    if features is array:  # float32 as it was
        return HeldColumns(features, np.zeros(array.shape[1]), ())
    return hold_columns(features, lambda index: array[:, index], where=where, offsets=offsets)


def check_features(dtype: np.dtype, shape: tuple[int, ...], where: str) -> None:
    """Refuse an array that cannot be features.

    Raises:
        InputError: it holds no numbers, or is no table of rows and columns.
    """
    if dtype.kind not in "biuf":
        raise InputError(f"{where} holds {dtype} values; features must be numbers, save them as float32")
    if len(shape) != 2:
        raise InputError(
            f"{where} has shape {shape}; give rows × columns (embeddings), flatten or embed anything else first"
        )
    if 0 in shape:
        raise InputError(f"{where} is empty: shape {shape}; give at least one row and one column")
    check_columns(where, shape[1])


def array_targets(array: np.ndarray, name: str, count: int, features: str) -> RawTargets:
    """Take an array as one target a row.

    Args:
        array: (N,) or (N, 1) numbers, truth values or text.
        name: of the array, for messages.
        count: N, rows of the features.
        features: name of their array, for messages.

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


def _load_npz(path: Path, chosen: Chosen) -> tuple[dict[str, np.ndarray], list[str], tuple[str, ...]]:
    """Arrays by key, the names of members that nothing here uses (those are not read), and notes."""
    found: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            keys = {key: key for key in _KEYS if key in members}
            for key in {*_TEXTS} & keys.keys():  # another tool's array of objects costs the texts, not the dataset
                with archive.open(members[key]) as file:
                    kind = check_header(file, members[key].file_size, path.name, strict=False).kind
                if kind not in "uiU":
                    del keys[key]
            notes: tuple[str, ...] = ()
            if "X" not in keys or chosen.asked:
                shapes = {}
                for name, info in members.items():
                    if info.filename.endswith(".npy"):
                        with archive.open(info) as file:
                            shapes[name] = check_header(file, info.file_size, f"{path.name} {name}", strict=False)
                keys, notes = assign_keys(keys, shapes, chosen, path.name)
            for key, name in keys.items():
                with archive.open(members[name]) as file:
                    found[key] = load_array(file, members[name].file_size, f"{path.name} {name}")
    except READ_ERRORS as error:
        raise unreadable(path.name, "npz", "np.savez", error) from None
    return found, [name for name in members if name not in keys.values()], notes


def npz_names(path: Path) -> list[str]:
    """Names of the arrays in an npz file; none are read.

    Raises:
        InputError: it is no npz file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [info.filename.removesuffix(".npy") for info in archive.infolist()]
    except READ_ERRORS as error:
        raise unreadable(path.name, "npz", "np.savez", error) from None


READERS = {"npz": Reader(names=npz_names), "npy": Reader(names=lambda path: [])}
