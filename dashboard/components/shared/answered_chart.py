"""A chart as an answer: the question it is drawn for, one sentence computed from its numbers, and the figure."""

from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from dashboard.components.shared.theme import chart, escape

_PANEL_PIXELS = 340


@dataclass(frozen=True)
class Panel:
    """One figure of an answer.

    Attributes:
        title: what tells this panel from its neighbours, such as the name of a run; empty when it stands alone.
        figure: the chart.
        alt: what the chart shows, for people who cannot see it.
    """

    title: str
    figure: go.Figure
    alt: str


@dataclass(frozen=True)
class Answer:
    """A question, the sentence that answers it, and the panels that show it.

    Attributes:
        question: heading, a question in plain words.
        sentence: one sentence computed from the numbers that are drawn.
        panels: one figure, or one a run, all with the same axes.
        help: how to read the chart, for those who ask.
    """

    question: str
    sentence: str
    panels: tuple[Panel, ...]
    help: str = ""


def plain(markdown: str) -> str:
    """The sentence without its bold marks and escapes, as a screen reader should say it."""
    return markdown.replace("**", "").replace("\\", "")


def draw_answer(answer: Answer, key: str) -> None:
    """Draw an answer; panels flow into as many columns as fit."""
    st.markdown(f"##### {answer.question}", help=answer.help or None)
    st.markdown(answer.sentence)
    if len(answer.panels) == 1:
        chart(answer.panels[0].figure, key=key, alt=plain(answer.panels[0].alt))
        return
    grid = st.grid(2, min_column_width=_PANEL_PIXELS)
    for number, panel in enumerate(answer.panels):
        with grid.cell():
            st.caption(escape(panel.title))
            chart(panel.figure, key=f"{key}-{number}", alt=plain(panel.alt))
