"""The files that pictures of a dataset were read from, found again by id."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from skmm_core.data.image_files import find_files
from skmm_core.progress import Report, ignore

_TRIED = 20  # ids that tell where the others are, should some files be gone


@dataclass(frozen=True)
class Originals:
    """Where the pictures of a dataset are.

    Attributes:
        root: folder that ids are relative to.
        files: of each picture that is still there, by id.
    """

    root: Path
    files: dict[str, Path]


def find_originals(source: Path, ids: Iterable[str], *, report: Report = ignore) -> Originals | None:
    """Find pictures by id: the path within the source, or within the folders that merely wrap all of them.

    Args:
        source: folder or archive of the pictures; an archive is unpacked.
        ids: of the dataset.
        report: told of unpacking and looking.

    Returns:
        None where ids are no paths, as keys of shards are, or where two folders would fit.

    Raises:
        InputError: the source cannot be read.
    """
    wanted = list(ids)
    given = find_files(source, report)
    tried = sorted(wanted, key=lambda id_: "/" not in id_)[:_TRIED]
    deep, ends = next(((id_, ends) for id_ in tried if (ends := _ends(given.files, id_))), ("", []))
    fits = [(_found(given.files, wanted, prefix), prefix) for prefix in ends]
    most = max((len(found) for found, _ in fits), default=0)
    best = [(found, prefix) for found, prefix in fits if len(found) == most]
    if len(best) != 1:
        return None
    ((found, prefix),) = best
    # The folder as the disk spells it is found by going up from one of its files.
    return Originals(found[deep].parents[deep.count("/")] if prefix else given.root, found)


def _ends(names: Iterable[str], id_: str) -> list[str]:
    """What stands before an id in the names of files."""
    return [name.removesuffix(id_) for name in names if name == id_ or name.endswith(f"/{id_}")]


def _found(files: dict[str, Path], ids: list[str], prefix: str) -> dict[str, Path]:
    """Files by id below one folder; loose ones beside it keep their names."""
    places = ((id_, files.get(prefix + id_) or files.get(id_)) for id_ in ids)
    return {id_: path for id_, path in places if path is not None}
