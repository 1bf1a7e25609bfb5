"""One set of selections under several learners: a summary for each, one table of all, and which picks win under which.

Means, tests and corrections are always within one learner. Nothing here imports torch.
"""

import math
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


def best_by_learner(
    table: pd.DataFrame, metric: Metric, budget: int, among: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The methods with the best mean under each learner: one, or all whose means are equal.

    Args:
        table: of :func:`summary_table`.
        metric: the score.
        budget: number of points.
        among: methods of one league; leagues are never mixed.

    Returns:
        learner -> methods, in the order of the table of learners; empty where the league has one method.
    """
    rows = table[(table["metric"] == metric.key) & (table["budget"] == budget) & table["method"].isin(list(among))]
    means: dict[str, dict[str, float]] = {}
    for learner, method, mean in rows[["learner", "method", "mean"]].itertuples(index=False):
        means.setdefault(str(learner), {})[str(method)] = float(mean)
    found = {}
    for key in in_order(means):
        best = means[key][best_of(means[key], higher_is_better=metric.higher_is_better)]
        found[key] = tuple(name for name, mean in means[key].items() if math.isclose(mean, best, rel_tol=1e-12))
    return {} if len({name for each in means.values() for name in each}) < 2 else found


def winners_sentence(
    best: Mapping[str, tuple[str, ...]], titles: Mapping[str, str], budget: int, metric: Metric, *, label_aware: bool
) -> str:
    """Say which methods have the best mean under which learner, not that others are worse; empty under one learner.

    Args:
        best: of :func:`best_by_learner`.
        titles: by method.
        budget: number of points.
        metric: the score.
        label_aware: the league is that of methods that see labels.
    """
    if len(best) < 2:
        return ""
    score = metric.title if metric.key == "r2" else metric.title.lower()
    place = "Of those that see labels, first" if label_aware else "First"
    start = f"{place} by mean {score} at {budget:,} point{'s' * (budget != 1)}:"
    learners: dict[tuple[str, ...], list[str]] = {}
    for learner, methods in best.items():
        learners.setdefault(methods, []).append(learner_phrase(learner))
    said = []
    for methods, phrases in learners.items():
        named = _listed([titles.get(method, method) for method in methods])
        level = ", which are level," if len(methods) > 1 else ""
        said.append(f"{named}{level} with {'every learner' if len(learners) == 1 else _listed(phrases)}")
    return f"{start} {'; '.join(said)}."


def _listed(names: list[str]) -> str:
    """One or several names as a sentence has them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def settled_counts(scores: pd.DataFrame) -> dict[int, dict[str, int]]:
    """How often `auto` settled on each learner: budget -> learner -> selections; empty where auto was not scored."""
    rows = under_learner(scores, AUTO)
    cells = rows[rows["settled"] != ""].drop_duplicates(["method", "budget", "seed"])
    counts: dict[int, dict[str, int]] = {}
    for (budget, learner), group in cells.groupby(["budget", "settled"]):
        counts.setdefault(int(str(budget)), {})[str(learner)] = len(group)
    return {budget: {key: counts[budget][key] for key in in_order(counts[budget])} for budget in sorted(counts)}


def settled_sentence(counts: Mapping[Any, Mapping[str, int]], task: str) -> str:
    """Say how often `auto` settled on which learner at each budget, or for numbers which weighed more in its average.

    Args:
        counts: of :func:`settled_counts`; empty where auto was not scored, and so is the sentence then.
        task: "classification" or "regression".
    """
    if not counts:
        return ""
    parts = []
    for budget, found in counts.items():
        total, ranked = sum(found.values()), sorted(found.items(), key=lambda item: -item[1])
        named = ", ".join(f"{learner_title(key).lower()} {count:,}" for key, count in ranked)
        parts.append(f"at {int(budget):,} point{'s' * (int(budget) != 1)} {named} of {total:,}")
    auto = learner_phrase(AUTO)
    what = f"weighed more in {auto}" if task == "regression" else f"{auto} settled on"
    return f"What {what}, without any test row: {'; '.join(parts)}."
