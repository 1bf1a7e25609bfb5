"""A line at the corner of every page while a run goes on, so that whoever turns away still sees it."""

import streamlit as st

from dashboard.components.shared.job_panel import phase_text
from dashboard.components.shared.theme import escape, fmt_percent
from dashboard.services.cache import jobs, store
from skmm_core.runs import RunRecord, RunState, read_progress


def live_runs() -> list[RunRecord]:
    """Runs that wait or go on, the running ones first."""
    live = [record for record in store().records() if not record.state.ended]
    return sorted(live, key=lambda record: record.state is not RunState.RUNNING)


def running_line(opened: str | None) -> None:
    """Draw the line; nothing while no run goes on, or while the open one does, whose page has a panel of its own.

    Args:
        opened: id of the open run that the page shows.
    """
    if live := [record for record in live_runs() if record.id != opened]:
        _line([record.id for record in live])


@st.fragment(run_every="3s")
def _line(ids: list[str]) -> None:
    jobs().poll()
    live = [record for record in live_runs() if record.id in ids]
    if not live:
        return
    first, others = live[0], len(live) - 1
    progress = read_progress(first.folder) if first.state is RunState.RUNNING else None
    share = f" {fmt_percent(progress.fraction)}" if progress and progress.fraction is not None else ""
    more = f" · {others} more" if others else ""
    with st.container(key="running"):
        phase = escape(phase_text(first.state, progress))
        st.markdown(f":material/hourglass_top: **{escape(first.name)}** · {phase}{share}{more}")
