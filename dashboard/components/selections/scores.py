"""How well a learner scores on the picks of these methods: taken from comparisons of the same data, where any did.

One selection has one score, which says little; a comparison repeats the method over seeds, so its scores come with
intervals, and those of two methods are paired seed by seed.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.selections.overlap import LETTERS
from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.comparisons.repeated_selections import covers
from dashboard.components.shared.comparisons.score_words import is_share, score_text, signed, verdict_text
from dashboard.components.shared.theme import escape, figure_layout, plural
from skmm_core.comparison import (
    REFERENCE,
    Draws,
    ScoreTable,
    Verdict,
    claim_of,
    compared,
    few_seeds,
    holm,
    mean_of,
    verdict,
)
from skmm_core.config import SelectJob
from skmm_core.probes import LINEAR, Metric, labels_note, learner_phrase, learner_summary, learner_title
from skmm_core.report import run_style
from skmm_core.runs import RunRecord

_ROW_PIXELS = 46


@dataclass(frozen=True)
class Scored:
    """What a comparison says of the selections on the page.

    Attributes:
        name: of the comparison.
        values: by number of the selection, its scores by seed.
        luck: by number of the selection, the scores of random picks of as many points, or None.
        claim: what the comparison is about.
    """

    name: str
    values: Mapping[int, Draws]
    luck: Mapping[int, Draws | None]
    claim: str


def best_comparison(comparisons: Sequence[RunRecord], selections: Sequence[RunRecord]) -> RunRecord | None:
    """The comparison that repeated most of these selections, the newest of such; None when none did.

    Args:
        comparisons: finished ones, newest first.
        selections: on the page.
    """
    counts = [sum(covers(each, made) for made in selections) for each in comparisons]
    return comparisons[int(np.argmax(counts))] if any(counts) else None


def scored_by(comparison: RunRecord, scores: pd.DataFrame, selections: Sequence[RunRecord], metric: Metric) -> Scored:
    """The scores by seed of the selections that a comparison repeated."""
    table = ScoreTable(scores, metric.key)
    values, luck = {}, {}
    for number, made in enumerate(selections):
        if covers(comparison, made) and isinstance(made.config.job, SelectJob):
            job = made.config.job
            mine = table.get(job.method, job.budget)
            if mine is not None:
                values[number], luck[number] = mine, table.get(REFERENCE, job.budget)
    return Scored(comparison.name, values, luck, claim_of(scores))


def scores_answer(
    scored: Scored,
    labels: Sequence[str],
    metric: Metric,
    *,
    learner: str = LINEAR,
    validation_rows: int | None = None,
) -> Answer:
    """Draw mean scores with intervals, and say how each two differ on the same seeds.

    Args:
        scored: by one comparison, at least one selection.
        labels: name of each selection on the page.
        metric: that is shown.
        learner: that was trained on the picks.
        validation_rows: labelled rows that tuned it, where the comparison tells.
    """
    seeds = max(len(found.values) for found in scored.values.values())
    pairs = paired_sentences(scored, metric)
    means = "; ".join(
        f"**{LETTERS[number]}** {score_text(metric, float(found.values.mean()))}"
        for number, found in scored.values.items()
    )
    sentence = f"{metric.title}: {means}. {' '.join(pairs)}".strip()
    trained = learner_phrase(learner)
    source = " ".join(
        filter(
            None,
            (
                f"With {trained}, over {plural(seeds, 'seed')} of the comparison {escape(scored.name)}, not of these "
                "selections alone.",
                labels_note(validation_rows, learner),
                few_seeds(seeds),
            ),
        )
    )
    figure = _figure(scored, labels, metric)
    sure = "" if few_seeds(seeds) else " with its 95 % interval"
    alt = f"Mean {metric.title.lower()} with {trained}{sure}. {sentence}"
    explained = f"{learner_title(learner)}: {learner_summary(learner)} {_HELP} {scored.claim}"
    return Answer("Which picks teach a model more?", f"{sentence} {source}", (Panel("", figure, alt),), explained)


_HELP = (
    "It is trained on what each method picks, once a seed, and scored on the test rows. Bars, with five seeds or more: "
    "95 % intervals of the mean. Differences are taken seed by seed; they are not clear unless the "
    "interval leaves out 0 and the corrected p is below 0.05."
)


def paired_sentences(scored: Scored, metric: Metric) -> list[str]:
    """One sentence for each two selections: difference, its interval, and what it means."""
    found = []
    for first, second in itertools.combinations(scored.values, 2):
        one, two = scored.values[first], scored.values[second]
        if np.isin(one.seeds, two.seeds).any():
            luck = {"luck": scored.luck[first], "other_luck": scored.luck[second]}
            paired = compared(one, two, higher_is_better=metric.higher_is_better, **luck)
            found.append((LETTERS[first], LETTERS[second], paired))
    if not found:
        return []
    corrected = holm([paired.p for _, _, paired in found])
    sentences = []
    for (first_name, second_name, paired), p in zip(found, corrected, strict=True):
        gap = paired.difference
        said = verdict(gap.lo, gap.hi, float(p), higher_is_better=metric.higher_is_better)
        words = f"{first_name} − {second_name}: {signed(metric, gap.mean)}"
        if np.isfinite(gap.lo):
            words += f" ({signed(metric, gap.lo)} to {signed(metric, gap.hi)})"
        end = f"**{first_name}** is {said.value}" if said is not Verdict.TIE else verdict_text(said)
        sentences.append(f"{words}, {end}.")
    return sentences


def missing_line(selections: Sequence[RunRecord], scored: Scored | None) -> str:
    """Which selections no comparison repeated, and how to have them scored; empty when all are."""
    kept = scored.values if scored else {}
    lost = [number for number in range(len(selections)) if number not in kept]
    if not lost:
        return ""
    hand = [number for number in lost if _by_hand(selections[number])]
    names = ", ".join(f"{LETTERS[number]} ({escape(_what(selections[number]))})" for number in lost)
    line = f"No finished comparison scored {names}. Start one in Compare with these methods, options and budgets."
    if hand:
        letters = ", ".join(LETTERS[number] for number in hand)
        line += f" {letters} was picked around points by hand, which Compare cannot repeat."
    return line


def _what(record: RunRecord) -> str:
    return f"{record.method}, {record.budget} points"


def _by_hand(record: RunRecord) -> bool:
    job = record.config.job
    return isinstance(job, SelectJob) and bool(job.include or job.exclude)


def _figure(scored: Scored, labels: Sequence[str], metric: Metric) -> go.Figure:
    figure, factor = go.Figure(), 100 if is_share(metric) else 1
    for number, values in scored.values.items():
        style, interval = run_style(number), mean_of(values).interval()
        edges = (interval.lo, interval.hi)
        low, high = (abs(edge - interval.mean) * factor if np.isfinite(edge) else 0.0 for edge in edges)
        figure.add_scatter(
            x=[factor * interval.mean], y=[LETTERS[number]], mode="markers", name=labels[number], showlegend=False,
            error_x={"type": "data", "array": [high], "arrayminus": [low], "thickness": 2, "width": 7},
            marker={"color": style.colour, "symbol": style.symbol, "size": 12},
            hovertemplate=f"{LETTERS[number]}: {score_text(metric, interval.mean)}<extra></extra>",
        )  # fmt: skip
    figure_layout(figure, height=90 + _ROW_PIXELS * len(scored.values), legend=False)
    unit = f" ({metric.unit})" if metric.unit == "%" else ""
    figure.update_xaxes(title=f"{metric.title}{unit}")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure
