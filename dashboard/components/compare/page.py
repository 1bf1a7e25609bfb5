"""The Results view of Compare: methods × budgets × seeds, scored under several learners."""

import streamlit as st

from dashboard.components.compare.form import compare_form, unscorable
from dashboard.components.compare.side_by_side import linked, side_by_side
from dashboard.components.compare.view import compare_view
from dashboard.components.shared.comparisons.methods import known_methods
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.no_dataset import no_dataset
from dashboard.components.shared.places import HOME
from dashboard.components.shared.theme import columns, error_line, escape, fmt_int, mistakes_told
from dashboard.services import cache, state
from dashboard.services.sources import check_run
from skmm_core.config import DatasetConfig
from skmm_core.runs import RunRecord

HOLDOUT = 0.2


def comparison_of(config: DatasetConfig | None) -> RunRecord | None:
    """The open comparison, or else the newest one of the open dataset."""
    opened = state.current_record()
    if opened is not None and opened.kind == "compare":
        return opened
    newest = (run for run in cache.store().records(kind="compare") if config is None or run.config.dataset == config)
    return next(newest, None)


def draw_form(config: DatasetConfig, record: RunRecord | None) -> None:
    """The form, and the start of the comparison that it asks for."""
    from skmm_core.methods import list_methods

    with st.spinner("Reading the dataset…"):
        dataset = cache.dataset(config)
    sizes = f"pool of {fmt_int(dataset.pool_size)} points, {fmt_int(len(dataset.split.test))} test rows"
    st.caption(f":material/database: **{escape(dataset.name)}** · {sizes}")
    if problem := unscorable(dataset):
        if dataset.targets is None:
            error_line(problem)
            return
        st.info(escape(problem), icon=":material/info:")
        if st.button(f"Hold out {HOLDOUT:.0%}", icon=":material/content_cut:"):
            state.set_current_dataset(config.model_copy(update={"holdout": HOLDOUT}))
            st.rerun()
        return
    wanted = compare_form(dataset, config, list_methods(), record.config if record else None)
    if wanted is not None:
        check_run(wanted)
        state.set_current_run(cache.jobs().submit(wanted, dataset.fingerprint))
        st.rerun()


def draw_result(record: RunRecord | None) -> None:
    """The comparison in whatever state it is; what it has scored is shown in any of them."""
    if record is None:
        empty_state(
            "Nothing compared yet",
            "Tick methods and press **Compare**. Curves appear here as scores come in.",
            page=HOME,
            label="See a finished example",
            icon=":material/home:",
        )
        return
    from skmm_core.methods import list_methods

    st.subheader(escape(record.name), anchor=False)
    job_panel(record.id, keep=True)
    compare_view(record, known_methods(list_methods()))


def compare_page() -> None:
    """Draw the view."""
    if pair := linked():
        from skmm_core.methods import list_methods

        with mistakes_told():
            side_by_side(pair, known_methods(list_methods()))
        return
    config = state.current_dataset()
    record = comparison_of(config)
    if config is None and record is not None:
        config = record.config.dataset
    if config is None:
        no_dataset("Pick a built-in dataset or bring your own with targets; then compare methods on it here.")
    left, right = columns([1, 2.6], key="compare", gap="large")
    with right, mistakes_told():  # first: what was scored is there before the dataset is read
        draw_result(record)
    with left, mistakes_told():
        draw_form(config, record)
