"""What surrounds the pages in a real browser: first start, theme, keys of presentations, a run seen from elsewhere."""

import re
from urllib.parse import urlsplit

import pytest
from driver import CHART, LONG
from playwright.sync_api import expect

from skmm_core.config import CompareJob, DatasetConfig, RunConfig
from skmm_core.data.load import load_dataset
from skmm_core.runs import RunState

pytestmark = pytest.mark.browser
STEADY = 0.05  # layout shift that a first start may have
_BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor"


def test_a_first_start_shows_the_example_asks_nobody_and_does_not_jump(visitor, store):
    asked, troubles = [], []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.page.on("pageerror", lambda error: troubles.append(str(error)))
    visitor.open()
    visitor.expect_visible(visitor.page.get_by_role("heading", name="SkMM Dashboard"))
    visitor.expect_visible(visitor.page.locator(CHART).first)
    expect(visitor.page.locator(".skmm-gallery img")).not_to_have_count(0)
    assert visitor.shift() < STEADY
    here = urlsplit(visitor.server.url).netloc
    assert [url for url in asked if urlsplit(url).scheme.startswith("http") and urlsplit(url).netloc != here] == []
    icon = visitor.page.locator("link[rel*=icon]").first.get_attribute("href")
    assert urlsplit(icon).netloc in ("", here)
    assert troubles == []
    assert all(run.state is RunState.DONE for run in store.records()), "nothing is computed on a first visit"
    visitor.press("Use my data")
    visitor.expect_visible(visitor.page.locator('[data-testid="stFileUploader"]').first)


def test_the_theme_is_switched_and_kept_on_every_page(new_tab):
    tab = new_tab(scheme="light")
    tab.open("settings")
    for name, colour in (("Dark", "rgb(15, 21, 27)"), ("Light", "rgb(255, 255, 255)")):
        tab.button(name).click()
        tab.page.wait_for_function(f"() => {_BACKGROUND} === '{colour}'")
        tab.settle()
        for page in ("pick", "settings"):
            tab.open(page)
            assert tab.page.evaluate(_BACKGROUND) == colour, page
        tab.expect_visible(tab.button(name))
        expect(tab.button(name)).to_have_attribute("aria-pressed", "true")


def test_arrow_keys_step_a_presentation_while_the_focus_is_on_its_switch(visitor):
    visitor.open("learn?step=Why")
    visitor.page.get_by_role("switch", name="Present").press("Space")
    visitor.settle()
    switch = visitor.page.get_by_role("switch", name="Present")
    switch.focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.expect_visible(visitor.heading(re.compile(r"^2\. ")))
    switch.focus()
    visitor.page.keyboard.press("Escape")
    expect(switch).not_to_be_checked()


def test_another_page_says_that_a_run_goes_on_until_it_ends(visitor, store):
    config = RunConfig(
        dataset=DatasetConfig(source="digits"), job=CompareJob(methods=("uniform",), budgets=(11,), seeds=2)
    )
    run = store.create(config, load_dataset(config.dataset).fingerprint)
    visitor.open("learn?step=Why")
    expect(visitor.page.locator(".st-key-running")).to_contain_text("digits")
    store.cancel(run.id)
    expect(visitor.page.locator(".st-key-running")).to_have_count(0, timeout=LONG)
