"""What random picks of the same size give, in the charts, the table and the sentences of the Why view."""

import numpy as np
import plotly.graph_objects as go

from dashboard.components.shared.diagnostics.diagnosed_runs import DiagnosedRun, Runs
from dashboard.components.shared.theme import POOL_COLOUR, faded, fmt_number, fmt_percent
from skmm_core.diagnostics import QUANTITIES, Band, standing, yardstick

NAME = "random picks"
_COLOUR = faded(POOL_COLOUR, 0.3)


def draw_band(figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, **options: object) -> None:
    """Draw the range between two lines as an area, below what is drawn later.

    Args:
        figure: to draw in.
        x: (K,) places.
        low: (K,) lower line; what an axis cannot show must be NaN.
        high: (K,) upper line.
        options: of both traces, such as the axis and the name's place in the legend.
    """
    line = {"width": 0, "shape": options.pop("shape", "linear")}
    shared = {"x": x, "mode": "lines", "line": line, "hoverinfo": "skip", "legendgroup": NAME, **options}
    figure.add_scatter(y=low, showlegend=False, name=NAME, **{k: v for k, v in shared.items() if k != "showlegend"})
    figure.add_scatter(y=high, fill="tonexty", fillcolor=_COLOUR, name=NAME, **shared)


def common_band(runs: Runs) -> DiagnosedRun | None:
    """The run whose random draws stand for those of all; None where runs differ in size or sketch, or have none."""
    first = runs[0]
    alike = len({(run.diagnostics.n, run.sketch) for run in runs}) == 1
    return first if alike and first.band is not None and first.diagnostics.band_spectrum is not None else None


def shares_of_draws(quantiles: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(draws, B) share of each draw between the edges of a histogram, from (draws, levels) equally spaced quantiles."""
    levels = np.linspace(0, 1, quantiles.shape[1])
    below = np.array([np.interp(edges, row, levels, left=0.0, right=1.0) for row in quantiles])
    below[:, 0] = 0.0  # the first bin holds its lower edge
    return np.diff(below, axis=1)


def beside(run: DiagnosedRun, key: str) -> str:
    """What random picks give, to stand behind a number: " (random: 0.31, from 0.27 to 0.35)"; nothing where unknown."""
    said = "" if run.band is None else yardstick(run.band.of(key))
    return f" ({said})" if said else ""


def value_text(key: str, value: float | None) -> str:
    """A number as pages show it."""
    return fmt_percent(value, 1) if key == "represented" else fmt_number(value)


def random_cell(band: Band, key: str, *, judged: bool) -> str:
    """The draws in a table: their middle, range and, on request, how many of them the selection beats."""
    measure = band.of(key)
    if measure is None:
        return "–"
    low, high = (value_text(key, value) for value in measure.range)
    text = f"{value_text(key, measure.middle)} ({low} to {high})"
    beaten = standing(measure, band.draws) if judged else ""
    return f"{text}; {beaten}" if beaten else text


def said(key: str, run: DiagnosedRun) -> str:
    """Name, number and yardstick: "moment error 0.0435 (random: 0.09, from 0.05 to 0.13)"."""
    quantity = QUANTITIES[key]
    return f"{quantity.label} {value_text(key, quantity.of(vars(run.diagnostics)))}{beside(run, key)}"
