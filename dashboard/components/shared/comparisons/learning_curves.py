"""Learning curves: the mean score of each method against the budget, and a sentence that names the best.

`summary` has the columns method, budget, metric, mean, sd, lo, hi, vs_uniform, vs_lo, vs_hi, wins, p_holm (see
`skmm_core.comparison.cells`).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.comparisons.score_words import is_share, score_text, spans_decades
from dashboard.components.shared.theme import POOL_COLOUR, figure_layout, fmt_number
from skmm_core.comparison import REFERENCE, STRATIFIED
from skmm_core.probes import Metric, best_of
from skmm_core.report import method_styles

_MOST_SHARE = 1.05
_DODGE = 0.012


def learning_curves(summary: pd.DataFrame, metric: Metric, methods: Methods, full: float | None = None) -> Answer:
    """Draw the mean score against the budget with 95 % intervals, one line a method.

    Args:
        summary: of the comparison; only rows of this metric are drawn.
        metric: the score to draw.
        methods: titles and leagues.
        full: score of the same learner trained on the whole pool, when known.
    """
    rows = summary[summary["metric"] == metric.key].sort_values("budget")
    keys = methods.present(rows)
    styles = method_styles(list(methods.titles) + [key for key in keys if key not in methods.titles])
    figure = go.Figure()
    for number, key in enumerate(keys):
        part, style = rows[rows["method"] == key], styles[key]
        shift = 1 + _DODGE * (number - (len(keys) - 1) / 2)
        figure.add_scatter(
            x=part["budget"] * shift, y=part["mean"], name=methods.title(key), mode="lines+markers",
            line={"color": style.colour, "width": 2, "dash": style.dash},
            marker={"color": style.colour, "symbol": style.symbol, "size": 9},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.2, "width": 4, "color": style.colour,
                "array": (part["hi"] - part["mean"]).fillna(0.0), "arrayminus": (part["mean"] - part["lo"]).fillna(0.0),
            },
            customdata=part[["budget", "lo", "hi"]].to_numpy(),
            hovertemplate=_hover(metric, sure=bool(part["lo"].notna().any())),
        )  # fmt: skip
    budgets = sorted({int(budget) for budget in rows["budget"]})
    log = spans_decades(rows["mean"], metric)
    if full is not None and np.isfinite(full) and budgets:
        figure.add_scatter(  # a line with its words in the legend, where they never lie over a curve
            x=[budgets[0] / (1 + 4 * _DODGE), budgets[-1] * (1 + 4 * _DODGE)], y=[full, full], mode="lines",
            name=f"whole pool: {score_text(metric, full)}", line={"color": POOL_COLOUR, "width": 2, "dash": "longdash"},
            hoverinfo="skip",
        )  # fmt: skip
    figure_layout(figure, height=400)
    figure.update_layout(
        xaxis={"title": "points chosen", "type": "log", "tickvals": budgets, "ticktext": [f"{b:,}" for b in budgets]},
        yaxis={
            "title": metric.title,
            "tickformat": ".0%" if is_share(metric) else "",
            **(_log_axis(rows, full) if log else {"type": "linear"}),
            # around scores that are all one and the same, the axis would go up to 200 %
            **({"autorangeoptions": {"clipmax": _MOST_SHARE}} if is_share(metric) else {}),
        },
    )
    sentence = _best_sentence(rows, metric, methods)
    return Answer(
        "How good is a model trained on the chosen points?",
        sentence,
        (Panel("", figure, f"{metric.title} against points chosen, one line a method. {sentence}"),),
        f"Mean over seeds; {_bars(rows)} Points of one budget are drawn slightly apart so that they do not hide each "
        "other. The learner counts all chosen points alike, also where a method weights them."
        + (" † sees the pool's labels." if methods.label_aware & set(keys) else ""),
    )


def _bars(rows: pd.DataFrame) -> str:
    """What the bars are; with few seeds there are none."""
    return "bars are 95 % intervals." if rows["lo"].notna().any() else "no bars, as there are fewer than five seeds."


def _log_axis(rows: pd.DataFrame, full: float | None) -> dict[str, Any]:
    """A log axis over all intervals and the full-data score; plain numbers at 1, 2 and 5, or at 1 over many decades."""
    lows = rows["lo"].where(rows["lo"] > 0, rows["mean"])
    low, high = float(lows.min()), float(rows["hi"].fillna(rows["mean"]).max())
    if full is not None and full > 0:
        low, high = min(low, full), max(high, full)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [first * 10.0**decade for decade in decades for first in ((1, 2, 5) if len(decades) < 5 else (1,))]
    margin = 0.05 * math.log10(high / low)
    return {
        "type": "log",
        "range": [math.log10(low) - margin, math.log10(high) + margin],
        "tickvals": ticks,
        "ticktext": [fmt_number(tick) for tick in ticks],
    }


def _hover(metric: Metric, *, sure: bool) -> str:
    form = ".1%" if is_share(metric) else ".3g"
    interval = f"<br>95 % interval %{{customdata[1]:{form}}} to %{{customdata[2]:{form}}}" if sure else ""
    return f"%{{customdata[0]:,}} points: %{{y:{form}}}{interval}"


def _best_sentence(rows: pd.DataFrame, metric: Metric, methods: Methods) -> str:
    """Name the best method of each league at the smallest and largest budget, with the score of its yardstick."""
    if rows["budget"].nunique() > 1 and np.ptp(rows["mean"]) <= 1e-12 * abs(rows["mean"].max()):
        return f"Every mean is the same, {score_text(metric, float(rows['mean'].iloc[0]))}."
    parts = []
    for budget in dict.fromkeys((int(rows["budget"].min()), int(rows["budget"].max()))):
        here = dict(zip(*(rows.loc[rows["budget"] == budget, name] for name in ("method", "mean")), strict=True))
        leagues = [
            {key: mean for key, mean in here.items() if (key in methods.label_aware) == aware}
            for aware in (False, True)
        ]
        told = [league for league in leagues if set(league) - {REFERENCE, STRATIFIED}] or [here]
        best = [_best_of_league(league, here, metric, methods) for league in told]
        parts.append(f"with {budget:,} points {' and '.join(best)}")
    sentence = "; ".join(parts)
    return sentence[:1].upper() + sentence[1:] + "."


def _best_of_league(league: Mapping[str, float], here: Mapping[str, float], metric: Metric, methods: Methods) -> str:
    """Say "**SkMM** has the best mean, 86.3 % (Uniform 80.1 %)"; say so where the yardstick is as good or better."""
    rivals = {key: mean for key, mean in league.items() if key not in (REFERENCE, STRATIFIED)}
    best = best_of(rivals or league, higher_is_better=metric.higher_is_better)
    yardstick = STRATIFIED if STRATIFIED in here and best in methods.label_aware else REFERENCE
    title, score = f"**{methods.title(best)}**", score_text(metric, here[best])
    if yardstick not in here or best == yardstick:
        return f"{title} has the best mean, {score}"
    other, text = methods.title(yardstick), score_text(metric, here[yardstick])
    if text == score:
        return f"the best mean, {score}, is no better than that of {other}"
    two = {key: here[key] for key in (best, yardstick)}
    if best_of(two, higher_is_better=metric.higher_is_better) == yardstick:
        return f"{title} has {score}, no better than {other} ({text})"
    return f"{title} has the best mean, {score} ({other} {text})"
