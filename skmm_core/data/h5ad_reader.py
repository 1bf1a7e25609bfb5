"""AnnData (.h5ad): matrices of `obsm` and `X` as vectors, columns of `obs` as a table. Needs h5py."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from skmm_core.data.column_offsets import as_float32
from skmm_core.data.file_limits import check_array_size, check_columns
from skmm_core.data.formats import FORMATS
from skmm_core.data.table_file import Reader, TableFile, VectorColumn
from skmm_core.errors import InputError

_BLOCK = 4_096
_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError)


def read_h5ad(path: Path) -> TableFile:
    """Read the table of cells; matrices are read when they are chosen.

    Raises:
        InputError: h5py is not installed, or the file is damaged.
    """
    h5py = _library(path)
    try:
        with h5py.File(path, "r") as file:
            obs = file["obs"]
            index = obs.attrs.get("_index", "_index")
            names = [str(name) for name in obs.attrs.get("column-order", [])]
            columns = {name: _column(obs[name], path.name) for name in (index, *names) if name in obs}
            sizes = {key: _shape(each) for key, each in file.get("obsm", {}).items()}
            if not sizes and "X" in file:
                sizes = {"X": _shape(file["X"])}
    except _ERRORS as error:
        raise _damaged(path, error) from None
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    rows = {shape[0] for shape in sizes.values() if len(shape) == 2}
    if len(rows) != 1 or (table.num_columns and table.num_rows not in rows):
        raise InputError(f"{path.name}: obsm and X have no matrix with a row a cell; save the embedding in obsm")
    vectors = {
        key: VectorColumn(shape[1], "matrix", lambda _, key=key, shape=shape: _matrix(path, key, shape))  # type: ignore[misc]
        for key, shape in sizes.items()
        if len(shape) == 2
    }
    return TableFile(
        where=path.name,
        rows=rows.pop(),
        table=table,
        described="AnnData",
        vectors=vectors,
        unread={name: "nested" for name, column in columns.items() if column is None},
        index=index if index in table.column_names else None,
    )


def _library(path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        install = next(form.install for form in FORMATS if form.key == "h5ad")
        raise InputError(f"{path.name}: reading .h5ad needs h5py; install it with: {install}") from None
    return h5py


def _damaged(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    return InputError(f"{path.name} is truncated or not an AnnData file; copy it again, or save it again")


def _shape(node: Any) -> tuple[int, ...]:
    """Shape of a matrix, dense, sparse or a table of columns; empty for anything else."""
    if "column-order" in node.attrs:
        columns = [node[str(name)] for name in node.attrs["column-order"]]
        plain = bool(columns) and all(hasattr(each, "shape") and each.dtype.kind in "biuf" for each in columns)
        return (int(columns[0].shape[0]), len(columns)) if plain else ()
    shape = node.attrs.get("shape", ()) if hasattr(node, "keys") else node.shape
    return tuple(int(n) for n in shape)


def _column(node: Any, where: str) -> pa.Array | None:
    """One column of obs: plain, categorical, or nullable; None where it is another thing."""
    if not hasattr(node, "keys"):
        return _plain(node, where)
    if {"codes", "categories"} <= set(node.keys()):
        codes, categories = _plain(node["codes"], where), _plain(node["categories"], where)
        if codes is None or categories is None:
            return None
        known = np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)
        if known.max(initial=-1) >= len(categories):
            raise InputError(f"{where}: a category of obs is not there; save the file again")
        places = pa.array(known, pa.int64(), mask=known < 0)
        return pa.DictionaryArray.from_arrays(places, categories).cast(categories.type)
    if {"values", "mask"} <= set(node.keys()):
        values, mask = _plain(node["values"], where), _plain(node["mask"], where)
        if values is None or mask is None:
            return None
        gone = np.asarray(mask.to_numpy(zero_copy_only=False), bool)
        return pa.array(values.to_numpy(zero_copy_only=False), mask=gone)
    return None


def _plain(node: Any, where: str) -> pa.Array | None:
    if len(node.shape) != 1:
        return None
    check_array_size(where, node.shape, max(8, node.dtype.itemsize))
    if node.dtype.kind in "biuf":
        return pa.array(node[:])
    texts = node.asstr()[:] if node.dtype.kind == "O" else node[:].astype(str)
    return pa.array([str(text) for text in texts.tolist()], pa.string())


def _matrix(path: Path, key: str, shape: tuple[int, ...]) -> np.ndarray:
    rows, width = shape
    where = f"{path.name} {key}"
    check_columns(where, width)
    check_array_size(where, (rows, width), 4)
    features = np.zeros((rows, width), np.float32)
    try:
        with _library(path).File(path, "r") as file:
            node = file["X"] if key == "X" else file["obsm"][key]
            if "column-order" in node.attrs:
                for place, name in enumerate(node.attrs["column-order"]):
                    features[:, place] = as_float32(node[str(name)][:])
                return features
            if hasattr(node, "keys"):
                _spread(node, features)
                return features
            for start in range(0, rows, _BLOCK):
                features[start : start + _BLOCK] = as_float32(node[start : start + _BLOCK])
    except _ERRORS as error:
        raise _damaged(path, error) from None
    return features


def _spread(node: Any, features: np.ndarray) -> None:
    """Write a sparse matrix (rows or columns compressed) into zeros, block by block."""
    pointers = np.asarray(node["indptr"][:], np.int64)
    by_row = str(node.attrs.get("encoding-type", "csr_matrix")).startswith("csr")
    lines = features if by_row else features.T
    if len(pointers) != len(lines) + 1 or (np.diff(pointers) < 0).any() or pointers[0] != 0:
        raise ValueError("pointers of a sparse matrix do not fit its shape")
    for first in range(0, len(lines), _BLOCK):
        some = pointers[first : first + _BLOCK + 1]
        here = slice(int(some[0]), int(some[-1]))
        places = np.asarray(node["indices"][here], np.int64)
        if len(places) and not 0 <= places.min() <= places.max() < lines.shape[1]:
            raise IndexError("an index of a sparse matrix is outside of it")
        lines[first + np.repeat(np.arange(len(some) - 1), np.diff(some)), places] = as_float32(node["data"][here])


READERS = {"h5ad": Reader(lambda path, as_text: read_h5ad(path))}
