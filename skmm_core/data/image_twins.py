"""Pictures whose files are the same, byte for byte: one of each is used, and which one."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from skmm_core.data.rows import RawTargets
from skmm_core.data.skipped import clean_name


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
    ids: Sequence[str], hashes: Sequence[str], targets: RawTargets | None, unusable: Collection[int]
) -> Twins:
    """Keep one picture of each content: of those that can be used, the one with the shortest name, then the first.

    Copying makes names longer ("1 (1).jpg", "Copy of 1.jpg"), so the original stays.

    Args:
        ids: paths of the pictures.
        hashes: of their contents.
        targets: of all pictures, or None.
        unusable: positions of pictures that are left out for another reason; they push out no other.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(hashes):
        if row not in unusable:
            groups[content].append(row)
    of: dict[int, int] = {}
    torn: list[tuple[int, int]] = []
    for group in groups.values():
        first = min(group, key=lambda row: (len(PurePosixPath(ids[row]).stem), ids[row]))
        of |= {row: first for row in group if row != first}
        other = next(
            (row for row in group if targets is not None and targets.values[row] != targets.values[first]), None
        )
        if other is not None:
            torn.append((first, other))
    if not torn:
        return Twins(of, ())
    first, other = torn[0]
    what = "classes" if targets is not None and targets.levels is not None else "targets"
    note = (
        f"{len(torn):,} pictures lie there twice with different {what}, as {clean_name(ids[first])} and "
        f"{clean_name(ids[other])}: only the first is used; keep the right one."
    )
    return Twins(of, (note,))
