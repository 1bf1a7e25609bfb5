"""How a test of a page goes from place to place, and that none leaves a process of the product behind."""

import os
from pathlib import Path

import pytest

from dashboard.components.shared.places import OLD_ADDRESSES, VIEW


def turn_to(app, name):
    """Go to a page, or to a view by the name that it had as a page, in the same session."""
    page, view = OLD_ADDRESSES.get(name, (f"app_pages/{name}.py", None))
    if view is not None:
        app.query_params[VIEW] = view
    return app.switch_page(page).run()


@pytest.fixture
def turn():
    return turn_to


def children():
    """Command lines of the living processes of the product that this one started; none where there is no /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:  # it ended meanwhile
            continue
        if parent == os.getpid() and {"dashboard.services.umap", "skmm_core.jobs.worker"} & set(words):
            found.append(" ".join(words))
    return found


@pytest.fixture(scope="module", autouse=True)
def nothing_left_running():
    yield
    assert not children(), "a test left these running"
