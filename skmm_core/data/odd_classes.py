"""Classes that may be no classes, or two names of one: said, never changed."""

import re
import shlex
from collections.abc import Sequence

_NO_LABEL = {
    *("na", "nan", "null", "none", "nil", "missing", "blank", "empty", "unknown", "undefined", "unspecified"),
    *("unassigned", "notassigned", "unannotated", "notannotated", "unlabeled", "unlabelled", "notlabeled"),
    *("notlabelled", "nolabel", "nolabels", "todo", "tobelabeled", "tobelabelled", "tobedone", "tbd", "notavailable"),
}
_NO_WORD = set("?-_.\u2013\u2014/*~ ")
_FILLED = (99, 255, 999, 9999, 65535)  # what programs write where a code is missing: surveys, and masks of pictures
_LIST = re.compile(r"\s*[\[{(].*[\])}]\s*", re.DOTALL)
_LISTED = 5


def odd_class_notes(names: Sequence[str], column: str, where: str, *, words: bool) -> tuple[str, ...]:
    """What a person should look at in the names of classes.

    Args:
        names: of the classes.
        column: of the target, for messages.
        where: file name for messages.
        words: whether the file holds text rather than numbers.
    """
    notes = [
        f"{where}: {name} is read as a class of {column}; if it says that a row has no label, add "
        f"--unlabelled {shlex.quote(name)}."
        for name in (*_filled(names), *(name for name in names if _says_nothing(name, names)))
    ]
    alike: dict[str, list[str]] = {}
    for name in names if words else ():
        alike.setdefault("".join(name.casefold().split()), []).append(name)
    twice = [" and ".join(map(repr, group)) for group in alike.values() if len(group) > 1]
    if twice:
        shown = "; ".join(twice[:_LISTED]) + (f"; and {len(twice) - _LISTED:,} more" if len(twice) > _LISTED else "")
        notes.append(
            f"{where}: classes of {column} differ in capital letters or spaces alone: {shown}; write them alike in the "
            "file if they are one class."
        )
    if words and names and all(_LIST.fullmatch(name) for name in names):
        notes.append(
            f"{where}: {column} holds lists such as {names[0][:40]}; every different list is read as a class of its "
            "own, since one label a row is read."
        )
    return tuple(notes)


def _says_nothing(name: str, names: Sequence[str]) -> bool:
    if set(name) <= _NO_WORD:
        return not (name == "-" and "+" in names)
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _NO_LABEL


def _filled(names: Sequence[str]) -> list[str]:
    """The one negative number, and a number such as 99 far above all others, among classes that are numbers."""
    numbers = sorted(int(name) for name in names if re.fullmatch(r"-?\d{1,18}", name))
    if len(numbers) < 2:
        return []
    lone = numbers[0] < 0 <= numbers[1] and numbers != [-1, 1]
    far = numbers[-1] in _FILLED and numbers[-2] <= numbers[-1] // 2
    return [str(number) for number, odd in ((numbers[0], lone), (numbers[-1], far)) if odd]
