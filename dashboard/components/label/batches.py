"""Picked points become a batch to label, and the project of their pool begins with the first."""

import streamlit as st

from dashboard.components.shared.theme import fmt_int, plural
from dashboard.services import cache
from dashboard.services.projects import begun, project_of
from skmm_core.config import DatasetConfig
from skmm_core.runs import RunRecord, RunState


def picked_ids(run_id: str) -> list[str]:
    """Ids of the points that a run picked, in the order picked.

    Raises:
        InputError: the run has no selection.
    """
    table = cache.run_table(run_id, "selection").sort_values("order", kind="stable")
    return [str(id_) for id_ in table["id"]]


def offer_batch(record: RunRecord | None, config: DatasetConfig, fingerprint: str, name: str) -> bool:
    """Offer to label the points of the open selection, unless they are in a batch already.

    Args:
        record: the open run.
        config: of the open dataset.
        fingerprint: of the open dataset.
        name: of the project, where one is begun.

    Returns:
        Whether it is offered.

    Raises:
        InputError: the run has no selection, or the project cannot be kept.
    """
    if record is None or record.kind != "select" or record.state is not RunState.DONE:
        return False
    if record.fingerprint != fingerprint:
        return False
    project = project_of(fingerprint)
    batches = project.state().batches if project else ()
    if any(batch.run == record.id for batch in batches):
        return False
    ids = picked_ids(record.id)
    earlier = {item for batch in batches for item in batch.items}
    known = sum(id_ in earlier for id_ in ids)
    if known:
        st.caption(
            f":material/info: The open selection has {plural(known, 'point')} of earlier batches, so it is no batch of "
            "its own. Pick the next ones, and all of them are new."
        )
        return False
    number = f", as batch {len(batches) + 1}" if batches else ""
    if st.button(
        f"Label these {fmt_int(len(ids))} points{number}", type="primary", key="label:begin", icon=":material/edit:"
    ):
        begun(config, fingerprint, name).add_batch(record.id, ids)
        st.rerun()
    return True
