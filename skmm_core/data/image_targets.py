"""What pictures say of their targets: metadata files, file names, or the folders they lie in."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from skmm_core.data.image_metadata import Found, metadata_targets
from skmm_core.data.rows import RawTargets, number_targets
from skmm_core.errors import InputError

AGES = "age (file name)"
# Ages stand before the first mark; blanks and what copying adds to a name, " (1)" or " - Copy", change nothing.
PATTERNS = {"utkface": re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*_\s*[01]\s*_\s*[0-4]\s*_\s*\d+(?:[\s.(-]|$)")}


def read_targets(
    ids: Sequence[str],
    inner: Sequence[str],
    metadata: Mapping[str, Path],
    *,
    pattern: str | None,
    target: str | None,
) -> Found:
    """Take targets from a named pattern, else from metadata files, else from class folders.

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
    notes: tuple[str, ...] = ()
    if metadata:
        found = metadata_targets(ids, metadata, target)
        if found.targets is not None:
            return found
        notes = found.notes
    elif target is not None:
        raise InputError(f"target {target!r} names a column of metadata.csv or metadata.jsonl; there is no such file")
    return _from_folders(inner, notes)


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


def _from_folders(inner: Sequence[str], notes: tuple[str, ...]) -> Found:
    folders = [name.split("/")[0] if "/" in name else "" for name in inner]
    sizes = Counter(filter(None, folders))
    if len(sizes) < 2 or 2 * sum(sizes.values()) < len(inner):
        return Found(None, {}, notes)
    if max(sizes.values()) == 1:
        return Found(None, {}, (*notes, one_each("class folder")))
    levels, codes = np.unique(np.array(folders, dtype=object), return_inverse=True)
    reasons = {i: "outside the class folders" for i, folder in enumerate(folders) if not folder}
    missing = np.array([not folder for folder in folders])
    return Found(RawTargets(codes.astype(np.int64), missing, tuple(levels.tolist()), "class folder"), reasons, notes)
