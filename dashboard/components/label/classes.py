"""What a point can be called, by which key, and whether an answer that was typed is one."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skmm_core.errors import InputError

KEYS = "1234567890"  # from left to right on the keyboard
MOST_CHARACTERS = 200  # of a class name
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class ClassKey:
    """One class to choose.

    Attributes:
        name: of the class.
        key: that gives it, empty where all keys are taken.
        count: points that have it so far.
    """

    name: str
    key: str
    count: int


def class_names(kept: Sequence[str], *known: Iterable[str]) -> tuple[str, ...]:
    """All classes: those kept with the project in their order, then others as they turned up.

    Args:
        kept: of the project's scheme.
        known: labels so far, of the project and of the file; each may repeat.
    """
    return tuple(dict.fromkeys([*kept, *(name for names in known for name in names)]))


def class_keys(names: Sequence[str], labels: Iterable[str]) -> tuple[ClassKey, ...]:
    """Give classes their keys: one that is called like a key has that one, the others take the rest from the left.

    Args:
        names: of :func:`class_names`.
        labels: of the points so far, to be counted.
    """
    own = {name for name in names if len(name) == 1 and name in KEYS}
    free = iter([key for key in KEYS if key not in own])
    counts = Counter(labels)
    return tuple(ClassKey(name, name if name in own else next(free, ""), counts[name]) for name in names)


def read_answer(text: str, *, numbers: bool) -> str:
    """What was typed, as it is kept.

    Raises:
        InputError: it is empty, too long, or no number where one is asked for.
    """
    answer = " ".join(text.split())
    if not answer:
        raise InputError("Type a number" if numbers else "Type the name of a class")
    if len(answer) > MOST_CHARACTERS:
        raise InputError(f"The name of a class has at most {MOST_CHARACTERS} characters")
    if numbers and (not _NUMBER.fullmatch(answer) or not math.isfinite(float(answer))):
        raise InputError(f"“{answer[:40]}” is no number; write it like 3.5")
    return answer


def read_list(text: str) -> tuple[str, ...]:
    """Names that were typed one to a line, each once.

    Raises:
        InputError: one is too long.
    """
    lines = (line for line in text.splitlines() if line.strip())
    return tuple(dict.fromkeys(read_answer(line, numbers=False) for line in lines))


def is_number(label: str) -> bool:
    """Whether a label can stand where numbers are asked for."""
    try:
        read_answer(label, numbers=True)
    except InputError:
        return False
    return True
