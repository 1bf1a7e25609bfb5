"""What the folders of pictures say before any target: what merely wraps them, and which part each belongs to."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_PARTS = {
    **{"train": "train", "training": "train", "test": "test", "testing": "test"},
    **{"val": "validation", "valid": "validation", "validation": "validation"},
}
# COCO has train2017, others train_images or testset.
_PART = re.compile(rf"({'|'.join(_PARTS)})([ _-]?(\d{{4}}|images?|imgs?|set|data))?")


def part_of(name: str) -> str | None:
    """The part that a folder or a value of this name stands for, or None."""
    match = _PART.fullmatch(name.strip().lower())
    return _PARTS[match[1]] if match else None


@dataclass(frozen=True)
class Parts:
    """How pictures are divided.

    Attributes:
        parts: "train", "validation" or "test" of each picture.
        inner: its path within the part.
        reasons: by position, why a picture outside of all parts is not used.
        notes: what a person should know.
    """

    parts: tuple[str, ...]
    inner: tuple[str, ...]
    reasons: dict[int, str]
    notes: tuple[str, ...] = ()


def wrapping_folders(ids: Sequence[str], metadata: Sequence[str]) -> tuple[str, ...]:
    """Folders around everything that say nothing, as most zip files have one: `flower_photos` of `flower_photos/…`.

    A train, test or validation folder beside no other says nothing either.
    """
    depth = 0
    split = [tuple(name.split("/")) for name in (*ids, *metadata)]
    while len({parts[depth] for parts in split if len(parts) > depth + 1}) == 1 and all(
        len(parts) > depth + 1 for parts in split
    ):
        depth += 1
    return split[0][:depth] if split else ()


def parts_of(ids: Sequence[str], metadata: Sequence[str]) -> Parts:
    """Read the parts from train, test and validation folders at the top.

    A class may be called train or test. Such folders are parts when there are at least two, and either no other folder
    lies beside them, or train and one more hold a class folder of the same name, or a metadata file each.

    Args:
        ids: paths of the pictures, relative to the folder of all.
        metadata: paths of the metadata files, relative to the same folder.
    """
    tops = [name.partition("/")[0] if "/" in name else "" for name in ids]
    found = [part_of(top) for top in tops]
    if not _are_parts(ids, tops, metadata):
        return Parts(("train",) * len(ids), tuple(ids), {}, _classes_note(tops))
    reasons = {i: "outside the train, validation and test folders" for i, part in enumerate(found) if part is None}
    inner = tuple(name.split("/", 1)[1] if part else name for name, part in zip(ids, found, strict=True))
    return Parts(tuple(part or "train" for part in found), inner, reasons)


def _are_parts(ids: Sequence[str], tops: Sequence[str], metadata: Sequence[str]) -> bool:
    folders = set(filter(None, tops))
    named = {part for top in folders if (part := part_of(top))}
    if len(named) < 2:
        return False
    if all(map(part_of, folders)):
        return True
    inside: dict[str, set[str]] = defaultdict(set)
    for name in ids:
        top, *below = name.split("/")
        if len(below) > 1 and (part := part_of(top)):
            inside[part].add(below[0])
    described = {part_of(name.partition("/")[0]) for name in metadata if name.count("/") == 1}
    return any(inside["train"] & inside[part] or {"train", part} <= described for part in named - {"train"})


def _classes_note(tops: Sequence[str]) -> tuple[str, ...]:
    """What is said where a folder with the name of a part is read as a class."""
    named = sorted({top for top in tops if top and part_of(top)})
    others = sorted(set(filter(None, tops)) - set(named))
    if not named or not others:
        return ()
    parts = " and ".join(named)
    return (
        f"{parts}: read like the folder {others[0]}, not as parts: a split has train and test folders that hold the "
        "same class folders.",
    )
