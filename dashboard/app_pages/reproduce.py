"""Reproduce: the tables of the paper, from finished runs or from the figures that come with the dashboard."""

import datetime

import streamlit as st

from dashboard.components.reproduce.form import reproduce_form
from dashboard.components.reproduce.view import reproduced, setting_line
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.theme import escape, mistakes_told
from dashboard.services import cache, state
from dashboard.services.figures import Figures, finished, runs_of
from dashboard.services.sources import check_run
from skmm_core.config import PaperJob, RunConfig
from skmm_core.paper import EXPERIMENTS, Experiment
from skmm_core.runs import RunState


def first_experiment() -> str:
    """That of the open run, else the mixture, which needs no data."""
    opened = state.current_record()
    job = opened.config.job if opened else None
    return job.experiment if isinstance(job, PaperJob) else "gmm"


def start(config: RunConfig, experiment: Experiment) -> None:
    """Queue the experiment and open its run."""
    check_run(config)
    if experiment.needs_data:
        from skmm_core.paper import fingerprint

        with st.spinner("Reading the data…"):
            found = fingerprint(config, PaperJob.model_validate(config.job))
    else:
        found = f"paper:{experiment.key}"
    state.set_current_run(cache.jobs().submit(config, found))
    st.rerun()


def source_text(figures: Figures) -> str:
    """Which figures these are."""
    if figures.run is None:
        return f"figures that come with the dashboard ({figures.file.parent.name}/{figures.file.name})"
    when = datetime.datetime.fromtimestamp(figures.run.finished or figures.run.created).strftime("%Y-%m-%d %H:%M")
    return f"run {figures.run.id}, finished {when}"


def draw_figures(experiment: Experiment) -> None:
    """The figures of a choice of runs, the newest first."""
    found = finished(experiment.key)
    if not found:
        st.info("There are no figures yet. Bring the data and run it below.", icon=":material/table:")
        return
    picked = found[0]
    if len(found) > 1:
        number = st.selectbox(
            "Figures of", range(len(found)), format_func=lambda n: source_text(found[n]), key=f"of:{experiment.key}"
        )
        picked = found[number or 0]
    where = f"Shown: {source_text(picked)}."
    st.caption(f":material/database: {escape(where)} {setting_line(picked.result)}")
    key = f"{experiment.key}:{picked.run.id if picked.run else 'committed'}"
    reproduced(experiment, picked.result, key)


st.markdown("### The paper's experiments, run again")
chosen = st.segmented_control(
    "Experiment", list(EXPERIMENTS), default=first_experiment(), required=True, key="reproduce:experiment",
    format_func=lambda key: EXPERIMENTS[key].title,
)  # fmt: skip
experiment = EXPERIMENTS[chosen or "gmm"]
st.caption(f"{experiment.setting}.")
with mistakes_told():
    runs = runs_of(experiment.key)
    if runs and runs[0].state is not RunState.DONE:
        job_panel(runs[0].id)
    draw_figures(experiment)
with st.expander("Run it again", icon=":material/replay:", expanded=not finished(experiment.key)), mistakes_told():
    wanted = reproduce_form(experiment)
    if wanted is not None:
        start(wanted, experiment)
