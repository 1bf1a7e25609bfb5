"""What a visitor reads does not jump away while results arrive: layout shift as the browser itself measures it."""

import pytest
from driver import CHART
from playwright.sync_api import expect

from dashboard.services import demo

pytestmark = pytest.mark.browser

_WATCH = """() => {
    window.skmmShift = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.skmmShift += entry.value;
    }).observe({type: 'layout-shift'});
}"""
_GOOD = 0.1  # cumulative layout shift up to which web.dev calls a page steady


def test_a_comparison_does_not_jump_from_its_first_scores_to_its_last(visitor, store):
    visitor.open()
    visitor.expect_visible(visitor.page.get_by_text("of the full-data accuracy").first)
    run = next(run for run in store.records() if run.config == demo.COMPARE)
    visitor.open(f"compare?run={run.id}")
    for label, value in (("Seeds", "40"), ("Budgets: points to pick", "20, 60")):
        field = visitor.page.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
    visitor.expect_visible(visitor.page.get_by_text("160 selections").first)
    visitor.press("Compare")
    expect(visitor.page.get_by_text("scored so far").first).to_be_visible()
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.drawn()
    visitor.page.evaluate(_WATCH)
    visitor.expect_visible(visitor.page.get_by_text("Done", exact=True))
    expect(visitor.page.get_by_text("scored so far")).to_have_count(0)
    visitor.settle()
    visitor.drawn()
    visitor.page.wait_for_timeout(500)  # for what is drawn after the script has run
    assert visitor.page.evaluate("window.skmmShift") < _GOOD
    assert visitor.trouble() is None
    visitor.press("Close")
    expect(visitor.page.get_by_text("Done", exact=True)).to_have_count(0)
