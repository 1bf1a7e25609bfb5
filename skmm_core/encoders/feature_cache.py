"""Blocks of features on disk, named by what is in them, so that finished work is never done twice.

A block is known by the encoder and by the content of its pictures or texts. It is written in one step; one that is
damaged is made again. The newest blocks are kept, up to a limit.
"""

import os
from pathlib import Path

import numpy as np

from skmm_core.errors import InputError
from skmm_core.storage import home, write_file

_DEFAULT_MAX_MB = 4096
_MB = 1 << 20


class FeatureCache:
    """The blocks of one encoder."""

    def __init__(self, encoder_key: str) -> None:
        """Open the folder, and make it when it is not there.

        Raises:
            InputError: the home folder cannot be written, or `SKMM_CACHE_MB` is not a number.
        """
        self._limit = cache_megabytes() * _MB
        self._root = home() / "cache" / "features"
        self._folder = self._root / encoder_key
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self._folder} cannot be made: {error.strerror}; set SKMM_HOME") from None

    def path(self, content: str) -> Path:
        """Where the block with this content is or will be; `content` is a hash of all that it is made of."""
        return self._folder / f"{content}.npy"

    def read(self, content: str, rows: int, dim: int) -> np.ndarray | None:
        """The (rows, dim) float32 features of a block, or None when they are not there."""
        path = self.path(content)
        try:
            block = np.load(path, allow_pickle=False)
            os.utime(path)
        except (OSError, ValueError, EOFError):
            return None
        whole = block.shape == (rows, dim) and block.dtype == np.float32 and bool(np.isfinite(block).all())
        return block if whole else None

    def write(self, content: str, block: np.ndarray) -> None:
        """Keep the features of a block.

        Raises:
            OSError: the disk is full or the folder cannot be written; nothing half is left.
        """
        write_file(self.path(content), lambda path: np.save(path, block, allow_pickle=False))

    def trim(self) -> None:
        """Remove the blocks used longest ago, of any encoder, until the rest fits the limit."""
        found = []
        for path in self._root.glob("*/*.npy"):
            try:
                facts = path.stat()
            except OSError:  # another process was faster
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        room = self._limit
        for _, size, path in sorted(found, reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)


def cache_megabytes() -> int:
    """Most disk space for features that are kept: `SKMM_CACHE_MB` or 4096.

    Raises:
        InputError: the variable is set and is not a whole number.
    """
    text = os.environ.get("SKMM_CACHE_MB", "").strip()
    if text and not text.isdecimal():
        raise InputError(f"SKMM_CACHE_MB is {text!r}; set it to a whole number of megabytes, such as 4096")
    return int(text) if text else _DEFAULT_MAX_MB
