"""Learn: why a well-chosen few can do the work of many, in five scenes to play with and a free playground."""

import sys

import streamlit as st

from dashboard.components.learn.playground import draw_playground
from dashboard.components.learn.step_buttons import STEP, step_buttons
from dashboard.components.learn.steps import STEPS, draw_step
from dashboard.components.shared.presenter_mode import presenting

PLAYGROUND = "Playground"
NAMES = (*(step.name for step in STEPS), PLAYGROUND)

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    name = st.segmented_control(
        "Step",
        NAMES,
        default=NAMES[0],
        key=STEP,
        bind="query-params",
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    large = presenting()
name = name or NAMES[0]  # a link may empty it
place = NAMES.index(name)
step = STEPS[place] if place < len(STEPS) else None
st.markdown(f"### {place + 1}. {step.title if step else 'Playground: build your own'}")
if step is None:
    st.markdown(
        "Put clusters where you like, choose two methods, and watch the bias and variance of each. Each feature of a "
        "point truly adds its own value, once, to the label."
    )
if "torch" not in sys.modules:
    with st.spinner("Loading what computes…"):
        from skmm_core.learn import make_toy  # noqa: F401
if step is None:
    draw_playground(large=large)
else:
    draw_step(place, large=large)
step_buttons(NAMES, name, keys=large)
