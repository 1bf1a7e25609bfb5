"""What was pressed becomes actions of the project, on the disk before anything else is shown, and a place in the queue.

A press names its points, so that a second tab, a lost connection or a key held down labels no other point by mistake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboard.components.label.classes import read_answer
from dashboard.components.label.queue import Queue
from skmm_core.projects import DECISION, ME, Project, ProjectState

ANSWER, SKIP, UNDO, BACK, FORWARD, LOOK = "answer", "skip", "undo", "back", "forward", "look"
_DOES = (ANSWER, SKIP, UNDO, BACK, FORWARD, LOOK)


@dataclass(frozen=True)
class Press:
    """One thing that a person did.

    Attributes:
        does: answer, skip, undo, back, forward, or look: how things are by now.
        items: the points meant.
        text: the label, or the action to undo in words.
        seen: label that was shown for each point, None where none was.
    """

    does: str
    items: tuple[str, ...] = ()
    text: str = ""
    seen: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Place:
    """Where a tab is.

    Attributes:
        item: the point shown; None takes the first without an answer.
        sheet: points of a grid at once; 1 shows one large.
        note: what is to be said of the last press.
    """

    item: str | None = None
    sheet: int = 1
    note: str = ""


def read_press(told: object) -> Press | None:
    """What a browser tells; None where it makes no sense."""
    if not isinstance(told, Mapping) or told.get("does") not in _DOES:
        return None
    items, seen, text = told.get("items"), told.get("seen"), told.get("text")
    return Press(
        told["does"],
        tuple(str(item) for item in items) if isinstance(items, Sequence) and not isinstance(items, str) else (),
        text if isinstance(text, str) else "",
        {str(item): label if isinstance(label, str) else None for item, label in seen.items()}
        if isinstance(seen, Mapping)
        else None,
    )


def act(project: Project, press: Press, place: Place, *, names: Sequence[str] = (), numbers: bool = False) -> Place:
    """Do what was pressed, and say where the tab is then.

    Args:
        project: changed.
        press: of :func:`read_press`; points that were never picked are left alone.
        place: where the tab is.
        names: classes, taken as they are written; other names are tidied.
        numbers: whether answers are numbers.

    Raises:
        InputError: what was typed is no answer, or it cannot be kept; nothing is changed then.
    """
    if press.does == LOOK:
        return place
    queue = Queue.of(project.state())
    items = tuple(item for item in press.items if item in queue)
    place = replace(place, note="")
    if press.does == UNDO:
        return _undo(project, press, place, queue)
    if press.does in (BACK, FORWARD):
        start = place.item or queue.items[-1]
        by = 0 if place.item is None else -1 if press.does == BACK else 1
        return replace(place, item=queue.step(start, by))
    if not items:
        return place
    label = None
    if press.does == ANSWER:
        label = press.text if press.text in names and not numbers else read_answer(press.text, numbers=numbers)
    note = _answer(project, items, label, press.seen)
    left = Queue.of(project.state())
    after = left.after_sheet(items[-1], place.sheet) if place.sheet > 1 else left.after(items[-1])
    return replace(place, item=after, note=note)


def _answer(project: Project, items: Sequence[str], label: str | None, seen: Mapping[str, str | None] | None) -> str:
    """Give these points one answer, as one action; returns what to say where another tab was faster."""
    state = project.state()
    given: dict[str, dict[str, str | None]] = {}
    for item in items:
        answered = state.answers.get(item, {})
        by = DECISION if set(answered) - {ME} else ME  # what others disagree on is settled here
        if by not in answered or answered[by] != label:
            given.setdefault(by, {})[item] = label
    if not given:
        return ""
    project.label_by(given, what=_words(items, label) if len(items) > 1 else "")
    return _overtaken(state, items, label, seen or {})


def _words(items: Sequence[str], label: str | None) -> str:
    return f"skip {len(items)} points" if label is None else f"label {len(items)} points as {label}"


def _overtaken(state: ProjectState, items: Sequence[str], label: str | None, seen: Mapping[str, str | None]) -> str:
    """What to say of points whose label was another one than their tab showed."""
    changed = [item for item in items if item in seen and seen[item] != state.labels.get(item)]
    if not changed:
        return ""
    was = {state.labels.get(item) for item in changed}
    before = f"“{was.pop()}”" if len(was) == 1 and None not in was else "something else"
    what = changed[0] if len(changed) == 1 else f"{len(changed)} points"
    return (
        f"{what} had become {before} in another tab; now {'skipped' if label is None else f'“{label}”'}. z undoes it."
    )


def _undo(project: Project, press: Press, place: Place, queue: Queue) -> Place:
    """Take back the answer that the tab shows as the last one, and go to its point."""
    items = [item for item in project.last_answered() if item in queue]
    if not items or project.last_action() != press.text:
        return replace(place, note="Something else was done meanwhile; the button now says what undo takes back.")
    project.undo()
    return replace(place, item=items[0], note=f"Undone: {press.text}")
