"""Parquet in one file, or in a folder of parts that are read one after another."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from skmm_core.data.arrow_reader import check_total
from skmm_core.data.file_limits import check_file
from skmm_core.data.natural_order import natural_key, parts_in
from skmm_core.data.parquet_reader import parquet_names, read_parquet_files, row_count
from skmm_core.data.table_file import AsText, Reader, TableFile
from skmm_core.errors import InputError

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def _parts(folder: Path) -> list[Path]:
    return parts_in(folder, "*.parquet") or parts_in(folder / "data", "*.parquet")


def split_parts(folder: Path) -> dict[str, list[Path]]:
    """Parts of a folder by "train", "validation" and "test" where their names say so, else all as "train".

    None of a folder that has partitions.
    """
    parts = _parts(folder)
    splits = _splits(parts)
    return splits if _named_splits(splits) else {"train": parts}


def _read(path: Path, _: AsText) -> TableFile:
    if not path.is_dir():
        return read_parquet_files([path], path.name)
    parts = _parts(path)
    return _all_parts(parts, path.name) if parts else _partitioned(path, _partitions(path))


def _all_parts(parts: Sequence[Path], where: str) -> TableFile:
    """All parts; where their names begin with train-, test- and validation-, train is the pool."""
    for path in parts:
        check_file(path, kinds=(".parquet",))
    check_total(parts, where)
    splits = _splits(parts)
    if not _named_splits(splits):
        return read_parquet_files(parts, where)
    held = {name: read_parquet_files(paths, f"{where}/{name}") for name, paths in splits.items() if name != "train"}
    return replace(read_parquet_files(splits["train"], where), held=held)


def _splits(parts: Sequence[Path]) -> dict[str, list[Path]]:
    """Parts by what their names begin with."""
    splits: dict[str, list[Path]] = {}
    for path in parts:
        splits.setdefault(path.name.split("-")[0].lower() if "-" in path.name else "", []).append(path)
    return splits


def _named_splits(splits: Mapping[str, list[Path]]) -> bool:
    return "train" in splits and set(splits) <= {"train", "test", "validation"}


def _partitions(folder: Path) -> list[Path]:
    """Parts in folders that are called column=value, in natural order."""
    found = [path for path in folder.glob("*=*/**/*.parquet") if path.is_file() and path.name[0] not in "._"]
    found = [path for path in found if all("=" in name for name in path.relative_to(folder).parts[:-1])]
    return sorted(found, key=lambda path: natural_key(str(path.relative_to(folder))))


def _partitioned(folder: Path, parts: Sequence[Path]) -> TableFile:
    """Parts with the columns that the names of their folders hold, as Spark writes them."""
    for path in parts:
        check_file(path, kinds=(".parquet",))
    check_total(parts, folder.name)
    found = read_parquet_files(parts, folder.name)
    values = [dict(name.split("=", 1) for name in path.relative_to(folder).parts[:-1]) for path in parts]
    if len({tuple(each) for each in values}) > 1:
        raise InputError(f"{folder.name}: its folders name different columns; give each part the same ones")
    rows = [row_count(path) for path in parts]
    table, held = found.table, set(found.names)
    for name in values[0]:
        if name.strip() not in held:
            texts = [None if each[name] == _NO_VALUE else unquote(each[name]) for each in values]
            codes = np.repeat(np.arange(len(texts), dtype=np.int32), rows)
            column = pa.array(texts, pa.string()).dictionary_encode()
            columns = dict(zip(table.column_names, table.columns, strict=True))  # one without columns has no rows
            table = pa.table({**columns, name.strip(): column.take(pa.array(codes))})
    return replace(found, table=table, described=f"{found.described}, columns named by folders")


def _is_folder(path: Path) -> bool:
    return path.is_dir() and bool(_parts(path) or _partitions(path))


READERS = {"parquet": Reader(_read, parquet_names, _is_folder)}
