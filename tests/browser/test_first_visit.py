"""The first visit in a real browser: the strip and its memory, the key for the sheet, the links to Learn."""

import re

import pandas as pd
import pytest
from driver import ALERT, LONG
from playwright.sync_api import expect

from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs.files import SELECTION_CSV

pytestmark = pytest.mark.browser
PICKED = RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="uniform", budget=12))


def made(store):
    """Id of a small finished selection."""
    record = next((run for run in store.records() if run.config == PICKED), None)
    if record is None:
        record = store.create(PICKED, load_dataset(PICKED.dataset).fingerprint)
        run_folder(record.folder, home=store.home)
    return record.id


def test_the_question_mark_opens_the_sheet_but_not_while_typing(visitor):
    visitor.open("runs?run=000000000000")
    page = visitor.page
    sheet = page.get_by_text("pick points, on Pick")
    # the script that listens for the key is in a part that the browser loads after the button can be seen
    page.wait_for_function("() => window.skmmKeys", timeout=LONG)
    visitor.expect_visible(page.locator(ALERT).filter(has_text="There is no run 000000000000"))
    search = page.get_by_label("Search", exact=True)
    search.click()
    page.keyboard.type("a?")
    expect(search).to_have_value("a?")
    assert sheet.count() == 0
    search.fill("")
    page.mouse.click(5, 700)
    page.keyboard.press("?")
    visitor.expect_visible(sheet)
    assert visitor.barriers() == []
    page.keyboard.press("r")  # Streamlit's key for another run of the script, in which the line above is gone
    expect(page.locator(ALERT)).to_have_count(0)
    visitor.settle()
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize(
    ("old", "page", "view"),
    [("diagnose", "pick", "Why"), ("present", "compare", "Present"), ("overview", "", None)],
)
def test_an_older_link_leads_to_its_place_with_its_run(visitor, store, old, page, view):
    run = made(store)
    visitor.open(f"{old}?run={run}")
    visitor.page.wait_for_url(re.compile(rf"{visitor.server.url}/{page}\?"))
    visitor.settle()
    assert visitor.run_id() == run
    if view is not None:
        expect(visitor.page.get_by_role("radio", name=view, exact=True)).to_be_checked()
    assert visitor.trouble() is None


def test_a_link_turns_the_page_to_another_of_its_views_and_back(visitor, store):
    visitor.open(f"pick?run={made(store)}")
    visitor.view("Why")
    expect(visitor.page.get_by_role("radio", name="Why", exact=True)).to_be_checked()
    visitor.page.get_by_role("link", name="Pick and export").click()
    expect(visitor.page.get_by_role("radio", name="Workbench", exact=True)).to_be_checked()
    visitor.settle()
    visitor.page.get_by_role("link", name="See why").click()
    expect(visitor.page.get_by_role("radio", name="Why", exact=True)).to_be_checked()
    assert visitor.trouble() is None


def test_from_the_sample_to_an_export_along_the_strip_which_stays_hidden_once_hidden(visitor, store):
    visitor.open()
    visitor.page.get_by_role("link", name="Open a sample").click()
    visitor.page.get_by_text("Handwritten digits", exact=True).first.click()
    visitor.button("Pick points from it").click()
    visitor.button(re.compile("Pick 100")).click()
    visitor.button(re.compile("Export")).click()
    export = visitor.button("CSV")
    visitor.expect_visible(export)
    run = visitor.run_id()
    with visitor.page.expect_download() as download:
        export.click()
    rows = pd.read_csv(download.value.path())
    expected = pd.read_csv(store.get(run).folder / SELECTION_CSV)
    assert rows["row"].tolist() == expected["row"].tolist()
    assert rows["row"].nunique() == 100
    visitor.page.keyboard.press("Escape")
    visitor.button(re.compile("Options")).click()
    visitor.page.get_by_role("link", name=re.compile("^(school )?Learn .")).first.click()
    visitor.page.wait_for_url(re.compile("/learn"))
    visitor.expect_visible(visitor.page.get_by_role("figure").first)
    assert visitor.run_id() == run, "the open run stays open"
    visitor.page.get_by_role("link", name="Pick", exact=True).click()
    strip = visitor.page.get_by_text("New here?")
    visitor.expect_visible(strip)
    visitor.press("Hide")
    expect(strip).to_have_count(0)
    visitor.open("data")
    visitor.expect_visible(visitor.page.get_by_text("Handwritten digits", exact=True))
    expect(strip).to_have_count(0)
    assert visitor.trouble() is None
