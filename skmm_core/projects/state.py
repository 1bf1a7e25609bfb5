"""What a project knows at one moment: who answered what, tags, points decided by hand, batches picked so far."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

DECISION = "decision"  # the annotator whose answer settles what others disagree on


@dataclass(frozen=True)
class Batch:
    """Points that were picked together.

    Attributes:
        number: 1 for the first.
        run: id of the run that picked them.
        picked: epoch seconds.
        items: ids of the points, in the order picked.
    """

    number: int
    run: str
    picked: float
    items: tuple[str, ...]


@dataclass(frozen=True)
class Scheme:
    """What an answer is.

    Attributes:
        classes: names to choose from, in the order of their keys; answers may name others.
        numbers: whether answers are numbers; None leaves it to what the data hold.
    """

    classes: tuple[str, ...] = ()
    numbers: bool | None = None


@dataclass(frozen=True)
class ProjectState:
    """A project at one moment; every point is named by its id.

    Attributes:
        answers: of every point that was answered, the last answer of each annotator: a label, or None where skipped.
        tags: of every point that has any.
        pinned: to be chosen in any case.
        barred: never to be chosen.
        batches: in order.
        scheme: what an answer is, as somebody settled it last.
    """

    answers: Mapping[str, Mapping[str, str | None]]
    tags: Mapping[str, frozenset[str]]
    pinned: frozenset[str]
    barred: frozenset[str]
    batches: tuple[Batch, ...]
    scheme: Scheme = field(default_factory=Scheme)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of every point that has one: what its annotators agree on, or more than half of them say."""
        settled = {item: _settled(of) for item, of in self.answers.items()}
        return {item: label for item, label in settled.items() if label is not None}

    @cached_property
    def skipped(self) -> frozenset[str]:
        """Points that somebody skipped and nobody labelled, and those of which it was decided to skip them."""
        return frozenset(
            item
            for item, of in self.answers.items()
            if of and (all(label is None for label in of.values()) or of.get(DECISION, "") is None)
        )

    @cached_property
    def disputed(self) -> dict[str, dict[str, str]]:
        """Points that were given different labels and on which nobody decided: annotator → label."""
        found = {}
        for item, of in self.answers.items():
            given = {by: label for by, label in of.items() if label is not None}
            if DECISION not in of and len(set(given.values())) > 1:
                found[item] = given
        return found

    @cached_property
    def pending(self) -> tuple[str, ...]:
        """Points that were picked and wait for a label, in the order of batches and picks; not those barred since."""
        done = {*self.labels, *self.skipped, *self.barred}
        return tuple(item for batch in self.batches for item in batch.items if item not in done)

    @cached_property
    def batch_of(self) -> dict[str, int]:
        """Number of the batch of every point that was picked."""
        return {item: batch.number for batch in self.batches for item in batch.items}


def _settled(answers: Mapping[str, str | None]) -> str | None:
    if DECISION in answers:
        return answers[DECISION]
    given = Counter(label for label in answers.values() if label is not None)
    if not given:
        return None
    label, count = given.most_common(1)[0]
    return label if 2 * count > given.total() else None
