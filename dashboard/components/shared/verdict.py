"""The one line on a selection: how it stands beside random picks of its size."""

import streamlit as st

from skmm_core.diagnostics import Band, represented_text, verdict_of

_ICONS = {True: ":material/verified:", False: ":material/warning:", None: ":material/balance:"}


def verdict_line(band: Band | None) -> None:
    """Draw the verdict, and how much of the data the points represent.

    Args:
        band: `read_band(result.get("band"))` of a finished selection, or of
            :func:`dashboard.services.prefix.prefix_band` for its first points; None, as of a run of an earlier version,
            draws nothing.
    """
    if band is None:
        return
    found = verdict_of(band)
    st.markdown(" ".join(filter(None, (f"{_ICONS[found.good]} **{found.text}**", represented_text(band)))))
