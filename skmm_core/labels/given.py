"""Labels so far laid over a pool: which points are given, which are never picked, and what the next batch is called."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from skmm_core.data import Dataset, Task, counted
from skmm_core.labels.importing import known_points
from skmm_core.labels.known import LabelsRead
from skmm_core.labels.matching import Matched


@dataclass(frozen=True)
class Round:
    """A pool at the moment when its next points are picked.

    Attributes:
        dataset: with the labels so far, and no others, as its known labels.
        labelled: places in the pool of points with a label.
        pending: places of points that were picked before and wait for a label.
        out: places of points that were skipped or barred.
        batch: number of the batch to pick.
        batch_of: id → batch that it was picked in, where the labels say so.
        unknown: how many ids of the labels are not in the pool.
        notes: what a person should know, a sentence each.
    """

    dataset: Dataset
    labelled: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    out: tuple[int, ...] = ()
    batch: int = 1
    batch_of: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
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

    Points are found by id, see :func:`skmm_core.labels.matching.match_labels`. Labels of the pool's own file count too
    unless every row has one: then the labels read are all that is known. Labels may be none so far.

    Args:
        dataset: the pool.
        read: labels so far; None takes those of the pool's own file alone.
        task: what the labels ask for: "auto", "classification" or "regression".
        where: name of the file of labels for messages.

    Raises:
        InputError: the labels name no point of the pool.
    """
    own = dataset.pool_labels or (None,) * dataset.pool_size
    if read is None:
        labelled = tuple(place for place, label in enumerate(own) if label is not None)
        return Round(dataset, labelled)
    ids = [dataset.ids[row] for row in dataset.split.train.tolist()]
    matched = known_points(read, ids, name=where) if read.items else Matched(read, (), ())
    place = {id_: at for at, id_ in enumerate(ids)}
    labels = {place[id_]: word for id_, word in matched.read.labels.items()}
    rest = {name: [place[id_] for id_ in getattr(matched.read, name)] for name in ("pending", "skipped", "barred")}
    notes = [*read.notes, *([] if read.items else [f"{where} names no points: nothing is labelled by it so far."])]
    if matched.unknown:
        notes.append(f"{where}: {counted(len(matched.unknown), 'id is', 'ids are')} not in this pool and left out.")
    if matched.ambiguous:
        several = counted(len(matched.ambiguous), "name is", "names are")
        notes.append(f"{where}: {several} those of several points and left out.")
    words: list[str | None] = list(own)
    for at in (*rest["skipped"], *rest["barred"]):
        words[at] = None
    for at, word in labels.items():
        words[at] = word
    labelled = tuple(at for at, word in enumerate(words) if word is not None)  # in the pool's order, not the file's
    known = set(labelled)
    pending = tuple(at for at in sorted(rest["pending"]) if at not in known)
    out = tuple(at for at in sorted({*rest["skipped"], *rest["barred"]}) if at not in {*known, *pending})
    return Round(
        _with_labels(dataset, words, task),
        labelled,
        pending,
        out,
        1 + max(matched.read.batches.values(), default=0),
        matched.read.batches,
        len(matched.unknown),
        tuple(notes),
    )


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
