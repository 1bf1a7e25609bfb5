"""How a result came about: command, config, device and versions, so that it can be made again."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from skmm_core import __version__
from skmm_core.config import CompareJob, EmbedJob, EstimateJob, PaperJob, RunConfig, SelectJob
from skmm_core.data import ReadLine, as_rows
from skmm_core.device import resolve_device
from skmm_core.methods import plugin_versions
from skmm_core.runs import command_line

_LIBRARIES = ("torch", "numpy", "scikit-learn", "pandas")


def origin(
    config: RunConfig, notes: Sequence[str], fingerprint: str, reading: Sequence[ReadLine] = ()
) -> dict[str, Any]:
    """How the result came about, so that it can be made again; `reading` is how the file of the data was read."""
    return {
        "notes": list(notes),
        "reading": as_rows(reading),
        "fingerprint": fingerprint,
        "command": command_line(config),
        "config": config.model_dump(mode="json"),
        "device": str(resolve_device(config.device)),
        "versions": {
            "skmm": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
            **plugin_versions(methods_of(config.job)),
        },
    }


def methods_of(job: SelectJob | CompareJob | EmbedJob | EstimateJob | PaperJob) -> tuple[str, ...]:
    """Keys of the registry that a job names; the rows of the paper's tables are no keys."""
    if isinstance(job, SelectJob):
        return (job.method,)
    return job.methods if isinstance(job, CompareJob) else ()


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
