"""The handwritten digits out of the files of scikit-learn, without loading scikit-learn."""

import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def read_digits() -> np.ndarray:
    """The 1,797 digits (Alpaydin and Kaynak, 1998) as scikit-learn keeps them.

    Importing scikit-learn takes longer than all the rest of a small selection, so its file is read itself where it lies
    at its usual place.

    Returns:
        (1797, 65) float64: 64 pixels of 0 to 16, row by row, and the digit.
    """
    file = _file()
    if file is None:
        from sklearn.datasets import load_digits

        found = load_digits()
        return np.column_stack([found.data, found.target])
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return np.loadtxt(lines, delimiter=",")


def _file() -> Path | None:
    spec = find_spec("sklearn")  # of a package at the top, which is found without being run
    places = spec.submodule_search_locations if spec is not None else None
    files = [Path(place, "datasets", "data", "digits.csv.gz") for place in places or ()]
    return next((file for file in files if file.is_file()), None)
