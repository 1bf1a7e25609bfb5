"""How far the sketch bends distances: measured on random pairs, beside the interval that theory gives."""

import plotly.graph_objects as go

from dashboard.components.shared.answered_chart import Answer, Panel
from dashboard.components.shared.diagnostics.charts import HEIGHT
from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun, Runs, name_of
from dashboard.components.shared.theme import POOL_COLOUR, figure_layout, fmt_percent
from skmm_core.diagnostics import DistortionReading, read_distortion


def distortion_histogram(runs: Runs) -> Answer | None:
    """Draw squared distances in the sketch over those before it, one panel a sketch; None when nothing was sketched.

    Runs that share their sketch share its distortion, so they get one panel.
    """
    read: dict[str, tuple[DiagnosedRun, DistortionReading]] = {}
    for run in runs:
        found = read_distortion(run.diagnostics)
        if found is not None:
            read.setdefault(run.sketch or run.label, (run, found))
    if not read:
        return None
    shown = list(read.values())
    span = [min(float(each.edges[0]) for _, each in shown), max(float(each.edges[-1]) for _, each in shown)]
    top = max(float(each.shares.max()) for _, each in shown)
    owners = [run for run, _ in shown]
    panels, parts = [], []
    for run, each in shown:
        text = f"{name_of(run, owners)}{each.text}"
        parts.append(text)
        panels.append(Panel(run.sketch or run.label, _figure(run, each, span, top), f"Histogram. {text}"))
    return Answer(
        "Does the sketch keep distances?",
        " ".join(parts),
        tuple(panels),
        "1 = the sketch left the squared distance of two points as it was. Between the dashed lines any one pair must "
        "be with a chance of 95 %, between the dotted ones all pairs together. A larger sketch narrows both.",
    )


def _figure(run: DiagnosedRun, each: DistortionReading, span: list[float], top: float) -> go.Figure:
    centres = (each.edges[:-1] + each.edges[1:]) / 2
    figure = go.Figure(
        go.Bar(
            x=centres, y=each.shares, width=each.edges[1] - each.edges[0], marker={"color": run.style.colour},
            hovertemplate="%{y:.1%} of the pairs near %{x:.3g}<extra></extra>",
        )
    )  # fmt: skip
    figure_layout(figure, height=HEIGHT - 60, legend=False)
    for (low, high), dash, words in (
        (each.pair, "dash", f"one pair, {fmt_percent(each.within_pair, 1)} inside"),
        (each.all, "dot", "all pairs"),
    ):
        inward = "left" if 2 * high > sum(span) else "right"  # outward the words would leave the chart
        for place, label in (
            (low, {}),
            (high, {"annotation_text": words, "annotation_position": f"top {inward}"}),
        ):
            if span[0] <= place <= span[1]:
                figure.add_vline(x=place, line={"color": POOL_COLOUR, "dash": dash, "width": 2}, **label)
    figure.update_layout(
        bargap=0,
        xaxis={"title": "squared distance in the sketch ÷ before it", "range": span},
        yaxis={"title": "share of pairs", "tickformat": ".0%", "range": [0, 1.15 * top]},
    )
    return figure
