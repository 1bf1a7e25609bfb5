"""One step of the Learn page: what it says, what just moved, and the question that ends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from dashboard.components.shared.answered_chart import Panel, plain
from dashboard.components.shared.theme import chart, fmt_percent

_PANEL_PIXELS = 330
_LARGE_FONT = 15
_SMALL_FONT = 12
RIGHT, WRONG = "Right.", "Not quite."


@dataclass(frozen=True)
class Lesson:
    """A step with its control at one value.

    Attributes:
        value: of the control, in words that follow "from … to …".
        measures: what may have moved: name → share, drawn and said in percent.
        sentence: what is seen now, computed.
        panels: three linked views.
    """

    value: str
    measures: Mapping[str, float]
    sentence: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Question:
    """Check yourself.

    Attributes:
        text: the question.
        options: answers to choose from.
        right: place of the right one.
        explain: gives the explanation, with numbers computed on the step's own pool.
    """

    text: str
    options: tuple[str, ...]
    right: int
    explain: Callable[[], str]


def percent(share: float) -> str:
    """A share with one digit after the point: 0.0349 → "3.5 %"."""
    return fmt_percent(share, 1)


def moved(name: str, before: Lesson, after: Lesson) -> str:
    """Say what a change of the control did: "You changed the budget from 8 to 12: bias fell from 3 % to 1 %, …"."""
    parts = []
    for measure, share in after.measures.items():
        old, new = percent(before.measures[measure]), percent(share)
        if old == new:
            parts.append(f"{measure} stayed at **{new}**")
        else:
            way = "rose" if share > before.measures[measure] else "fell"
            parts.append(f"{measure} {way} from {old} to **{new}**")
    return f"You changed {name} from {before.value} to **{after.value}**: {', '.join(parts)}."


def changed(step: str, lesson: Lesson) -> Lesson | None:
    """What the step said before its control was moved, without its views; None before that, in this session."""
    key = f"learn:moved:{step}"
    said = replace(lesson, panels=())
    before: Lesson | None
    before, now = st.session_state.get(key, (None, said))
    if now != said:
        before = now
    st.session_state[key] = (before, said)
    return before


def draw_lesson(step: str, name: str, lesson: Lesson, before: Lesson | None, *, large: bool) -> None:
    """Draw what moved, what is seen, and the views.

    Args:
        step: name of the step, prefix of the keys.
        name: of what the control changes, such as "the budget".
        lesson: now.
        before: with the control's former value; None before it was moved.
        large: for a room: larger letters in the charts too.
    """
    hint = f"Change {name} and watch what moves."
    said = moved(name, before, lesson) if before is not None else hint
    st.markdown(f":material/trending_flat: {said}")
    st.markdown(lesson.sentence)
    draw_panels(step, lesson.panels, large=large)


def draw_panels(step: str, panels: tuple[Panel, ...], *, large: bool) -> None:
    """Draw views side by side, below each other in a narrow window."""
    grid = st.grid(min(3, len(panels)), min_column_width=_PANEL_PIXELS, gap="medium")
    for number, panel in enumerate(panels):
        with grid.cell():
            st.markdown(f"**{panel.title}**")
            panel.figure.update_layout(font={"size": _LARGE_FONT if large else _SMALL_FONT})
            chart(panel.figure, key=f"learn:{step}:{number}", alt=plain(panel.alt))


def draw_question(step: str, question: Question) -> None:
    """Ask, and explain once answered."""
    with st.container(border=True, key=f"learn-check-{step.lower()}"):
        st.markdown(f"**Check yourself.** {question.text}")
        answer = st.radio(
            "Your answer", question.options, index=None, key=f"learn:answer:{step}", label_visibility="collapsed"
        )
        if answer is not None:
            right = answer == question.options[question.right]
            icon = ":material/check_circle:" if right else ":material/cancel:"
            st.markdown(f"{icon} **{RIGHT if right else WRONG}** {question.explain()}")
