"""Parquet in one file, or in a folder of parts that are read one after another."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from skmm_core.data.arrow_reader import check_total
from skmm_core.data.file_limits import check_file
from skmm_core.data.natural_order import natural_key
from skmm_core.data.parquet_reader import parquet_names, read_parquet_files
from skmm_core.data.table_file import AsText, Reader, TableFile


def parts_in(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder in natural order, without those that are hidden."""
    found = [path for path in folder.glob(pattern) if path.is_file() and path.name[0] not in "._"]
    return sorted(found, key=lambda path: natural_key(path.name))


def _parts(folder: Path) -> list[Path]:
    return parts_in(folder, "*.parquet") or parts_in(folder / "data", "*.parquet")


def _read(path: Path, _: AsText) -> TableFile:
    return _all_parts(_parts(path), path.name) if path.is_dir() else read_parquet_files([path], path.name)


def _all_parts(parts: Sequence[Path], where: str) -> TableFile:
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


READERS = {"parquet": Reader(_read, parquet_names, lambda path: path.is_dir() and bool(_parts(path)))}
