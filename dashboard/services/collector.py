"""Keep Python's collector from walking through every library after each run of a page.

Streamlit collects garbage in full when a script or fragment has ended, while it sends what was drawn. With torch,
scikit-learn and plotly loaded that looks at some 340,000 objects and takes 0.16 s of a core, two thirds of what the
server does for a step of a slider. Objects of libraries live as long as the process: frozen, they are left out.
"""

import gc
import sys

import streamlit as st

_MODULES = 250  # so many newly loaded modules are worth another freeze


def spare_libraries() -> None:
    """Leave out of later collections what is alive now, if many modules were loaded since this was last done."""
    _freeze(len(sys.modules) // _MODULES)


@st.cache_resource(max_entries=1_000, show_spinner=False)
def _freeze(loaded: int) -> None:
    gc.collect()
    gc.freeze()
