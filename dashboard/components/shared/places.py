"""The places of the dashboard: which views a page has, how to go to one, and where older addresses lead."""

from typing import Literal, NoReturn

import streamlit as st

HOME, DATA, PICK, COMPARE, LEARN, REPRODUCE, RUNS, SETTINGS = (
    f"app_pages/{name}.py" for name in ("overview", "data", "pick", "compare", "learn", "reproduce", "runs", "settings")
)
Width = int | Literal["content", "stretch"]
DATA_KIND, UPLOAD = "data:kind", "Upload"  # session key of where data come from, and a file of one's own
VIEW = "view"  # name of the choice in the address, and its session key
WORKBENCH, WHY, SELECTIONS, LABEL = "Workbench", "Why", "Compare selections", "Label"
RESULTS, PRESENT = "Results", "Present"
VIEWS = {PICK: (WORKBENCH, WHY, SELECTIONS, LABEL), COMPARE: (RESULTS, PRESENT)}  # by page; it opens with its first one
OLD_ADDRESSES: dict[str, tuple[str, str | None]] = {  # what was a page of its own before
    "overview": (HOME, None),
    "select": (PICK, WORKBENCH),
    "diagnose": (PICK, WHY),
    "selections": (PICK, SELECTIONS),
    "present": (COMPARE, PRESENT),
}


ADDRESSES = ("", "data", "pick", "compare", "learn", "reproduce", "runs", "settings", *OLD_ADDRESSES)


def choose_view(page: str) -> str:
    """Draw the choice of the page's views, and return the one to show; the address holds it and is followed.

    Args:
        page: script of the page, a key of VIEWS.
    """
    shown = open_view(page)
    st.session_state[VIEW] = shown
    st.segmented_control(
        "View", VIEWS[page], required=True, key=VIEW, on_change=_write_address, label_visibility="collapsed"
    )
    return str(shown)


def _write_address() -> None:
    # what else it says is of the view before, or written anew
    st.query_params.from_dict({VIEW: st.session_state[VIEW]})


def script_of(url_path: str) -> str:
    """Script of the page at this path: "" → HOME."""
    return f"app_pages/{url_path}.py" if url_path else HOME


def open_view(page: str) -> str | None:
    """Which view of a page the address asks for; its first where it asks for none, None where it has no views."""
    views, asked = VIEWS.get(page), st.query_params.get(VIEW)
    if views is None:
        return None
    return asked if asked in views else views[0]


def go(page: str, view: str | None = None, **query: str) -> NoReturn:
    """Turn to a view of a page.

    Args:
        page: its script.
        view: of this page; None for the first.
        query: what the address says besides.
    """
    st.switch_page(page, query_params=query | ({VIEW: view} if view else {}))


def place_link(
    page: str, view: str | None = None, *, label: str, icon: str, width: Width = "content", **query: str
) -> None:
    """Draw a link to a view of a page.

    Args:
        page: its script.
        view: of this page; None for the first.
        label: of the link.
        icon: of the link, such as ":material/database:".
        width: of the link.
        query: what the address says besides.
    """
    view = view or next(iter(VIEWS.get(page, ())), None)
    st.page_link(page, label=label, icon=icon, width=width, query_params=query | ({VIEW: view} if view else {}))


def show_view(view: str) -> None:
    """Turn to another view of the open page: for `on_click`, before the page is drawn again."""
    st.query_params[VIEW] = view


def old_page(url_path: str) -> st.Page:
    """A page that no menu shows and that leads on from an older address; what else the address says is kept."""
    page, view = OLD_ADDRESSES[url_path]

    def lead_on() -> None:
        go(page, view, **{name: value for name, value in st.query_params.to_dict().items() if name != VIEW})

    return st.Page(lead_on, title=url_path.title(), url_path=url_path, visibility="hidden")
