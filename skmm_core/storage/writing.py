"""Files written whole or not at all, and strictly valid JSON.

A file is written under a temporary name and renamed, so a reader sees the old one or the new one, never a half.
"""

import json
import math
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path` in one step.

    Raises:
        OSError: the disk is full or the folder cannot be written; `path` is untouched.
    """
    # The ending stays: numpy adds its own to a name that has another.
    temporary = path.with_name(f".{os.getpid()}-{threading.get_ident()}.{path.name}")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one step; see :func:`write_file`."""
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write strictly valid JSON in one step; NaN and infinities become null."""
    write_text(path, to_json(value, indent=1) + "\n")


def to_json(value: object, *, indent: int | None = None) -> str:
    """Strictly valid JSON: NaN and infinities, which JSON does not know, become null."""
    return json.dumps(_finite(value), indent=indent, allow_nan=False, ensure_ascii=False)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return _finite(value.item())
    return value
