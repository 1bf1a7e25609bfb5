"""The five guided steps of the Learn page: control, lesson and question of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.components.learn import questions
from dashboard.components.learn.lesson import Lesson, Question, changed, draw_lesson, draw_question
from dashboard.components.learn.plane import bias_lesson, variance_lesson, why_lesson
from dashboard.components.learn.space import balance_lesson, sketch_lesson
from dashboard.components.shared.theme import is_dark
from dashboard.services import learn_results as lesson
from dashboard.services.learn_results import BUDGETS, DIMS, HAND_BUDGET, PICKERS, SEEN

_BIND: Any = "query-params"


@dataclass(frozen=True)
class Step:
    """One guided step.

    Attributes:
        name: in the link and on the switch.
        title: heading.
        idea: what the step is about, in two sentences.
        moves: what its control changes.
        control: draws the control and returns its value.
        show: the lesson at a value.
        question: that ends the step.
    """

    name: str
    title: str
    idea: str
    moves: str
    control: Callable[[], Any]
    show: Callable[[Any], Lesson]
    question: Question


def _budget() -> Any:
    return st.select_slider("Budget: labels n", BUDGETS, value=HAND_BUDGET, key="picks", bind=_BIND)


def _side() -> Any:
    return st.slider(f"Points in direction 2, of {HAND_BUDGET}", 1, HAND_BUDGET - 1, 2, key="side", bind=_BIND)


def _seen() -> Any:
    label = f"Points from the small cluster, of {HAND_BUDGET}"
    return st.slider(label, min(SEEN), max(SEEN), 0, key="seen", bind=_BIND)


def _dim() -> Any:
    return st.select_slider("Sketch size m", DIMS, value=16, key="m", bind=_BIND)


def _picker() -> Any:
    names = tuple(PICKERS)
    picker = st.segmented_control(
        "Goal of the 9 picks", names, default=names[0], key="picker", bind=_BIND, required=True
    )
    return picker or names[0]  # a link may empty it


STEPS = (
    Step(
        "Why",
        "Why pick at all?",
        "Labels cost money, so only a few points get one. Which few decides how good a model fitted on them can be.",
        "the budget",
        _budget,
        lambda budget: why_lesson(lesson.why(budget)),
        questions.WHY,
    ),
    Step(
        "Variance",
        "Variance: few points make a shaky estimate",
        "Labels are noisy. A direction that only a few chosen points see is estimated from few noisy labels, and "
        "another set of labels would give another answer.",
        "the points in direction 2",
        _side,
        lambda side: variance_lesson(lesson.variance(side)),
        questions.VARIANCE,
    ),
    Step(
        "Bias",
        "Bias: a direction never seen",
        "Where no chosen point looks, the fit knows nothing and says about zero. More labels elsewhere do not help.",
        "the points from the small cluster",
        _seen,
        lambda seen: bias_lesson(lesson.bias(seen)),
        questions.BIAS,
    ),
    Step(
        "Sketch",
        "Sketching: a small random shadow keeps what matters",
        "Gradients of real models have thousands of dimensions. A random map to m of them keeps distances, and with "
        "them the few directions that carry the energy.",
        "the sketch size",
        _dim,
        lambda dim: sketch_lesson(lesson.sketched(dim)),
        questions.SKETCH,
    ),
    Step(
        "SkMM",
        "SkMM balances both",
        "Three clusters on three axes: 8 points, 24 wide ones far out, and 3 tight ones near the origin. Nine may be "
        "labelled. Bias reduction cares that every axis is seen (leverage scores), variance reduction that the strong "
        "ones are steady (V-optimal design with a ridge); SkMM matches the energy of every sketched direction.",
        "the goal",
        _picker,
        lambda picker: balance_lesson(lesson.balance(), picker, dark=is_dark()),
        questions.BALANCE,
    ),
)


@st.fragment
def draw_step(number: int, *, large: bool) -> None:
    """Draw a guided step; moving its control draws this part of the page alone.

    Args:
        number: 0 for the first.
        large: larger letters, for a room.
    """
    step = STEPS[number]
    shown = step.show(step.control())
    draw_lesson(step.name, step.moves, shown, changed(step.name, shown), large=large)
    draw_question(step.name, step.question)
