"""The person's projects on Home: how far the labels of each are, and the way back into it."""

import streamlit as st

from dashboard.components.shared.places import PICK, go
from dashboard.components.shared.theme import error_line, escape, fmt_int, plural
from dashboard.services import state
from dashboard.services.projects import projects
from skmm_core.errors import InputError
from skmm_core.projects import ProjectState

_SHOWN = 6


def draw_projects() -> None:
    """One line a project, the youngest first; nothing where none was begun."""
    store = projects()
    cards = store.cards()
    if not cards:
        return
    st.markdown("##### Your projects")
    for card in cards[:_SHOWN]:
        try:
            line = project_line(store.open(card.id).state())
        except InputError as error:
            error_line(str(error))
            continue
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"project-{card.id}"):
            st.markdown(f"**{escape(card.name)}** · {line}", width="stretch")
            if st.button("Go on", key=f"project:{card.id}", icon=":material/arrow_forward:"):
                state.set_current_dataset(card.dataset)
                go(PICK)


def project_line(now: ProjectState) -> str:
    """How far a project is and what comes next: "37 of 100 labelled · 63 waiting for a label"."""
    asked = {item for batch in now.batches for item in batch.items}
    if not asked:
        return f"{plural(len(now.labels), 'label')} · nothing picked yet"
    done = sum(item in now.labels for item in asked)
    line = f"{fmt_int(done)} of {fmt_int(len(asked))} labelled"
    if now.pending:
        return f"{line} · {fmt_int(len(now.pending))} waiting for a label"
    return f"{line} · next {fmt_int(len(now.batches[-1].items))}"
