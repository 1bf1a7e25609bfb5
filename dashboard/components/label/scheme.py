"""What answers may be: the names of the classes in the order of their keys, or numbers; kept with the project."""

import streamlit as st

from dashboard.components.label.classes import read_list
from dashboard.components.label.desk import Answers
from dashboard.components.shared.theme import mistakes_told
from skmm_core.projects import Project, Scheme

_CLASSES, _NUMBERS = "Classes", "Numbers"


def scheme_panel(project: Project, answers: Answers) -> None:
    """A popover with the list of classes to edit."""
    with st.popover("Classes", icon=":material/sell:", key="label:scheme"), st.form("label:scheme-form", border=False):
        kind = st.segmented_control(
            "Answers are", (_CLASSES, _NUMBERS), default=_NUMBERS if answers.numbers else _CLASSES, required=True
        )
        names = st.text_area(
            "Classes, one a line",
            "\n".join(answers.names),
            height=240,
            help="The first gets key 1, and so on; a class that is called 1 has key 1. Classes that points have "
            "already stay, also when their line is removed.",
        )
        if st.form_submit_button("Keep", type="primary"):
            with mistakes_told():
                project.keep_scheme(Scheme(read_list(names), numbers=kind == _NUMBERS))
