"""The npz file of features: written array by array, the same features always as the same bytes."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from skmm_core.errors import InputError
from skmm_core.storage import to_json, write_file

PARTS = {"train": "", "validation": "_val", "test": "_test"}  # with what their arrays' names end in


@dataclass(frozen=True)
class FeatureRows:
    """The rows of one part of a file.

    Attributes:
        blocks: npy files of (B, d) float32 features, in order.
        ids: n names.
        targets: (n,) class indices, numbers or texts, or None.
    """

    blocks: Sequence[Path]
    ids: Sequence[str]
    targets: np.ndarray | None


def write_features(
    out: Path,
    parts: Mapping[str, FeatureRows],
    dim: int,
    *,
    names: Sequence[str],
    shown: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
) -> None:
    """Write X, y and ids of every part with rows, names, what goes on cards, and provenance.

    Features go from block to file, so memory does not grow with N. Written under another name and renamed.

    Args:
        out: npz file.
        parts: by a key of `PARTS`.
        dim: d, features of a row.
        names: of the classes; may be empty.
        shown: thumbnails or texts of all rows in the order of `PARTS`, with the end of each.
        provenance: JSON values.

    Raises:
        InputError: a block is gone.
        OSError: the disk is full.
    """
    write_file(out, lambda path: _write_all(path, parts, dim, names, shown, provenance))


def read_provenance(path: Path) -> dict[str, Any]:
    """What an npz file of features says of its encoder."""
    with np.load(path, allow_pickle=False) as found:
        return dict(json.loads(str(found["provenance"])))


def _write_all(
    path: Path,
    parts: Mapping[str, FeatureRows],
    dim: int,
    names: Sequence[str],
    shown: Mapping[str, np.ndarray],
    provenance: Mapping[str, Any],
) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for part, ending in PARTS.items():
            rows = parts.get(part)
            if rows is None or not rows.ids:
                continue
            with _member(archive, f"X{ending}") as file:
                shape = {"descr": "<f4", "fortran_order": False, "shape": (len(rows.ids), dim)}
                np.lib.format.write_array_header_1_0(file, shape)
                for block in rows.blocks:
                    file.write(_block(block).data)
            _write(archive, f"ids{ending}", np.array(rows.ids))
            if rows.targets is not None:
                _write(archive, f"y{ending}", rows.targets)
        if names:
            _write(archive, "names", np.array(names))
        for name, array in shown.items():
            _write(archive, name, array)
        _write(archive, "provenance", np.array(to_json(dict(provenance))))


def _block(path: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except FileNotFoundError:
        raise InputError(
            "features were removed from the cache by another run before they were written; call it again, or raise "
            "SKMM_CACHE_MB"
        ) from None


def _write(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    with _member(archive, name) as file:
        np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member with a fixed date, so that the same features give the same file, byte by byte."""
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)
