"""From a path to a table: one door for every format that has columns; the readers are loaded when they are needed."""

from collections.abc import Callable
from pathlib import Path

from skmm_core.data.formats import format_of
from skmm_core.data.table_file import TableFile

ARRAYS = ("npz", "npy", "safetensors")  # formats of named arrays, without columns


def is_table(path: Path) -> bool:
    """Whether a path is a folder, or a file of a format with columns."""
    form = format_of(path)
    return path.is_dir() or (form is not None and form.key not in ARRAYS)


def read_table_file(path: Path, as_text: Callable[[str], bool]) -> TableFile:
    """Read a file or folder with columns.

    Args:
        path: that was checked.
        as_text: whether the column of a name is read digit by digit, where a format knows no types.

    Raises:
        InputError: it cannot be read.
    """
    from skmm_core.data import folder_reader

    if path.is_dir():
        return folder_reader.read_folder(path, as_text)
    key = getattr(format_of(path), "key", None)
    if key == "parquet":
        from skmm_core.data.parquet_reader import read_parquet_files

        return read_parquet_files([path], path.name)
    if key == "arrow":
        from skmm_core.data.arrow_reader import read_arrow_files

        return read_arrow_files([path], path.name)
    if key == "jsonl":
        from skmm_core.data.jsonl_reader import read_jsonl

        return read_jsonl(path)
    if key == "h5ad":
        from skmm_core.data.h5ad_reader import read_h5ad

        return read_h5ad(path)
    if folder_reader.is_projector_file(path):
        return folder_reader.read_projector(path.parent, as_text)
    from skmm_core.data.table_readers import read_csv_file

    return read_csv_file(path, as_text)


def names_in(path: Path) -> list[str]:
    """Names of the columns or arrays of a file, from as little of it as tells them.

    Raises:
        InputError: it cannot be read.
    """
    key = getattr(format_of(path), "key", None)
    if path.is_dir() or key in ("jsonl", "h5ad"):
        return read_table_file(path, lambda name: False).names
    if key == "npz":
        from skmm_core.data.arrays import npz_names

        return npz_names(path)
    if key == "safetensors":
        from skmm_core.data.safetensors_reader import safetensors_names

        return safetensors_names(path)
    if key == "parquet":
        from skmm_core.data.parquet_reader import parquet_names

        return parquet_names(path)
    if key == "arrow":
        from skmm_core.data.arrow_reader import arrow_names

        return arrow_names(path)
    if key == "csv":
        from skmm_core.data.table_readers import csv_names

        return csv_names(path)
    return []
