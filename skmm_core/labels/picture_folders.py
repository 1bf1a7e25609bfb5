"""The chosen pictures as a zip file of folders: move each into the folder of its class, pack it, bring it back."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from skmm_core.data import counted, one_form
from skmm_core.errors import InputError
from skmm_core.labels.answers import Answer, Answers, collect
from skmm_core.labels.archives import LabelFiles, write_zip
from skmm_core.labels.outgoing import Exported, Outgoing, need_pictures
from skmm_core.labels.records import parse_json
from skmm_core.storage import to_json

MANIFEST = "skmm_manifest.json"
_UNLABELLED, _SKIPPED = "unlabelled", "skipped"
_BY = "folders"
_LONGEST = 60


def write_picture_folders(out: Outgoing, path: Path) -> Exported:
    """Write the pictures under `unlabelled/`, an empty folder for each class and for skips, and what they are called.

    Raises:
        InputError: no picture can be read.
        OSError: the file cannot be written.
    """
    need_pictures(out, "A zip file of pictures")
    folders = _folders(out.classes)
    names: dict[str, str] = {}
    lost = 0

    def members() -> Iterator[tuple[str, bytes]]:
        nonlocal lost
        yield from ((f"{folder}/", b"") for folder in (_SKIPPED, *folders))
        digits = len(str(max((row.order for row in out.rows), default=1)))
        for row in out.rows:
            content = None if out.picture_bytes is None else out.picture_bytes(row)
            if content is None:
                lost += 1
                continue
            stem = PurePosixPath(row.picture or row.id).name.rsplit(".", 1)[0]
            name = f"{row.order:0{digits}}_{harmless(stem)}{content[1]}"
            names[name] = row.id
            yield f"{_UNLABELLED}/{name}", content[0]
        if not names:
            raise InputError("none of the pictures can be read; check that their folder is still there")
        yield MANIFEST, (to_json({"pictures": names, "classes": folders}, indent=1) + "\n").encode()

    write_zip(path, members())
    notes = [
        f"Unpack it, move each picture from {_UNLABELLED} into the folder of its class (make new ones as you like; "
        f"{_SKIPPED} for those nobody can label), pack it with {MANIFEST} and bring it back."
    ]
    if lost:
        notes.append(
            f"{counted(lost, 'picture', 'pictures')} could not be read and {'is' if lost == 1 else 'are'} not in it."
        )
    return Exported(path, len(names), tuple(notes))


def harmless(text: str) -> str:
    """A name that every system and tool takes: ASCII letters, digits and ._- alone."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_")[:_LONGEST] or "point"


def _folders(classes: Iterable[str]) -> dict[str, str]:
    """Class by the name of its folder; the class's own name where it is harmless."""
    found: dict[str, str] = {}
    taken = {_UNLABELLED, _SKIPPED}
    for name in classes:
        stem = folder = harmless(name)
        number = 2
        while folder.casefold() in taken:
            folder, number = f"{stem}_{number}", number + 1
        taken.add(folder.casefold())
        found[folder] = name
    return found


def is_picture_folders(files: LabelFiles) -> bool:
    """Whether an archive is one of these."""
    return bool(files.ending_in(MANIFEST))


def read_picture_folders(files: LabelFiles) -> Answers:
    """Read which folder each picture stands in.

    Raises:
        InputError: the manifest is missing, twice there or damaged.
    """
    found = files.ending_in(MANIFEST)
    if len(found) != 1:
        raise InputError(f"{files.where} holds {len(found)} files {MANIFEST}; keep the one that was exported, alone")
    top = found[0].removesuffix(MANIFEST)
    pictures, classes = _manifest(parse_json(files.read(found[0]), f"{files.where}/{MANIFEST}"), files.where)
    answers, seen, strange = [], [], 0
    for name in files.names:
        if name == found[0]:
            continue
        folder, _, _ = name.removeprefix(top).partition("/")
        id_ = pictures.get(_key(PurePosixPath(name).name)) if name.startswith(top) else None
        if id_ is None:
            strange += 1
            continue
        seen.append(id_)
        inside = "/" in name.removeprefix(top)
        if inside and _key(folder) == _SKIPPED:
            answers.append(Answer(id_, None, _BY))
        elif inside and _key(folder) != _UNLABELLED:
            answers.append(Answer(id_, classes.get(_key(folder), folder), _BY))
    note = f"{counted(strange, 'file is', 'files are')} none of the exported pictures and left out."
    return collect(answers, pending=seen, notes=(note,) if strange else ())


def _manifest(value: Any, where: str) -> tuple[dict[str, str], dict[str, str]]:
    """Ids by name of the picture, and classes by name of the folder."""
    parts = [value.get(name) for name in ("pictures", "classes")] if isinstance(value, dict) else []
    found = [{_key(name): each for name, each in part.items()} for part in parts if isinstance(part, dict)]
    if len(found) != 2 or not all(isinstance(each, str) for part in found for each in part.values()):
        raise InputError(f"{where}: {MANIFEST} is damaged; take the one that was exported")
    return found[0], found[1]


def _key(name: str) -> str:
    return one_form(name).casefold()
