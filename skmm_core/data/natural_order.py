"""Names in the order in which people count: part-2 before part-10."""

import re
from pathlib import Path

_NUMBER = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of a name: its numbers by value, the rest as text."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in _NUMBER.split(name) if part
    )


def parts_in(folder: Path, pattern: str) -> list[Path]:
    """Files of a folder in natural order, without those that are hidden."""
    found = [path for path in folder.glob(pattern) if path.is_file() and path.name[0] not in "._"]
    return sorted(found, key=lambda path: natural_key(path.name))
