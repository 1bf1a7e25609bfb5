"""Sums of a long pass, kept on disk every so often, so that a pass that was killed goes on where it was."""

import time
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.storage import write_file

_SECONDS = 10.0
_DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


class Checkpoint:
    """The sums so far of one pass over one set of rows."""

    def __init__(self, path: Path, *, every: float = _SECONDS) -> None:
        """Keep them in a file.

        Args:
            path: of the file, whose name tells everything that the sums depend on.
            every: least seconds between two writes.
        """
        self._path, self._every, self._last = path, every, time.monotonic()

    def load(self) -> tuple[int, tuple[Tensor, ...]]:
        """The row to go on from, and the sums over all rows before it; row 0 and none where nothing is kept."""
        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                sums = tuple(torch.from_numpy(kept[f"sum{index}"]) for index in range(len(kept.files) - 1))
                return int(kept["done"]), sums
        except _DAMAGED:  # not there, or not whole: the pass begins anew
            return 0, ()

    def keep(self, done: int, sums: tuple[Tensor, ...], *, last: bool) -> None:
        """Write the sums over the first `done` rows, unless that was done a moment ago; the last ones in any case."""
        now = time.monotonic()
        if not last and now - self._last < self._every:
            return
        self._last = now
        arrays = {f"sum{index}": each.cpu().numpy() for index, each in enumerate(sums)}
        self._path.parent.mkdir(parents=True, exist_ok=True)

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, done=np.int64(done), **arrays)  # type: ignore[arg-type]

        write_file(self._path, write)
