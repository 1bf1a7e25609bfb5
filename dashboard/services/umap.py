"""UMAP maps of a pool (`diagnostics/maps` computes them), made once by a process of their own and kept by content.

UMAP takes seconds to minutes and holds Python's lock while it compiles, so it never runs in the server process.
Run as `python -m dashboard.services.umap CONFIG_JSON FILE.npy`.
"""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.storage import home

_ROOT = Path(__file__).resolve().parents[2]
_RUNNING: dict[Path, subprocess.Popen[bytes]] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class UmapState:
    """Where the map is.

    Attributes:
        places: (N, 2) float32 coordinates by position in the pool, or None before they are there.
        running: whether they are being computed.
        problem: why they could not be computed, in one line.
    """

    places: np.ndarray | None = None
    running: bool = False
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
        return UmapState(running=True)
    message = path.with_suffix(".txt")
    if ended and not message.is_file():
        message.write_text("the process stopped before it was done", "utf-8")
    return UmapState(problem=message.read_text("utf-8")) if message.is_file() else UmapState()


def start_umap(config: DatasetConfig, fingerprint: str) -> None:
    """Compute the map in a process of its own, unless that is being done."""
    path = umap_path(fingerprint)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".txt").unlink(missing_ok=True)
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


def main(config_json: str, target: str) -> int:
    """Load the dataset, compute its map, and put it in place in one step; a problem becomes a text file beside it."""
    path = Path(target)
    try:
        from skmm_core.data import load_dataset
        from skmm_core.diagnostics import umap_map

        dataset = load_dataset(DatasetConfig.model_validate_json(config_json))
        places = umap_map(dataset.features[dataset.split.train], seed=0)
    except (InputError, OSError, ImportError) as error:
        path.with_suffix(".txt").write_text(" ".join(str(error).split()), "utf-8")
        return 2
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    with temporary.open("wb") as file:
        np.save(file, places.astype(np.float32), allow_pickle=False)
    temporary.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
