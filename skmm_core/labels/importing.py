"""Labels of a file into a project: as one action, with a sentence of what came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.known import LabelsRead
from skmm_core.labels.matching import Matched, match_labels
from skmm_core.projects import Project

_SHOWN = 3


@dataclass(frozen=True)
class ImportReport:
    """What bringing labels back did.

    Attributes:
        new: points that have a label now and had none.
        changed: points whose label is another now.
        same: points whose label was known already.
        skipped: points that somebody skipped and nobody labelled.
        disputed: points with different labels, on which nobody decided.
        unknown: names in the file that are no point of the pool.
        ambiguous: names of files that are those of several points.
        missing: points that were picked and still wait for a label.
        notes: of the reading.
        taken: answers that were taken over; with none, nothing was done that could be undone.
    """

    new: int
    changed: int
    same: int
    skipped: int
    disputed: tuple[str, ...]
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]
    missing: int
    notes: tuple[str, ...]
    taken: int

    @property
    def sentence(self) -> str:
        """All of it in one plain sentence."""
        parts = [counted(self.new, "label is new", "labels are new")]
        parts += [f"{self.changed:,} changed"] if self.changed else []
        parts += [f"{self.same:,} known already"] if self.same else []
        parts += [f"{self.skipped:,} skipped"] if self.skipped else []
        parts += [f"{len(self.disputed):,} disputed ({_few(self.disputed)})"] if self.disputed else []
        if self.unknown:
            parts.append(f"{counted(len(self.unknown), 'id is', 'ids are')} not in this pool ({_few(self.unknown)})")
        if self.ambiguous:
            several = counted(len(self.ambiguous), "name is", "names are")
            parts.append(f"{several} those of several points and left out ({_few(self.ambiguous)})")
        parts += (
            [f"{self.missing:,} still {'waits' if self.missing == 1 else 'wait'} for a label"] if self.missing else []
        )
        return f"{', '.join(parts)}."


def known_points(read: LabelsRead, ids: Iterable[str], *, name: str) -> Matched:
    """What a file says of the points of a pool.

    Raises:
        InputError: the file names no points, or none of this pool; the message shows ids of both.
    """
    pool = list(ids)
    matched = match_labels(read, pool)
    if not read.items:
        raise InputError(f"{name} names no points; bring back the file that was exported, with labels in it")
    if not matched.read.items:
        seen = matched.unknown or matched.ambiguous
        raise InputError(
            f"{name}: none of its {counted(len(seen), 'id is', 'ids are')} in this pool (it has {_few(seen)}; the pool "
            f"has {_few(pool)}); bring labels of this pool, named by its ids"
        )
    return matched


def import_labels(project: Project, read: LabelsRead, ids: Iterable[str], *, name: str) -> ImportReport:
    """Take over what a file says of points, as one action; nothing is done where it says nothing new.

    Args:
        project: that the labels go to.
        read: what the file says.
        ids: of all points of the pool.
        name: of the file, for undo and messages.

    Raises:
        InputError: the file names no point of the pool, or says nothing of any.
    """
    matched = known_points(read, ids, name=name)
    found = matched.read
    before = project.state()
    answers = {
        by: said
        for by, given in found.answers.items()
        if (said := {item: label for item, label in given.items() if not _is_known(before.answers, item, by, label)})
    }
    if answers:
        count = len({item for said in answers.values() for item in said})
        project.label_by(answers, what=f"bring {counted(count, 'answer', 'answers')} back from {name}")
    now = project.state()
    told = {item for given in found.answers.values() for item in given}
    labelled = [item for item in told if item in now.labels]
    new = sum(item not in before.labels for item in labelled)
    changed = sum(item in before.labels and before.labels[item] != now.labels[item] for item in labelled)
    return ImportReport(
        new=new,
        changed=changed,
        same=len(labelled) - new - changed,
        skipped=len(told & now.skipped),
        disputed=tuple(sorted(told & set(now.disputed))),
        unknown=matched.unknown,
        ambiguous=matched.ambiguous,
        missing=len(now.pending),
        notes=found.notes,
        taken=sum(map(len, answers.values())),
    )


def _is_known(answers: Mapping[str, Mapping[str, str | None]], item: str, by: str, label: str | None) -> bool:
    return by in answers.get(item, {}) and answers[item][by] == label


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(repr(name[:40]) for name in listed[:_SHOWN])
    return f"{shown} and {len(listed) - _SHOWN:,} more" if len(listed) > _SHOWN else shown
