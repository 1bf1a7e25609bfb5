"""The Workbench view: the line that picks, the verdict on what was picked, filters, map, and points beside it."""

import streamlit as st

from dashboard.components.shared.encoder_mark import draw_marks
from dashboard.components.shared.exports import export_panel
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.no_dataset import no_dataset
from dashboard.components.shared.places import LABEL, WHY, show_view
from dashboard.components.shared.theme import chart, columns, error_line, escape, fmt_int, mistakes_told, notes
from dashboard.components.shared.verdict import verdict_line
from dashboard.components.workbench.balance import balance_figure
from dashboard.components.workbench.bench import Bench, gather
from dashboard.components.workbench.filter_bar import filter_bar
from dashboard.components.workbench.map_view import map_view
from dashboard.components.workbench.metric_row import metric_row
from dashboard.components.workbench.pane import pane
from dashboard.components.workbench.pick_line import pick_line
from dashboard.components.workbench.standing import NOTHING_DONE
from dashboard.services import cache, state
from dashboard.services.prefix import prefix_band, prefix_diagnostics
from dashboard.services.projects import begun, project_of, state_of
from skmm_core.config import DatasetConfig, SelectJob
from skmm_core.data import spread_notes
from skmm_core.errors import InputError
from skmm_core.runs import RunRecord, RunState

_PROBLEM = "workbench:problem"  # of the press before, to be told once


def workbench_page() -> None:
    """Draw the view."""
    config = state.current_dataset()
    if config is None:
        no_dataset("Pick a built-in dataset or bring your own; then choose points from it here.")
    record = state.current_record()
    record = record if record is not None and record.kind == "select" else None
    line, panel = st.container(key="pick-bar"), st.container()
    if problem := st.session_state.pop(_PROBLEM, None):
        error_line(problem)
    fingerprint = record.fingerprint if record else None
    with line, mistakes_told():
        fingerprint = _line(config, record) or fingerprint
    with panel, mistakes_told():
        done = record is not None and job_panel(record.id) is RunState.DONE
    if fingerprint is None:
        return
    with mistakes_told():
        if record is not None and done:
            _kept(config, record)
        _explore(config, fingerprint, record if done else None)


def _line(config: DatasetConfig, record: RunRecord | None) -> str:
    """The line, and the start of the run that it asks for; returns the fingerprint of the pool."""
    from skmm_core.methods import list_methods

    with st.spinner("Reading the dataset…"):
        dataset = cache.dataset(config)
    project = project_of(dataset.fingerprint)
    known = state_of(project) if project else NOTHING_DONE
    wanted = pick_line(dataset, config, list_methods(), record.config if record else None, project, known)
    if wanted is not None:
        from skmm_core.jobs import with_labels_hash

        state.set_current_run(cache.jobs().submit(with_labels_hash(wanted), dataset.fingerprint))
        st.rerun()
    return dataset.fingerprint


def _kept(config: DatasetConfig, record: RunRecord) -> None:
    """How the open selection stands beside random picks, whether it is a batch, and what can be done with it."""
    from skmm_core.diagnostics import read_band

    verdict_line(read_band(cache.run_result(record.id).get("band")))
    project = project_of(record.fingerprint)
    known = state_of(project) if project else NOTHING_DONE
    batch = next((batch for batch in known.batches if batch.run == record.id), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="kept"):
        st.caption(escape(record.name), width="content")
        st.button("Why?", type="tertiary", icon=":material/help:", key="why", on_click=show_view, args=(WHY,))
        if batch is None:
            st.button(
                f"Label these {fmt_int(_total(record))}",
                icon=":material/edit:",
                key="keep-batch",
                help=f"Keeps them as batch {len(known.batches) + 1}: they wait for labels, which you give here or "
                "bring back from another tool, and the next picks are made around them.",
                on_click=_keep_and_label,
                args=(config, record),
            )
        else:
            waiting = sum(item not in known.labels and item not in known.skipped for item in batch.items)
            said = f"{fmt_int(waiting)} of {fmt_int(len(batch.items))} wait for a label" if waiting else "all answered"
            st.markdown(f":green-badge[batch {batch.number}] {said}", width="content")
            st.button("Label", icon=":material/edit:", key="go-on", on_click=show_view, args=(LABEL,))
        with st.popover("Export", icon=":material/download:", key="export-of-run"):
            export_panel(record, _budget(record))


def _keep_and_label(config: DatasetConfig, record: RunRecord) -> None:
    try:
        keep_batch(config, record)
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        show_view(LABEL)


def keep_batch(config: DatasetConfig, record: RunRecord) -> int:
    """Note the points of a finished selection as a batch of the pool's project, by id, in pick order.

    Raises:
        InputError: a point is in an earlier batch, or the project cannot be written.
    """
    selection = cache.run_table(record.id, "selection").sort_values("order", kind="stable")
    return begun(config, record.fingerprint, record.dataset).add_batch(record.id, selection["id"].astype(str).tolist())


@st.fragment
@mistakes_told()  # inside: what a fragment raises does not reach the page around it
def _explore(config: DatasetConfig, fingerprint: str, record: RunRecord | None) -> None:
    bench = gather(config, fingerprint, record, _budget(record))
    shown = filter_bar(bench)
    left, right = columns([1.15, 1], key="workbench", below=1000, gap="medium")
    with left:
        look = map_view(bench, shown)
        if record is not None:
            _prefix(record)
    with right:
        pane(bench, look, shown)
    if record is not None:
        _numbers(bench, record)


def _total(record: RunRecord) -> int:
    job = record.config.job
    if not isinstance(job, SelectJob):
        raise InputError(f"{record.name} is a comparison; open it in Compare")
    return job.budget


def _budget(record: RunRecord | None) -> int:
    """How many points of the selection count: what the slider says."""
    if record is None:
        return 0
    return int(st.session_state.get(f"prefix:{record.id}", _total(record)))


def _prefix(record: RunRecord) -> None:
    total = _total(record)
    if total > 1:
        st.slider(
            "Budget, in pick order", 1, total, total, key=f"prefix:{record.id}",
            help="The first points picked are a smaller selection of their own; nothing is picked again.",
        )  # fmt: skip


def _numbers(bench: Bench, record: RunRecord) -> None:
    """Numbers and balance of the selection, when they are asked for."""
    result = cache.run_result(record.id)
    draw_marks(spread_notes(result.get("notes", ())))
    notes(result.get("remarks", ()))  # runs of earlier versions have none
    with st.expander("Numbers and balance", icon=":material/monitoring:", key="numbers", on_change="rerun") as folded:
        if not folded.open:
            return
        from skmm_core.diagnostics import read_band

        found, band = dict(result.get("diagnostics") or {}), read_band(result.get("band"))
        if bench.budget != _total(record):
            try:
                found = dict(prefix_diagnostics(record.id, bench.budget).summary())
                band = prefix_band(record.id, bench.budget)
            except InputError as error:
                error_line(f"The first {bench.budget:,} points cannot be measured: {error}")
        metric_row(result, found, bench.budget, bench.whole_size, band)
        drawn = balance_figure(bench.points, bench.budget)
        if drawn is not None:
            figure, alt, caption = drawn
            chart(figure, key="balance", alt=alt)
            st.caption(caption)
