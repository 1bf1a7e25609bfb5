"""What a visitor reads does not jump away while results arrive: layout shift as the browser itself measures it."""

import pytest
from driver import CHART, STEADY, wait_for_demo
from playwright.sync_api import expect

from dashboard.services import demo

pytestmark = pytest.mark.browser


def test_a_comparison_does_not_jump_from_its_first_scores_to_its_last(visitor, store):
    wait_for_demo(visitor)
    run = next(run for run in store.records() if run.config == demo.COMPARE)
    visitor.open(f"compare?run={run.id}")
    for label, value in (("Seeds", "20"), ("Budgets: points to pick", "20, 60")):
        field = visitor.page.get_by_label(label, exact=True)
        field.fill(value)
        field.press("Enter")
    visitor.expect_visible(visitor.page.get_by_text("80 selections").first)
    visitor.press("Compare")
    expect(visitor.page.get_by_text("scored so far").first).to_be_visible()
    visitor.expect_visible(visitor.page.locator(CHART).first)
    # a page is drawn from its top; what stands below moves until its last part is there
    visitor.expect_visible(visitor.page.get_by_text("What does it cost to pick?").first)
    visitor.drawn()
    before = visitor.shift()
    visitor.expect_visible(visitor.page.get_by_text("Done", exact=True))
    expect(visitor.page.get_by_text("scored so far")).to_have_count(0)
    visitor.settle()
    visitor.drawn()
    visitor.page.wait_for_timeout(500)  # for what is drawn after the script has run
    assert visitor.shift() - before < STEADY
    assert visitor.trouble() is None
    visitor.press("Close")
    expect(visitor.page.get_by_text("Done", exact=True)).to_have_count(0)
