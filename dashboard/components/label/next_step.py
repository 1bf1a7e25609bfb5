"""What comes after the last point of a batch: what the labels are worth, and the next points to label."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.label.batches import picked_ids
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.places import PICK, place_link
from dashboard.components.shared.theme import fmt_int, mistakes_told, plural
from dashboard.services import cache, state
from dashboard.services.projects import not_left
from skmm_core.config import RunConfig, SelectJob
from skmm_core.errors import InputError
from skmm_core.projects import Project, ProjectState
from skmm_core.runs import RunState

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_ASKED = "label:next-run"  # session key: the run that was asked for here; its points become a batch by themselves


def next_step(dataset: "Dataset", project: Project, done: bool) -> None:
    """Draw what comes next, once every point that was picked has an answer.

    Args:
        dataset: the pool.
        project: with one batch at least.
        done: whether no point waits for an answer.
    """
    if not done:
        return
    known = project.state()
    labels = plural(len(known.labels), "label")
    rest = f", {plural(len(known.skipped), 'point')} skipped" if known.skipped else ""
    with st.container(border=True, key="label-next"), mistakes_told():
        st.markdown(f"**All done: {labels}{rest}.** Everything is kept.")
        base = _run_of(known)
        budget = min(len(known.batches[-1].items), dataset.pool_size - len(not_left(dataset, known)))
        if _is_picking():
            st.markdown("The next points are being picked; they appear here.")
        elif budget < 1:
            st.markdown("No points are left to pick.")
        elif base is None:
            place_link(PICK, label="Pick the next points", icon=":material/ads_click:")
        elif st.button(
            f"Pick the next {fmt_int(budget)}",
            type="primary",
            icon=":material/ads_click:",
            key="label:pick-next",
            help="As the last batch was picked, around all that have a label.",
        ):
            _pick(dataset, project, base, budget)


def _run_of(known: ProjectState) -> RunConfig | None:
    """How the last batch was picked; None when its run was deleted."""
    try:
        return cache.store().get(known.batches[-1].run).config
    except InputError:
        return None


def next_config(base: RunConfig, labels: str, budget: int) -> RunConfig:
    """The run that picks as another one did, around the labels of a file.

    Raises:
        InputError: the other run picked no points, or the labels cannot be read.
    """
    from skmm_core.jobs import with_labels_hash

    if not isinstance(base.job, SelectJob):
        raise InputError("the last batch was not picked by a selection; pick the next points on the Workbench")
    job = base.job.model_copy(update={"labels": labels, "labels_hash": None, "budget": budget, "include": ()})
    return with_labels_hash(base.model_copy(update={"job": job}))


def _pick(dataset: "Dataset", project: Project, base: RunConfig, budget: int) -> None:
    wanted = next_config(base, str(project.snapshot()), budget)
    id_ = cache.jobs().submit(wanted, dataset.fingerprint)
    st.session_state[_ASKED] = id_
    state.set_current_run(id_)
    st.rerun()


def _is_picking() -> bool:
    """Whether the run that was asked for here goes on."""
    record = state.current_record()
    return record is not None and record.id == st.session_state.get(_ASKED) and not record.state.ended


def take_next(project: Project | None) -> None:
    """Show how the run goes that was asked for here; when it is done, its points are the next batch.

    Raises:
        InputError: its points cannot be a batch.
    """
    id_ = st.session_state.get(_ASKED)
    if project is None or not isinstance(id_, str) or state.current_run() != id_:
        return
    if job_panel(id_) is RunState.DONE:
        del st.session_state[_ASKED]
        project.add_batch(id_, picked_ids(id_))
