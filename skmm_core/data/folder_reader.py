"""Folders that hold one dataset: parts of parquet, a saved dataset, clip-retrieval, TensorFlow projector."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from skmm_core.data.arrays import load_npy
from skmm_core.data.arrow_reader import check_total, is_saved_dataset, read_saved_dataset
from skmm_core.data.column_offsets import as_float32
from skmm_core.data.file_limits import check_array_size, check_columns, check_file
from skmm_core.data.formats import FORMATS, is_archive
from skmm_core.data.natural_order import natural_key
from skmm_core.data.parquet_reader import read_parquet_files
from skmm_core.data.table_file import TableFile, VectorColumn, is_numeric
from skmm_core.data.table_readers import read_csv_file
from skmm_core.errors import InputError

_VECTORS = ("tensors.tsv", "vectors.tsv")
_METADATA = ("metadata.tsv", "meta.tsv")
_EMBEDDINGS = ("img_emb", "text_emb")


def read_folder(folder: Path, as_text: Callable[[str], bool]) -> TableFile:
    """Read a folder as the one dataset it holds.

    Raises:
        InputError: it holds nothing that is read as a whole; the message says what folders are.
    """
    if is_saved_dataset(folder):
        return read_saved_dataset(folder)
    if any((folder / name).is_dir() for name in _EMBEDDINGS):
        return _clip_retrieval(folder)
    if any((folder / name).is_file() for name in _VECTORS):
        return read_projector(folder, as_text)
    parts = _parts(folder, "*.parquet") or _parts(folder / "data", "*.parquet")
    if parts:
        return _parquet_parts(parts, folder.name)
    if any(is_archive(path.name) for path in folder.iterdir()):
        raise InputError(f"{folder} holds pictures; make features of them first (embed --images, Images in Data)")
    known = "; ".join(f"{form.title}: {form.folder}" for form in FORMATS if form.folder)
    raise InputError(f"{folder} is a folder; name one file, or a folder that is read as one dataset ({known})")


def _parts(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder in natural order, without those that are hidden."""
    found = [path for path in folder.glob(pattern) if path.is_file() and path.name[0] not in "._"]
    return sorted(found, key=lambda path: natural_key(path.name))


def _parquet_parts(parts: Sequence[Path], where: str) -> TableFile:
    """All parts; where their names begin with train-, test- and validation-, train is the pool."""
    splits: dict[str, list[Path]] = {}
    for path in parts:
        check_file(path, kinds=(".parquet",))
        splits.setdefault(path.name.split("-")[0].lower() if "-" in path.name else "", []).append(path)
    check_total(parts, where)
    if "train" not in splits or not set(splits) <= {"train", "test", "validation"}:
        return read_parquet_files(parts, where)
    held = {name: read_parquet_files(paths, f"{where}/{name}") for name, paths in splits.items() if name != "train"}
    return replace(read_parquet_files(splits["train"], where), held=held)


def _clip_retrieval(folder: Path) -> TableFile:
    metadata = _parts(folder / "metadata", "*.parquet")
    vectors: dict[str, VectorColumn] = {}
    counts = {}
    for name in _EMBEDDINGS:
        if paths := _parts(folder / name, "*.npy"):
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


def is_projector_file(path: Path) -> bool:
    """Whether a file holds the vectors of TensorFlow's projector, with its metadata beside it."""
    return path.name in _VECTORS and any((path.parent / name).is_file() for name in _METADATA)


def read_projector(folder: Path, as_text: Callable[[str], bool]) -> TableFile:
    """Read the vectors and the metadata of TensorFlow's projector; the metadata of one column has no header.

    Raises:
        InputError: their rows do not match.
    """
    path = next(folder / name for name in _VECTORS if (folder / name).is_file())
    check_file(path, kinds=(".tsv",))
    vectors = read_csv_file(path, lambda name: False)
    metadata = next((folder / name for name in _METADATA if (folder / name).is_file()), None)
    if metadata is None:
        return vectors
    check_file(metadata, kinds=(".tsv",))
    table = read_csv_file(metadata, as_text)
    found = table.table
    if table.names and len(table.names) == 1 and table.rows == vectors.rows - 1 and not table.unnamed:
        (name,) = table.names  # one column has no header: its first line is the first row
        texts = found.column(0).cast(pa.string())
        found = pa.table({"label": pa.chunked_array([pa.array([name]), *texts.chunks])})
    elif len(table.names) == 1 and table.unnamed:
        found = found.rename_columns(["label"])
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
    return TableFile(folder.name, vectors.rows, found, "TensorFlow projector", {path.stem: column})
