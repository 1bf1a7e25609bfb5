"""What annotators say of points, as a tool gives it back: the last answer of each counts, and theirs are kept apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skmm_core.data import as_utf8, one_form
from skmm_core.projects import ME, ProjectState

LONGEST_LABEL = 500
SEVERAL = "several classes at once and is left out"


@dataclass(frozen=True)
class Answer:
    """What one annotator says of one point.

    Attributes:
        item: id of the point; the name of its file where the tool keeps no id.
        label: None where it was skipped.
        by: the annotator.
        when: a time that sorts as text; of several answers the last counts. Those of one time are kept apart.
    """

    item: str
    label: str | None
    by: str = ME
    when: str = ""


@dataclass(frozen=True)
class Answers:
    """What a file says of points.

    Attributes:
        given: annotator → id → label, or None for a skip.
        pending: points of the file without an answer, in its order.
        by_file_name: whether points are named by their file, since the tool keeps no id.
        notes: what a person should know of the reading, a sentence each.
    """

    given: Mapping[str, Mapping[str, str | None]]
    pending: tuple[str, ...] = ()
    by_file_name: bool = False
    notes: tuple[str, ...] = ()


def collect(
    answers: Iterable[Answer],
    *,
    pending: Iterable[str] = (),
    notes: Sequence[str] = (),
    by_file_name: bool = False,
) -> Answers:
    """Put answers together.

    Args:
        answers: in the order of the file.
        pending: points of the file; those with an answer are left out of them.
        notes: of the reading.
        by_file_name: whether points are named by their file.
    """
    found: dict[str, dict[str, str | None]] = defaultdict(dict)
    times: dict[tuple[str, str], str] = {}
    too_long = twice = 0
    for each in sorted(answers, key=lambda answer: answer.when):
        label = None if each.label is None else one_form(as_utf8(each.label)).strip()
        item, by = as_utf8(each.item), as_utf8(each.by)
        if label is not None and len(label) > LONGEST_LABEL:
            too_long += 1
            continue
        if item in found[by] and found[by][item] != label and times[by, item] == each.when:
            twice += 1
            by = _second(by, item, found)
        found[by][item] = label
        times[by, item] = each.when
    told = [
        f"{twice:,} answers differ from an earlier one for the same point and are kept apart." if twice else "",
        f"{too_long:,} labels have more than {LONGEST_LABEL} characters and are left out." if too_long else "",
    ]
    known = {item for given in found.values() for item in given}
    return Answers(
        given={by: given for by, given in found.items() if given},
        pending=tuple(dict.fromkeys(item for item in map(as_utf8, pending) if item not in known)),
        by_file_name=by_file_name,
        notes=(*notes, *filter(None, told)),
    )


def _second(by: str, item: str, found: Mapping[str, Mapping[str, str | None]]) -> str:
    """A name for the same annotator's other answer."""
    number = 2
    while item in found.get(f"{by} ({number})", ()):
        number += 1
    return f"{by} ({number})"


def settled(given: Mapping[str, Mapping[str, str | None]]) -> ProjectState:
    """What the answers of all annotators come to: labels, skips, disputes."""
    by_item: dict[str, dict[str, str | None]] = defaultdict(dict)
    for by, said in given.items():
        for item, label in said.items():
            by_item[item][by] = label
    return ProjectState(by_item, {}, frozenset(), frozenset(), ())


def label_text(value: object) -> str:
    """A label or id as text: whole numbers without decimals, other numbers in as few digits as say which they are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
