"""What a measurement ran on."""

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from skmm_core import __version__

_SAMPLE_SECONDS = 0.01
_MEGABYTE = 2**20


def machine(device: torch.device) -> dict[str, Any]:
    """Processor, memory, load and versions, JSON-safe; also the GPU when that computes."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(psutil.getloadavg()[0], 2),
        "memory_mb": psutil.virtual_memory().total // _MEGABYTE,
        "system": platform.platform(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "versions": {
            "skmm_core": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def _processor() -> str:
    """The processor's name; Python itself knows it only on some systems."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass
class Measured:
    """Wall time, and the most memory held beyond what was held before."""

    seconds: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def measured(device: torch.device) -> Iterator[Measured]:
    """Measure a block: seconds until the device is done, and peak memory of the device (of the process on a CPU)."""
    found = Measured()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        began = time.perf_counter()
        yield found
        torch.cuda.synchronize(device)
        found.seconds = time.perf_counter() - began
        found.peak_mb = (torch.cuda.max_memory_allocated(device) - before) / _MEGABYTE
        return
    process, done = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(_SAMPLE_SECONDS):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    began = time.perf_counter()
    try:
        yield found
    finally:
        found.seconds = time.perf_counter() - began
        peak = max(peak, process.memory_info().rss)
        done.set()
        watcher.join()
        found.peak_mb = max(0, peak - before) / _MEGABYTE
