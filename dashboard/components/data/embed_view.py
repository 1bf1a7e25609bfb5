"""Pictures or texts on their way to features: what was understood, the embedding while it runs, and what it made."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.components.data.encoder_form import OFFLINE
from dashboard.components.data.image_preview import image_preview, skipped_files
from dashboard.components.data.preview import data_preview
from dashboard.components.data.to_embed import ToEmbed
from dashboard.components.shared.job_panel import job_panel
from dashboard.components.shared.places import PICK, go
from dashboard.components.shared.theme import error_line, escape, fmt_int, fmt_number, plural
from dashboard.services import cache, pictures, state
from dashboard.services.sources import check_run, source_title
from skmm_core.config import EmbedJob, RunConfig
from skmm_core.data import HUB, ReadLine, hub_name
from skmm_core.encoders import origin_line
from skmm_core.errors import InputError
from skmm_core.progress import Progress
from skmm_core.runs import RunRecord, RunState

Reads = Literal["pictures", "texts"]
_EMPTY: Mapping[Reads, str] = {
    "pictures": "Name some pictures to see what is in them.",
    "texts": "Give a table with texts to see how it is read.",
}
_WITHOUT_WEIGHTS = "Choose an encoder that is installed, and its weights, first."


def embed_view(wanted: ToEmbed | None, record: RunRecord | None, reads: Reads) -> None:
    """Draw the open embedding, or what the form asks for when that is something else.

    Args:
        wanted: from the form; None while no pictures or texts are named.
        record: the open run.
        reads: what the form is about.
    """
    made = record if record is not None and reads_of(record) == reads else None
    if made is not None and (wanted is None or wanted.job is None or _run(wanted) == made.config):
        _embedding(made)
    elif wanted is None:
        st.info(_EMPTY[reads], icon=":material/arrow_back:")
    elif reads == "texts":
        _texts(wanted)
    elif hub_name(wanted.dataset.source) is not None:
        _public(wanted)
    else:
        _pictures(wanted)


def reads_of(record: RunRecord) -> Reads | None:
    """What an embedding makes features of; None for any other run."""
    return record.config.job.reads if isinstance(record.config.job, EmbedJob) else None


def _run(wanted: ToEmbed) -> RunConfig:
    if wanted.job is None:
        raise InputError(_WITHOUT_WEIGHTS)
    return RunConfig(dataset=wanted.dataset, job=wanted.job)


def _public(wanted: ToEmbed) -> None:
    title = HUB[hub_name(wanted.dataset.source) or ""].title
    if _heading(title, "Download and make features", ready=wanted.job is not None):
        _start(wanted)
    st.info(
        f"{title} is downloaded when you press the button, once for all later runs. The pictures are shown when their "
        "features are made.",
        icon=":material/cloud_download:",
    )


def _pictures(wanted: ToEmbed) -> None:
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
    if _heading(source_title(wanted.dataset.source), label, ready=wanted.job is not None):
        _start(wanted)
    image_preview(index)


def _texts(wanted: ToEmbed) -> None:
    try:
        with st.spinner("Reading the texts…"):
            dataset = cache.texts(wanted.dataset)
    except InputError as error:
        error_line(str(error))
        return
    label = f"Make features of {plural(len(dataset.ids), 'text')}"
    if _heading(source_title(wanted.dataset.source), label, ready=wanted.job is not None):
        _start(wanted)
    data_preview(dataset)


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


def _start(wanted: ToEmbed) -> None:
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
    top.subheader(escape(source_title(record.config.dataset.source)), anchor=False, width="content")
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
        go(PICK)
    skipped_files([(each["path"], each["reason"]) for each in result["skipped"]], result["skipped_count"])
    reading = tuple(ReadLine(**line) for line in result.get("reading", ())) or dataset.reading  # of the table of texts
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
            help="Share that is never picked from. Comparing methods needs this, or pictures in a folder called test.",
            width=220,
            persist_state="session",
        )
    )


def made_line(result: dict[str, Any]) -> str:
    """What an embedding did, in a sentence."""
    thing = "text" if result.get("reads") == "texts" else "picture"  # runs of earlier versions are of pictures
    rate = result["texts_per_second" if thing == "text" else "images_per_second"]
    how = f"{fmt_number(rate)} {thing}s a second" if rate else "taken from the cache"
    made = f"{plural(result['N'], thing)}, {fmt_int(result['d'])} features each"
    encoder = "the built-in map" if result["model"] == OFFLINE else escape(result["model"])
    return f"{made} by {encoder}; {how}."
