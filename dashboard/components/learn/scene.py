"""A scene of Learn: all its states go to the browser at once, so that a move of its control waits for no server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dashboard.components.shared.theme import fmt_percent

_HERE = Path(__file__).parent
_HTML, _CSS = ((_HERE / f"scene.{kind}").read_text(encoding="utf-8") for kind in ("html", "css"))
_JS = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("marks.js", "scene.js"))
_DIGITS = 3
_AT = "at"
Marks = list[list[float]]
Ticks = tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Axis:
    """An axis of a view: its title in plain words, its ends, and its marks with what stands at them."""

    title: str
    low: float
    high: float
    ticks: Ticks = ()


@dataclass(frozen=True)
class Layer:
    """What is drawn alike in a view.

    Attributes:
        name: in the legend; empty for none.
        symbol: circle, square, diamond, triangle, cross, ring, line (through all marks) or spread (x, y, half height).
        colour: of the theme.
        size: half a mark's width, or a line's width, in pixels.
        marks: what never moves; None for what each state gives.
        of: number of a layer that never moves, of whose marks the states give places instead of coordinates.
        opacity: 0 to 1.
    """

    name: str
    symbol: str
    colour: str
    size: float = 4
    marks: Marks | None = None
    of: int | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class View:
    """One drawing of the picture.

    Attributes:
        title: what it shows, in a few words.
        layers: from the lowest to the highest.
        x, y: its axes; None when it shows three.
        share: of the picture's room, beside the other views.
        ends: where three axes end; empty in the plane.
    """

    title: str
    layers: tuple[Layer, ...]
    x: Axis | None = None
    y: Axis | None = None
    share: float = 1.0
    ends: tuple[float, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A row of what has come of a state: shares by what they measure, stacked, and in words.

    `parts` and `text` may be lists, one for each draw of luck.
    """

    name: str
    parts: Mapping[str, Any]
    text: Any
    now: bool = True


@dataclass(frozen=True)
class State:
    """A scene with its control at one value.

    Attributes:
        said: what is seen now, computed.
        bars: its numbers.
        moving: by view, one entry a layer that moves: marks, places, or `{"draws": [one for each draw of luck]}`.
    """

    said: str
    bars: tuple[Bar, ...]
    moving: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Control:
    """What a visitor changes: name in the link, words beside it, its values, the place of the first one shown."""

    param: str
    label: str
    values: tuple[str, ...]
    start: int
    choice: bool = False


@dataclass(frozen=True)
class Scene:
    """Everything that one step draws.

    Attributes:
        shows: what the picture is, for people who cannot see it.
        paragraph: the idea; `**bold**`, and `[[term|what it means]]` where a term first appears.
        control: with one state a value.
        states: in its order.
        views: of the picture, the largest last.
        colours: of the parts of bars.
        full: share that fills a bar.
        intro: places of the control and draws of luck that the entry goes through before the first one shown.
        beat: milliseconds for each of them.
        draws: of luck; 1 for none.
        upright: whether the views stand below each other.
    """

    shows: str
    paragraph: str
    control: Control
    states: tuple[State, ...]
    views: tuple[View, ...]
    colours: Mapping[str, str]
    full: float
    intro: tuple[tuple[int, int], ...]
    beat: int = 450
    draws: int = 1
    upright: bool = False


def marks(*columns: "np.ndarray") -> Marks:
    """Coordinates as they are sent: one row a mark, rounded to what can be seen."""
    found: Marks = np.round(np.column_stack(columns).astype(np.float64), _DIGITS).tolist()
    return found


def percent(share: float) -> str:
    """A share with one digit after the point: 0.0349 → "3.5 %"."""
    return fmt_percent(share, 1)


def error_bars(outcomes: Mapping[str, Any], now: Sequence[str]) -> tuple[Bar, ...]:
    """Bias and variance of selections, stacked, with their sum in words; the present ones stand out."""
    return tuple(
        Bar(name, {"bias": found.bias, "variance": found.variance}, percent(found.error), name in now)
        for name, found in outcomes.items()
    )


def place_in(control: Control) -> int:
    """Where the link has the control; a value that it does not have stands for the first one shown."""
    value = st.query_params.get(control.param)
    return control.values.index(value) if value in control.values else control.start


def draw_scene(name: str, scene: Callable[[], dict[str, Any]], control: Control, *, large: bool) -> None:
    """Draw a scene; what the visitor sets it to is kept in the link.

    Args:
        name: of the step, distinct on the page.
        scene: gives what :func:`as_data` made, kept by the caller.
        control: of the scene.
        large: for a room: the keys ↑ and ↓ move the control wherever the focus is.
    """
    key = f"learn-scene-{name.lower()}"

    def told() -> None:
        found: Any = st.session_state.get(key, {})
        at = found.get(_AT)
        if isinstance(at, int | float) and 0 <= at < len(control.values):
            st.query_params[control.param] = control.values[int(at)]

    stage = st.components.v2.component("skmm_learn_scene", html=_HTML, css=_CSS, js=_JS)
    with st.container(key=f"{key}-room"):
        stage(key=key, data={"scene": scene(), "at": place_in(control), "large": large}, on_at_change=told)


def as_data(scene: Scene) -> dict[str, Any]:
    """The scene as the browser takes it."""
    return asdict(scene)
