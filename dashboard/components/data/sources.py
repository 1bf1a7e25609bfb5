"""Where data come from on the Data page: a path on the server, or an upload that is kept."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from dashboard.components.shared.theme import escape
from dashboard.services.sources import data_roots


def path_on_server(label: str, *, key: str, kind: str, example: str, root: str) -> str:
    """Draw the field for a path on the server, or why there is none.

    Args:
        label: of the field.
        key: of the field.
        kind: what is read there, such as "Files".
        example: path below a folder that may be read, such as "features.npz".
        root: folder to name where no folder may be read yet.

    Returns:
        What is filled in; empty while nothing is.
    """
    roots = data_roots()
    st.text_input(
        label,
        key=key,
        disabled=not roots,
        placeholder=f"{roots[0]}/{example}" if roots else "not enabled",
        persist_state="session",
    )
    if not roots:
        st.info(
            "Server paths are off. Start the dashboard with `SKMM_DATA_ROOTS` set to the folders it may read, "
            f"such as `SKMM_DATA_ROOTS={root}`.",
            icon=":material/lock:",
        )
        return ""
    st.caption(f"{kind} under {', '.join(escape(str(root)) for root in roots)} can be read.")
    return str(st.session_state.get(key) or "").strip()


def kept_upload(id_: str, save: Callable[[], Path]) -> Path:
    """Where an upload is kept; saved once, so that a rerun of the page does not read hundreds of megabytes again.

    Args:
        id_: of the upload.
        save: writes it, and says where.
    """
    key = f"kept:{id_}"
    known = st.session_state.get(key)
    if not isinstance(known, Path) or not known.exists():
        st.session_state[key] = known = save()
    return known
