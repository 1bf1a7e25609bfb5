"""What picks and a learner save together: set beside random picks with a linear probe, which is what one has without.

Nothing here imports torch.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.draws import compared
from skmm_core.comparison.score_table import ScoreTable, under_learner
from skmm_core.comparison.statistics import holm
from skmm_core.comparison.summary import REFERENCE, Verdict, read_saving, saving_row, verdict
from skmm_core.probes import LINEAR, Metric, learner_phrase, primary_metric

OTHERS = f"{REFERENCE} with {learner_phrase(LINEAR)}"
_YARDSTICK = f"{REFERENCE}|{LINEAR}"  # a key that no method has


def against_linear(
    scores: pd.DataFrame, learner: str, task: str, *, label_aware: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Points that uniform with a linear probe needs for the score of every method, uniform too, under a learner.

    The same seeds picked from the same parts of the pool and are scored on the same test rows, so they are paired as
    two methods under one learner are.

    Args:
        scores: tidy rows of several learners, columns SCORE_COLUMNS, DRAW_COLUMNS and LEARNER_COLUMNS.
        learner: that is set beside the linear probe.
        task: "classification" or "regression".
        label_aware: methods that see the pool's labels, whose tests are corrected apart.

    Returns:
        One dict a method and budget on the primary metric, as in `Comparison.savings` with `learner`, and of the paired
        test at the method's own budget `difference`, `difference_lo`, `difference_hi`, `p_holm`. Empty for the linear
        probe itself, and where it was not scored.
    """
    mine, linear = under_learner(scores, learner), under_learner(scores, LINEAR)
    base = linear[linear["method"] == REFERENCE]
    if learner == LINEAR or not len(mine) or not len(base):
        return []
    metric = primary_metric(task)
    both = pd.concat([mine, base.assign(method=_YARDSTICK)], ignore_index=True)
    table = ScoreTable(both.drop(columns="learner"), metric.key)
    methods = list(dict.fromkeys(map(str, mine["method"])))
    rows: list[dict[str, Any]] = []
    for budget in sorted({int(number) for number in mine["budget"]}):
        for league in (False, True):
            family = [method for method in methods if (method in label_aware) == league]
            rows += _family(table, family, budget, learner, metric)
    order = {method: place for place, method in enumerate(methods)}
    return sorted(rows, key=lambda row: (order[row["method"]], row["budget"]))


def _family(
    table: ScoreTable, methods: Collection[str], budget: int, learner: str, metric: Metric
) -> list[dict[str, Any]]:
    """Rows of the methods of one league at a budget, their p-values corrected together."""
    found = []
    theirs = table.get(_YARDSTICK, budget)
    for method in methods:
        own, read = table.get(method, budget), read_saving(table, method, budget, _YARDSTICK, metric)
        if own is None or theirs is None or read is None or not np.isin(own.seeds, theirs.seeds).any():
            continue
        found.append((method, read, compared(own, theirs, higher_is_better=metric.higher_is_better)))
    rows = []
    corrected = holm([pair.p for _, _, pair in found])
    for (method, (saving, score), pair), p in zip(found, corrected, strict=True):
        gap = pair.difference
        tie = verdict(gap.lo, gap.hi, float(p), higher_is_better=metric.higher_is_better) is Verdict.TIE
        row = saving_row(saving, method, budget, score, tie, metric, others=OTHERS)
        row["text"] = f"With {learner_phrase(learner)}, {row['text']}"
        test = {"difference": gap.mean, "difference_lo": _known(gap.lo), "difference_hi": _known(gap.hi)}
        rows.append({"learner": learner, **row, **test, "p_holm": float(p)})
    return rows


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
