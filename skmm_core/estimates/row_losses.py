"""How wrong a model is about labelled rows: 0 or 1 for classes, the absolute error for numbers."""

import numpy as np
from numpy.typing import NDArray

from skmm_core.estimates.labelled import LabelledRows

Array = NDArray[np.float64]


def row_losses(rows: LabelledRows, scores: Array, asked: NDArray[np.bool_] | slice = slice(None)) -> Array:
    """Errors (…, m) of scores (…, m, K), or of predictions (…, m), of some labelled rows.

    Args:
        rows: all labelled ones.
        scores: of those asked.
        asked: m of them.
    """
    if not rows.class_names:
        return np.asarray(np.abs(scores - rows.values[asked]))
    return np.asarray(scores.argmax(axis=-1) != rows.values[asked], dtype=np.float64)
