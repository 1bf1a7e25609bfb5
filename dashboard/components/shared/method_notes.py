"""What selection methods do, what they need and where they come from, in a line each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.shared.theme import escape
from skmm_core.config import RunConfig

if TYPE_CHECKING:
    from skmm_core.data import Task
    from skmm_core.methods import MethodSpec


def by_family(specs: Iterable["MethodSpec"]) -> dict[str, list["MethodSpec"]]:
    """Methods by family, both in the order of the registry."""
    families: dict[str, list[MethodSpec]] = {}
    for spec in specs:
        families.setdefault(str(spec.family), []).append(spec)
    return families


def source_line(spec: "MethodSpec") -> str:
    """What a method needs, and its paper as a link."""
    return f"Needs {escape(spec.needs_text)}. :material/article: [{escape(spec.paper)}]({spec.url})"


def method_notes(specs: Iterable["MethodSpec"]) -> None:
    """Draw every method's sentence, needs and paper, by family, folded."""
    with st.expander("What the methods do", icon=":material/menu_book:"):
        for family, members in by_family(specs).items():
            lines = "\n".join(
                f"- **{escape(spec.title)}**: {escape(spec.summary)} {source_line(spec)}" for spec in members
            )
            st.markdown(f"##### {escape(family)}\n{lines}")


def warm_up_form(specs: Iterable["MethodSpec"], task: "Task", *, key: str, given: int | None) -> int | None:
    """Ask for the size of the warm-up, where one of the methods trains a head first; else None."""
    askers = [spec.title for spec in specs if spec.trains_head(task)]
    if not askers:
        return None
    rows = st.number_input(
        "Warm-up rows",
        min_value=1,
        value=given,
        step=1,
        placeholder="automatic",
        key=f"{key}:warm-up",
        help=f"{RunConfig.model_fields['warm_up_rows'].description} For {', '.join(askers)}.",
        persist_state="session",
    )
    return None if rows is None else int(rows)
