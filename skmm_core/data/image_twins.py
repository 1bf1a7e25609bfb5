"""Pictures whose files are the same, byte for byte: one of each is used, and which one."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from skmm_core.data.rows import RawTargets
from skmm_core.data.skipped import clean_name, counted


@dataclass(frozen=True)
class Twins:
    """Copies that are not used.

    Attributes:
        of: by position of a copy, the position of the picture that is used in its place.
        notes: what a person should know.
    """

    of: dict[int, int]
    notes: tuple[str, ...]


def leave_one_of_each(
    ids: Sequence[str],
    hashes: Sequence[str],
    parts: Sequence[str],
    targets: RawTargets | None,
    unusable: Collection[int],
) -> Twins:
    """Keep one picture of each content: of those that can be used, the one with the shortest name, then the first.

    Copying makes names longer ("1 (1).jpg", "Copy of 1.jpg"), so the original stays.

    Args:
        ids: paths of the pictures.
        hashes: of their contents.
        parts: "train", "validation" or "test" of each.
        targets: of all pictures, or None.
        unusable: positions of pictures that are left out for another reason; they push out no other.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(hashes):
        if row not in unusable:
            groups[content].append(row)
    of: dict[int, int] = {}
    torn, leaked = [], []
    values = None if targets is None else targets.values
    for group in groups.values():
        first = min(group, key=lambda row: (len(PurePosixPath(ids[row]).stem), ids[row]))
        copies = [row for row in group if row != first]
        of |= dict.fromkeys(copies, first)
        torn += [(first, row) for row in copies if values is not None and values[row] != values[first]][:1]
        leaked += [(first, row) for row in copies if parts[row] != parts[first]][:1]
    what = "classes" if targets is not None and targets.levels is not None else "targets"
    notes = [
        *_note(ids, torn, f"with different {what}", "; keep the right one"),
        *_note(ids, leaked, "in different parts", ""),
    ]
    return Twins(of, tuple(notes))


def _note(ids: Sequence[str], pairs: Sequence[tuple[int, int]], how: str, advice: str) -> Iterator[str]:
    if pairs:
        first, other = (clean_name(ids[row]) for row in pairs[0])
        count = counted(len(pairs), "picture lies", "pictures lie")
        yield f"{count} there twice {how}, as {first} and {other}: only the first is used{advice}."
