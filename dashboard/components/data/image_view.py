"""Pictures on their way to features: what was understood, the embedding while it runs, and what it made."""

from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.data.encoder_form import OFFLINE
from dashboard.components.data.image_form import Pictures
from dashboard.components.data.image_preview import image_preview, skipped_files
from dashboard.components.data.preview import data_preview
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.theme import error_line, escape, fmt_int, fmt_number, plural
from dashboard.services import cache, pictures, state
from dashboard.services.sources import check_run, pictures_title
from skmm_core.config import RunConfig
from skmm_core.data import HUB, ReadLine, hub_name
from skmm_core.encoders import origin_line
from skmm_core.errors import InputError
from skmm_core.progress import Progress
from skmm_core.runs import RunRecord, RunState

_WITHOUT_WEIGHTS = "Choose an encoder that is installed, and its weights, first."


def image_view(wanted: Pictures | None, record: RunRecord | None) -> None:
    """Draw the open embedding, or what the form asks for when that is something else.

    Args:
        wanted: from the form; None while no pictures are named.
        record: the open run.
    """
    made = record if record is not None and record.kind == "embed" else None
    if made is not None and (wanted is None or wanted.job is None or _run(wanted) == made.config):
        _embedding(made)
    elif wanted is not None and hub_name(wanted.dataset.source) is not None:
        _public(wanted)
    elif wanted is not None:
        _preview(wanted)
    else:
        st.info("Name some pictures to see what is in them.", icon=":material/arrow_back:")


def _run(wanted: Pictures) -> RunConfig:
    if wanted.job is None:
        raise InputError(_WITHOUT_WEIGHTS)
    return RunConfig(dataset=wanted.dataset, job=wanted.job)


def _public(wanted: Pictures) -> None:
    title = HUB[hub_name(wanted.dataset.source) or ""].title
    if _heading(title, "Download and make features", ready=wanted.job is not None):
        _start(wanted)
    st.info(
        f"{title} is downloaded when you press the button, once for all later runs. The pictures are shown when their "
        "features are made.",
        icon=":material/cloud_download:",
    )


def _preview(wanted: Pictures) -> None:
    meter = st.empty()

    def report(progress: Progress) -> None:
        share = progress.step / progress.total if progress.total else 0.0
        meter.progress(min(1.0, share), text=f"{progress.phase}: {fmt_int(progress.step)}")

    try:
        fingerprint = pictures.fingerprint(wanted.dataset.source)
        index = pictures.understood(
            wanted.dataset.source, fingerprint, wanted.pattern, wanted.dataset.target, report=report
        )
    except InputError as error:
        meter.empty()
        error_line(str(error))
        return
    meter.empty()
    label = f"Make features of {plural(len(index), 'picture')}"
    if _heading(pictures_title(wanted.dataset.source), label, ready=wanted.job is not None):
        _start(wanted)
    image_preview(index)


def _heading(title: str, label: str, *, ready: bool) -> bool:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(escape(title), anchor=False, width="content")
        return st.button(
            label,
            type="primary",
            icon=":material/play_arrow:",
            key="embed",
            disabled=not ready,
            help=None if ready else _WITHOUT_WEIGHTS,
        )


def _start(wanted: Pictures) -> None:
    from skmm_core.data import source_fingerprint

    try:
        config = _run(wanted)
        check_run(config)
        state.set_current_run(cache.jobs().submit(config, source_fingerprint(config.dataset.source)))
    except InputError as error:
        error_line(str(error))
        return
    st.rerun()


def _embedding(record: RunRecord) -> None:
    top = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    top.subheader(escape(pictures_title(record.config.dataset.source)), anchor=False, width="content")
    try:
        if job_panel(record.id) is RunState.DONE:
            _made(record, top)
    except InputError as error:
        error_line(str(error))


def _made(record: RunRecord, top: DeltaGenerator) -> None:
    """What an embedding made, and the button that goes on with it."""
    result = cache.run_result(record.id)
    pressed = top.button("Pick points from it", type="primary", icon=":material/arrow_forward:", key="use")
    st.success(made_line(result), icon=":material/check_circle:")
    if origin := origin_line(result["provenance"]):
        st.caption(escape(origin))
    held = sum(count for part, count in result["parts"].items() if part != "train")
    percent = 0 if held else _holdout()
    config = state.features_of(record).model_copy(update={"holdout": percent / 100 if percent else None})
    dataset = cache.dataset(config)
    if pressed:
        state.set_current_dataset(config)
        st.switch_page("app_pages/select.py")
    skipped_files([(each["path"], each["reason"]) for each in result["skipped"]], result["skipped_count"])
    reading = tuple(ReadLine(**line) for line in result.get("reading", ()))  # runs of before have none
    data_preview(replace(dataset, notes=tuple(result["notes"]), reading=reading))


def _holdout() -> int:
    return int(
        st.number_input(
            "Hold out for scoring (%)",
            min_value=0,
            max_value=90,
            value=0,
            step=5,
            key="images:holdout",
            help="Share of the pictures that is never picked from. Comparing methods needs a test folder or this.",
            width=220,
            persist_state="session",
        )
    )


def made_line(result: dict[str, Any]) -> str:
    """What an embedding did, in a sentence."""
    rate = result["images_per_second"]
    how = f"{fmt_number(rate)} pictures a second" if rate else "taken from the cache"
    made = f"{plural(result['N'], 'picture')}, {fmt_int(result['d'])} features each"
    encoder = "the built-in map" if result["model"] == OFFLINE else escape(result["model"])
    return f"{made} by {encoder}; {how}."
