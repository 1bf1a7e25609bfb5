"""What a comparison speaks of: data like these, or this very pool; in one sentence for pages, reports and terminals."""

import pandas as pd

from skmm_core.comparison.score_table import PoolPart
from skmm_core.comparison.statistics import LEAST_SEEDS

FIXED = (
    "About this very pool: all seeds pick from the same rows and are scored on the same test rows. A method is better "
    "or worse only where its score lies outside what single random draws from this pool give."
)


def claim_of(scores: pd.DataFrame) -> str:
    """Say what means, intervals and verdicts of a comparison are about; scores of earlier versions share one pool."""
    drawn = scores[scores["pool"] != ""] if "pool" in scores else scores.iloc[:0]
    if not len(drawn):
        return FIXED
    parts = [PoolPart.read(text) for text in sorted(set(drawn["pool"]))]
    sizes, whole = sorted({part.rows for part in parts}), parts[0].pool_size
    rows = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    told = (
        f"About data like these: each seed picks from its own {rows} of the {whole:,} rows of the pool, and intervals "
        "and tests count the luck of pool, test rows and seeds."
    )
    shared = sorted(set(scores.loc[scores["pool"] == "", "budget"]))
    if shared:
        names = ", ".join(f"{int(budget):,}" for budget in shared)
        told += f" At {names} points, more than half of the pool, all seeds share it: there it is about this very pool."
    return told


def few_seeds(seeds: int) -> str:
    """Say so where there are too few seeds for intervals; empty when there are enough."""
    if seeds >= LEAST_SEEDS:
        return ""
    count = "One seed is" if seeds == 1 else f"{seeds} seeds are"
    return f"{count} too few to tell luck from merit: there are no intervals, and no difference is called clear."
