"""The form of the Select page: what to save, which method, how many points, how."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.select.gradient_form import gradient_form, gradient_sketch_form
from dashboard.components.select.hand_picks import hand_summary
from dashboard.components.shared.forms import params_form
from dashboard.components.shared.learn_link import learn_link
from dashboard.components.shared.method_notes import source_line, warm_up_form
from dashboard.components.shared.shortcuts import PICK
from dashboard.components.shared.theme import escape, fmt_int, fmt_percent
from skmm_core.comparison import ADVICE
from skmm_core.config import DatasetConfig, GradientParams, RunConfig, SelectJob, SketchParams

if TYPE_CHECKING:
    from skmm_core.data import Dataset, Task
    from skmm_core.methods import MethodSpec

LABELLING, TRAINING = "Labelling", "Training"
_QUESTION = {
    LABELLING: "Labels are still to be made, so only methods that never look at any are offered.",
    TRAINING: "Labels are known; fewer points make training cheaper. All methods are offered.",
}
_READS_LABELS = ("stratify",)
_DEFAULT_BUDGET = 100
_MAX_SEED = 2**31 - 1
_MATCHING = "Moment matching"  # the family whose methods look at gradients


def offered(specs: Sequence["MethodSpec"], league: str) -> list["MethodSpec"]:
    """Methods of a league: label-free ones save labelling; any method can save training."""
    return [spec for spec in specs if league == TRAINING or not spec.uses_labels]


def recommended(specs: Sequence["MethodSpec"], league: str, task: "Task") -> str:
    """Key of the league's default; of the label-free one where the pool has no labels."""
    for spec in reversed(offered(specs, league)):
        if spec.recommended and spec.missing(task) is None:
            return spec.key
    return specs[0].key


def split_by_need(
    specs: Sequence["MethodSpec"], task: "Task"
) -> tuple[list["MethodSpec"], list[tuple["MethodSpec", str]]]:
    """Methods that can run on a dataset of this task, and the others with what they miss."""
    ready, blocked = [], []
    for spec in specs:
        reason = spec.missing(task)
        if reason is None:
            ready.append(spec)
        else:
            blocked.append((spec, reason))
    return ready, blocked


def select_form(
    dataset: "Dataset", config: DatasetConfig, specs: Sequence["MethodSpec"], given: RunConfig | None
) -> RunConfig | None:
    """Draw the form.

    Args:
        dataset: to pick from.
        config: how it was read.
        specs: all methods.
        given: a run of this dataset to start from, or None for defaults.

    Returns:
        The run to start when the button was pressed in this run of the script, else None.
    """
    job = given.job if given and isinstance(given.job, SelectJob) else None
    key = f"select:{dataset.fingerprint[-12:]}"
    league = _question(dataset, _league_of(given, specs), key)
    same = job is not None and league == _league_of(given, specs)  # another goal has a method of its own
    start = job.method if job and same else recommended(specs, league, dataset.task)
    spec = _method(offered(specs, league), dataset.task, start, f"{key}:{league}")
    budget = _budget(dataset.pool_size, job.budget if job else _DEFAULT_BUDGET, key)
    if spec is None:
        st.button("Pick points", type="primary", icon=":material/play_arrow:", width="stretch", disabled=True)
        return None
    matches = str(spec.family) == _MATCHING
    with st.expander(f"Options of {spec.title}", icon=":material/tune:"):
        warm_up_rows = warm_up_form([spec], dataset.task, key=key, given=given.warm_up_rows if job and given else None)
        params = {}
        if spec.params.model_fields or not spec.trains_head(dataset.task):
            params = params_form(
                spec,
                key=key,
                given=job.params if job and job.method == spec.key else None,
                without=() if league == TRAINING and dataset.class_names else _READS_LABELS,
            )
        if matches:
            learn_link("SkMM")
    with st.expander("Gradients, sketch and seed" if matches else "Sketch and seed", icon=":material/casino:"):
        offers = matches and league == TRAINING and dataset.targets is not None
        gradient, sketch = _gradients(given if job else None, key, offers=offers)
        help_ = "The same seed picks the same points."
        if not spec.random:
            help_ += " This method draws nothing itself; the seed decides the sketch and large-pool shortcuts."
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=_MAX_SEED,
            value=job.seed if job else 0,
            step=1,
            key=f"{key}:seed",
            help=help_,
            persist_state="session",
        )
        learn_link("Sketch")
    picks = hand_summary(dataset.fingerprint, job, key)
    pressed = st.button(
        f"Pick {fmt_int(budget)} points",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        key="pick",
        shortcut=PICK,
    )
    if not pressed:
        return None
    rows = {"include": tuple(picks.include), "exclude": tuple(picks.exclude)}
    chosen = SelectJob(method=spec.key, budget=budget, params=params, seed=seed, **rows)
    return RunConfig(dataset=config, job=chosen, sketch=sketch, gradient=gradient, warm_up_rows=warm_up_rows)


def _league_of(given: RunConfig | None, specs: Sequence["MethodSpec"]) -> str:
    """What the run to start from saves: training where it reads the pool's labels."""
    from skmm_core.methods import reads_labels

    if given is None or not isinstance(given.job, SelectJob):
        return LABELLING
    if given.job.method not in {spec.key for spec in specs}:  # of a package that is not installed here
        return LABELLING
    return TRAINING if reads_labels(given.job.method, given.job.params, given.gradient) else LABELLING


def _gradients(given: RunConfig | None, key: str, *, offers: bool) -> tuple[GradientParams, SketchParams]:
    """What is matched, and how it is sketched; gradients that read labels only where `offers` says so."""
    gradient = GradientParams()
    if offers:
        gradient = gradient_form(key=f"{key}:gradient", given=given.gradient if given else gradient)
    sketch = given.sketch if given else SketchParams()
    return gradient, gradient_sketch_form(key=f"{key}:sketch", given=sketch, gradient=gradient)


def _question(dataset: "Dataset", start: str, key: str) -> str:
    unlabelled = dataset.targets is None
    league = st.segmented_control(
        "What do you want to save?",
        (LABELLING, TRAINING),
        default=start,
        required=True,
        key=f"{key}:league",
        width="stretch",
        persist_state="session",
    )
    if dataset.partly_labelled and league == TRAINING:
        st.caption(
            escape(f"This pool has {dataset.partly_labelled}; methods that use labels need one in every row.")
            + " In Data, switch on *Only rows with a label*."
        )
    elif unlabelled and league == TRAINING:
        st.caption("This pool has no labels, so methods that use them cannot run; add a target column in Data.")
    else:
        st.caption(_QUESTION[league or LABELLING])
    return league or LABELLING


def _method(specs: Sequence["MethodSpec"], task: "Task", start: str, key: str) -> "MethodSpec | None":
    """Family, then method; None when nothing in the chosen family can run."""
    begin = next((spec for spec in specs if spec.key == start), specs[0])
    families = list(dict.fromkeys(str(spec.family) for spec in specs))
    family = st.pills(
        "Method",
        families,
        default=str(begin.family),
        required=True,
        key=f"{key}:family:{len(families)}",
        wrap=True,
        persist_state="session",
    )
    ready, blocked = split_by_need([spec for spec in specs if spec.family == family], task)
    members = {spec.key: spec for spec in ready}
    picked = None
    if members:
        keys = list(members)
        picked = st.radio(
            "Method of this family",
            keys,
            index=keys.index(begin.key) if begin.key in members else 0,
            format_func=lambda name: members[name].title,
            captions=[spec.summary for spec in ready],
            key=f"{key}:method:{family}:{len(keys)}",
            label_visibility="collapsed",
            persist_state="session",
        )
    for spec, reason in blocked:
        st.button(spec.title, key=f"{key}:blocked:{spec.key}", disabled=True, icon=":material/block:", width="stretch")
        st.caption(escape(reason))
    if picked is None:
        return None
    spec = members[picked]
    if spec.recommended:
        st.caption(f":material/recommend: {ADVICE[spec.uses_labels]}")
    st.caption(source_line(spec))
    return spec


def _budget(size: int, start: int, key: str) -> int:
    budget = st.number_input(
        "Budget: points to pick",
        min_value=1,
        max_value=size,
        value=min(start, size),
        step=1,
        key=f"{key}:budget",
        persist_state="session",
    )
    st.caption(f"{fmt_percent(budget / size, 1)} of the pool of {fmt_int(size)}.")
    learn_link("Why")
    return int(budget)
