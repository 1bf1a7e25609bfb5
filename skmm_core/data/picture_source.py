"""Where pictures come from: a folder, an archive or a public set, found and told apart before any is decoded."""

import hashlib
from pathlib import Path

from skmm_core.data.file_limits import file_path
from skmm_core.data.hub import fetch, hub_name
from skmm_core.errors import InputError
from skmm_core.progress import Report, ignore
from skmm_core.storage import file_hash


def image_source(source: str, *, report: Report = ignore) -> Path:
    """Folder or archive of pictures that a source names; a public set is downloaded first.

    Args:
        source: a path, or `hub:NAME`.
        report: told of the download.

    Raises:
        InputError: the public set is unknown or cannot be downloaded.
    """
    name = hub_name(source)
    return file_path(source) if name is None else fetch(name, report=report)


def source_fingerprint(source: str) -> str:
    """Tell apart sources of pictures without decoding them: "sha256:…" of a file, or of a folder's names, sizes, dates.

    A public set is known by its name alone.

    Args:
        source: a path, or `hub:NAME`.

    Raises:
        InputError: there is no such file or folder, or it cannot be read.
    """
    if hub_name(source) is not None:
        return f"sha256:{hashlib.sha256(source.encode()).hexdigest()}"
    return _path_fingerprint(file_path(source))


def _path_fingerprint(source: Path) -> str:
    if source.is_file():
        return f"sha256:{file_hash(source)}"
    if not source.is_dir():
        raise InputError(f"{source} was not found; give a folder, zip or tar file of images")
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            facts = path.stat()
            name = path.relative_to(source).as_posix().encode("utf-8", "surrogateescape")
            digest.update(name + f"\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return f"sha256:{digest.hexdigest()}"
