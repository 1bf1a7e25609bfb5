"""How a file was read, as a short table: what each part was taken for, why, and what says otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

LEFT_OUT = ": no feature: "
_LISTED = 6


@dataclass(frozen=True)
class ReadLine:
    """One line of the table.

    Attributes:
        part: of the dataset: "Format", "Features", "Texts", "Target", "Id", "Parts", "Captions" or "Left out".
        taken: what of the file it is.
        why: in a few words.
        change: the flag that says otherwise; empty where nothing does.
    """

    part: str
    taken: str
    why: str = ""
    change: str = ""


def as_rows(lines: Iterable[ReadLine]) -> list[dict[str, str]]:
    """The table as plain values, for `result.json`."""
    return [asdict(line) for line in lines]


def left_out_lines(reasons: Mapping[str, str], change: str) -> list[ReadLine]:
    """A line for each reason, with the columns that it keeps out of the features.

    Args:
        reasons: by name of the column.
        change: the flag that takes them in.
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    return [ReadLine("Left out", quoted(names), reason, change) for reason, names in by_reason.items()]


def quoted(names: list[str]) -> str:
    """The first names in quotes, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED:,} more" if len(names) > _LISTED else shown
