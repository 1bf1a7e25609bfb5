"""What labels in words ask for: classes or numbers."""

import numpy as np
import pyarrow as pa

from skmm_core.data.rows import RawTargets
from skmm_core.data.targets import as_numbers, auto_task


def task_of_words(words: pa.Array) -> str:
    """Say "classification" or "regression" of labels in words, by the same rules as for a column of a file.

    Args:
        words: texts, none missing.
    """
    encoded = words.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    levels = tuple(encoded.dictionary.to_pylist())
    return auto_task(as_numbers(RawTargets(codes, np.zeros(len(codes), bool), levels, "label")), (), "labels")[0]
