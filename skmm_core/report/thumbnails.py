"""Small pictures of the first chosen points, kept in the run folder so that a report can show them anywhere."""

import base64
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from skmm_core.data import EncodedImages, ImageStore
from skmm_core.errors import InputError
from skmm_core.runs import THUMBNAILS
from skmm_core.storage import write_file

_MOST, _PIXELS = 60, 96


def write_thumbnails(folder: Path, images: ImageStore, rows: list[int]) -> None:
    """Keep pictures of the first 60 of these dataset rows.

    Raises:
        OSError: the folder cannot be written.
    """
    size = min(_PIXELS, images.longest)
    kept = EncodedImages.joined([images.png(row, size=size) for row in rows[:_MOST]])
    write_file(folder / THUMBNAILS, lambda path: np.savez(path, data=kept.data, starts=kept.starts, ends=kept.ends))


def read_thumbnails(folder: Path, selection: pd.DataFrame) -> list[dict[str, str]]:
    """Pictures of the first chosen points with their captions; none where the dataset has no pictures.

    They are decoded and encoded anew, since a run may come from a stranger.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / THUMBNAILS
    if not path.exists():
        return []
    try:
        with np.load(path, allow_pickle=False) as file:
            kept = EncodedImages(file["data"], file["starts"], file["ends"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        raise InputError(f"{path} cannot be read; make the run again") from None
    shown = selection.head(len(kept.starts))
    cards = []
    for place, (id_, label) in enumerate(zip(shown["id"], shown["label"], strict=True)):
        width, height = _size(kept.file(place))
        png = kept.png(place, size=max(1, min(_PIXELS, max(width, height))))
        caption = str(id_) if pd.isna(label) else str(label)
        cards.append({"png": base64.b64encode(png).decode(), "caption": f"#{place + 1} · {caption}", "alt": str(id_)})
    return cards


def _size(content: bytes) -> tuple[int, int]:
    """Width and height that a PNG claims, from its header; 96 × 96 for anything else."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or len(content) < 24:
        return _PIXELS, _PIXELS
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
