"""All that the desk shows of a project at one moment, as plain data for the browser."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dashboard.components.label.answers import Place
from dashboard.components.label.classes import class_keys, class_names, is_number
from dashboard.components.label.guess import guesses
from dashboard.components.label.pace import pace_words
from dashboard.components.label.pictures import is_tiny, picture_urls
from dashboard.components.label.point import seen_of
from dashboard.components.label.queue import Queue
from skmm_core.config import DatasetConfig
from skmm_core.projects import Project, ProjectState

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_AHEAD = 4  # points whose pictures are sent before their turn
_MOST_BUTTONS, _MOST_NAMES = 40, 2000  # classes that are buttons; those that are offered while a name is typed
_MANY_NUMBERS = 20  # distinct ones that are hardly names of classes
_KEYS = "Keys: {first}n types another class · s skips · z undoes · ← goes back · → leaves it for later"
_NUMBER_KEYS = "Keys: Enter keeps the number · s skips · z undoes · ← goes back · → leaves it for later"
_SHEET_KEYS = " · x marks the point, a all without an answer; an answer is for all that are marked"


@dataclass(frozen=True)
class Answers:
    """What an answer is, and which there are so far.

    Attributes:
        names: classes in the order of their keys; none where answers are numbers.
        numbers: whether answers are numbers.
        labels: of points so far, those that the pool's file has among them.
    """

    names: tuple[str, ...]
    numbers: bool
    labels: Mapping[str, str]

    @classmethod
    def of(cls, dataset: "Dataset", state: ProjectState) -> "Answers":
        """What the project says, else what the data hold."""
        known = {id_: label for id_, label in zip(dataset.ids, dataset.known_labels or (), strict=False) if label}
        labels = known | state.labels
        numbers = state.scheme.numbers
        if numbers is None:
            distinct = set(labels.values())
            many = len(distinct) > _MANY_NUMBERS and all(is_number(label) for label in distinct)
            numbers = dataset.task.value == "regression" or many
        names = () if numbers else class_names(state.scheme.classes, dataset.class_names, labels.values())
        return cls(names, numbers, labels)


def desk_data(
    dataset: "Dataset",
    config: DatasetConfig,
    project: Project,
    place: Place,
    *,
    guessing: bool,
    have: Collection[str] = (),
    problem: str = "",
) -> dict[str, Any]:
    """What the browser draws.

    Args:
        dataset: the pool.
        config: how it is read.
        project: with one batch at least.
        place: where the tab is.
        guessing: whether the model's guesses are shown.
        have: points whose pictures the browser holds.
        problem: what was wrong with the last press.
    """
    state = project.state()
    queue, answers = Queue.of(state), Answers.of(dataset, state)
    item = place.item if place.item in queue else queue.first()
    batch = queue.batch_of(item) if item else queue.current_batch()
    grid = place.sheet > 1
    items = queue.sheet(item or batch.items[-1], place.sheet) if grid else [item] if item else []
    ahead = queue.ahead(item, max(_AHEAD, place.sheet if grid else 0)) if item else ()
    guessed = guesses(dataset, answers.labels, items, numbers=answers.numbers) if guessing else {}
    left = queue.left(batch.items)
    keys = class_keys(answers.names, state.labels.values())
    return {
        "turn": time.monotonic_ns(),  # so that the browser hears of every look, also where nothing changed
        "item": item,
        "grid": grid,
        "numbers": answers.numbers,
        "classes": [asdict(each) for each in keys[:_MOST_BUTTONS]],
        "names": list(answers.names[:_MOST_NAMES]),
        "points": [_point(dataset, state, each, guessed.get(each), batch.items) for each in items],
        "pictures": picture_urls(dataset, config, items, ahead, have),
        "ahead": list(ahead),
        "tiny": is_tiny(dataset),
        "done": len(batch.items) - left,
        "total": len(batch.items),
        "count": _count(state, queue, batch.number, batch.items),
        "pace": pace_words(project.answer_times(), left),
        "undo": project.last_action() if any(each in queue for each in project.last_answered()) else None,
        "note": place.note,
        "problem": problem,
        "empty": f"Every point of batch {batch.number} has an answer.",
        "legend": (_NUMBER_KEYS if answers.numbers else _class_legend(len(keys))) + (_SHEET_KEYS if grid else ""),
    }


def _point(
    dataset: "Dataset", state: ProjectState, item: str, guess: str | None, batch: Sequence[str]
) -> dict[str, Any]:
    return {
        "id": item,
        "label": state.labels.get(item),
        "skipped": item in state.skipped,
        "said": said_of(state, item),
        "guess": guess,
        "picture": dataset.images is not None,
        "place": f"{item} · number {batch.index(item) + 1:,} of {len(batch):,}",
        **seen_of(dataset, item),
    }


def said_of(state: ProjectState, item: str) -> str:
    """What was answered about a point, in words; empty where nothing was."""
    if item in state.disputed:
        voices = ", ".join(f"{by} says {label}" for by, label in state.disputed[item].items())
        return f"{voices}: your answer decides"
    if item in state.labels:
        return state.labels[item]
    return "skipped" if item in state.skipped else ""


def _count(state: ProjectState, queue: Queue, number: int, items: Sequence[str]) -> str:
    skipped = sum(item in state.skipped for item in items)
    words = f"{len(items) - queue.left(items):,} of {len(items):,} · batch {number}"
    return f"{words} · {skipped:,} skipped" if skipped else words


def _class_legend(count: int) -> str:
    first = "1–9 and 0 give a class · " if count > 1 else "1 gives the class · " if count else ""
    return _KEYS.format(first=first)
