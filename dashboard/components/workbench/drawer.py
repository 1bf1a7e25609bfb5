"""The drawer of the line that picks: what the method does and needs, its options, gradients, sketch and seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.components.shared.forms import params_form
from dashboard.components.shared.learn_link import learn_link
from dashboard.components.shared.method_notes import by_family, source_line, warm_up_form
from dashboard.components.shared.theme import escape
from dashboard.components.workbench.gradient_form import gradient_form, gradient_sketch_form
from skmm_core.comparison import ADVICE
from skmm_core.config import GradientParams, RunConfig, SelectJob, SketchParams

if TYPE_CHECKING:
    from skmm_core.data import Dataset
    from skmm_core.methods import MethodSpec

_READS_LABELS = ("stratify",)
_MAX_SEED = 2**31 - 1
_MATCHING = "Moment matching"  # the family whose methods look at gradients


@dataclass(frozen=True)
class Options:
    """What the drawer says beside method and budget."""

    params: dict[str, Any]
    seed: int
    sketch: SketchParams
    gradient: GradientParams
    warm_up_rows: int | None


def drawer(
    dataset: "Dataset",
    spec: "MethodSpec",
    blocked: Sequence[tuple["MethodSpec", str]],
    given: RunConfig | None,
    *,
    key: str,
    training: bool,
) -> Options:
    """Draw the drawer, folded behind a button.

    Args:
        dataset: to pick from.
        spec: the method.
        blocked: methods that cannot run here, with the reason.
        given: a run of this dataset to start from, or None for defaults.
        key: prefix of the widgets' keys.
        training: whether labels are known and may be read.
    """
    job = given.job if given and isinstance(given.job, SelectJob) else None
    matches = str(spec.family) == _MATCHING
    with st.popover("Options", icon=":material/tune:", key=f"{key}:drawer"):
        st.markdown(f"**{escape(spec.title)}**")
        st.markdown(escape(spec.summary))
        if spec.recommended:
            st.caption(f":material/recommend: {ADVICE[spec.uses_labels]}")
        st.caption(source_line(spec))
        left, right = st.columns(2, gap="large")
        with left:
            warm_up = warm_up_form([spec], dataset.task, key=key, given=given.warm_up_rows if job and given else None)
            params: dict[str, Any] = {}
            if spec.params.model_fields or not spec.trains_head(dataset.task):
                params = params_form(
                    spec,
                    key=key,
                    given=job.params if job and job.method == spec.key else None,
                    without=() if training and dataset.class_names else _READS_LABELS,
                )
            if matches:
                learn_link("SkMM")
        with right:
            offers = matches and training and dataset.targets is not None
            gradient, sketch = _gradients(given if job else None, key, offers=offers)
            seed = _seed(spec, job.seed if job else 0, key)
            learn_link("Sketch")
        _blocked(blocked)
    return Options(params, seed, sketch, gradient, warm_up)


def _seed(spec: "MethodSpec", start: int, key: str) -> int:
    help_ = "The same seed picks the same points."
    if not spec.random:
        help_ += " This method draws nothing itself; the seed decides the sketch and large-pool shortcuts."
    seed = st.number_input(
        "Seed", min_value=0, max_value=_MAX_SEED, value=start, step=1, key=f"{key}:seed", help=help_,
        persist_state="session",
    )  # fmt: skip
    return int(seed)


def _gradients(given: RunConfig | None, key: str, *, offers: bool) -> tuple[GradientParams, SketchParams]:
    """What is matched, and how it is sketched; gradients that read labels only where `offers` says so."""
    gradient = GradientParams()
    if offers:
        gradient = gradient_form(key=f"{key}:gradient", given=given.gradient if given else gradient)
    sketch = given.sketch if given else SketchParams()
    return gradient, gradient_sketch_form(key=f"{key}:sketch", given=sketch, gradient=gradient)


def _blocked(blocked: Sequence[tuple["MethodSpec", str]]) -> None:
    """Methods that cannot run here, by family, with the reason."""
    reasons = {spec.key: reason for spec, reason in blocked}
    for family, members in by_family(spec for spec, _ in blocked).items():
        lines = "; ".join(f"{escape(reasons[spec.key])}" for spec in members)
        st.caption(f":material/block: {escape(family)}: {lines}")
