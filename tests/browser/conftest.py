"""One Chromium for all browser tests, one server a file; without Chromium they are skipped, or fail if required."""

import os

import pytest
from driver import CHROMIUM, Visitor, launch, serve
from playwright.sync_api import sync_playwright

from skmm_core.runs import RunStore


@pytest.fixture(scope="session")
def chromium():
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not installed; install Debian's chromium"
        if os.environ.get("SKMM_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("browser") / "home") as running:
        yield running


@pytest.fixture
def store(server):
    """The runs of the server, as another process sees them."""
    return RunStore(server.home)


@pytest.fixture
def new_tab(chromium, server):
    """Open a tab of its own session; every tab ends with a page without trouble."""
    contexts = []

    def make(*, width=1440, height=900, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        return Visitor(page, server)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(new_tab):
    return new_tab()
