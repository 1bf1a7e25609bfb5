"""UMAP maps of a pool (`diagnostics/maps` computes them), made once by a process of their own and kept by content.

UMAP takes seconds to minutes and holds Python's lock while it compiles, so it never runs in the server process.
Run as `python -m dashboard.services.umap CONFIG_JSON FILE.npy`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.progress import Progress
from skmm_core.storage import home, write_json

_ROOT = Path(__file__).resolve().parents[2]
_RUNNING: dict[Path, subprocess.Popen[bytes]] = {}
_LOCK = threading.Lock()
_COMPILING, _BEFORE_A_ROW, _LAYOUT_A_ROW, _AFTER_A_ROW = 12.0, 4e-4, 9e-4, 2e-4  # seconds, measured on two cores
_MOST = 0.97  # of a share that is an estimate


@dataclass(frozen=True)
class UmapState:
    """Where the map is.

    Attributes:
        places: (N, 2) float32 coordinates by position in the pool, or None before they are there.
        running: whether they are being computed.
        fraction: share that is done, in 0..1, or None before the first word.
        eta: seconds left, or None.
        problem: why they could not be computed, in one line.
    """

    places: np.ndarray | None = None
    running: bool = False
    fraction: float | None = None
    eta: float | None = None
    problem: str | None = None

    @property
    def unknown(self) -> bool:
        """Whether nobody asked for the map yet."""
        return self.places is None and not self.running and self.problem is None


def umap_path(fingerprint: str) -> Path:
    """Where the map of a dataset is kept."""
    return home() / "cache" / "umap" / f"{fingerprint.removeprefix('sha256:')[:32]}.npy"


def umap_state(fingerprint: str, size: int) -> UmapState:
    """Look, without waiting, whether the map is there.

    Args:
        fingerprint: of the dataset.
        size: N, number of points the map must have.
    """
    path = umap_path(fingerprint)
    with _LOCK:
        process = _RUNNING.get(path)
        ended = process is not None and process.poll() is not None
        if ended:
            del _RUNNING[path]
    if path.is_file():
        places = np.load(path, allow_pickle=False)
        return UmapState(places=places) if places.shape == (size, 2) else UmapState(problem="The kept map is damaged.")
    if process is not None and not ended:
        return _running(path)
    message = path.with_suffix(".txt")
    if ended and not message.is_file():
        message.write_text("the process stopped before it was done", "utf-8")
    return UmapState(problem=message.read_text("utf-8")) if message.is_file() else UmapState()


def _running(path: Path) -> UmapState:
    try:
        told = json.loads(path.with_suffix(".json").read_bytes())
        began, end, now = float(told["began"]), float(told["end"]), time.time()
        fraction = (now - began) / max(end - began, 1e-9)
        return UmapState(running=True, fraction=min(fraction, _MOST), eta=end - now if end > now else None)
    except (OSError, ValueError, KeyError):
        return UmapState(running=True)


def cancel_umap(fingerprint: str) -> None:
    """End the process that computes the map of a dataset, if one does."""
    path = umap_path(fingerprint)
    with _LOCK:
        process = _RUNNING.pop(path, None)
    if process is not None:
        process.kill()
        process.wait()
        path.with_suffix(".txt").write_text("cancelled", "utf-8")


def start_umap(config: DatasetConfig, fingerprint: str) -> None:
    """Compute the map in a process of its own, unless that is being done."""
    path = umap_path(fingerprint)
    path.parent.mkdir(parents=True, exist_ok=True)
    for ending in (".txt", ".json"):
        path.with_suffix(ending).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    with _LOCK:
        running = _RUNNING.get(path)
        if running is not None and running.poll() is None:
            return
        _RUNNING[path] = subprocess.Popen(
            [sys.executable, "-m", "dashboard.services.umap", config.model_dump_json(), str(path)],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class _Told:
    """Writes beside the map how far it is and when it will be there, for the page to read."""

    def __init__(self, path: Path, size: int) -> None:
        from skmm_core.diagnostics import EPOCHS, UMAP_FIT_LIMIT  # late: they load torch

        self._epochs = EPOCHS
        self._path, self._began, self._moving = path, time.time(), 0.0
        fitted = min(size, UMAP_FIT_LIMIT)
        self._before = _COMPILING + _BEFORE_A_ROW * fitted  # until the layout moves, which tells its own pace
        self._after = _AFTER_A_ROW * (size - fitted)
        self._layout = _LAYOUT_A_ROW * fitted

    def __call__(self, progress: Progress) -> None:
        now = time.time()
        end = self._began + self._before + self._layout + self._after
        if progress.phase == self._epochs and progress.fraction:
            self._moving = self._moving or now
            if now > self._moving:
                end = self._moving + (now - self._moving) / progress.fraction + self._after
        write_json(self._path.with_suffix(".json"), {"began": self._began, "end": end})


def main(config_json: str, target: str) -> int:
    """Load the dataset, compute its map, and put it in place in one step; a problem becomes a text file beside it."""
    path = Path(target)
    try:
        from skmm_core.data import load_dataset
        from skmm_core.diagnostics import umap_map

        dataset = load_dataset(DatasetConfig.model_validate_json(config_json))
        places = umap_map(dataset.split.of_pool(dataset.features), seed=0, report=_Told(path, dataset.pool_size))
    except (InputError, OSError, ImportError) as error:
        path.with_suffix(".txt").write_text(" ".join(str(error).split()), "utf-8")
        return 2
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    with temporary.open("wb") as file:
        np.save(file, places.astype(np.float32), allow_pickle=False)
    temporary.replace(path)
    path.with_suffix(".json").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
