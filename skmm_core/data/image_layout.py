"""What the pictures of a source are called, which part each belongs to, and with which target."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.image_files import GivenFiles
from skmm_core.data.image_metadata import Found
from skmm_core.data.image_parts import part_of, parts_of, wrapping_folders
from skmm_core.data.image_samples import Samples, shared_key_notes
from skmm_core.data.image_targets import read_sample_targets, read_targets
from skmm_core.data.skipped import counted

_PATH, _KEY = "path of the file", "key of the sample"
_FEW = 5  # pictures in folders that there are for each one beside them, at least


@dataclass(frozen=True)
class Layout:
    """What is known of N pictures before it is decided which are used.

    Attributes:
        root: folder that holds them.
        ids: what each is called.
        parts: "train", "validation" or "test" of each.
        found: their targets.
        reasons: by position, why a picture is not used.
        notes: what a person should know.
        named: what the ids are, in words.
        divided: what tells the parts, in words.
    """

    root: Path
    ids: tuple[str, ...]
    parts: tuple[str, ...]
    found: Found
    reasons: dict[int, str]
    notes: tuple[str, ...]
    named: str
    divided: str


def folder_layout(
    given: GivenFiles, names: Sequence[str], metadata: Sequence[str], *, pattern: str | None, target: str | None
) -> Layout:
    """Read parts and targets from folders and metadata files; ids are paths within what merely wraps them.

    Args:
        given: the files.
        names: those that are usable pictures.
        metadata: those that describe pictures.
        pattern: how file names give the target, or None.
        target: name of the target column of the metadata, or None.

    Raises:
        InputError: what gives the targets cannot be read.
    """
    wrap = wrapping_folders(_without_loose(names), metadata)
    cut = sum(len(folder) + 1 for folder in wrap)
    ids = tuple(name[cut:] if "/" in name else name for name in names)
    described = {name[cut:]: given.files[name] for name in metadata}
    parts = parts_of(ids, list(described))
    found = read_targets(ids, parts.inner, described, pattern=pattern, target=target)
    notes = (*parts.notes, *shared_key_notes(given.files, given.shards))
    # The folder of all pictures as the disk spells it is found by going up from one of them.
    deep = next((name for name in names if "/" in name), names[0])
    root = given.files[deep].parents[deep.count("/") - len(wrap)] if wrap and not given.shards else given.root
    if found.parts is not None and len(set(parts.parts)) == 1:
        return Layout(root, ids, found.parts, found, found.reasons, notes, _PATH, "a column of the table")
    return Layout(root, ids, parts.parts, found, {**found.reasons, **parts.reasons}, notes, _PATH, "folders")


def _without_loose(names: Sequence[str]) -> Sequence[str]:
    """The pictures without the few that lie beside the folders, as a preview in a zip file does."""
    loose = sum("/" not in name for name in names)
    return [name for name in names if "/" in name] if loose * _FEW <= len(names) else names


def sample_layout(
    given: GivenFiles, names: Sequence[str], samples: Samples, *, pattern: str | None, target: str | None
) -> Layout:
    """Read parts from the names of shards and targets from what stands beside the pictures; ids are keys.

    Args:
        given: the files.
        names: those that are usable pictures.
        samples: of all.
        pattern: how file names give the target, or None.
        target: name of the target among the values of the samples, or None.

    Raises:
        InputError: the values cannot be targets, or none is called `target`.
    """
    shards = [samples.shards[name] for name in names]
    parts, told = _parts_of_shards(shards)
    found = read_sample_targets(names, samples, given.title, pattern=pattern, target=target)
    ids = tuple(samples.keys[name] for name in names)
    return Layout(
        given.root, ids, tuple(parts), found, dict(found.reasons), (*samples.notes, *told), _KEY, "names of shards"
    )


def _parts_of_shards(shards: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Parts that the names of shards tell, as in `train/00000.tar` or `birds-val-0001.tar`: all of them, or none."""
    told = {shard: set(filter(None, map(part_of, _words(shard)))) for shard in set(shards)}
    parts = {shard: next(iter(found)) for shard, found in told.items() if len(found) == 1}
    if len(parts) < len(told) or not {"train"} < set(parts.values()):
        return ["train"] * len(shards), ()
    counts: Mapping[str, int] = Counter(parts.values())
    listed = ", ".join(f"{part} {counted(count, 'shard', 'shards')}" for part, count in sorted(counts.items()))
    return [parts[shard] for shard in shards], (f"Parts are read from the names of the shards: {listed}.",)


def _words(shard: str) -> list[str]:
    return re.split(r"[^a-z]+", shard.lower())
