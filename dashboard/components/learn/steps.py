"""The five scenes of the Learn page, each with its control and its question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.components.learn import questions
from dashboard.components.learn.check import Question, draw_question
from dashboard.components.learn.plane import (
    BIAS_CONTROL,
    VARIANCE_CONTROL,
    WHY_CONTROL,
    bias_scene,
    variance_scene,
    why_scene,
)
from dashboard.components.learn.scene import Control, Scene, as_data, draw_scene
from dashboard.components.learn.space import BALANCE_CONTROL, SKETCH_CONTROL, balance_scene, sketch_scene


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        name: in the link and on the switch.
        title: heading.
        control: of the scene.
        scene: with all its states.
        question: that ends the step.
    """

    name: str
    title: str
    control: Control
    scene: Callable[[], Scene]
    question: Question


STEPS = (
    Step("Why", "Why pick at all?", WHY_CONTROL, why_scene, questions.WHY),
    Step("Variance", "Variance: few labels, shaky answers", VARIANCE_CONTROL, variance_scene, questions.VARIANCE),
    Step("Bias", "Bias: what was never seen", BIAS_CONTROL, bias_scene, questions.BIAS),
    Step("Sketch", "Sketching: a small shadow keeps what matters", SKETCH_CONTROL, sketch_scene, questions.SKETCH),
    Step("SkMM", "SkMM balances both", BALANCE_CONTROL, balance_scene, questions.BALANCE),
)


@st.cache_resource(max_entries=len(STEPS), show_spinner="Computing the scene…")
def _data(number: int) -> dict[str, Any]:
    """The scene as it is sent; shared between visitors, so never changed."""
    return as_data(STEPS[number].scene())


@st.fragment
def draw_step(number: int, *, large: bool) -> None:
    """Draw a step.

    Args:
        number: 0 for the first.
        large: larger letters, for a room.
    """
    step = STEPS[number]
    draw_scene(step.name, lambda: _data(number), step.control, large=large)
    draw_question(step.name, step.question)
