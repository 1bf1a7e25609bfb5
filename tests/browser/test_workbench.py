"""The workbench in a real browser: clicks, lasso, keys, filters, tags that outlive a reload, and the next batch."""

import re

import numpy as np
import pandas as pd
import pytest
from driver import CHART
from playwright.sync_api import expect

from dashboard.services import demo
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.projects import ProjectStore
from skmm_core.runs import RunState

pytestmark = pytest.mark.browser

# A point of the pool that lies in the lower part of the window, and where; none before the map is drawn.
IN_SIGHT = """() => {
    const chart = document.querySelector('.js-plotly-plot'), full = chart?._fullLayout;
    const box = chart?.getBoundingClientRect();
    for (const trace of chart?._fullData ?? [])
        for (let at = 0; at < (trace.customdata?.length ?? 0); at++) {
            const x = box.left + full.xaxis._offset + full.xaxis.d2p(trace.x[at]);
            const y = box.top + full.yaxis._offset + full.yaxis.d2p(trace.y[at]);
            if (y > innerHeight - 200 && y < innerHeight - 60) return [x, y];
        }
    return null;
}"""


@pytest.fixture
def run(store, server):
    """A finished selection of digits, whose UMAP map is kept, so that none is computed here."""
    dataset = load_dataset(demo.SELECT.dataset)
    record = store.create(demo.SELECT, dataset.fingerprint)
    if record.state is not RunState.DONE:
        run_folder(record.folder, home=server.home)
    name = f"{dataset.fingerprint.removeprefix('sha256:')[:32]}.npy"
    path = server.home / "cache" / "umap" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.random.default_rng(0).uniform(size=(dataset.pool_size, 2)).astype(np.float32))
    return store.get(record.id)


@pytest.fixture
def bench(visitor, run):
    """The selection on the workbench."""
    visitor.open(f"pick?run={run.id}")
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.expect_visible(visitor.page.locator("button.card").first)
    visitor.settle()
    visitor.drawn()
    return visitor


def project(server, run):
    store = ProjectStore(server.home)
    card = store.of_pool(run.fingerprint)
    return None if card is None else store.open(card.id).state()


def test_a_click_opens_a_point_keys_lead_through_them_and_a_lasso_fills_the_gallery(bench):
    page = bench.page
    page.wait_for_function(f"({IN_SIGHT})() !== null")
    x, y = page.evaluate(IN_SIGHT)
    page.mouse.move(x, y)  # at once: Plotly looks only every so often, and a point on the way would be the one clicked
    label = page.locator(".hoverlayer .hovertext tspan").first
    expect(label).to_have_text(re.compile(r"\d+"))
    id_ = label.text_content()
    page.mouse.click(x, y)
    bench.expect_visible(bench.button(re.compile("Back")))
    bench.settle()
    expect(page.locator(".skmm-rings .ring")).to_have_count(1)
    expect(page.get_by_role("heading", name=re.compile(rf"(^|· ){id_}$"))).to_be_visible()
    ring = page.locator(".skmm-rings .ring").bounding_box()
    assert ring is not None
    assert max(abs(ring["x"] + ring["width"] / 2 - x), abs(ring["y"] + ring["height"] / 2 - y)) < 25
    page.keyboard.press("Escape")
    first = page.locator("button.card").first
    bench.expect_visible(first)
    bench.settle()
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 of 60")).to_be_visible()
    bench.press(re.compile("After"))
    expect(page.get_by_text("3 of 60")).to_be_visible()
    page.keyboard.press("Escape")
    bench.expect_visible(page.locator("button.card").first)
    chart = page.locator(CHART).first
    chart.hover()
    chart.locator('[data-title="Pan"]').click()  # and back to the lasso, by the bar of the map
    bench.lasso(chart, share=0.4)
    bench.expect_visible(page.get_by_text(re.compile(r"[\d,]+ points? marked on the map")).first)
    bench.press(re.compile("Clear marks"))
    bench.expect_visible(page.get_by_text("60 chosen points"))
    assert bench.trouble() is None


def test_a_tag_outlives_a_reload_and_is_undone_and_filters_say_what_is_shown(bench, run, server):
    page = bench.page
    page.locator("button.card").first.click()
    field = page.get_by_role("combobox", name=re.compile("Tags"))
    bench.expect_visible(field)
    field.fill("blurry")
    field.press("Enter")
    bench.settle()
    bench.expect_visible(page.get_by_text("blurry").first)
    assert [*project(server, run).tags.values()] == [frozenset({"blurry"})]
    page.reload()
    bench.expect_visible(page.locator("button.card").first)
    bench.settle()
    bench.press(re.compile("Undo"))
    assert not project(server, run).tags
    bench.press("Outliers")
    bench.expect_visible(page.get_by_text(re.compile("of 1,078 points: outliers")))
    bench.press(re.compile("Undo"))
    bench.expect_visible(page.get_by_text("60 chosen points"))
    assert bench.trouble() is None


def test_the_next_batch_is_picked_around_the_first(bench, run, server, store):
    page = bench.page
    bench.press(re.compile("Label these 60"))
    page.wait_for_url(re.compile("view=Label"))
    bench.settle()
    (batch,) = project(server, run).batches
    assert len(batch.items) == 60
    bench.open(f"pick?run={run.id}")
    bench.expect_visible(page.get_by_text("60 of 60 wait for a label"))
    bench.press(re.compile("Pick the next 60"))
    page.wait_for_url(lambda address: run.id not in address and "run=" in address)
    bench.expect_visible(page.get_by_text("60 chosen points"))
    bench.expect_visible(bench.button(re.compile("Label these 60")))
    record = store.get(bench.run_id())
    assert record.state is RunState.DONE
    assert not set(pd.read_parquet(record.folder / "selection.parquet")["id"].astype(str)) & set(batch.items)
    assert bench.trouble() is None
