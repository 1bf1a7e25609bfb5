"""Measure how fast pages come: `python tests/bench/page_times.py --out FILE.json`.

The first chart after a server start on a fresh home (the demo run is made meanwhile), then for each page the time of
a warm first chart or table after a load, and of a rerun of its script, each several times. Times are of the browser,
in seconds; run it on an idle machine.
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

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from driver import CHART, PAGES, ROOT, Visitor, launch, serve

sys.path.insert(0, str(ROOT))

from dashboard.services import demo
from skmm_core.runs import RunStore

_DRAWN = {"data": '[data-testid="stRadio"]', "runs": '[data-testid="stDataFrame"] canvas'}


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
        browser.close()
    return {
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": _cores()},
        "server_healthy": round(healthy, 2),
        "first_chart_after_server_start": round(first_chart, 2),
        "sentence_after_server_start": round(sentence, 2),
        "pages_median_seconds": pages,
    }


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
