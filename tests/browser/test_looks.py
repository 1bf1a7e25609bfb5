"""No page, light or dark, shows an exception, is too wide at desktop or tablet width, or shuts anybody out."""

import pytest
from driver import CHART, CHARTED, PAGES, Visitor, wait_for_demo

from dashboard.services import demo
from skmm_core.runs import RunState

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def ready(chromium, server):
    """Wait until the demo runs are there, so that pages have something to show."""
    context = chromium.new_context()
    tab = Visitor(context.new_page(), server)
    wait_for_demo(tab)
    context.close()


def charts_without_text(tab):
    """Number of charts that say nothing to those who cannot see them."""
    return tab.page.locator('[data-testid="stPlotlyChart"]').evaluate_all(
        """charts => charts.filter(chart => {
            const said = chart.matches('[aria-label]') ? chart : chart.querySelector('[aria-label]');
            return !said || said.getAttribute('aria-label').length < 20;
        }).length"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_without_trouble(new_tab, store, ready, scheme):
    runs = {run.kind: run.id for run in store.records() if run.config in (demo.SELECT, demo.COMPARE)}
    assert all(store.get(run).state is RunState.DONE for run in runs.values())
    tab = new_tab(scheme=scheme)
    rules = () if scheme == "light" else ("color-contrast",)  # the two themes differ in nothing else
    for page, address in PAGES.items():
        run = runs["compare" if page == "compare" else "select"]
        tab.page.set_viewport_size({"width": 1440, "height": 900})
        tab.open(f"{address}run={run}")
        if page in CHARTED:
            tab.expect_visible(tab.page.locator(CHART).first)
        tab.drawn()
        assert tab.trouble() is None, f"{page} at 1440 px, {scheme}"
        assert charts_without_text(tab) == 0, f"{page}, {scheme}"
        assert tab.barriers(*rules) == [], f"{page}, {scheme}"
        tab.page.set_viewport_size({"width": 800, "height": 900})
        assert tab.trouble() is None, f"{page} at 800 px, {scheme}"
