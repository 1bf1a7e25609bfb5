"""What is said of features that no training stands behind, wherever they or something made of them are shown."""

import json
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

RANDOM_WARNING = "Features of an encoder with random weights (no training): expect little of them."
OFFLINE_WARNING = "Features of the built-in map (scattering and colour, not trained); a pretrained encoder does better."
_MEMBER = "provenance.npy"
_MOST_BYTES = 1 << 20


def marks(notes: Iterable[str]) -> tuple[str, ...]:
    """Those of a dataset's or a run's notes that say so, each once."""
    return tuple(dict.fromkeys(note for note in notes if note in (RANDOM_WARNING, OFFLINE_WARNING)))


def file_marks(path: Path) -> tuple[str, ...]:
    """What an npz file of features says so itself; nothing else of it is read, and damage says nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_MEMBER).file_size > _MOST_BYTES:
                return ()
            with archive.open(_MEMBER) as file:
                text = str(np.lib.format.read_array(file, allow_pickle=False))
        return marks(str(note) for note in json.loads(text)["warnings"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error):
        return ()
