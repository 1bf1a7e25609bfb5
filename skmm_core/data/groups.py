"""Groups of a pool, such as patients or scenes: the values of one column of its file."""

import numpy as np
import pyarrow as pa

from skmm_core.data.dataset import Dataset
from skmm_core.data.table_file import listed
from skmm_core.data.typed_text import encoded
from skmm_core.errors import InputError


def groups_of(dataset: Dataset, column: str) -> np.ndarray:
    """(N,) int64 group of every point of the pool; a point without a value stands alone.

    Raises:
        InputError: the file has no such column, or it is a feature.
    """
    shown = dataset.shown
    if shown is None or column not in shown.column_names:
        if column in dataset.feature_names:
            raise InputError(f"--group: {column!r} is read as a feature; leave it out of them with --ignore {column!r}")
        there = f"it has {listed(shown.column_names)}" if shown is not None else "it has none"
        raise InputError(f"--group: {dataset.name} has no column {column!r} beside its features; {there}")
    codes, names = encoded(pa.chunked_array([shown.column(column).take(pa.array(dataset.split.train.numpy()))]))
    alone = codes < 0
    codes[alone] = len(names) + np.arange(int(alone.sum()))
    return codes
