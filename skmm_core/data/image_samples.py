"""Samples of webdataset shards: a picture and what stands beside it under the same key.

The key of a member is its path up to the first dot of its base name (webdataset, `base_plus_ext`), and the rest says
what it is: `12.jpg`, `12.cls`, `12.json`, `12.txt`. img2dataset adds a table with the name of the shard, in which only
rows with the status "success" have a picture; it also writes the same as folders of files.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from skmm_core.data.archive_members import COMPANION_KINDS, MAX_COMPANION_BYTES, TABLE_KIND
from skmm_core.data.file_limits import check_file
from skmm_core.data.file_names import one_form
from skmm_core.data.image_tables import Joined, plain_values, read_plain_parquet, rows_table
from skmm_core.data.natural_order import natural_key
from skmm_core.data.picture_kinds import PICTURE_KINDS
from skmm_core.data.skipped import Skipped, clean_name, counted
from skmm_core.errors import InputError

CLASS = "cls"
_CLASS_NAMES = "classnames.txt"
_CAPTION = "caption"
_KEY, _STATUS, _SUCCESS = "key", "status", "success"
# What img2dataset says of every download, which is no target.
_ABOUT_DOWNLOADS = {
    *(_KEY, _STATUS, "error_message", "url", "width", "height", "original_width", "original_height", "exif"),
    *("sha256", "sha512", "md5", "uid", "__key__", "__url__"),
}
_SERIES = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class Samples:
    """Pictures of shards, and what they say of them.

    Attributes:
        keys: of each picture by its name, unique.
        shards: of each picture by its name, the shard, such as "00000/"; empty for a single one.
        described: values by name of the picture.
        skipped: members that are not used.
        notes: what a person should know.
        class_names: by integer class, from classnames.txt, or empty.
    """

    keys: dict[str, str]
    shards: dict[str, str]
    described: dict[str, dict[str, object]]
    skipped: list[Skipped]
    notes: tuple[str, ...]
    class_names: tuple[str, ...]

    def leave_out(self, names: Iterable[str], reason: str) -> None:
        """Note files that are not used."""
        self.skipped.extend(Skipped(clean_name(name), reason) for name in sorted(names))

    def table(self, names: Sequence[str], where: str) -> Joined:
        """What is known of these pictures, a row each."""
        rows = [self.described.get(name) or {} for name in names]
        table = rows_table(rows, where) if any(rows) else pa.table({})
        return Joined(table, np.arange(len(names)), _KEY)


def find_samples(files: Mapping[str, Path], shards: Sequence[str]) -> Samples | None:
    """Group files into samples.

    Args:
        files: where each file is, by its relative path.
        shards: prefixes of what came from tar files, such as "00000/", or "" for a single one.

    Returns:
        The samples; None where these are ordinary pictures: no tar file that is a shard, and no table of a shard.

    Raises:
        InputError: the table of a shard cannot be read.
    """
    tables = _tables(files)
    groups = _groups(files, {*shards, *tables})
    with_more = any(_pictures(group) and _companions(group) for group in groups.values())
    if not any(map(_pictures, groups.values())) or not (tables or with_more or _numbered(shards)):
        return None
    return _read(files, groups, tables)


def shared_key_notes(files: Mapping[str, Path], shards: Sequence[str]) -> Iterator[str]:
    """What is said of tar files of ordinary pictures, some of which webdataset would read as one sample."""
    pairs = [_pictures(group)[:2] for group in _groups(files, set(shards)).values() if len(_pictures(group)) > 1]
    if pairs:
        first, other = (clean_name(name) for name in pairs[0])
        yield (
            f"{first} and {other} have one key in webdataset, which ends at the first dot; here each is a picture of "
            "its own."
        )


def _tables(files: Mapping[str, Path]) -> dict[str, Path]:
    """Tables of shards by the prefix of the shard: `00000.parquet` beside the files of `00000/`."""
    folders = {name.rpartition("/")[0] + "/" for name in files if "/" in name}
    found = {name.removesuffix(TABLE_KIND) + "/": path for name, path in files.items() if name.endswith(TABLE_KIND)}
    return {prefix: path for prefix, path in found.items() if prefix in folders}


def _numbered(shards: Sequence[str]) -> bool:
    """Whether tar files are parts of one series, not a class each: `00000`, `train-0001`, but not `n01440764`."""
    found = [_SERIES.fullmatch(PurePosixPath(shard).name) for shard in shards]
    if len(shards) < 2 or not all(found):
        return False
    return all(match is not None and (not match[1] or match[1][-1] in "-_.") for match in found)


def _groups(files: Mapping[str, Path], prefixes: Set[str]) -> dict[tuple[str, str], dict[str, str]]:
    """Names of files by shard and key, then by what follows the key."""
    groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in sorted(files, key=natural_key):
        folders = name.split("/")[:-1]
        above = ("/".join(folders[:depth]) + "/" for depth in range(len(folders), 0, -1))
        prefix = next((prefix for prefix in (*above, "") if prefix in prefixes), None)
        if prefix is not None:
            inside, slash, base = name.removeprefix(prefix).rpartition("/")
            stem, _, ending = base.partition(".")
            groups[prefix, f"{inside}{slash}{stem}"].setdefault(ending.lower(), name)
    return groups


def _companions(group: Mapping[str, str]) -> dict[str, str]:
    """Class, caption and JSON of a sample, by their ending."""
    return {ending: name for ending, name in group.items() if f".{ending}".endswith(COMPANION_KINDS)}


def _pictures(group: Mapping[str, str]) -> list[str]:
    """Files of a sample that may be its picture, a plain ending first, else in the order of their names."""
    endings = [ending for ending in group if f".{ending}".endswith(PICTURE_KINDS) or not ending]
    return [group[ending] for ending in sorted(endings, key=lambda ending: (ending.count("."), ending))]


def _read(
    files: Mapping[str, Path], groups: Mapping[tuple[str, str], dict[str, str]], tables: Mapping[str, Path]
) -> Samples:
    rows = {prefix: _table_rows(path) for prefix, path in tables.items()}
    once = Counter(key for (_, key), group in groups.items() if _pictures(group))
    found = Samples({}, {}, {}, [], _status_notes(rows), _class_names(files))
    merged: list[tuple[str, str]] = []
    for (prefix, key), group in groups.items():
        row = rows.get(prefix, {}).get(key)
        pictures, companions = _pictures(group), _companions(group)
        if reason := _why_unused(pictures, row):
            found.leave_out(group.values(), reason)
            continue
        first, *others = pictures
        found.keys[first] = key if once[key] == 1 else f"{prefix}{key}"
        found.shards[first] = prefix
        found.described[first] = _described(files, companions, row, found.skipped)
        merged += [(first, other) for other in others]
        found.leave_out(others, f"a second picture of the sample {clean_name(key)}")
        found.leave_out({*group.values()} - {*pictures, *companions.values()}, "not a picture, class or caption")
    grouped = {name for group in groups.values() for name in group.values()}
    known = {*grouped, _CLASS_NAMES, *(prefix.removesuffix("/") + TABLE_KIND for prefix in tables)}
    found.leave_out(files.keys() - known, "not part of a sample")
    return replace(found, notes=(*_merge_notes(merged), *found.notes))


def _why_unused(pictures: Sequence[str], row: Mapping[str, object] | None) -> str | None:
    """Why a sample is not used, or None."""
    if not pictures:
        return "no picture goes with it"
    status = row.get(_STATUS) if row else None
    return f"its status is {status}, not {_SUCCESS}" if status not in (None, _SUCCESS) else None


def _merge_notes(merged: Sequence[tuple[str, str]]) -> Iterator[str]:
    if merged:
        first, other = (clean_name(name) for name in merged[0])
        yield (
            f"{counted(len(merged), 'picture shares its key', 'pictures share their key')} with another, as {other} "
            f"with {first}: in webdataset a key ends at the first dot, so these are one sample, and one picture of it "
            "is used; rename them without dots to use all."
        )


def _status_notes(rows: Mapping[str, Mapping[str, Mapping[str, object]]]) -> tuple[str, ...]:
    """How many rows of the tables have no picture since they could not be downloaded."""
    statuses = Counter(str(row.get(_STATUS)) for table in rows.values() for row in table.values() if row.get(_STATUS))
    failed = {status: count for status, count in statuses.items() if status != _SUCCESS}
    if not failed:
        return ()
    told = ", ".join(f"{status} {count:,}" for status, count in sorted(failed.items()))
    return (f"{sum(failed.values()):,} of {statuses.total():,} rows of the shards have no picture ({told}).",)


def _table_rows(path: Path) -> dict[str, dict[str, object]]:
    """Rows of the table of a shard by key."""
    check_file(path, kinds=(TABLE_KIND,))
    table = read_plain_parquet(path, path.name)
    if _KEY not in table.column_names:
        raise InputError(f"{path.name} has no column {_KEY!r} that names the files of its shard; remove it")
    return {str(row.get(_KEY)): row for row in table.to_pylist()}


def _described(
    files: Mapping[str, Path],
    companions: Mapping[str, str],
    row: Mapping[str, object] | None,
    skipped: list[Skipped],
) -> dict[str, object]:
    """Class, caption and other values of a sample; the table of the shard says what its JSON says."""
    values = dict(row or {})
    for ending, name in companions.items():
        kind = f".{ending.rpartition('.')[2]}"
        if kind == ".json" and row is not None:
            continue
        text = _text(files[name])
        if text is None:
            skipped.append(Skipped(clean_name(name), "not UTF-8 text, or too long"))
        elif kind == ".json":
            values |= _json(text, name, skipped)
        else:
            values.setdefault({".cls": CLASS, ".txt": _CAPTION}[kind], one_form(text.strip()))
    return {key: value for key, value in values.items() if key not in _ABOUT_DOWNLOADS}


def _json(text: str, name: str, skipped: list[Skipped]) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        skipped.append(Skipped(clean_name(name), "not valid JSON"))
        return {}
    if isinstance(found, dict):
        return plain_values(found)
    return {} if isinstance(found, list) or found is None else {"json": found}


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > MAX_COMPANION_BYTES:
            return None
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _class_names(files: Mapping[str, Path]) -> tuple[str, ...]:
    """Lines of classnames.txt, as the sets of CLIP benchmark have it, or none."""
    text = _text(files[_CLASS_NAMES]) if _CLASS_NAMES in files else None
    return () if text is None else tuple(one_form(line.strip()) for line in text.splitlines() if line.strip())
