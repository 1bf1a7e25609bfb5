"""The numbers of up to four selections in one table, the best one marked where a best one exists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun
from dashboard.components.shared.diagnostics.random_picks import common_band, random_cell, value_text
from skmm_core.diagnostics import QUANTITIES

_RANDOM = "Random picks"


@dataclass(frozen=True)
class Measure:
    """One row of the table.

    Attributes:
        key: of the quantity.
        best: whether the smallest value is the best one; rows without a best only inform.
        sketched: whether it is measured in the run's own sketch, so that only equal sketches compare.
    """

    key: str
    best: bool = True
    sketched: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure("n", best=False),
    Measure("effective_weights", best=False),
    Measure("rank", best=False),
    Measure("represented", best=False),
    # each run has a rank of its own, and a lower one always has less variance: neither is best by itself
    Measure("bias", best=False),
    Measure("variance", best=False),
    Measure("bias_term", best=False),
    Measure("variance_term", best=False),
    Measure("error_bound"),
    Measure("c_s", sketched=True),
    Measure("trace_score", sketched=True),
    Measure("moment_error", sketched=True),
    Measure("ridge_error"),
    Measure("coverage_mean"),
    Measure("coverage_radius"),
    Measure("class_tv"),
    Measure("duplicates"),
)


def metrics_table(runs: Sequence[DiagnosedRun]) -> tuple[pd.DataFrame, str]:
    """Make the table of numbers as markdown text, and the line that says what the marks mean.

    A best value is marked only where it means something: at least two runs with the same number of points, values that
    differ, and, for what is measured in the sketch, the same sketch.

    Returns:
        One row a measure, one column a run and one for random picks, where all runs share them; and what the marks
        mean.
    """
    compared = common_band(runs)
    band = None if compared is None else compared.band
    same_n = len({run.diagnostics.n for run in runs}) == 1
    same_sketch = len({run.sketch for run in runs}) == 1
    rows: dict[str, list[str]] = {}
    for measure in MEASURES:
        quantity = QUANTITIES[measure.key]
        values = [quantity.of(vars(run.diagnostics)) for run in runs]
        if all(value is None for value in values):
            continue
        marked = measure.best and same_n and (same_sketch or not measure.sketched)
        rows[quantity.title] = _cells(measure.key, values, marked)
        if band is not None:
            rows[quantity.title].append(random_cell(band, measure.key, judged=len(runs) == 1))
    columns = [*(run.label for run in runs), *([_RANDOM] if band is not None else [])]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    told = "" if band is None else f"{_RANDOM}: the middle of {band.draws} draws of the same size, and their range. "
    return table, told + _legend(len(runs), same_n, same_sketch)


def _cells(key: str, values: list[float | None], marked: bool) -> list[str]:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    texts = ["–" if value is None else value_text(key, value) for value in values]
    best = min(finite, default=math.nan)
    at_best = [value is not None and value == best for value in values]
    if not marked or len(values) < 2 or all(at_best) or not finite:
        return texts
    return [f"**{text}** ★" if wins else text for text, wins in zip(texts, at_best, strict=True)]


def _legend(count: int, same_n: bool, same_sketch: bool) -> str:
    if count < 2:
        return "Add a second run to see which one is better."
    if not same_n:
        return "The runs hold different numbers of points, so no best value is marked."
    if not same_sketch:
        return "★ best. Values measured in the sketch are not marked: these runs used different sketches."
    return "★ best of these runs; smaller is better in every marked row."
