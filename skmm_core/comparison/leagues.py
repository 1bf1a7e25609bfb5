"""Label-aware methods against random picks that keep the classes in proportion: what knowing the labels buys for free.

Plain uniform is too easy a yardstick for a method that sees the pool's labels. Nothing here imports torch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.draws import compared
from skmm_core.comparison.score_table import ScoreTable
from skmm_core.comparison.statistics import holm
from skmm_core.comparison.summary import REFERENCE, Verdict, read_saving, saving_text, verdict
from skmm_core.probes import METRICS, Metric, primary_metric

STRATIFIED = "uniform_stratified"
# what a form says beside the default of a league, by whether it sees labels; the measurements are in evidence.md
ADVICE = {
    False: "The default for labelling. On most sources of data it saves points, on others random picks are as good; "
    "compare them on yours.",
    True: "The default for training. It helps most with few points, for classes and for numbers, also where some "
    "labels are wrong. Its picks are made for a linear probe.",
}


@dataclass(frozen=True)
class Judged:
    """A method at one budget against the yardstick of its league.

    Attributes:
        method, budget: what is judged.
        reference: class-stratified uniform for a method that sees classes, else uniform.
        difference: mean of method - reference; lo, hi: its 95 % interval, NaN with fewer than five seeds.
        wins: seeds on which the method is better.
        p_holm: corrected over the methods of its league at this budget.
    """

    method: str
    budget: int
    reference: str
    difference: float
    lo: float
    hi: float
    wins: int
    p_holm: float

    def verdict(self, *, higher_is_better: bool) -> Verdict:
        """Better, worse, or a tie."""
        return verdict(self.lo, self.hi, self.p_holm, higher_is_better=higher_is_better)


def judged(summary: pd.DataFrame, against: Sequence[Mapping[str, Any]], metric: str) -> list[Judged]:
    """Set every method beside the yardstick of its own league.

    Args:
        summary: of the comparison; its paired differences are those from uniform.
        against: rows of :func:`against_stratified`, also as read from a file, where NaN is None; the methods in them
            are judged by these alone.
        metric: key of the score.
    """
    found = [
        Judged(
            method=row["method"],
            budget=int(row["budget"]),
            reference=STRATIFIED,
            difference=float(row["difference"]),
            lo=_number(row["lo"]),
            hi=_number(row["hi"]),
            wins=int(row["wins"]),
            p_holm=float(row["p_holm"]),
        )
        for row in against
        if row["metric"] == metric
    ]
    league = {row.method for row in found}
    rows = summary[(summary["metric"] == metric) & summary["vs_uniform"].notna() & ~summary["method"].isin(league)]
    columns = ["method", "budget", "vs_uniform", "vs_lo", "vs_hi", "wins", "p_holm"]
    found += [
        Judged(str(method), int(budget), REFERENCE, float(gap), float(lo), float(hi), int(wins), float(p))
        for method, budget, gap, lo, hi, wins, p in rows[columns].itertuples(index=False)
    ]
    place = {method: number for number, method in enumerate(dict.fromkeys(summary["method"]))}
    return sorted(found, key=lambda row: (row.budget, place[row.method]))


def league_savings(
    savings: Sequence[Mapping[str, Any]], against: Sequence[Mapping[str, Any]], metric: Metric
) -> list[dict[str, Any]]:
    """What every method saves against the yardstick of its own league.

    Args:
        savings: of a comparison, all read off uniform's curve.
        against: rows of :func:`against_stratified`; see :func:`judged`.
        metric: the primary one.

    Returns:
        The rows of `savings`; those of methods in `against` are read off class-stratified uniform's curve, and say so
        in `reference` and `text`.
    """
    beside = {(row["method"], row["budget"]): row for row in against if row["metric"] == metric.key}
    league = {method for method, _ in beside}
    found = []
    for saving in savings:
        row = beside.get((saving["method"], saving["budget"]))
        if row is not None:
            found.append(_stratified_saving(saving, row, metric))
        elif saving["method"] not in league:
            found.append({**saving, "reference": REFERENCE})
    return found


def _stratified_saving(saving: Mapping[str, Any], row: Mapping[str, Any], metric: Metric) -> dict[str, Any]:
    """A saving with its numbers from class-stratified uniform, as in a row of :func:`against_stratified`."""
    lo, hi, factor = _number(row["lo"]), _number(row["hi"]), row["factor"]
    found = {
        **saving,
        "uniform_budget": None if factor is None else factor * saving["budget"],
        "factor": factor,
        "lo": row["factor_lo"],
        "hi": row["factor_hi"],
        "relation": row["relation"],
        "bound": row["bound"],
        "tie": verdict(lo, hi, row["p_holm"], higher_is_better=metric.higher_is_better) is Verdict.TIE,
        "reference": STRATIFIED,
    }
    return found | {"text": saving_text(found, metric, others="uniform within classes")}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


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
        table = ScoreTable(scores, metric.key)
        for budget in table.budgets_of(STRATIFIED):
            family = []
            for method in [key for key in label_aware if key != STRATIFIED]:
                row = _beside_stratified(table, method, budget, metric, with_saving=metric == primary_metric(task))
                family += [] if row is None else [row]
            for row, adjusted in zip(family, holm([row["p_holm"] for row in family]), strict=True):
                row["p_holm"] = float(adjusted)
            found += family
    return found


def _beside_stratified(
    table: ScoreTable, method: str, budget: int, metric: Metric, *, with_saving: bool
) -> dict[str, Any] | None:
    """One row, its p-value not yet corrected; None where the two have no seed in common."""
    mine, theirs = table.get(method, budget), table.get(STRATIFIED, budget)
    if mine is None or theirs is None or not np.isin(mine.seeds, theirs.seeds).any():
        return None
    pair = compared(mine, theirs, higher_is_better=metric.higher_is_better)
    row: dict[str, Any] = {"method": method, "budget": budget, "metric": metric.key}
    row |= {"difference": pair.difference.mean, "lo": pair.difference.lo, "hi": pair.difference.hi}
    row |= {"wins": pair.wins, "pairs": pair.pairs, "p_holm": pair.p}
    read = read_saving(table, method, budget, STRATIFIED, metric) if with_saving else None
    if with_saving and read is None:
        return None
    if read is not None:
        saving, _ = read
        row |= {"factor": saving.factor, "factor_lo": saving.lo, "factor_hi": saving.hi}
        row |= {"relation": saving.relation.value, "bound": saving.bound}
    return row
