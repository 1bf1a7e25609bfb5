"""How a series looks on pages and in reports: an Okabe-Ito colour, and a marker and dash as second cue."""

from collections.abc import Sequence
from dataclasses import dataclass

from skmm_core.comparison import REFERENCE, STRATIFIED
from skmm_core.report.palette import OKABE_ITO, POOL_COLOUR

_COLOURS = (
    *(OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky")),
    *("#AA4499", "#999933", "#882255"),  # of Paul Tol's muted colours
)
_SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "x", "star-triangle-down", "pentagon"),
    *("star", "hexagon", "cross", "hourglass", "bowtie", "triangle-left"),
)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

ACCENTS = {
    "bias": OKABE_ITO["blue"],
    "variance": OKABE_ITO["orange"],
    "sum": OKABE_ITO["green"],
    "best": OKABE_ITO["vermillion"],
}


@dataclass(frozen=True)
class Style:
    """Colour, plotly marker symbol and plotly dash of one series."""

    colour: str
    symbol: str
    dash: str


_BASELINES = {
    REFERENCE: Style(POOL_COLOUR, "circle-open", "dot"),
    STRATIFIED: Style(POOL_COLOUR, "square-open", "dash"),
}


def run_style(number: int) -> Style:
    """Style of the number-th series; counts of colours, symbols and dashes differ, so repeats stay apart."""
    return Style(_COLOURS[number % len(_COLOURS)], _SYMBOLS[number % len(_SYMBOLS)], _DASHES[number % len(_DASHES)])


def method_styles(methods: Sequence[str]) -> dict[str, Style]:
    """One style a method; the baselines, random picks, are always the grey ones.

    Args:
        methods: keys in the order of the registry, so that a method looks the same on every page.
    """
    others = [method for method in methods if method not in _BASELINES]
    styles = {method: run_style(number) for number, method in enumerate(others)}
    return styles | {method: style for method, style in _BASELINES.items() if method in methods}
