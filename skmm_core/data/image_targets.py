"""What pictures say of their targets: metadata files, file names, or the folders they lie in."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from skmm_core.data.image_metadata import Found, metadata_targets
from skmm_core.data.image_samples import CLASS, Samples
from skmm_core.data.image_tables import join_tables
from skmm_core.data.rows import RawTargets, number_targets
from skmm_core.data.skipped import clean_name, counted
from skmm_core.errors import InputError

_UNLABELLED = re.compile(r"(un|not?[ _-]?)label+(ed)?([ _-]?(data|images|pool|set))?")
AGES = "age (file name)"
# Ages stand before the first mark; blanks and what copying adds to a name, " (1)" or " - Copy", change nothing.
PATTERNS = {"utkface": re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*_\s*[01]\s*_\s*[0-4]\s*_\s*\d+(?:[\s.(-]|jpe?g|$)")}


def read_targets(
    ids: Sequence[str],
    inner: Sequence[str],
    metadata: Mapping[str, Path],
    *,
    pattern: str | None,
    target: str | None,
) -> Found:
    """Take targets from a named pattern, else from tables beside the pictures, else from class folders.

    Args:
        ids: paths of the pictures, relative to the folder of all.
        inner: the same within their part.
        metadata: where the metadata files are, by their path relative to the same folder.
        pattern: key of PATTERNS, or None.
        target: column of the metadata, or None for label, target, y or the only one that can be a target.

    Raises:
        InputError: the pattern is unknown, metadata cannot be read, or have no column called `target`.
    """
    if pattern is not None:
        return _from_names(ids, pattern)
    tables = join_tables(ids, metadata, target)
    unused = tuple(
        f"{name}: no column of it names pictures that are here: not used." for name in metadata.keys() - tables
    )
    if tables:
        found = metadata_targets(ids, tables, target)
        found = replace(found, notes=(*found.notes, *unused))
        return found if found.targets is not None else _from_folders(inner, found)
    if target is not None:
        raise InputError(f"target {target!r} names a column of metadata.csv or metadata.jsonl; there is no such file")
    return _from_folders(inner, Found(None, {}, unused))


def read_sample_targets(
    names: Sequence[str], samples: Samples, where: str, *, pattern: str | None, target: str | None
) -> Found:
    """Take targets of shards from a named pattern, else from `.cls`, else from the other values of the samples.

    Where these give none, folders within the shards are classes, as in a folder of pictures.

    Args:
        names: of the pictures.
        samples: what is known of them.
        where: what the shards are called, for messages.
        pattern: key of PATTERNS, or None.
        target: name of a value of the samples, or None.

    Raises:
        InputError: the pattern is unknown, or no sample has a value called `target`.
    """
    if pattern is not None:
        return _from_names(names, pattern)
    table = samples.table(names, where)
    if target is None and CLASS in table.table.column_names:
        target = CLASS
    found = replace(metadata_targets(names, {where: table}, target), names=samples.class_names)
    inner = [name.removeprefix(samples.shards[name]) for name in names]
    return found if found.targets is not None else _from_folders(inner, found)


def one_each(column: str) -> str:
    """What is said where no two pictures have the same class."""
    if column == "class folder":
        return "Every folder holds one picture, so folders are not read as classes: a pool without labels."
    return f"Every class of {column} has one picture, so they are not read as classes: a pool without labels."


def _from_names(ids: Sequence[str], pattern: str) -> Found:
    if pattern not in PATTERNS:
        raise InputError(f"there is no file-name pattern {pattern!r}; choose {', '.join(PATTERNS)}")
    matches = [PATTERNS[pattern].match(PurePosixPath(name).name) for name in ids]
    reasons = {i: f"its name does not fit the pattern {pattern}" for i, match in enumerate(matches) if match is None}
    if len(reasons) == len(ids):
        raise InputError(f"no file name fits the pattern {pattern} (age_gender_race_date.jpg); leave the pattern out")
    values = np.array([float(match.group(1)) if match else np.nan for match in matches], np.float64)
    return Found(number_targets(values, AGES), reasons)


def _from_folders(inner: Sequence[str], other: Found) -> Found:
    """Class folders as targets, with what metadata gave beside targets."""
    folders = [name.split("/")[0].strip() if "/" in name else "" for name in inner]
    unlabelled = {folder for folder in folders if _UNLABELLED.fullmatch(folder.lower())}
    sizes = Counter(folder for folder in folders if folder and folder not in unlabelled)
    if len(sizes) < 2 or 2 * sum(map(bool, folders)) < len(inner):
        return other
    if max(sizes.values()) == 1:
        return replace(other, notes=(*other.notes, one_each("class folder")))
    codes = {name: code for code, name in enumerate(sorted(sizes))}
    values = np.array([codes.get(folder, 0) for folder in folders], np.int64)
    missing = np.array([folder not in codes for folder in folders])
    reasons = {i: "outside the class folders" for i, folder in enumerate(folders) if not folder}
    targets = RawTargets(values, missing, tuple(codes), "class folder")
    told = [f"Pictures in {clean_name(name)} are read as without a label." for name in sorted(unlabelled)]
    notes = (*other.notes, *told, *_folder_notes(inner, folders))
    return replace(other, targets=targets, reasons=reasons, notes=notes)


def _folder_notes(inner: Sequence[str], folders: Sequence[str]) -> Iterator[str]:
    """What is said where classes may be in deeper folders than those that are read."""
    below = {
        (folder, *name.split("/")[1:2]) for name, folder in zip(inner, folders, strict=True) if name.count("/") > 1
    }
    deep = Counter(folder for folder, _ in below)
    if deep and max(deep.values()) > 1:
        first = min(f"{clean_name(folder)}/{clean_name(sub)}" for folder, sub in below)
        yield (
            f"Classes are the first folders; {counted(len(below), 'folder', 'folders')} below, as {first}, are not "
            "told apart. If those are the classes, put them side by side."
        )
