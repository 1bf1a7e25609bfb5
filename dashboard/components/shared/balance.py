"""How class balance is counted: shares of the classes in the pool and among the chosen, and how far they differ."""

import numpy as np
import pandas as pd

from dashboard.components.shared.points import class_order, is_chosen

MAX_CLASSES = 24  # that a chart has room for


def class_shares(points: pd.DataFrame, budget: int) -> pd.DataFrame:
    """Share of each class in the pool and among the chosen.

    Args:
        points: of :func:`~dashboard.components.shared.points.merge_points`.
        budget: how many of the chosen points count, in pick order.

    Returns:
        One row a class: `name`, `pool`, `chosen` (shares that sum to 1).
    """
    names = class_order(points)
    labels = pd.Categorical(points["label"], categories=names)
    pool = np.bincount(labels.codes[labels.codes >= 0], minlength=len(names))
    picked = labels.codes[is_chosen(points, budget) & (labels.codes >= 0)]
    chosen = np.bincount(picked, minlength=len(names))
    return pd.DataFrame({"name": names, "pool": pool / max(1, pool.sum()), "chosen": chosen / max(1, chosen.sum())})


def total_variation(shares: pd.DataFrame) -> float:
    """Half the summed difference of shares: 0 = the pool's balance, 1 = no class in common."""
    return float((shares["pool"] - shares["chosen"]).abs().sum() / 2)
