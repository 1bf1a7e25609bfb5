"""The first visit in a real browser: the strip and its memory, the key for the sheet, the links to Learn."""

import re

import pandas as pd
import pytest
from driver import ALERT, CHART, LONG
from playwright.sync_api import expect

from skmm_core.runs.files import SELECTION_CSV

pytestmark = pytest.mark.browser


def test_the_question_mark_opens_the_sheet_but_not_while_typing(visitor):
    visitor.open("runs?run=000000000000")
    page = visitor.page
    sheet = page.get_by_text("pick points, on Select")
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


def test_from_the_sample_to_an_export_along_the_strip_which_stays_hidden_once_hidden(visitor, store):
    visitor.open()
    visitor.page.get_by_role("link", name="Open a sample").click()
    visitor.page.get_by_text("Handwritten digits", exact=True).first.click()
    visitor.button("Pick points from it").click()
    visitor.button(re.compile("Pick 100 points")).click()
    export = visitor.button("CSV")
    visitor.expect_visible(export)
    run = visitor.run_id()
    with visitor.page.expect_download() as download:
        export.click()
    rows = pd.read_csv(download.value.path())
    expected = pd.read_csv(store.get(run).folder / SELECTION_CSV)
    assert rows["row"].tolist() == expected["row"].tolist()
    assert rows["row"].nunique() == 100
    visitor.page.get_by_role("link", name="Learn why choosing beats chance").click()
    visitor.expect_visible(visitor.heading("1. Why pick at all?"))
    visitor.expect_visible(visitor.page.locator(CHART).first)
    assert visitor.run_id() == run, "the open run stays open"
    visitor.page.get_by_role("link", name="Select", exact=True).click()
    strip = visitor.page.get_by_text("New here?")
    visitor.expect_visible(strip)
    visitor.press("Hide")
    expect(strip).to_have_count(0)
    visitor.open("data")
    visitor.expect_visible(visitor.page.get_by_text("Handwritten digits", exact=True))
    expect(strip).to_have_count(0)
    assert visitor.trouble() is None
