"""Names in the order in which people count: part-2 before part-10."""

import re

_NUMBER = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key of a name: its numbers by value, the rest as text."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold()) for part in _NUMBER.split(name) if part
    )
