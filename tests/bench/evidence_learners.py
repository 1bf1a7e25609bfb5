"""The part of the evidence on learners: what they add to the same picks, and which picks lead under each."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from skmm_core.comparison.families import family_means
from skmm_core.comparison.statistics import bootstrap_interval
from skmm_core.methods.registry import get_method
from skmm_core.probes.learners import AUTO, LINEAR, in_order, learner_title
from tests.bench.evidence_answer import AWARE, CONFIRMING, FREE
from tests.bench.evidence_tables import CLASSES, NUMBERS, Evidence, MeanFactor
from tests.bench.evidence_words import budget_text, factor_text, listed, mean_text, score_text, times_text, title_of
from tests.bench.learner_study import DATASETS, SOURCE

ALIKE = "uniform"
_INTRODUCTION = """The same picks under other learners than the linear probe, on the same draws, by
`python -m tests.bench.learner_study --data FOLDER` (`assets/benchmarks/learners.json`). × is how many times as many
random picks the linear probe needs for the same score, with its 95 % interval over seeds: what picks and learner save
together. `auto` is chosen in folds of the picks, and reads no other label. What was tried on the tuning half: spreading
labels, smoothing rows, kernels on the graph, and sums of two of them; the sum that stands was ahead or level at every
budget there."""


@cache
def learner_scores() -> pd.DataFrame:
    """The committed scores under other learners than the linear probe."""
    made: dict[str, Any] = json.loads(SOURCE.read_text(encoding="utf-8"))
    return pd.DataFrame(made["scores"], columns=made["columns"])


def name(method: str, learner: str) -> str:
    """Of a configuration that is picks and a learner."""
    return method if learner == LINEAR else f"{method}, {learner}"


def combined(evidence: Evidence, scores: pd.DataFrame) -> Evidence:
    """The evidence with one configuration more for every method and learner."""
    rows = scores.assign(configuration=[name(*pair) for pair in zip(scores["method"], scores["learner"], strict=True)])
    rows = rows.assign(seconds=0.0)[list(evidence.about["columns"])]
    kept = evidence.scores[list(evidence.about["columns"])]
    return Evidence(evidence.about | {"scores": [*kept.to_numpy().tolist(), *rows.to_numpy().tolist()]})


def learners_part(evidence: Evidence) -> str:
    """The section, with its tables."""
    scores = learner_scores()
    both = combined(evidence, scores)
    return "\n\n".join(
        [
            "## Learners",
            _INTRODUCTION,
            _answer(both),
            _sets(both, CLASSES),
            _sets(both, NUMBERS),
            _leads(both, scores),
            _settled(evidence, scores),
        ]
    )


def readme_learners(evidence: Evidence) -> str:
    """What README says of the learner, every number computed: of a half where it has families enough to tell."""
    both = combined(evidence, learner_scores())
    said = []
    for metric, half, where in (
        (CLASSES, CONFIRMING, "for classes, on the confirming half"),
        (NUMBERS, None, "for numbers, on both halves"),
    ):
        alone, whole = (_told(together(both, half, metric, method, AUTO)) for method in (ALIKE, FREE))
        said.append(
            f"{where}, {alone} as many beside random picks, and {whole} beside picks of {get_method(FREE).title}"
        )
    text = "**The learner** may save too, without one label more. Random picks with a linear probe reach what the "
    text += f"automatic learner has at low budgets with, {'; '.join(said)}."
    return "\n".join(wrap(text, 120, break_long_words=False))


def _told(found: MeanFactor) -> str:
    """The factor, and that it is a tie where its interval holds 1."""
    return f"{times_text(found)}{' (a tie)' if found.lo <= 1 <= found.hi else ''}"


def together(evidence: Evidence, half: str | None, metric: str, method: str, learner: str) -> MeanFactor:
    """× of picks and a learner over random picks and the linear probe, over families."""
    return evidence.mean_factor(_scored(evidence, metric, half), name(method, learner), ALIKE)


def _scored(evidence: Evidence, metric: str, half: str | None = None) -> list[str]:
    """Data sets that were scored under every learner."""
    return [each for each in evidence.datasets(half=half, metric=metric) if each in DATASETS]


def _answer(evidence: Evidence) -> str:
    rows = ["| Picks | Learner | Targets | × confirming half | × both halves |", "|---|---|---|---|---|"]
    for metric, targets in ((CLASSES, "classes"), (NUMBERS, "numbers")):
        for method, learner in ((ALIKE, AUTO), (FREE, LINEAR), (FREE, AUTO), (AWARE, LINEAR), (AWARE, AUTO)):
            halves = (together(evidence, half, metric, method, learner) for half in (CONFIRMING, None))
            cells = " | ".join(map(mean_text, halves))
            rows.append(f"| `{method}` | {learner_title(learner)} | {targets} | {cells} |")
    return "At the low budgets, geometric means within a data set, a family, then over families:\n\n" + "\n".join(rows)


def _sets(evidence: Evidence, metric: str) -> str:
    """Scores of random picks and of the default, under the linear probe and under auto."""
    pairs = [(method, learner) for method in (ALIKE, FREE) for learner in (LINEAR, AUTO)]
    unit = "Accuracy" if metric == CLASSES else "Mean absolute error"
    head = " | ".join(f"`{method}`, {learner_title(learner).lower()}" for method, learner in pairs)
    rows = [f"| {unit} on | n | {head} | × |", "|---|---|" + "---|" * (len(pairs) + 1)]
    for dataset in _scored(evidence, metric):
        for budget in evidence.budgets(dataset):
            cells = [
                score_text(float(evidence.cells[dataset, name(method, learner), budget].mean()), metric)
                for method, learner in pairs
            ]
            factor = factor_text(evidence.factor(dataset, name(FREE, AUTO), budget, ALIKE))
            points = budget_text(evidence, dataset, budget)
            rows.append(f"| {title_of(evidence, dataset)} | {points} | {' | '.join(cells)} | {factor} |")
    return "\n".join(rows)


def _leads(evidence: Evidence, scores: pd.DataFrame) -> str:
    """The label-free picks under each learner: the default's difference to the best other ones, by family."""
    free = [method for method in dict.fromkeys(scores["method"]) if method not in evidence.aware and method != FREE]
    rows = [
        "Which picks lead depends on the learner. Points of accuracy by which picks are ahead of random ones, mean "
        "over families, data sets and budgets, all under the same learner:\n",
        "| Learner | " + " | ".join(f"`{method}`" for method in (FREE, *free) if method != ALIKE) + " |",
        "|---" * (len(free) + 1) + "|",
    ]
    for learner in (LINEAR, *(each for each in in_order(set(scores["learner"])) if each != LINEAR)):
        datasets = [
            d for d in _scored(evidence, CLASSES) if (d, name(FREE, learner), _first(evidence, d)) in evidence.cells
        ]
        if datasets:
            gains = [_gain(evidence, datasets, method, learner) for method in (FREE, *free) if method != ALIKE]
            rows.append(f"| {learner_title(learner)} | " + " | ".join(f"{100 * gain:+.1f}" for gain in gains) + " |")
    return "\n".join(rows)


def _first(evidence: Evidence, dataset: str) -> int:
    return evidence.budgets(dataset)[0]


def _gain(evidence: Evidence, datasets: Sequence[str], method: str, learner: str) -> float:
    gains = [
        np.mean(
            [
                (evidence.cells[d, name(method, learner), b] - evidence.cells[d, name(ALIKE, learner), b]).mean()
                for b in evidence.budgets(d)
            ]
        )
        for d in datasets
    ]
    return float(family_means(gains, [evidence.family(d) for d in datasets]).mean())


def _settled(evidence: Evidence, scores: pd.DataFrame) -> str:
    """How often auto came to which learner."""
    auto = scores[scores["learner"] == AUTO]
    said = []
    for metric, targets in ((CLASSES, "classes"), (NUMBERS, "numbers")):
        rows = auto[auto["dataset"].isin(evidence.datasets(metric=metric))]
        counts = Counter(rows["settled"])
        parts = [f"{learner_title(each).lower()} {count} times" for each, count in counts.most_common()]
        said.append(f"for {targets} {listed(parts)}")
    gap = _auto_gap(scores)
    return f"`auto` settled {'; '.join(said)}. {gap}"


def _auto_gap(scores: pd.DataFrame) -> str:
    """Accuracy of auto less that of propagation, over draws of classes."""
    keys = ["dataset", "method", "budget", "seed"]
    wide = scores[scores["value"] <= 1].pivot_table(index=keys, columns="learner", values="value")
    gaps = (wide[AUTO] - wide["propagate"]).dropna().groupby("seed").mean()
    found = bootstrap_interval(100 * gaps)
    return (
        f"Where targets are classes it is {found.mean:+.2f} [{found.lo:+.2f}, {found.hi:+.2f}] points ahead of always "
        "propagating, mean and 95 % interval over seeds."
    )
