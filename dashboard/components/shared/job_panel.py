"""A run while it goes on: phase, progress, time left, live objective, Cancel; and how it ended."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard.components.shared.theme import OKABE_ITO, chart, error_line, figure_layout, fmt_number, fmt_seconds
from dashboard.services.cache import jobs, store
from dashboard.services.sources import check_run
from skmm_core.errors import InputError
from skmm_core.runs import ProgressView, RunRecord, RunState, read_log, read_progress

_CURVE_PIXELS = 200
_WATCHED = "skmm:watched-run"
_PACE = "/s"  # how the name of a pace ends, such as images/s or texts/s


def job_panel(run_id: str, *, keep: bool = False) -> RunState:
    """Show where a run is; nothing when it is done.

    While the run is queued or running the panel refreshes itself every second, and when the run ends the whole page
    is drawn once more.

    Args:
        run_id: of the run.
        keep: leave the panel of a run that was watched to its end, so that what stands below does not jump.

    Raises:
        InputError: there is no such run.
    """
    record = store().get(run_id)
    with st.container(key=f"job-{run_id}"):  # one element in every state: what follows stays the same element
        if not record.state.ended:
            st.session_state[_WATCHED] = run_id
            _live(run_id)
        elif record.state is not RunState.DONE:
            _ended(record)
        elif keep and st.session_state.get(_WATCHED) == run_id:
            _done()
    return record.state


@st.fragment(run_every="1s")
def _live(run_id: str) -> None:
    jobs().poll()
    record = store().get(run_id)
    if record.state.ended:
        st.rerun()
    progress = read_progress(record.folder) if record.state is RunState.RUNNING else None
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{phase_text(record.state, progress)}**", width="content")
            pressed = st.button("Cancel", key=f"cancel-{run_id}", icon=":material/stop_circle:")
        if pressed:
            jobs().cancel(run_id)
            st.rerun()
        st.progress(0.0 if progress is None else progress.fraction or 0.0, text=progress_text(progress))
        points = read_log(record.folder, "objective") if progress else []
        if len(points) > 1:
            chart(
                objective_figure(points),
                key=f"objective-{run_id}",
                alt=f"Objective against step, now {fmt_number(points[-1][1])} after {points[-1][0]} steps.",
            )


def _done() -> None:
    """The panel of a finished run, as high as while it went on."""
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Done**", width="content")
            if st.button("Close", icon=":material/close:"):
                del st.session_state[_WATCHED]
                st.rerun()
        st.progress(1.0, text=progress_text(None))


def _ended(record: RunRecord) -> None:
    if record.state is RunState.FAILED:
        error_line(record.error or "The run failed without saying why; start it again.")
    else:
        st.warning("Cancelled. Start the run again to go on.", icon=":material/cancel:")
    if st.button("Start again", key=f"again-{record.id}", icon=":material/replay:"):
        try:
            check_run(record.config)  # it may have come with an imported bundle
        except InputError as error:
            error_line(str(error))
            return
        jobs().submit(record.config, record.fingerprint)
        st.rerun()


def phase_text(state: RunState, progress: ProgressView | None) -> str:
    """What the run is doing, in words."""
    if state is RunState.QUEUED:
        return "Waiting for the run before this one"
    return progress.phase if progress else "Starting"


def progress_text(progress: ProgressView | None) -> str:
    """Share done, pace and time left of the current phase; a space keeps the line's height when nothing is known."""
    if progress is None or progress.fraction is None:
        return "\u00a0"
    pace = "".join(f" · {fmt_number(rate)} {name}" for name, rate in progress.values.items() if name.endswith(_PACE))
    left = f" · about {fmt_seconds(progress.eta)} left" if progress.eta is not None else ""
    return f"{100 * progress.fraction:.0f}\u00a0%{pace}{left}"


def objective_figure(points: Sequence[tuple[int, float]]) -> go.Figure:
    """Objective against step, on a log scale where every value is positive.

    Args:
        points: (step, value) pairs.
    """
    steps, values = zip(*points, strict=True)
    figure = go.Figure(go.Scatter(x=steps, y=values, mode="lines", line={"color": OKABE_ITO["blue"], "width": 2}))
    figure_layout(figure, height=_CURVE_PIXELS, legend=False)
    figure.update_xaxes(title="Step")
    figure.update_yaxes(title="Objective", type="log" if min(values) > 0 else "linear", exponentformat="power")
    return figure
