"""Points of a file of labels found among the points of a pool: by id, and by name of file where a tool keeps no id."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from skmm_core.data import one_form
from skmm_core.labels.known import LabelsRead
from skmm_core.labels.spreadsheet import guarded_id


@dataclass(frozen=True)
class Matched:
    """Labels of points that are known.

    Attributes:
        read: with the pool's own ids; what names no point of the pool, or two, is left out.
        unknown: names that are no point of the pool.
        ambiguous: names of files that are those of several points.
    """

    read: LabelsRead
    unknown: tuple[str, ...]
    ambiguous: tuple[str, ...]


def match_labels(read: LabelsRead, ids: Iterable[str]) -> Matched:
    """Find points by id: as text, else in one Unicode form, else as the spreadsheet export writes it; nothing else.

    Where a tool keeps only names of files, such a name stands for the one id that ends in it, or that it ends in.

    Args:
        read: labels as a file has them.
        ids: of the pool.
    """
    spellings = _Spellings(ids, by_file_name=read.by_file_name)
    found: dict[str, str] = {}
    unknown: list[str] = []
    ambiguous: list[str] = []
    for item in read.items:
        candidates = spellings.ids_of(item)
        if len(candidates) == 1:
            (found[item],) = candidates
        else:
            (ambiguous if candidates else unknown).append(item)
    return Matched(_renamed(read, found), tuple(unknown), tuple(ambiguous))


class _Spellings:
    """In which ways the ids of a pool may be written."""

    def __init__(self, ids: Iterable[str], *, by_file_name: bool) -> None:
        self._exact = dict.fromkeys(ids)
        self._by_file_name = by_file_name
        self._forms: dict[str, set[str]] = defaultdict(set)
        self._others: dict[str, set[str]] = defaultdict(set)  # as a spreadsheet holds them, or without folders
        for id_ in self._exact:
            form = one_form(id_)
            self._forms[form].add(id_)
            for spelling in _tails(form) if by_file_name else (guarded_id(id_), guarded_id(form), form.strip()):
                if spelling != id_:
                    self._others[spelling].add(id_)

    def ids_of(self, item: str) -> set[str]:
        """The ids that a name in a file may stand for."""
        form = one_form(item)
        others = self._others.get(form, set()) | self._others.get(item, set())
        if item in self._exact:
            return {item, *others}
        if found := self._forms.get(form, set()) | others:
            return found
        whole = (self._forms[tail] for tail in _tails(form) if tail in self._forms)
        return next(whole, set()) if self._by_file_name else set()


def _tails(path: str) -> list[str]:
    """What is left of a path without its first folder, its first two, and so on; the longest first."""
    parts = PurePosixPath(path).parts
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def _renamed(read: LabelsRead, found: Mapping[str, str]) -> LabelsRead:
    """The same with the pool's ids. Of two names of one point the first counts."""

    def ids(items: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(found[item] for item in items if item in found))

    def by_id(said: Mapping[str, str | None]) -> dict[str, str | None]:
        return {found[item]: label for item, label in reversed(list(said.items())) if item in found}

    return replace(
        read,
        labels={found[item]: label for item, label in reversed(list(read.labels.items())) if item in found},
        pending=ids(read.pending),
        skipped=ids(read.skipped),
        barred=ids(read.barred),
        batches={found[item]: batch for item, batch in read.batches.items() if item in found},
        answers={by: kept for by, said in read.answers.items() if (kept := by_id(said))},
        by_file_name=False,
    )
