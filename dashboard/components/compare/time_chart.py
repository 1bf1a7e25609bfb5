"""How long methods take to pick: one bar a method.

`scores` has dataset, method, budget, seed, metric, value, seconds, split (see `skmm_core.comparison.cells`).
"""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.theme import figure_layout, fmt_seconds
from skmm_core.report import method_styles


def time_bars(scores: pd.DataFrame, methods: Methods) -> Answer:
    """Draw the mean time of one selection at the largest budget, one bar a method."""
    cells = scores.drop_duplicates(["method", "budget", "seed"])
    largest = int(cells["budget"].max())
    seconds = cells[cells["budget"] == largest].groupby("method")["seconds"].mean()
    keys = [key for key in methods.present(cells) if key in seconds.index]
    values = [max(float(seconds[key]), 1e-4) for key in keys]
    texts = [fmt_seconds(float(seconds[key])) for key in keys]
    styles = method_styles(list(methods.titles) + [key for key in keys if key not in methods.titles])
    figure = go.Figure()
    figure.add_bar(
        y=[methods.title(key) for key in keys], x=values, orientation="h", text=texts, textposition="outside",
        marker={"color": [styles[key].colour for key in keys]}, hovertemplate="%{y}: %{text}", cliponaxis=False,
    )  # fmt: skip
    figure_layout(figure, height=110 + 34 * len(keys), legend=False)
    span = [np.log10(min(values)) - 0.3, np.log10(max(values)) + 0.7]
    figure.update_layout(
        xaxis={"title": "seconds, log scale", "type": "log", "range": span, "dtick": 1, "exponentformat": "none"},
        yaxis={"autorange": "reversed"},
        bargap=0.35,
    )
    slowest = keys[int(np.argmax(values))]
    sentence = (
        f"Picking {largest:,} points takes {fmt_seconds(float(seconds[slowest]))} with {methods.title(slowest)}, "
        "the slowest here."
    )
    return Answer("What does it cost to pick?", sentence, (Panel("", figure, sentence),))
