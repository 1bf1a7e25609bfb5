"""Files that people bring: uploads kept by content, server paths inside allowed folders, and datasets used before.

Whoever opens the page may name any path, in a field, in a URL or in an imported run; so every dataset is checked here
before a file is opened.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from skmm_core.config import CompareJob, DatasetConfig, EmbedJob, PaperJob, RunConfig
from skmm_core.data import ARCHIVE_ENDINGS, FILE_KINDS, FILE_NAMES, hub_name, is_table, kind_of, names_in
from skmm_core.encoders import PACKAGED_TEXT
from skmm_core.errors import InputError
from skmm_core.runs import FEATURES
from skmm_core.storage import home

SUFFIXES = tuple(name.removeprefix(".") for name in FILE_NAMES)
TABLE_SUFFIXES = tuple(suffix for suffix in SUFFIXES if is_table(Path(f"a.{suffix}")))
MAX_UPLOAD_MB = 500  # the uploader shows 512 as 1GB
_ROOTS = "SKMM_DATA_ROOTS"
_KEY = re.compile(r"[0-9a-f]{16}")
_BUILTIN = re.compile(r"[a-z0-9_]+(:[^/\\]*)?")
_BLOCK = 1 << 20


def uploads() -> Path:
    """Folder of uploaded files."""
    return home() / "uploads"


def data_roots() -> tuple[Path, ...]:
    """Folders on the server that the dashboard may read, from `SKMM_DATA_ROOTS` (separated like `PATH`)."""
    given = os.environ.get(_ROOTS, "").split(os.pathsep)
    return tuple(Path(part).expanduser().resolve() for part in given if part.strip())


def save_upload(file: BinaryIO, name: str, kinds: Sequence[str] = SUFFIXES) -> Path:
    """Keep an uploaded file under a name made of its content, so that the same file is kept once.

    Args:
        file: what was uploaded, read from its start.
        name: what the visitor's computer calls it; only a harmless form of it is used.
        kinds: endings that are taken.

    Raises:
        InputError: the file is empty, too large, of another kind, or cannot be stored.
    """
    safe = safe_name(name, kinds)
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    for block in _blocks(file):
        digest.update(block)
        size += len(block)
        if size > MAX_UPLOAD_MB << 20:
            raise InputError(f"{safe} is larger than {MAX_UPLOAD_MB} MB; put it on the server and give its path")
    if not size:
        raise InputError(f"{safe} is empty; upload a file that holds something")
    target = uploads() / digest.hexdigest()[:16] / safe
    if not target.exists():
        file.seek(0)
        write_whole(file, target)
    return target


def safe_name(name: str, kinds: Sequence[str] = SUFFIXES) -> str:
    """A file name of letters, digits, dots, dashes and underscores that keeps its suffix.

    Raises:
        InputError: the suffix is none that can be read.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    fitting = [kind for kind in kinds if last.lower().endswith(f".{kind}")]
    suffix = max(fitting, key=len, default="")
    stem = last[: -len(suffix) - 1]
    if not fitting:
        few = f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
        raise InputError(f"{last[:80]} is no {few} file; save it as one of these")
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', stem).strip('-')[:80] or 'data'}.{suffix}"


def server_file(text: str, kinds: Sequence[str] = SUFFIXES) -> Path:
    """Resolve the path of a file that a visitor typed.

    Raises:
        InputError: server paths are off, or the file is outside the allowed folders, links followed, or not there.
    """
    found = server_path(text)
    if kinds in (SUFFIXES, TABLE_SUFFIXES) and found.is_dir() and found not in data_roots():
        _check_inside(found, text)
        return found
    if not found.is_file():
        allowed = ", ".join(str(root) for root in data_roots())
        raise InputError(f"{text[:200]} is not a file; give the path of a {', '.join(kinds)} file under {allowed}")
    return found


def _check_inside(folder: Path, text: str) -> None:
    """Refuse a folder with a link that leads out of the folders that may be read."""
    roots = data_roots()
    for path in folder.rglob("*"):
        if path.is_symlink() and not any(path.resolve().is_relative_to(root) for root in roots):
            raise InputError(
                f"{text[:200]} holds a link to outside of the folders that may be read; copy the files there"
            )


def server_path(text: str) -> Path:
    """Resolve a path that a visitor typed; it may be a file, a folder, or nothing.

    Raises:
        InputError: server paths are off, or the path leaves the allowed folders, links followed.
    """
    roots = data_roots()
    if not roots:
        raise InputError(f"server paths are off; start the dashboard with {_ROOTS} set to the folders it may read")
    allowed = ", ".join(str(root) for root in roots)
    try:
        path = Path(text.strip()).expanduser()
        resolved = (path if path.is_absolute() else roots[0] / path).resolve()
        resolved.exists()  # raises for names that no file can have
        inside = any(resolved.is_relative_to(root) for root in roots)
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        raise InputError(f"{text[:200]} is outside the folders that the dashboard may read: {allowed}")
    return resolved


def source_title(source: str) -> str:
    """What to call pictures, a public set, or a table of texts: the name without the ending."""
    name = Path(source).name
    ending = max((end for end in (*ARCHIVE_ENDINGS, *FILE_NAMES) if name.lower().endswith(end)), key=len, default="")
    return hub_name(source) or name[: len(name) - len(ending)] or "data"


def is_upload(path: Path) -> bool:
    """Whether a file was uploaded."""
    return path.resolve().is_relative_to(uploads().resolve())


def check_allowed(config: DatasetConfig) -> None:
    """Refuse a dataset whose files the dashboard may not read.

    Raises:
        InputError: a file is neither an upload, nor features that a run made, nor inside the allowed folders.
    """
    # A folder may be called as a built-in set is; what can be read at all is checked as a file.
    is_file = kind_of(Path(config.source)) in FILE_KINDS or not _BUILTIN.fullmatch(config.source)
    is_file = is_file or Path(config.source).exists()
    files = [config.source] if is_file else []
    for name in [*files, *filter(None, (config.test, config.labels))]:
        path = Path(name).expanduser()
        if not path.is_absolute() or not _is_made_here(path.resolve()):
            _check_path(name)


def check_run(config: RunConfig) -> None:
    """Refuse a run whose dataset, pictures or weights the dashboard may not read.

    Raises:
        InputError: a file is neither an upload, nor features that a run made, nor inside the allowed folders.
    """
    job = config.job
    pictures = config.dataset.source
    encoder: EmbedJob | PaperJob | None = job if isinstance(job, EmbedJob) else None
    if isinstance(job, EmbedJob) and job.reads == "texts":
        check_allowed(config.dataset)
        if job.model not in PACKAGED_TEXT:
            _check_path(job.model)
        pictures = ""
    elif not isinstance(job, EmbedJob):
        check_allowed(config.dataset)
        finetune = job.finetune if isinstance(job, CompareJob) else None
        pictures, encoder = (finetune.images or "", finetune.encoder) if finetune else ("", None)
        encoder = job if isinstance(job, PaperJob) else encoder
    if pictures and hub_name(pictures) is None:
        _check_path(pictures)
    for given in filter(None, (encoder.pretrained, encoder.architecture) if encoder else ()):
        if "/" in given or "\\" in given or Path(given).exists():  # not the name of published weights
            _check_path(given)


def _check_path(name: str) -> None:
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise InputError(f"{path.name} was read on the command line by a relative path; open it in Data")
    if not is_upload(path):
        _check_root(name)
        if path.is_dir():
            _check_inside(path.resolve(), name)


def _is_made_here(path: Path) -> bool:
    return path.name == FEATURES and path.parent.parent == (home() / "runs").resolve()


def _check_root(name: str) -> None:
    try:
        server_path(name)
    except InputError:
        raise InputError(
            f"{Path(name).name} cannot be read from here; upload it in Data, or start the dashboard with {_ROOTS} set "
            "to its folder"
        ) from None


def column_names(path: Path) -> list[str]:
    """Columns or arrays of a file, read as the engine does; empty when it has none or cannot be read.

    Loading the file says why.
    """
    try:
        return names_in(path)
    except (InputError, OSError):
        return []


def remember(config: DatasetConfig) -> str:
    """Keep a dataset's description for a later visit and return its key for the URL."""
    text = config.model_dump_json()
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = _remembered(key)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{os.getpid()}.{path.name}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    return key


def recall(key: str) -> DatasetConfig | None:
    """The dataset of a key; None when nothing is known under it."""
    if not _KEY.fullmatch(key):
        return None
    try:
        return DatasetConfig.model_validate_json(_remembered(key).read_bytes())
    except (OSError, ValidationError):
        return None


def _remembered(key: str) -> Path:
    return home() / "datasets" / f"{key}.json"


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def write_whole(file: BinaryIO, target: Path) -> None:
    """Copy an uploaded file to the server in one step.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    temporary = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            for block in _blocks(file):
                out.write(block)
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"{target.name} could not be stored on the server: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
