"""Settings: the theme, and the keys."""

import streamlit as st

from dashboard.components.settings.theme_switch import theme_switch
from dashboard.components.shared.places import ADDRESSES
from dashboard.components.shared.shortcuts import LINES

st.markdown("### Settings")
st.markdown("##### Theme")
theme_switch(list(ADDRESSES))
st.caption("This browser remembers it. *System* follows what your computer is set to.")
st.markdown(LINES)
