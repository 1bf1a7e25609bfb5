"""Arrow files, streams and Feather, and the folders that the library datasets saves."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from skmm_core.data.arrow_repeats import check_repeats, has_views
from skmm_core.data.arrow_sizes import ERRORS as SIZE_ERRORS, unpacked_bytes
from skmm_core.data.arrow_types import plain_columns, plain_type, without_columns
from skmm_core.data.feather_1 import MARK, as_arrow_file
from skmm_core.data.file_limits import check_array_size, check_file, max_megabytes
from skmm_core.data.named_codes import of_one_code
from skmm_core.data.natural_order import natural_key
from skmm_core.data.parquet_reader import ERRORS, class_names, damaged, feature_names, joined
from skmm_core.data.table_file import Reader, TableFile, check_names, is_bytes, is_plain, is_vector
from skmm_core.data.vector_columns import held_vector
from skmm_core.data.vector_texts import text_vectors
from skmm_core.errors import InputError

_HELD = {"validation": ("validation", "valid", "val", "dev"), "test": ("test", "testing")}
_POOL = ("train", "training")


def read_arrow_files(paths: Sequence[Path], where: str) -> TableFile:
    """Read Arrow files or streams of the same columns as one table.

    Raises:
        InputError: one is damaged, or they do not fit each other.
    """
    parts = [_read(path) for path in paths]
    tables, names = of_one_code(parts, [class_names(part.schema) for part in parts])
    return replace(table_of(joined(tables, where), where, "arrow"), class_names=names)


def table_of(table: pa.Table, where: str, described: str) -> TableFile:
    """Sort the columns of a table in memory by what they can be."""
    table = table.rename_columns([str(name).strip() for name in table.column_names])
    check_names(table.column_names, where)
    plain = [name for name in table.column_names if is_plain(plain_type(table.schema.field(name).type))]
    check_array_size(where, (table.num_rows, max(1, len(plain))), 8)
    table = plain_columns(table, where)
    vectors = {}
    for name in table.column_names:
        field = table.schema.field(name)
        if (is_vector(field.type) or is_bytes(field.type)) and (
            vector := held_vector(where, name, table.column(name), field)
        ):
            vectors[name] = vector
    flat = table.select(plain)
    in_text = text_vectors(where, flat)
    read = {*plain, *vectors}
    return TableFile(
        where=where,
        rows=table.num_rows,
        table=without_columns(flat, in_text),
        vectors={**vectors, **in_text},
        unread={field.name: str(field.type) for field in table.schema if field.name not in read},
        described=described,
    )


def is_saved_dataset(folder: Path) -> bool:
    """Whether the library datasets saved this folder."""
    return any((folder / name).is_file() for name in ("state.json", "dataset_dict.json", "dataset_info.json"))


def read_saved_dataset(folder: Path) -> TableFile:
    """Read a folder that `save_to_disk` of the library datasets made.

    Of several splits train is the pool; validation and test are held out, others are not used, with a note.

    Raises:
        InputError: a file of it is missing or damaged, or no split can be the pool.
    """
    listing = folder / "dataset_dict.json"
    if not listing.is_file():
        return _split(folder, folder.name)
    names = _json(listing).get("splits")
    splits = [str(name) for name in names] if isinstance(names, list) else []
    splits = [name for name in splits if "/" not in name and (folder / name).is_dir()]
    pool = next((name for name in splits if name.lower() in _POOL), splits[0] if len(splits) == 1 else None)
    if pool is None:
        raise InputError(f"{folder.name} has no split train (it has {', '.join(splits) or 'none'}); name one's folder")
    held = {
        part: _split(folder / name, f"{folder.name}/{name}")
        for part, words in _HELD.items()
        for name in splits
        if name.lower() in words and name != pool
    }
    used = {pool, *(part.where.rsplit("/", 1)[-1] for part in held.values())}
    rest = [name for name in splits if name not in used]
    note = (f"{folder.name}: splits not used: {', '.join(rest)}.",) if rest else ()
    found = _split(folder / pool, f"{folder.name}/{pool}" if len(splits) > 1 else folder.name)
    return replace(found, held=held, notes=(*found.notes, *note))


def _split(folder: Path, where: str) -> TableFile:
    state = folder / "state.json"
    files = _json(state).get("_data_files") if state.is_file() else None
    named = [str(each.get("filename")) for each in files if isinstance(each, dict)] if isinstance(files, list) else []
    if any(Path(name).name != name for name in named):
        raise InputError(f"{where}: state.json names files outside of the folder; save the dataset again")
    paths = [folder / name for name in named] or sorted(folder.glob("*.arrow"), key=lambda path: natural_key(path.name))
    if not paths:
        raise InputError(f"{where} has no .arrow files; save the dataset again with save_to_disk")
    for path in paths:
        check_file(path, kinds=(".arrow",))
    check_total(paths, where)
    found = read_arrow_files(paths, where)
    info = folder / "dataset_info.json"
    names = feature_names(_json(info).get("features")) if info.is_file() else {}
    return replace(found, described="saved Hugging Face dataset", class_names={**names, **found.class_names})


def check_total(paths: Sequence[Path], where: str) -> None:
    """Refuse parts that are too large together.

    Raises:
        InputError: they are above the limit of one file.
    """
    limit, size = max_megabytes(), sum(path.stat().st_size for path in paths)
    if size > limit << 20:
        raise InputError(
            f"{where} has {size >> 20:,} MB in {len(paths):,} files, more than the limit of {limit:,} MB; keep fewer "
            "rows or columns, or raise SKMM_MAX_FILE_MB"
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > 64 << 20:
            raise ValueError
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path.parent.name}/{path.name} is not readable JSON; save the dataset again") from None
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> pa.Table:
    """A file or a stream; what it unpacks to is checked before it is taken."""
    limit = max_megabytes()
    try:
        with path.open("rb") as file:
            start = file.read(6)
        if start[:4] == MARK:
            with as_arrow_file(path) as made:
                return _read(made)
        size = unpacked_bytes(path)
        if size > limit << 20:
            raise InputError(
                f"{path.name} unpacks to {size >> 20:,} MB, more than the limit of {limit:,} MB; keep fewer rows or "
                "columns, or raise SKMM_MAX_FILE_MB"
            )
        with pa.memory_map(str(path)) as source:
            opened = pa.ipc.open_file(source) if start == b"ARROW1" else pa.ipc.open_stream(source)
            table = opened.read_all()
            table.validate()
            for name in (each.name for each in table.schema if has_views(each.type)):
                check_repeats(path.name, name, table.column(name))
            table.validate(full=True)
    except (*ERRORS, *SIZE_ERRORS) as error:
        raise damaged(path.name, "arrow", error) from None
    return table


def arrow_names(path: Path) -> list[str]:
    """Names of the columns, from the schema alone.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with pa.memory_map(str(path)) as source:
            start = source.read(6)
            source.seek(0)
            if start[:4] == MARK:
                with as_arrow_file(path) as made:
                    return arrow_names(made)
            opened = pa.ipc.open_file(source) if start == b"ARROW1" else pa.ipc.open_stream(source)
            return [str(name).strip() for name in opened.schema.names]
    except ERRORS as error:
        raise damaged(path.name, "arrow", error) from None


READERS = {
    "arrow": Reader(lambda path, as_text: read_arrow_files([path], path.name), arrow_names),
    "hf": Reader(lambda path, as_text: read_saved_dataset(path), finds=is_saved_dataset),
}
