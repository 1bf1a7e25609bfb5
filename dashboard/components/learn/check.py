"""What follows a scene of Learn: a question to check oneself."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

RIGHT, WRONG = "Right.", "Not quite."


@dataclass(frozen=True)
class Question:
    """Check yourself.

    Attributes:
        text: the question.
        options: answers to choose from.
        right: place of the right one.
        explain: gives the explanation, with numbers computed on the scene's own pool.
    """

    text: str
    options: tuple[str, ...]
    right: int
    explain: Callable[[], str]


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
