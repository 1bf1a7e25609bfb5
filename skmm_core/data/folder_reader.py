"""Folders that hold one dataset in several files: clip-retrieval, TensorFlow projector."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_reader import check_total
from skmm_core.data.column_offsets import as_float32
from skmm_core.data.file_limits import check_array_size, check_columns, check_file
from skmm_core.data.natural_order import parts_in
from skmm_core.data.npy_file import load_npy
from skmm_core.data.parquet_reader import read_parquet_files
from skmm_core.data.table_file import AsText, Reader, TableFile, VectorColumn, check_names, is_numeric
from skmm_core.data.table_readers import read_csv_file
from skmm_core.data.text_encoding import not_utf8, utf8_file
from skmm_core.data.typed_text import typed
from skmm_core.errors import InputError

_VECTORS = ("tensors.tsv", "vectors.tsv")
_METADATA = ("metadata.tsv", "meta.tsv")
_EMBEDDINGS = ("img_emb", "text_emb")


def _is_clip_retrieval(path: Path) -> bool:
    return any((path / name).is_dir() for name in _EMBEDDINGS)


def _clip_retrieval(folder: Path) -> TableFile:
    metadata = parts_in(folder / "metadata", "*.parquet")
    vectors: dict[str, VectorColumn] = {}
    counts = {}
    for name in _EMBEDDINGS:
        if paths := parts_in(folder / name, "*.npy"):
            for path in paths:
                check_file(path, kinds=(".npy",))
            check_total(paths, f"{folder.name}/{name}")
            vectors[name], counts[name] = _stacked(paths, f"{folder.name}/{name}")
    if not vectors:
        raise InputError(f"{folder.name}: img_emb and text_emb hold no .npy files; make the embeddings again")
    rows = next(iter(counts.values()))
    for name, count in counts.items():
        if count != rows:
            raise InputError(f"{folder.name}: {name} has {count:,} rows but the first {rows:,}; make them again")
    if not metadata:
        return TableFile(folder.name, rows, pa.table({}), "clip-retrieval folder", vectors)
    check_total(metadata, f"{folder.name}/metadata")
    table = read_parquet_files(metadata, f"{folder.name}/metadata")
    if table.rows != rows:
        raise InputError(f"{folder.name}: metadata has {table.rows:,} rows, embeddings {rows:,}; make them again")
    return replace(table, where=folder.name, described="clip-retrieval folder", vectors={**table.vectors, **vectors})


def _stacked(paths: Sequence[Path], where: str) -> tuple[VectorColumn, int]:
    """The arrays of several npy files as one column, and its rows."""
    shapes = [load_npy(path, mapped=True).shape for path in paths]
    widths = {shape[1] if len(shape) == 2 else -1 for shape in shapes}
    if len(widths) != 1 or widths == {-1}:
        raise InputError(f"{where}: its arrays have the shapes {shapes[:3]}; give rows × columns, as many in each")
    rows, size = sum(shape[0] for shape in shapes), widths.pop()
    check_columns(where, size)
    check_array_size(where, (rows, size), 4)

    def read(_: str | None) -> np.ndarray:
        features = np.empty((rows, size), np.float32)
        start = 0
        for path, shape in zip(paths, shapes, strict=True):
            features[start : start + shape[0]] = as_float32(load_npy(path, mapped=True))
            start += shape[0]
        return features

    return VectorColumn(size, "arrays", read), rows


def _is_projector(path: Path) -> bool:
    """Whether a folder holds the vectors of TensorFlow's projector, or a file does with its metadata beside it."""
    if path.is_dir():
        return any((path / name).is_file() for name in _VECTORS)
    return path.name in _VECTORS and any((path.parent / name).is_file() for name in _METADATA)


def _read_projector(path: Path, as_text: AsText) -> TableFile:
    """The vectors and the metadata of a folder, or of one of its files."""
    folder = path if path.is_dir() else path.parent
    path = next(folder / name for name in _VECTORS if (folder / name).is_file())
    check_file(path, kinds=(".tsv",))
    vectors = read_csv_file(path, lambda name: False)
    metadata = next((folder / name for name in _METADATA if (folder / name).is_file()), None)
    if metadata is None:
        return vectors
    check_file(metadata, kinds=(".tsv",))
    found = _projector_metadata(metadata, vectors.rows, as_text)
    if found.num_rows != vectors.rows:
        raise InputError(
            f"{folder.name}: {metadata.name} has {found.num_rows:,} rows but {path.name} has {vectors.rows:,}; "
            "they must match"
        )
    tensors = vectors.table

    def read(_: str | None) -> np.ndarray:
        return np.ascontiguousarray(np.stack([as_float32(column.to_numpy()) for column in tensors.columns]).T)

    if not all(is_numeric(kind) for kind in tensors.schema.types):
        raise InputError(f"{folder.name}: {path.name} holds something else than numbers; write one vector a line")
    check_array_size(f"{folder.name}/{path.name}", (vectors.rows, tensors.num_columns), 4)
    column = VectorColumn(tensors.num_columns, "lines of numbers", read)
    return TableFile(folder.name, vectors.rows, found, "TensorFlow projector", {path.stem: column}, untyped=True)


def _projector_metadata(path: Path, rows: int, as_text: AsText) -> pa.Table:
    """The columns of metadata, whose tabs and line ends alone divide it: a quote or a comma is part of a text.

    Line 1 names the columns, unless there are as many lines as vectors.
    """
    with utf8_file(path, path.name) as (plain, _):
        try:
            lines = plain.read_text("utf-8-sig").removesuffix("\n").split("\n")
        except UnicodeDecodeError:
            raise not_utf8(plain, path.name) or InputError(f"{path.name} holds no text; save it as UTF-8") from None
    while len(lines) > max(rows, 1) and not lines[-1]:
        lines.pop()
    fields = [line.split("\t") for line in lines]
    width = len(fields[0])
    check_columns(path.name, width)
    for number, row in enumerate(fields, 1):
        if len(row) != width:
            raise InputError(
                f"{path.name}, line {number} has {len(row)} fields, but line 1 has {width}; correct that line"
            )
    # The one column that has no name holds classes, or a word or text for each vector.
    one = "text" if len(set(lines)) > len(lines) / 2 else "label"
    names = [one] if width == 1 else [f"column {place + 1}" for place in range(width)]
    if len(lines) != rows:
        names = [name.strip() for name in fields.pop(0)]
    check_names(names, path.name)
    cells = {
        name: pa.chunked_array([pa.array([row[place] for row in fields], pa.string())])
        for place, name in enumerate(names)
    }
    return pa.table({name: column if as_text(name) else typed(column) for name, column in cells.items()})


READERS = {
    "clip": Reader(lambda path, as_text: _clip_retrieval(path), finds=_is_clip_retrieval),
    "projector": Reader(_read_projector, finds=_is_projector),
}
