"""One set of selections under several learners: a summary for each, one table of all, and which picks win under which.

Means, tests and corrections are always within one learner. Nothing here imports torch.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from skmm_core.comparison.score_table import under_learner
from skmm_core.comparison.summary import SUMMARY_COLUMNS, Comparison, summarise
from skmm_core.probes import AUTO, Metric, best_of, in_order, learner_phrase, learner_title, main_learner


def summarise_learners(
    scores: pd.DataFrame,
    full: Mapping[str, Mapping[str, float]],
    task: str,
    *,
    left_out: Mapping[str, str] | None = None,
    label_aware: Collection[str] = (),
) -> Comparison:
    """Summarise whatever cells are there under each learner; see :func:`~skmm_core.comparison.summary.summarise`.

    Args:
        scores: tidy rows of one or several learners, columns SCORE_COLUMNS, DRAW_COLUMNS and LEARNER_COLUMNS.
        full: learner -> metric -> full-data score; may be empty.
        task: "classification" or "regression".
        left_out: methods that could not run, with the reason.
        label_aware: methods that see the pool's labels.

    Returns:
        The comparison under the main learner, the others in `others`.
    """
    found = {
        learner: summarise(
            under_learner(scores, learner), full.get(learner, {}), task, left_out=left_out, label_aware=label_aware
        )
        for learner in in_order(set(scores["learner"]))
    }
    if not found:
        return summarise(scores, {}, task, left_out=left_out, label_aware=label_aware)
    main = main_learner(list(found))
    return replace(found[main], others={key: each for key, each in found.items() if key != main})


def summary_table(found: Comparison) -> pd.DataFrame:
    """The summaries under all learners below each other, columns learner and SUMMARY_COLUMNS, the main one first."""
    frames = [each.summary.assign(learner=key) for key, each in found.by_learner.items()]
    return pd.concat(frames, ignore_index=True)[["learner", *SUMMARY_COLUMNS]]


def best_by_learner(table: pd.DataFrame, metric: Metric, budget: int, among: Collection[str]) -> dict[str, str]:
    """The method with the best mean under each learner.

    Args:
        table: of :func:`summary_table`.
        metric: the score.
        budget: number of points.
        among: methods of one league; leagues are never mixed.

    Returns:
        learner -> method, in the order of the table of learners.
    """
    rows = table[(table["metric"] == metric.key) & (table["budget"] == budget) & table["method"].isin(list(among))]
    means: dict[str, dict[str, float]] = {}
    for learner, method, mean in rows[["learner", "method", "mean"]].itertuples(index=False):
        means.setdefault(str(learner), {})[str(method)] = float(mean)
    return {key: best_of(means[key], higher_is_better=metric.higher_is_better) for key in in_order(means)}


def winners_sentence(best: Mapping[str, str], titles: Mapping[str, str], budget: int, metric: Metric) -> str:
    """Say which method has the best mean under which learner, not that others are worse; empty under one learner."""
    if len(best) < 2:
        return ""
    start = f"First by mean {metric.title if metric.key == 'r2' else metric.title.lower()} at {budget:,} points:"
    learners: dict[str, list[str]] = {}
    for learner, method in best.items():
        learners.setdefault(method, []).append(learner_phrase(learner))
    if len(learners) == 1:
        return f"{start} {titles.get(next(iter(learners)), next(iter(learners)))} with every learner."
    said = "; ".join(f"{titles.get(method, method)} with {' and '.join(keys)}" for method, keys in learners.items())
    return f"{start} {said}."


def settled_counts(scores: pd.DataFrame) -> dict[int, dict[str, int]]:
    """How often `auto` settled on each learner: budget -> learner -> selections; empty where auto was not scored."""
    rows = under_learner(scores, AUTO)
    cells = rows[rows["settled"] != ""].drop_duplicates(["method", "budget", "seed"])
    counts: dict[int, dict[str, int]] = {}
    for (budget, learner), group in cells.groupby(["budget", "settled"]):
        counts.setdefault(int(str(budget)), {})[str(learner)] = len(group)
    return {budget: {key: counts[budget][key] for key in in_order(counts[budget])} for budget in sorted(counts)}


def settled_sentence(counts: Mapping[Any, Mapping[str, int]]) -> str:
    """Say how often `auto` settled on which learner at each budget; empty where it was not scored."""
    if not counts:
        return ""
    parts = []
    for budget, found in counts.items():
        total, ranked = sum(found.values()), sorted(found.items(), key=lambda item: -item[1])
        named = ", ".join(f"{learner_title(key).lower()} {count:,}" for key, count in ranked)
        parts.append(f"at {int(budget):,} points {named} of {total:,}")
    return f"What the automatic learner settled on, without any test row: {'; '.join(parts)}."
