"""What the labels so far are worth, on request: the expected score, what more would bring, and labels for the rest."""

from typing import Any

import streamlit as st

from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.theme import escape, fmt_int, mistakes_told
from dashboard.services import cache, state
from skmm_core.config import DatasetConfig, EstimateJob, RunConfig
from skmm_core.projects import Project
from skmm_core.runs import PREDICTIONS_CSV, RunState

_TOPICS = ("score", "trust", "next", "mistakes")
_LEAST = 2  # labels


def worth_panel(config: DatasetConfig, project: Project, fingerprint: str) -> None:
    """A button that has the labels measured as a run of its own, and what came of it.

    Args:
        config: how the pool is read.
        project: of the pool.
        fingerprint: of the pool.
    """
    if len(project.state().labels) < _LEAST:
        return
    key = f"label:worth:{project.id}"
    with st.container(key="label-worth"), mistakes_told():
        asked = st.button(
            "What the labels are worth",
            icon=":material/query_stats:",
            key="label:worth",
            help="Trains a model on your labels, says how good it is expected to be on all other points, and labels "
            "them.",
        )
        if asked:
            wanted = RunConfig(dataset=config, job=EstimateJob(labels=str(project.snapshot())))
            st.session_state[key] = (cache.jobs().submit(wanted, fingerprint), project.version())
        run, version = st.session_state.get(key) or _opened(project, fingerprint)
        if run is None or job_panel(run) is not RunState.DONE:
            return
        if version != project.version():
            st.caption(":material/info: Labels came since this was measured; press again for the newest.")
        _draw(run, cache.run_result(run))


def _opened(project: Project, fingerprint: str) -> tuple[str | None, tuple[int, int] | None]:
    """The open run where it measured labels of this pool, and the project's version where these are its labels now."""
    record = state.current_record()
    if record is None or not isinstance(job := record.config.job, EstimateJob) or record.fingerprint != fingerprint:
        return None, None
    return record.id, project.version() if job.labels == str(project.snapshot()) else None


def _draw(run: str, result: dict[str, Any]) -> None:
    for topic in _TOPICS:
        if said := result["said"].get(topic):
            st.markdown(("**What more labels are expected to bring.** " if topic == "next" else "") + escape(said))
    path = cache.store().folder(run) / PREDICTIONS_CSV
    st.download_button(
        f"Labels for the other {fmt_int(result['predicted'])} points (csv), the least sure first",
        data=path.read_bytes,
        file_name=f"predictions-{run}.csv",
        mime="text/csv",
        key="label:predictions",
        on_click="ignore",
        icon=":material/download:",
    )
    if result["likely_mistakes"]:
        found = cache.run_table(run, "mistakes")
        st.dataframe(
            found.loc[found["likely"], ["id", "label", "suggestion", "reason"]],
            hide_index=True,
            alt="Labels that others contradict, with what they suggest and why.",
        )
