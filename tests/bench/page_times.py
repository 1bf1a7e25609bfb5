"""Measure how fast pages come: `python tests/bench/page_times.py --out FILE.json`.

The first chart after a server start on a fresh home (the demo run is made meanwhile), then for each page the time of
a warm first chart or table after a load, and of a rerun of its script, each several times. Then, on made pools of
10,000 and 100,000 points: the first draw of the map, a switch to its page, a step of the budget slider until the map is
redrawn, and until the numbers of the shorter selection are there. Times are of the browser, in seconds; run it on an
idle machine.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from driver import CHART, PAGES, ROOT, Visitor, launch, serve

sys.path.insert(0, str(ROOT))

from dashboard.services import demo
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.runner import run_folder
from skmm_core.runs import RunStore

_DRAWN = {
    "data": '[data-testid="stRadio"]',
    "selections": '[data-testid="stMultiSelect"]',
    "runs": '[data-testid="stDataFrame"] canvas',
}


_POOLS = ((10_000, 64), (100_000, 32))
_BUDGET = 500
_DRAWN_MAP = """() => {
    const plot = document.querySelector('.js-plotly-plot');
    return plot && plot.calcdata && plot.calcdata.length > 0 && plot.querySelector('canvas') !== null;
}"""
_WATCH_SLIDER = """() => {
    const names = () => {  // the plot is looked up anew: a changed figure may come as a new element
        const plot = document.querySelector('.js-plotly-plot');
        const drawn = plot && plot._fullData && plot.calcdata && plot.querySelector('canvas');
        return drawn ? plot._fullData.map(trace => trace.name).join() : null;
    };
    const chosen = () => document.querySelector('[data-testid="stMetric"]')?.innerText ?? null;
    const before = [names(), chosen()];
    window.skmmMap = window.skmmNumbers = window.skmmPressed = null;
    const pressed = () => { window.skmmPressed = performance.now(); };
    document.addEventListener('keydown', pressed, {capture: true, once: true});
    const look = () => {
        const now = performance.now() - window.skmmPressed;
        const [map, numbers] = [names(), chosen()];
        if (window.skmmMap === null && map !== null && map !== before[0]) window.skmmMap = now;
        if (window.skmmNumbers === null && numbers !== null && numbers !== before[1]) window.skmmNumbers = now;
        if (window.skmmMap === null || window.skmmNumbers === null) requestAnimationFrame(look);
    };
    look();
}"""
_WATCH = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    window.skmmState = () => app.getAttribute('data-test-script-state');
    window.skmmBegan = false;
    const seen = () => { if (window.skmmState() !== 'notRunning') window.skmmBegan = true; };
    new MutationObserver(seen).observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how fast pages come.")
    parser.add_argument("--out", type=Path, default=Path("page_times.json"))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    found = measure(arguments.repeats)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def measure(repeats: int) -> dict[str, object]:
    """All times of one server."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        os.environ["SKMM_DATA_ROOTS"] = str(Path(folder) / "pools")
        began = time.perf_counter()
        with serve(Path(folder) / "home") as server:
            healthy = time.perf_counter() - began
            tab = Visitor(browser.new_page(viewport={"width": 1440, "height": 900}), server)
            tab.page.goto(server.url)
            tab.page.wait_for_selector(CHART, timeout=60_000)
            first_chart = time.perf_counter() - began
            tab.expect_visible(tab.page.get_by_text("of the full-data accuracy").first)
            sentence = time.perf_counter() - began
            store = RunStore(server.home)
            runs = {run.kind: run.id for run in store.records() if run.config in (demo.SELECT, demo.COMPARE)}
            pages = {}
            for page in PAGES:
                address = f"{page}?run={runs['compare' if page == 'compare' else 'select']}"
                tab.open(address)  # warm
                pages[page or "overview"] = {
                    "open": _median(repeats, lambda page=page, address=address: _open(tab, page, address)),
                    "rerun": _median(repeats, lambda page=page: _rerun(tab, page)),
                }
            pools = {f"{size:,} points": measure_pool(tab, store, size, dims, repeats) for size, dims in _POOLS}
        browser.close()
    return {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": _cores()},
        "server_healthy": round(healthy, 2),
        "first_chart_after_server_start": round(first_chart, 2),
        "sentence_after_server_start": round(sentence, 2),
        "pages_median_seconds": pages,
        "pools_median_seconds": pools,
    }


def measure_pool(tab: Visitor, store: RunStore, size: int, dims: int, repeats: int) -> dict[str, float]:
    """Times of the map of one pool of ten overlapping classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=size)
    rows = rng.normal(size=(size, dims)) + 2 * rng.normal(size=(10, dims))[labels]
    path = store.home.parent / "pools" / f"pool-{size}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, X=rows.astype(np.float32), y=labels)
    config = RunConfig(dataset=DatasetConfig(source=str(path)), job=SelectJob(method="k_center", budget=_BUDGET))
    record = store.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    address = f"{tab.server.url}/select?run={record.id}"

    def first_draw() -> None:
        tab.page.goto(address)
        tab.page.wait_for_function(_DRAWN_MAP, timeout=60_000)

    began = time.perf_counter()
    first_draw()
    found = {"first_draw_cold": round(time.perf_counter() - began, 3), "first_draw": _median(repeats, first_draw)}
    switches, maps, numbers = [], [], []
    for _ in range(repeats):
        tab.settle()
        tab.page.get_by_role("link", name="Runs", exact=True).click()
        tab.page.wait_for_selector(_DRAWN["runs"], timeout=60_000)
        tab.settle()
        began = time.perf_counter()
        tab.page.get_by_role("link", name="Select", exact=True).click()
        tab.page.wait_for_function(_DRAWN_MAP, timeout=60_000)
        switches.append(time.perf_counter() - began)
    tab.settle()
    slider = tab.page.get_by_role("slider").first
    slider.press("ArrowLeft")  # warm: the first one reads the data and makes the sketch
    tab.page.wait_for_timeout(3000)
    tab.settle()
    for _ in range(repeats):
        tab.page.evaluate(_WATCH_SLIDER)
        slider.press("ArrowLeft")
        tab.page.wait_for_function("() => window.skmmMap !== null && window.skmmNumbers !== null", timeout=60_000)
        maps.append(tab.page.evaluate("() => window.skmmMap") / 1000)
        numbers.append(tab.page.evaluate("() => window.skmmNumbers") / 1000)
        tab.settle()
    for name, times in (("page_switch", switches), ("slider_to_map", maps), ("slider_to_numbers", numbers)):
        found[name] = round(statistics.median(times), 3)
    return found


def _median(repeats: int, action: Callable[[], None]) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 3)


def _open(tab: Visitor, page: str, address: str) -> None:
    tab.page.goto(f"{tab.server.url}/{address}")
    tab.page.wait_for_selector(_DRAWN.get(page, CHART), timeout=60_000)


def _rerun(tab: Visitor, page: str) -> None:
    """Press the page's own link in the navigation, which reruns its script, and wait until it has begun and ended."""
    tab.page.evaluate(_WATCH)
    tab.page.get_by_role("link", name=(page or "overview").title(), exact=True).click()
    tab.page.wait_for_function("() => window.skmmBegan && window.skmmState() === 'notRunning'", timeout=60_000)


def _cores() -> int:
    return os.cpu_count() or 1


if __name__ == "__main__":
    main()
