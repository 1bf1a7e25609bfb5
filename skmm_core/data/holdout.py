"""Rows kept out for scoring: seeded, and in proportion to the classes."""

import numpy as np
import torch

from skmm_core.device import generator
from skmm_core.errors import InputError


def hold_out(
    rows: np.ndarray, count: int, *, classes: np.ndarray | None, seed: int, purpose: str
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows in two at random.

    With classes, each gives rows in proportion to its size (largest remainders, so that the total is exact) and keeps
    at least one. scikit-learn's stratified split refuses a class of one row, and fewer rows held out than classes.

    Args:
        rows: (N,) int64 row indices.
        count: rows to hold out, 1 <= count < N.
        classes: (N,) int64 class of each row, or None to ignore classes.
        seed: same seed, same split.
        purpose: names the random draw, see :func:`skmm_core.device.generator`.

    Returns:
        The rows kept and the `count` rows held out, each ascending.

    Raises:
        InputError: count is outside 1..N - 1, or so large that a class would keep no row.
    """
    if not 1 <= count < len(rows):
        raise InputError(f"a hold-out of {count} of {len(rows)} rows leaves one side empty; choose another fraction")
    rng = generator(seed, purpose)
    order = torch.randperm(len(rows), generator=rng).numpy()
    held = np.zeros(len(rows), bool)
    if classes is None:
        held[order[:count]] = True
    else:
        labels, codes = np.unique(classes[order], return_inverse=True)
        quotas = _quotas(np.bincount(codes), count, torch.randperm(len(labels), generator=rng).numpy())
        for code in range(len(labels)):
            held[order[codes == code][: quotas[code]]] = True
    return np.sort(rows[~held]), np.sort(rows[held])


def _quotas(sizes: np.ndarray, count: int, lot: np.ndarray) -> np.ndarray:
    """Rows that each class gives: proportional, whole, less than its size, `count` in all; `lot` decides ties."""
    if count > sizes.sum() - len(sizes):
        raise InputError(
            f"a hold-out of {count} of {sizes.sum()} rows takes every row of a class ({len(sizes)} classes, each keeps "
            "one row); choose a smaller fraction"
        )
    exact = count * sizes / sizes.sum()
    quotas = np.minimum(np.floor(exact).astype(np.int64), sizes - 1)
    while (short := count - int(quotas.sum())) > 0:
        by_remainder = np.lexsort((lot, quotas - exact))
        open_classes = by_remainder[(quotas < sizes - 1)[by_remainder]]
        quotas[open_classes[:short]] += 1
    return np.asarray(quotas)
