"""Labels so far laid over a pool: which points are given, which are never picked, and what the next batch is called."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from skmm_core.data import Dataset, Task, one_form
from skmm_core.errors import InputError
from skmm_core.labels.known import LabelsRead


@dataclass(frozen=True)
class Round:
    """A pool at the moment when its next points are picked.

    Attributes:
        dataset: with the labels so far, and no others, as its known labels.
        labelled: places in the pool of points with a label.
        pending: places of points that were picked before and wait for a label.
        out: places of points that were skipped or barred.
        batch: number of the batch to pick.
        notes: what a person should know, a sentence each.
    """

    dataset: Dataset
    labelled: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    out: tuple[int, ...] = ()
    batch: int = 1
    notes: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[int, ...]:
        """Places of points that count as chosen before anything is picked: labelled ones, then those that wait."""
        return (*self.labelled, *self.pending)

    @property
    def left(self) -> int:
        """Points that can be picked."""
        return self.dataset.pool_size - len(self.given) - len(self.out)

    def decided(self, include: Sequence[int], exclude: Sequence[int]) -> tuple[list[int], list[int], list[str]]:
        """What :func:`skmm_core.methods.select` is told to include and exclude.

        Args:
            include: places of points to pick in any case.
            exclude: places of points never to pick.

        Returns:
            Those to include that are neither given nor out; all that are out; and a sentence on points that were to be
            included and are out.
        """
        given, out = set(self.given), set(self.out)
        lost = [place for place in include if place in out]
        told = [f"{len(lost):,} of the points to include were skipped or barred and are not picked."] if lost else []
        wanted = [place for place in include if place not in given and place not in out]
        barred = [*self.out, *(place for place in exclude if place not in given and place not in out)]
        return wanted, barred, told


def begin_round(
    dataset: Dataset, read: LabelsRead | None = None, *, task: str = "auto", where: str = "labels"
) -> Round:
    """Lay labels over a pool.

    Ids match as text, and where they do not, in one Unicode form. Labels of the pool's own file count too unless every
    row has one: then the labels read are all that is known.

    Args:
        dataset: the pool.
        read: labels so far; None takes those of the pool's own file alone.
        task: what the labels ask for: "auto", "classification" or "regression".
        where: name of the file of labels for messages.

    Raises:
        InputError: no id of the labels is one of the pool's.
    """
    own = dataset.pool_labels or (None,) * dataset.pool_size
    if read is None:
        labelled = tuple(place for place, label in enumerate(own) if label is not None)
        return Round(dataset, labelled)
    places = _Places(dataset)
    labels, notes = places.found(read.labels), list(read.notes)
    rest = {name: places.found(dict.fromkeys(getattr(read, name))) for name in ("pending", "skipped", "barred")}
    asked = len(read.labels) + len(read.pending) + len(read.skipped) + len(read.barred)
    if asked and places.unknown == asked:
        raise InputError(
            f"{where}: none of its {asked:,} ids is one of {dataset.name}'s, such as {dataset.ids[0]!r}; bring labels "
            "of this pool, or name the column with its ids (--id)"
        )
    if places.unknown:
        notes.append(f"{where}: {places.unknown:,} of {asked:,} ids are not in the pool and say nothing.")
    words: list[str | None] = list(own)
    for place in (*rest["skipped"], *rest["barred"]):
        words[place] = None
    for place, label in labels.items():
        words[place] = label
    labelled = tuple(dict.fromkeys([*labels, *(place for place, word in enumerate(words) if word is not None)]))
    known = set(labelled)
    pending = tuple(place for place in rest["pending"] if place not in known)
    out = tuple(place for name in ("skipped", "barred") for place in rest[name] if place not in {*known, *pending})
    return Round(
        _with_labels(dataset, words, task),
        labelled,
        pending,
        tuple(dict.fromkeys(out)),
        1 + max(read.batches.values(), default=0),
        tuple(notes),
    )


class _Places:
    """Places in the pool by id, and how many ids were not found."""

    def __init__(self, dataset: Dataset) -> None:
        ids = [dataset.ids[row] for row in dataset.split.train.tolist()]
        self._exact = {id_: place for place, id_ in enumerate(ids)}
        self._forms: dict[str, int | None] = {}
        for place, id_ in enumerate(ids):
            form = one_form(id_)
            self._forms[form] = None if form in self._forms else place  # two ids of one form are told apart exactly
        self.unknown = 0

    def found(self, said: Mapping[str, str | None]) -> dict[int, str | None]:
        """Place → what is said, in the order of the ids; ids that the pool lacks are counted."""
        found: dict[int, str | None] = {}
        for id_, word in said.items():
            place = self._exact.get(id_, self._forms.get(one_form(id_)))
            if place is None:
                self.unknown += 1
            else:
                found.setdefault(place, word)
        return found


def _with_labels(dataset: Dataset, words: Iterable[str | None], task: str) -> Dataset:
    """The dataset with these labels of its pool, and no other targets."""
    known: list[str | None] = [None] * len(dataset.ids)
    for row, word in zip(dataset.split.train.tolist(), words, strict=True):
        known[row] = word
    asked = dataset.task.value if task == "auto" and dataset.task is not Task.UNLABELLED else task
    some = any(word is not None for word in known)
    return replace(
        dataset,
        task=Task.UNLABELLED,
        targets=None,
        class_names=(),
        known_labels=tuple(known) if some else None,
        known_task=asked,
    )
