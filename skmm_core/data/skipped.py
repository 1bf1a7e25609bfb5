"""Files that are not used, and why; how files are named and counted in what is said of them."""

import unicodedata
from dataclasses import dataclass

_LONGEST_NAME = 200


@dataclass(frozen=True)
class Skipped:
    """One file that is not used.

    Attributes:
        path: relative to what was given, fit to be shown.
        reason: in a few words.
    """

    path: str
    reason: str


def clean_name(name: str) -> str:
    """A file name that can be shown in one line: unprintable characters escaped, its end cut when too long.

    Blanks of any width are shown as they are.
    """
    shown = "".join(
        mark if mark.isprintable() or unicodedata.category(mark) == "Zs" else _escaped(mark) for mark in name
    )
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"


def _escaped(mark: str) -> str:
    return mark.encode("unicode_escape", "surrogatepass").decode()


def counted(count: int, one: str, many: str) -> str:
    """How many there are, with the words that go with one or with many: "1 file holds", "1,200 files hold"."""
    return f"{count:,} {one if count == 1 else many}"
