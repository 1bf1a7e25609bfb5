"""Design tokens: colours, number formats, the look of every chart, and the few CSS rules of the app.

The palette is Okabe & Ito (2008), told apart by people with any common colour vision; where a colour carries meaning, a
marker shape carries it too.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from skmm_core.errors import InputError
from skmm_core.report import OKABE_ITO as OKABE_ITO, POOL_COLOUR as POOL_COLOUR  # handed on

CLASS_COLOURS = (
    *(OKABE_ITO[name] for name in ("blue", "orange", "green", "purple", "vermillion", "sky")),
    "#7F7F7F",  # in the place of yellow and black, which are lost on a white or a dark page
    "#AA4499",  # three of Paul Tol's muted colours, so that ten classes have a colour each
    "#999933",
    "#44AA99",
)
CLASS_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star", "hexagon", "cross")
POOL_OPACITY = {False: 0.42, True: 0.62}  # by theme: faint colours sink sooner into a dark page
CHOSEN_COLOUR = OKABE_ITO["vermillion"]
INK = {False: "#16202A", True: "#E8EEF3"}  # by theme, as in `.streamlit/config.toml`: False light, True dark
PAPER = {False: "#FFFFFF", True: "#0F151B"}  # of .streamlit/config.toml
GRID = {False: "#D5DCE3", True: "#3A4753"}
FILL_COLOUR = "#00639B"  # white letters on it, and it on a dark page: the dark theme's primary colour is too light
SEQUENTIAL = "Cividis"
PLOTLY_CONFIG = {"displaylogo": False, "showSendToCloud": False}
IMAGE_FORMAT, IMAGE_FORMATS = "image-format", ("png", "svg")  # session key, and what a chart can be saved as
UNKNOWN = "–"
_NBSP = "\u00a0"
_ROUND_OFF = 1e-12

_STACKING = """  @media (max-width: WIDTHpx) {
    [class*="st-key-stack-WIDTH-"] > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"],
    [class*="st-key-stack-WIDTH-"] > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
    [class*="st-key-stack-WIDTH-"] > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]
      > [data-testid="stColumn"],
    [class*="st-key-stack-WIDTH-"] > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {
      flex: 1 1 100%; min-width: 100%; }
  }
"""
_WIDTHS = (700, 1000, 1300)
_CSS = """
<style>
  [data-testid="stMainBlockContainer"] { padding-top: 4.25rem; padding-bottom: 3rem; max-width: 1480px; }
  [data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; font-size: 1.45rem; }
  [data-testid="stMetricLabel"] p { font-size: 0.8rem; }
  @media (max-width: 1000px) {
    /* Higher than needed: until these rules arrive, Streamlit's are 8rem high and 1rem wide. */
    [data-testid="stMainBlockContainer"] { padding-top: 5.5rem; padding-left: 1rem; padding-right: 1rem; }
    [data-testid^="stBaseButton"] kbd { display: none; }  /* the words of the button need the room */
    [data-testid="stPageLink-NavLink"] :is(span, p) { white-space: normal; }
  }
  /* Streamlit: white on the primary colour, captions and keys faded to 4.4:1, axes in a grey of 3.7:1. */
  [data-testid="stBaseButton-primary"]:not(:disabled), [data-tag] {
    background-color: FILL !important; border-color: FILL !important; }
  [data-testid="stBaseButton-primary"]:not(:disabled):hover { filter: brightness(1.15); }
  [data-testid="stCaptionContainer"], [data-testid^="stBaseButton"] kbd { opacity: 0.82; }
  @media (max-width: 700px) { [data-testid="stTable"] :is(td, td *) { white-space: nowrap; } }
  /* A run in progress stays in sight, with its Cancel, while the page below is read. */
  [data-testid="stLayoutWrapper"]:has(> [class*="st-key-job-"] [data-testid="stProgress"]) {
    position: sticky; top: 3.75rem; z-index: 5; background: PAPER; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-pick-bar) {
    position: sticky; top: 3.75rem; z-index: 4; background: PAPER; padding-bottom: 4px; }
  .st-key-compare-pending { min-height: 1800px; }
  /* The heights that widgets will have, while the browser still loads what draws them: nothing below moves then. */
  .st-key-tour { min-height: 40px; }
  :is(.st-key-tour, .st-key-view, .st-key-overlap-cards) [data-testid="stSkeleton"] { height: 32px; }
  /* What a run in progress draws anew stays as it is until the new is there: no fading. */
  [data-testid="stElementContainer"][data-stale="true"] { opacity: 1 !important; transition: none !important; }
  .st-key-running { position: fixed; right: 1rem; bottom: 1rem; z-index: 9; width: auto; padding: 0.4rem 0.8rem;
    border-radius: 0.5rem; background: PAPER; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
  .st-key-home-map { min-height: 520px; }
  .st-key-metrics { min-height: 59px; }
  .st-key-label-options { min-height: 40px; }
  [class*="st-key-learn-scene-"][class*="-room"] { min-height: clamp(380px, 62vh, 980px); }
  :is(.st-key-reproduce-experiment, [class*="st-key-metric-"], [class*="st-key-figure-"]):has(
    [data-testid="stSkeleton"]) { min-height: 60px; }
  :is(.st-key-controls, .st-key-run-filters, [class*="st-key-selections-"], [class*="st-key-of-"],
    [class*="st-key-rows-"], [class*="st-key-diagnose-runs"]):has([data-testid="stSkeleton"]) { min-height: 68px; }
  [class*="st-key-select-"][class*="-method-"]:has([data-testid="stSkeleton"]) { min-height: 368px; }
  @media (max-width: 1300px) {
    .st-key-metrics:has([data-testid="stSkeleton"]) { min-height: 134px; }
    .st-key-controls:has([data-testid="stSkeleton"]) { min-height: 152px; }
  }
  [class*="st-key-legend-"] { position: absolute; width: 0; overflow: hidden; }  /* it only listens: no room */
  .js-plotly-plot text[style*="rgb(128, 132, 149)"] { fill: currentColor !important; fill-opacity: 0.75 !important; }
STACKING</style>
"""
_CSS = _CSS.replace("STACKING", "".join(_STACKING.replace("WIDTH", str(width)) for width in _WIDTHS))
_CSS = _CSS.replace("FILL", FILL_COLOUR).replace("PAPER", f"light-dark({PAPER[False]}, {PAPER[True]})")


def apply_style() -> None:
    """Put the CSS rules on the page: once a run of the script, from `app.py`."""
    st.html(_CSS)


def columns(
    spec: Sequence[float], *, key: str, below: Literal[700, 1000, 1300] = 1000, **options: Any
) -> Sequence[DeltaGenerator]:
    """Columns that stand below each other in a narrow window.

    Args:
        spec: relative widths.
        key: of their container, distinct on the page.
        below: window width in pixels at which they stack.
        options: passed on to `st.columns`.
    """
    with st.container(key=f"stack-{below}-{key}"):
        return st.columns(spec, **options)


def is_dark() -> bool:
    """Whether the visitor sees the dark theme; light while the browser has not said."""
    return bool(st.context.theme.type == "dark")


def figure_layout(figure: go.Figure, *, height: int = 320, legend: bool = True) -> go.Figure:
    """Give a figure the look that all share; the same figure is returned.

    Fonts, axis colours and background come from Streamlit's own Plotly theme, so one figure fits light and dark.

    Args:
        figure: changed in place.
        height: of the figure, pixels.
        legend: whether to show the legend, in one row above the plot.
    """
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 36 if legend else 12, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0.0, "title": None},
        hoverlabel={"namelength": -1},
    )
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_yaxes(automargin=True, zeroline=False)
    return figure


def chart(figure: go.Figure, *, key: str, alt: str, name: str | None = None, **options: Any) -> Any:
    """Draw a figure over the full width.

    Args:
        figure: what to draw; leave it equal between reruns, or the visitor's selection in it is lost.
        key: of the element, distinct on the page.
        alt: what the chart shows, in a sentence, for people who cannot see it.
        name: of the file in which its camera button saves it; None for the key.
        options: passed on to `st.plotly_chart`.
    """
    kind = st.session_state.get(IMAGE_FORMAT) or IMAGE_FORMATS[0]
    saved = {"format": kind, "filename": _file_name(name or key), "scale": 2}
    config = {**PLOTLY_CONFIG, "toImageButtonOptions": saved}
    return st.plotly_chart(figure, key=key, alt=alt, width="stretch", config=config, **options)


def _file_name(key: str) -> str:
    """map:5106b43a29e2 → "map-5106b43a29e2"."""
    return "-".join("".join(c if c.isalnum() else " " for c in key).split()) or "chart"


def faded(colour: str, opacity: float) -> str:
    """A colour for plotly that lets through what lies behind: ("#0072B2", 0.18) → "rgba(0,114,178,0.18)"."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def fmt_int(number: float) -> str:
    """1078 → "1,078"."""
    return f"{round(number):,}"


def fmt_number(number: float | None, digits: int = 3) -> str:
    """Three significant digits: 0.01234 → "0.0123", 12345 → "12,345", 3.2e-9 → "3.2e-09", infinity → "∞".

    What is left of a zero by round-off is called that: 4e-16 → "< 1e-12".
    """
    if number is None or math.isnan(number):
        return UNKNOWN
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    size = abs(number)
    if 0 < size < _ROUND_OFF:
        return f"{'<' if number > 0 else '>'}{_NBSP}{'' if number > 0 else '-'}{_ROUND_OFF:.0e}"
    if size >= 10 ** (digits - 1):
        return fmt_int(number) if size < 1e7 else f"{number:.{digits - 1}e}"
    if number and size < 1e-3:
        return f"{number:.{digits - 1}e}"
    return f"{number:.{digits}g}"


def fmt_percent(share: float | None, digits: int = 0) -> str:
    """0.0557 with one digit → "5.6 %"; nearly none and nearly all are said as such: 0.998 → "> 99 %"."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text, least = f"{100 * share:.{digits}f}", 10.0**-digits
    if share > 0 and float(text) == 0:
        return f"<{_NBSP}{least:.{digits}f}{_NBSP}%"
    if share < 1 and float(text) == 100:
        return f">{_NBSP}{100 - least:.{digits}f}{_NBSP}%"
    return f"{text}{_NBSP}%"


def fmt_seconds(seconds: float | None) -> str:
    """0.0004 → "0.4 ms", 0.41 → "0.41 s", 95 → "1 min 35 s", 7300 → "2 h 1 min"."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if 0 < seconds < 0.01:
        return f"{1000 * seconds:.2g}{_NBSP}ms"
    if seconds < 10:
        return f"{seconds:.2g}{_NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_NBSP}s"
    if whole < 3600:
        return f"{whole // 60}{_NBSP}min {whole % 60}{_NBSP}s"
    return f"{whole // 3600}{_NBSP}h {whole % 3600 // 60}{_NBSP}min"


def fmt_bytes(size: float) -> str:
    """1536 → "1.5 KB"."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f}{_NBSP}{unit}" if unit == "bytes" else f"{size:.1f}{_NBSP}{unit}"
        size /= 1024
    return f"{size:.1f}{_NBSP}GB"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """(1, "point") → "1 point", (1078, "point") → "1,078 points"."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def class_style(index: int) -> tuple[str, str]:
    """Colour and marker symbol of a class; 10 colours and 9 symbols take turns, so 90 classes have distinct pairs."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)], CLASS_SYMBOLS[index % len(CLASS_SYMBOLS)]


_MARKDOWN = str.maketrans({character: f"\\{character}" for character in r"\`*_{}[]<>()#+-!|~$:&"})


def escape(text: str) -> str:
    """Text from a file, made safe to stand in Markdown: shown as it is, never as markup."""
    return " ".join(text.split()).translate(_MARKDOWN)


def error_line(message: str) -> None:
    """One red line for a mistake that the person can mend."""
    st.error(escape(message), icon=":material/error:")


@contextmanager
def mistakes_told() -> Iterator[None]:
    """Draw what is inside, or the one red line where an `InputError` ends it; what follows is drawn in any case."""
    try:
        yield
    except InputError as error:
        error_line(str(error))


def notes(lines: Sequence[str]) -> None:
    """What a person should know of their data, one quiet line each."""
    for line in lines:
        st.caption(f":material/info: {escape(line)}")
