"""What a file holds, as one hash: the same bytes, the same name in caches and records."""

import hashlib
from pathlib import Path

from skmm_core.errors import InputError


def file_hash(path: Path) -> str:
    """Sha256 of a file's bytes.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}; check its permissions") from None
