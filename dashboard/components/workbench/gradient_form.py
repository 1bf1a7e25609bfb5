"""What stands for a point when moments are matched, and how it is sketched; a line of help for every choice."""

import streamlit as st

from dashboard.components.shared.forms import model_form
from skmm_core.config import GradientParams, SketchParams

GRADIENTS = {
    "features": "Features: the gradient of a linear probe's output. Reads no label.",
    "head": "Head: the gradient of a linear head's loss, features times residual. Sees which points are hard.",
}
SKETCHES = {
    "gaussian": "Gaussian: the map of the paper; the tightest bound.",
    "rademacher": "Rademacher: random signs, as good as Gaussian.",
    "srht": "SRHT: fast Hadamard transform, for many dimensions.",
    "sparse": "Sparse: a few random signs a coordinate, for many dimensions.",
    "countsketch": "CountSketch: one sign a coordinate, fastest and least exact.",
    "kronecker": "Kronecker: sketches features and residuals apart, so that their product is never built.",
    "none": "None: every dimension is kept.",
}


def gradient_form(*, key: str, given: GradientParams) -> GradientParams:
    """Draw the choice of gradients and, for those of a head, their options.

    Args:
        key: prefix of the widgets' keys.
        given: where to start.
    """
    kind = st.selectbox(
        "Gradients",
        list(GRADIENTS),
        index=list(GRADIENTS).index(given.kind),
        format_func=str.capitalize,
        key=f"{key}:kind",
        help="What stands for a point when moments are matched.",
        persist_state="session",
    )
    st.caption(GRADIENTS[kind])
    if kind == "features":
        return GradientParams()
    options = model_form(GradientParams, key=key, given=given.model_dump(), without=("kind",))
    return GradientParams.model_validate({**options, "kind": kind})


def gradient_sketch_form(*, key: str, given: SketchParams, gradient: GradientParams) -> SketchParams:
    """Draw the choice of a sketch that fits the gradients.

    Args:
        key: prefix of the widgets' keys.
        given: where to start, if it fits.
        gradient: what is sketched.
    """
    kinds = [kind for kind in SKETCHES if kind != "kronecker" or gradient.kind == "head"]
    asked = given.kind != SketchParams().kind and given.kind in kinds
    start = given.kind if asked else gradient.default_sketch
    key = key if gradient.kind == "features" else f"{key}:{gradient.kind}"  # each starts at a default of its own
    kind = st.selectbox(
        "Sketch",
        kinds,
        index=kinds.index(start),
        format_func=lambda name: SKETCHES[name].partition(":")[0],
        key=f"{key}:kind",
        help="A random map to few dimensions that keeps distances, so that moments of many dimensions can be matched.",
        persist_state="session",
    )
    st.caption(SKETCHES[kind].partition(": ")[2].capitalize())
    hidden = {"kind", *(() if kind == "sparse" else ("nonzeros",)), *(("dim",) if kind == "none" else ())}
    sizes = model_form(SketchParams, key=key, given=given.model_dump(), without=hidden)
    return SketchParams.model_validate({**sizes, "kind": kind})
