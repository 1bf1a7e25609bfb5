"""Names in the order in which people count: part-2 before part-10."""

import re
from collections.abc import Sequence
from pathlib import Path

_NUMBER = re.compile(r"(\d+)")
_OF_SO_MANY = re.compile(r"-(\d+)-of-(\d+)\.")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of a name: its numbers by value, the rest as text."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in _NUMBER.split(name) if part
    )


def parts_in(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder in natural order, without those that are hidden."""
    found = [path for path in folder.glob(pattern) if path.is_file() and path.name[0] not in "._"]
    return sorted(found, key=lambda path: natural_key(path.name))


def missing_part(names: Sequence[str]) -> str | None:
    """The first name that is missing among parts called such as train-00003-of-00010.parquet, or None."""
    found = [_OF_SO_MANY.search(name) for name in names]
    if not names or any(match is None for match in found):
        return None
    there = {int(match[1]) for match in found if match}
    total = int(found[0][2]) if found[0] else 0
    first = int(total in there)  # some count from 0, others from 1
    gap = next((place for place in range(first, first + total) if place not in there), None)
    if gap is None or not found[0]:
        return None
    number = str(gap).zfill(len(found[0][1]))
    return f"{names[0][: found[0].start(1)]}{number}{names[0][found[0].end(1) :]}"
