"""What an npz file may hold beside features and labels: thumbnails, texts, and where the features are from.

What does not fit is left out with a note; it never costs the dataset.
"""

import json

import numpy as np

from skmm_core.data.row_texts import RowTexts
from skmm_core.data.row_thumbnails import EncodedImages

EXTRAS = ("thumbnails", "thumbnail_ends", "texts", "text_ends", "provenance")
_MAX_WARNINGS = 20
_LONGEST_WARNING = 300


def stored_thumbnails(found: dict[str, np.ndarray], rows: int, file: str, notes: list[str]) -> EncodedImages | None:
    """Pictures of all rows; arrays that do not fit cost the pictures, not the dataset.

    Args:
        found: arrays by name; `thumbnails` (B,) uint8 are the bytes of all, `thumbnail_ends` (R,) where each ends.
        rows: R, of the pool and held-out rows.
        file: name for notes.
        notes: gets one more where the arrays do not fit.
    """
    data, ends = found.get("thumbnails"), found.get("thumbnail_ends")
    if data is None and ends is None:
        return None
    problem = _problem(data, ends, rows, "thumbnails", "thumbnail_ends")
    if problem is None and data is not None and ends is not None:
        ends = ends.astype(np.int64)
        return EncodedImages(data, np.concatenate([np.zeros(1, np.int64), ends[:-1]]), ends)
    notes.append(f"{file}: its thumbnails are not shown: {problem}.")
    return None


def stored_texts(found: dict[str, np.ndarray], rows: int, file: str, notes: list[str]) -> RowTexts | None:
    """Texts of all rows, as bytes with the end of each or as an array of text; what does not fit costs only them.

    Args:
        found: arrays by name; `texts` (B,) uint8 are UTF-8 of all, `text_ends` (R,) where each ends; or (R,) text.
        rows: R, of the pool and held-out rows.
        file: name for notes.
        notes: gets one more where the arrays do not fit.
    """
    data, ends = found.get("texts"), found.get("text_ends")
    if data is None and ends is None:
        return None
    if data is not None and ends is None and data.dtype.kind == "U" and data.shape == (rows,):
        return RowTexts.of(data.tolist())
    problem = _problem(data, ends, rows, "texts", "text_ends")
    if problem is None and data is not None and ends is not None:
        try:
            return RowTexts.joined(data, ends)
        except ValueError:
            problem = "texts are not in UTF-8"
    notes.append(f"{file}: its texts are not shown: {problem}.")
    return None


def _problem(data: np.ndarray | None, ends: np.ndarray | None, rows: int, name: str, name_of_ends: str) -> str | None:
    """Why bytes and the end of each row's do not fit the rows; None where they do."""
    if data is None or ends is None:
        return f"{name} and {name_of_ends} go together"
    if data.dtype != np.uint8 or data.ndim != 1 or ends.dtype.kind not in "iu" or ends.ndim != 1:
        return f"{name} must be one row of bytes (uint8), and {name_of_ends} one row of whole numbers"
    if len(ends) != rows:
        return f"{name_of_ends} has {len(ends):,} entries for {rows:,} rows"
    places = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
    if (np.diff(places) < 0).any() or (places > len(data)).any():
        return f"{name_of_ends} points outside of {name}"
    return None


def stored_warnings(found: dict[str, np.ndarray], file: str) -> list[str]:
    """What the provenance warns of, one line each."""
    if "provenance" not in found:
        return []
    try:
        warnings = json.loads(str(found["provenance"].item()))["warnings"]
        texts = [" ".join(str(text).split())[:_LONGEST_WARNING] for text in list(warnings)[:_MAX_WARNINGS]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [f"{file}: its provenance cannot be read, so how its features were made is not known."]
    return [text for text in texts if text]
