"""Label-aware methods against random picks that keep the classes in proportion: what knowing the labels buys for free.

Plain uniform is too easy a yardstick for a method that sees the pool's labels. Nothing here imports torch.
"""

from collections.abc import Collection
from typing import Any

import pandas as pd

from skmm_core.statistics import data_saving, holm, paired_difference
from skmm_core.summary import METRICS, primary_metric

STRATIFIED = "uniform_stratified"
# what a form says beside the default of a league, by whether it sees labels; the measurements are in evidence.md
ADVICE = {
    False: "The default for labelling. It helps most with few points; less where classes are very uneven, and with "
    "many points random picks come close.",
    True: "The default for training. It helps most with few points a class, also where some labels are wrong. Its "
    "picks are made for a linear probe. For numbers on a few plain columns take SkMM joint.",
}


def against_stratified(scores: pd.DataFrame, label_aware: Collection[str], task: str) -> list[dict[str, Any]]:
    """Pair every label-aware method with class-stratified uniform, seed by seed.

    Args:
        scores: tidy rows, columns SCORE_COLUMNS.
        label_aware: methods that see the pool's labels.
        task: "classification" or "regression".

    Returns:
        One dict a method, budget and metric, empty without scores of class-stratified uniform: method, budget, metric,
        difference (method - stratified), lo, hi, wins, pairs, p_holm (corrected over the methods within one budget and
        metric), and on the primary metric factor, factor_lo, factor_hi, relation, bound: the budget that stratified
        uniform needs for the method's score over the method's own, as in `Comparison.savings`.
    """
    found: list[dict[str, Any]] = []
    for metric in METRICS[str(task)]:
        rows = scores[scores["metric"] == metric.key]
        wide = rows.pivot_table(index="seed", columns=["method", "budget"], values="value")
        if STRATIFIED not in wide.columns.get_level_values("method"):
            continue
        curve = wide[STRATIFIED].dropna()
        for budget in curve.columns:
            family = []
            for method in [key for key in label_aware if key != STRATIFIED and (key, budget) in wide.columns]:
                values = wide[(method, budget)].dropna()
                seeds = values.index.intersection(curve.index)
                if not len(seeds):
                    continue
                mine, theirs = values[seeds], curve.loc[seeds, budget]
                pair = paired_difference(mine, theirs, higher_is_better=metric.higher_is_better)
                row: dict[str, Any] = {"method": method, "budget": int(budget), "metric": metric.key}
                row |= {"difference": pair.difference.mean, "lo": pair.difference.lo, "hi": pair.difference.hi}
                row |= {"wins": pair.wins, "pairs": pair.pairs, "p_holm": pair.p}
                if metric == primary_metric(task):
                    saving = data_saving(
                        int(budget),
                        mine,
                        curve.columns.to_numpy(),
                        curve.loc[seeds].T.to_numpy(),
                        higher_is_better=metric.higher_is_better,
                    )
                    row |= {"factor": saving.factor, "factor_lo": saving.lo, "factor_hi": saving.hi}
                    row |= {"relation": saving.relation.value, "bound": saving.bound}
                family.append(row)
            for row, adjusted in zip(family, holm([row["p_holm"] for row in family]), strict=True):
                row["p_holm"] = float(adjusted)
            found += family
    return found
