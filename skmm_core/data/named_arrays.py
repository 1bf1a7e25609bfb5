"""Which array of a file of named arrays holds the features, which the targets and which the ids."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from skmm_core.errors import InputError

LABEL_ARRAYS = ("y", "label", "labels", "target", "targets", "class", "classes")
ID_ARRAYS = ("ids", "id", "keys", "key", "filenames", "file_names", "paths")
_LABELS = re.compile(r"(^|_)(y|labels?|targets?|class(es)?)(_|$)", re.IGNORECASE)
_PART_NAMES = re.compile(r"(x|y)_?(train(?:ing)?|val(?:id(?:ation)?)?|test)", re.IGNORECASE)
_PART_ENDINGS = {"tr": "", "va": "_val", "te": "_test"}
_OWN = ("names", "feature_names", "thumbnails", "thumbnail_ends", "provenance")


@dataclass(frozen=True)
class ArrayKind:
    """Shape of an array, and kind of its type as NumPy writes it."""

    shape: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class Chosen:
    """Arrays that a person names for a part; None leaves it to be found."""

    features: str | None = None
    target: str | None = None
    id: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are named."""
        return tuple(filter(None, (self.features, self.target, self.id)))

    @property
    def asked(self) -> bool:
        """Whether any is named."""
        return bool(self.names)


NOTHING_CHOSEN = Chosen()


def assign_keys(
    keys: Mapping[str, str], kinds: Mapping[str, ArrayKind], chosen: Chosen, where: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find the arrays for X, y and ids.

    Args:
        keys: names of the arrays by what they are, as far as the file calls them so.
        kinds: of all arrays.
        chosen: by a person.
        where: file name for messages.

    Returns:
        Names by what they are, with X, and notes.

    Raises:
        InputError: an array that is named is not there, or none or several can be the features.
    """
    found = {**keys, **_of_parts(keys, kinds)}
    named = {"X": ("features", chosen.features), "y": ("target", chosen.target), "ids": ("id", chosen.id)}
    for part, (flag, name) in named.items():
        if name is None:
            continue
        if name not in kinds:
            raise InputError(f"{where} has no array {name!r} for --{flag}; it holds: {', '.join(kinds) or 'nothing'}")
        found[part] = name
    if "X" in found:
        _free(found, chosen)
        taken = [f"{name!r} as {part}" for part, name in found.items() if part != name and name not in chosen.names]
        return found, (f"{where}: read are {', '.join(taken)}.",) if taken else ()
    numbers = {name: each.shape for name, each in kinds.items() if each.kind in "biuf" and name not in found.values()}
    tables = [name for name, shape in numbers.items() if len(shape) == 2]
    tables = [name for name in tables if numbers[name][1] != 1 or not _LABELS.search(name)]
    deep = [f"{name} {' × '.join(f'{n:,}' for n in shape)}" for name, shape in numbers.items() if len(shape) > 2]
    if not tables and deep:
        raise InputError(
            f"{where} has no array of rows × columns ({', '.join(deep)}); embed pictures and sequences first, or save "
            "them as rows of numbers"
        )
    if not tables:
        listed = ", ".join(kinds) or "nothing"
        raise InputError(f"{where} has no array X (it holds: {listed}); save features as X and targets as y")
    if len(tables) > 1:
        sizes = ", ".join(f"{name} {' × '.join(f'{n:,}' for n in kinds[name].shape)}" for name in tables)
        raise InputError(f"{where} has {len(tables)} arrays that can be features ({sizes}); name one with --features")
    found["X"] = tables[0]
    rows = kinds[tables[0]].shape[0]
    notes = [f"{where}: features are the array {tables[0]!r}"]
    for part, names in (("y", LABEL_ARRAYS), ("ids", ID_ARRAYS)):
        free = [name for name in kinds if name.lower() in names and name not in found.values()]
        fitting = [name for name in free if kinds[name].shape in ((rows,), (rows, 1)) and kinds[name].kind in "biufUS"]
        if part not in found and len(fitting) == 1:
            found[part] = fitting[0]
            notes.append(f"{'targets' if part == 'y' else 'ids'} the array {fitting[0]!r}")
    _free(found, chosen)
    return found, (f"{', '.join(notes)}.",)


def _of_parts(keys: Mapping[str, str], kinds: Mapping[str, ArrayKind]) -> dict[str, str]:
    """Arrays called as scikit-learn and Keras call them, X_train, y_train, X_test, by what they are; none beside X."""
    found = {}
    for name in kinds if "X" not in keys else ():
        if part := _PART_NAMES.fullmatch(name):
            ending = _PART_ENDINGS[part.group(2).lower()[:2]]
            found[("X" if part.group(1).lower() == "x" else "y") + ending] = name
    return found if "X" in found else {}


def _free(found: dict[str, str], chosen: Chosen) -> None:
    """One array is one thing: what a person names is no longer what its name says."""
    named = {"X": chosen.features, "y": chosen.target, "ids": chosen.id}
    for part, name in list(found.items()):
        if named.get(part) != name and name in filter(None, named.values()):
            del found[part]
    if chosen.features and found.get("X") != "X":  # the file's own held-out rows belong to its X
        for ending in ("_val", "_test"):
            for part in ("X", "y", "ids"):
                found.pop(f"{part}{ending}", None)
        for part in _OWN[1:4]:
            found.pop(part, None)
