"""Safetensors: eight bytes of length, a header in JSON, and the bytes of the tensors. No code can hide in it."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from skmm_core.data.arrays import array_features, array_targets, plain_rows
from skmm_core.data.file_limits import check_array_size
from skmm_core.data.named_arrays import ArrayKind, Chosen, assign_keys
from skmm_core.data.rows import RawRows
from skmm_core.data.table_file import Reader
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report

_TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "BOOL": "?"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"},
}
_MAX_HEADER = 100 << 20


def read_safetensors(path: Path, chosen: Chosen, *, offsets: np.ndarray | None = None, report: Report) -> RawRows:
    """Read the one 2-d tensor of a file, and its labels and ids where there are any.

    Args:
        path: of a file that was checked by :func:`skmm_core.data.file_limits.check_file`.
        chosen: tensors that a person names.
        offsets: of the pool, for held-out rows.
        report: told of reading.

    Raises:
        InputError: it is damaged, or none or several tensors can be the features.
    """
    report(Progress(f"Reading {path.name}", 0))
    header, start = _header(path)
    kinds = {name: _kind(each) for name, each in header.items()}
    keys, notes = assign_keys({key: key for key in ("X", "y", "ids") if key in kinds}, kinds, chosen, path.name)
    arrays = {part: _array(path, start, header[name], name) for part, name in keys.items() if part in ("X", "y", "ids")}
    held = array_features(arrays["X"], f"{path.name} {keys['X']}", offsets)
    targets = array_targets(arrays["y"], keys["y"], len(held.features), keys["X"]) if "y" in arrays else None
    ids = tuple(str(each) for each in arrays["ids"].ravel().tolist()) if "ids" in arrays else None
    if ids is not None and len(ids) != len(held.features):
        raise InputError(f"{path.name} {keys['ids']} has {len(ids):,} entries, {len(held.features):,} are needed")
    others = [name for name in kinds if name not in {keys[part] for part in arrays}]
    told = [*notes, *([f"{path.name}: tensors not used: {', '.join(others[:8])}."] if others else [])]
    rows = plain_rows(path.name, held, targets)
    return replace(rows, ids=ids, notes=(*rows.notes, *told))


def safetensors_names(path: Path) -> list[str]:
    """Names of the tensors; none are read.

    Raises:
        InputError: the header cannot be read.
    """
    return list(_header(path)[0])


def _header(path: Path) -> tuple[dict[str, dict], int]:
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MAX_HEADER, size - 8):
                raise ValueError
            found = json.loads(file.read(length))
        found.pop("__metadata__", None)
        for each in found.values():
            first, last = each["data_offsets"]
            shape, dtype = each["shape"], np.dtype(_TYPES.get(each["dtype"], "u1"))
            whole = all(isinstance(n, int) and n >= 0 for n in (*shape, first, last))
            if not whole or last > size - 8 - length or first > last:
                raise ValueError
            if each["dtype"] in _TYPES and math.prod(shape) * dtype.itemsize != last - first:
                raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{path.name} is truncated or not a safetensors file; copy it again, or save it again"
        ) from None
    return found, 8 + length


def _kind(tensor: dict) -> ArrayKind:
    shape, dtype = tuple(tensor["shape"]), tensor["dtype"]
    if dtype == "BF16":
        return ArrayKind(shape, "f")
    return ArrayKind(shape, np.dtype(_TYPES[dtype]).kind if dtype in _TYPES else "V")


def _array(path: Path, start: int, tensor: dict, name: str) -> np.ndarray:
    dtype, shape = tensor["dtype"], tuple(tensor["shape"])
    if dtype not in _TYPES:
        raise InputError(f"{path.name}: tensor {name!r} is {dtype[:20]}, which is not read; save it as float32")
    kind = np.dtype(_TYPES[dtype])
    check_array_size(f"{path.name} {name}", shape, kind.itemsize)
    with path.open("rb") as file:
        file.seek(start + tensor["data_offsets"][0])
        flat = np.fromfile(file, kind, math.prod(shape))
    if dtype == "BF16":  # the upper half of a float32
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(shape)


READERS = {"safetensors": Reader(names=safetensors_names)}
