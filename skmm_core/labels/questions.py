"""Which of a tool's questions is the label, and what an answer to it says."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from skmm_core.errors import InputError
from skmm_core.labels.answers import label_text

LABEL = "label"  # the question that exports ask
_ONE_VALUE = ("choices", "labels", "number", "rating", "text", "taxonomy", "label", "value", "classifications")


class SeveralValues(ValueError):
    """An answer names several classes at once, or is no class or number."""


def the_question(names: Collection[str], where: str) -> str | None:
    """The question that is the label: the one called label, else the only one; None where nothing was asked.

    Raises:
        InputError: there are several, and none is called label.
    """
    if LABEL in names or not names:
        return LABEL if names else None
    if len(names) == 1:
        return next(iter(names))
    listed = ", ".join(sorted(map(str, names))[:8])
    raise InputError(f"{where} answers several questions ({listed[:200]}); call the one that is the label {LABEL!r}")


def one_value(value: Any) -> str | None:
    """The one class or number that a value says, in words; None where it says nothing.

    Raises:
        SeveralValues: it says more than one thing.
    """
    if isinstance(value, Mapping):
        kinds = [value[name] for name in _ONE_VALUE if name in value]
        if len(kinds) != 1:
            raise SeveralValues
        return one_value(kinds[0])
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if len(value) > 1:
            raise SeveralValues
        return one_value(value[0]) if value else None
    if value is None:
        return None
    if not isinstance(value, str | int | float):
        raise SeveralValues
    return label_text(value).strip() or None
