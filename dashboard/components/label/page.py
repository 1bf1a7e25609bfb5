"""The view of Pick that labels points: a desk with keys, what answers may be, files out and in, and what comes next."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.label.answers import Place, act, read_press
from dashboard.components.label.batches import offer_batch
from dashboard.components.label.desk import Answers, desk_data
from dashboard.components.label.files import bring_back, export_files
from dashboard.components.label.next_step import next_step, take_next
from dashboard.components.label.pictures import make_ready
from dashboard.components.label.scheme import scheme_panel
from dashboard.components.label.station import station
from dashboard.components.label.worth import worth_panel
from dashboard.components.shared.empty_state import empty_state
from dashboard.components.shared.no_dataset import no_dataset
from dashboard.components.shared.places import PICK
from dashboard.components.shared.theme import mistakes_told
from dashboard.services import cache, state
from dashboard.services.projects import project_of
from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.projects import Project

if TYPE_CHECKING:
    from skmm_core.data import Dataset

_ONE, _GRID = "One large", "Grid"
_SHEET = 12  # points of a grid at once
_WIDTHS = (150, 206)  # of layout and guess, in pixels: what stands beside them does not move when they are drawn
_HEIGHT = 700  # of the desk at least, in pixels: what stands below it is out of sight from the start
_GUESS_HELP = (
    "What a small model trained on your labels so far would answer. Hidden at first, since people tend to agree with "
    "what they are shown, and labels that follow the model teach it nothing."
)


def label_page() -> None:
    """Draw the view."""
    config = state.current_dataset()
    if config is None:
        no_dataset("Bring your data, pick the points worth labelling, and label them here.")
    with mistakes_told():
        with st.spinner("Reading the dataset…"):
            dataset = cache.dataset(config)
        take_next(project_of(dataset.fingerprint))
        offered = offer_batch(state.current_record(), config, dataset.fingerprint, dataset.name)
        project = project_of(dataset.fingerprint)
        if project is not None and project.state().batches:
            _desk(dataset, config, project)
        elif not offered:
            empty_state(
                "Nothing to label yet",
                "Pick points first; then label them here, one after the other.",
                page=PICK,
                label="Go to Pick",
                icon=":material/ads_click:",
            )


@st.fragment
@mistakes_told()
def _desk(dataset: "Dataset", config: DatasetConfig, project: Project) -> None:
    key = f"label:{project.id}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="label-options"):
        layout = st.segmented_control(
            "Layout", (_ONE, _GRID), default=_ONE, required=True, key="label:layout", label_visibility="collapsed",
            width=_WIDTHS[0],
        )  # fmt: skip
        guessing = st.toggle("Show the model's guess", key="label:guess", help=_GUESS_HELP, width=_WIDTHS[1])
        scheme_panel(project, Answers.of(dataset, project.state()))
        export_files(dataset, config, project)
        if bring_back(dataset, project):
            st.session_state.pop(key, None)  # on to the first point that waits now
    upper = st.container()
    answers = Answers.of(dataset, project.state())  # what was just kept or brought back is known to the desk at once
    place = st.session_state.get(key, Place())
    place = Place(place.item, _SHEET if layout == _GRID else 1, place.note)
    told = st.session_state.pop(f"{key}:told", {})

    def pressed(message: dict[str, Any]) -> None:
        problem = ""
        if (press := read_press(message)) is not None:
            try:
                st.session_state[key] = act(project, press, place, names=answers.names, numbers=answers.numbers)
            except InputError as error:
                problem = str(error)
        have = message.get("have")
        st.session_state[f"{key}:told"] = {"problem": problem, "have": have if isinstance(have, list) else []}

    data = desk_data(
        dataset,
        config,
        project,
        place,
        guessing=guessing,
        have=frozenset(map(str, told.get("have", ()))),
        problem=told.get("problem", ""),
    )
    with st.container(horizontal=True, gap=None):  # as high as the desk before the browser has loaded what draws it
        st.container(width=1, height=_HEIGHT, border=False)
        with st.container():
            station(data, key="label-desk", on_press=pressed)
    with upper:
        next_step(dataset, project, data["item"] is None)
    worth_panel(config, project, dataset.fingerprint)
    make_ready(dataset, config, data["ahead"])
