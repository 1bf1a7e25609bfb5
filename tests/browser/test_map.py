"""The map and what is linked to it, in a real browser: legend, slider, table, points decided by hand."""

import json
import re

import pytest
from driver import CHART
from playwright.sync_api import expect

from dashboard.services import demo
from skmm_core.runs import RunState

pytestmark = pytest.mark.browser

# Entries of the legend that are shown, and the number of points of the pool that are.
SHOWN = """() => {
    const all = document.querySelector('.js-plotly-plot')?._fullData ?? [];
    const drawn = all.filter(trace => trace.visible === true);
    return {
        entries: drawn.filter(trace => trace.showlegend).map(trace => trace.name),
        points: drawn.filter(trace => trace.customdata).reduce((sum, trace) => sum + trace.x.length, 0),
        rings: drawn.filter(trace => trace.legendgroup === 'rings').reduce((sum, trace) => sum + trace.x.length, 0),
    };
}"""


@pytest.fixture
def select(visitor, store):
    """The finished demo run on the Select page."""
    made = [run for run in store.records(kind="select") if run.config == demo.SELECT and run.state is RunState.DONE]
    if not made:  # the first visit makes it
        visitor.open()
        visitor.expect_visible(visitor.page.locator(CHART).first)
        made = [run for run in store.records(kind="select") if run.config == demo.SELECT]
    run = made[0]
    visitor.open(f"select?run={run.id}")
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.expect_visible(visitor.button(re.compile("Pick 60 points")))
    visitor.settle()
    return visitor


def wait_for(visitor, condition):
    """Wait until the map shows what the condition, in JavaScript over `shown`, asks for; returns what it shows."""
    visitor.page.wait_for_function(f"() => {{ const shown = ({SHOWN})(); return {condition}; }}")
    return visitor.page.evaluate(SHOWN)


def test_a_click_in_the_legend_leaves_one_class_and_the_slider_redraws_map_and_numbers(select):
    page = select.page
    before = wait_for(select, "shown.entries.length === 10")
    assert before["points"] == 1078
    counts = [tuple(map(int, re.findall(r"\d+", name)[-2:])) for name in before["entries"]]
    assert [sum(part) for part in zip(*counts, strict=True)] == [60, 1078]
    page.locator(f"{CHART} .legendtoggle").nth(3).click()
    alone = wait_for(select, "shown.entries.length === 1")
    assert alone == {"entries": [before["entries"][3]], "points": counts[3][1], "rings": 0}
    page.locator(f"{CHART} .legendtoggle").nth(3).click()
    wait_for(select, "shown.points === 1078")

    metrics = page.locator('[data-testid="stMetric"]')
    bias = metrics.filter(has_text="Bias").inner_text()
    page.get_by_role("slider").first.press("Home")
    expect(metrics.filter(has_text="Chosen")).to_contain_text("1 of 1,078")
    moved = wait_for(select, "shown.entries.filter(name => / 1 \\/ /.test(name)).length === 1")
    assert len([name for name in moved["entries"] if " 0 / " in name]) == 9
    expect(metrics.filter(has_text="Bias")).not_to_have_text(bias)
    expect(page.get_by_text("1 chosen point", exact=True)).to_be_visible()
    assert select.trouble() is None


def test_a_class_left_alone_by_the_legend_stays_alone_while_the_map_is_made_anew(select):
    page = select.page
    entry = page.locator(f"{CHART} .legendtoggle").nth(3)
    before = wait_for(select, "shown.entries.length === 10")["entries"]
    entry.click()
    alone = wait_for(select, "shown.entries.length === 1")
    assert alone["entries"] == [before[3]]
    select.settle()
    page.get_by_role("slider").first.press("Home")
    moved = wait_for(select, "/ [01] \\/ /.test(shown.entries[0])")
    assert len(moved["entries"]) == 1
    assert moved["points"] == alone["points"]
    select.settle()
    select.menu("Runs")
    expect(page.locator(CHART)).to_have_count(0)
    page.get_by_role("link", name="Pick", exact=True).click()
    assert wait_for(select, "shown.entries.length === 1")["points"] == alone["points"]
    select.settle()
    entry.click()
    wait_for(select, "shown.points === 1078")
    select.settle()
    page.get_by_role("slider").first.press("End")
    wait_for(select, "shown.entries.length === 10 && shown.points === 1078 && !/ [01] \\/ /.test(shown.entries[3])")
    assert select.trouble() is None


def test_ticked_rows_are_ringed_and_marks_outlive_a_new_figure(select):
    page = select.page
    page.get_by_role("tab", name="Table").click()
    grid = page.locator('[data-testid="stDataFrame"] .dvn-scroller').first
    select.expect_visible(grid)
    select.settle()
    select.drawn()
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": 16, "y": 52})
    wait_for(select, "shown.rings === 1")
    grid.click(position={"x": 16, "y": 87})
    wait_for(select, "shown.rings === 2")
    select.expect_visible(select.button("Pin 2 points"))

    select.lasso(page.locator(CHART).first, share=0.4)
    heading = page.get_by_text(re.compile(r"[\d,]+ points? marked on the map")).first
    select.expect_visible(heading)
    wait_for(select, "shown.rings === 0")
    marked = heading.inner_text().split(" marked")[0]
    page.get_by_role("slider").first.press("Home")
    expect(page.get_by_text(re.compile(f"^{marked} marked on the map, [01] of them chosen"))).to_be_visible()
    assert select.trouble() is None


def test_points_pinned_and_barred_on_the_map_are_what_the_next_run_is_told(select, store):
    page = select.page
    select.lasso(page.locator(CHART).first, share=0.08)
    pin = select.button(re.compile("^push_pin Pin|^Pin"))
    select.expect_visible(pin)
    count = int(re.search(r"Pin ([\d,]+)", pin.inner_text()).group(1))
    assert 0 < count <= 60
    pin.click()
    expect(page.get_by_text(re.compile(rf"{count} points? pinned")).first).to_be_visible()
    assert any("Always choose" in name for name in wait_for(select, "shown.entries.length === 11")["entries"])
    first = select.run_id()
    select.press(re.compile("Pick 60 points"))
    page.wait_for_url(lambda address: f"run={first}" not in address and "run=" in address)
    run = select.run_id()
    expect(page.locator("code").filter(has_text="--include").first).to_be_visible()
    record = store.get(run)
    assert record.state is RunState.DONE
    assert len(record.config.job.include) == count
    result = json.loads((record.folder / "result.json").read_text())
    assert result["included"] == count
    rows = (record.folder / "selection.csv").read_text().splitlines()[1 : count + 1]
    assert sorted(int(line.split(",")[2]) for line in rows) == list(record.config.job.include)
    select.button("Forget").click()
    expect(page.get_by_text(re.compile(r"points? pinned"))).to_have_count(0)

    select.open(f"selections?runs={first},{run}")
    select.expect_visible(page.get_by_text("Which points are they?"))
    only = page.get_by_role("button", name=re.compile("^Only B"))
    select.expect_visible(only.first)
    select.expect_visible(page.locator(".skmm-gallery img").first)
    only.first.click()
    expect(page.get_by_text(re.compile("^Only B: "))).to_have_count(0)
    assert select.trouble() is None
