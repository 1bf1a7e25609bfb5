"""Measure how fast pages come: `python tests/bench/page_times.py --out FILE.json`.

The first chart after a server start on a fresh home (the demo run is made meanwhile). For each page, the time of a warm
first chart or table after a load, and after a switch to it from another page by the navigation. On made pools of 10,000
and 100,000 points: the first draw of the map, and a step of the budget slider until the map is redrawn and until the
numbers of the shorter selection are there. For each step of Learn: a step of its control until its scene is at rest
again. Medians, in seconds, of what the browser drew; run it on an idle machine.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import torch
from playwright.sync_api import Locator, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from browser_clock import MAP, NUMBERS, SCENE, Took, fresh, took
from driver import CHART, PAGES, Visitor, launch, serve, wait_for_demo

from dashboard.components.learn.steps import STEPS
from dashboard.services import demo
from skmm_core.bench.machine_facts import machine
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunStore

_DRAWN = {
    "data": '[data-testid="stRadio"]',
    "selections": '[data-testid="stMultiSelect"]',
    "runs": '[data-testid="stDataFrame"] canvas',
}
_POOLS = ((10_000, 64), (100_000, 32))
_BUDGET = 500
_MAP_DRAWN = f"() => ({MAP})() !== null"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how fast pages come.")
    parser.add_argument("--out", type=Path, default=Path("page_times.json"))
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    found = measure(arguments.repeats)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


def measure(repeats: int) -> dict[str, object]:
    """All times of one server."""
    before = os.getloadavg()
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
            tab.expect_visible(tab.page.get_by_text("random splits").first)
            sentence = time.perf_counter() - began
            wait_for_demo(tab)
            store = RunStore(server.home)
            found = {
                "start": {"healthy": healthy, "first_chart": first_chart, "sentence": sentence},
                "pages": measure_pages(tab, store, repeats),
                "pools": [measure_pool(tab, store, size, dims, repeats) for size, dims in _POOLS],
                "learn": measure_learn(tab),
            }
        chromium = browser.version
        browser.close()
    where = machine(torch.device("cpu"))
    where["versions"] |= {name: version(name) for name in ("streamlit", "plotly")} | {"chromium": chromium}
    loads = {
        "load_before": [round(load, 2) for load in before],
        "load_after": [round(load, 2) for load in os.getloadavg()],
    }
    return {"bench": "page-times", "machine": where | loads, "repeats": repeats, **_rounded(found)}


def measure_pages(tab: Visitor, store: RunStore, repeats: int) -> list[dict[str, object]]:
    """Of each page: a load of its address, and a switch to it, until its first chart or table is drawn."""
    runs = {run.kind: run.id for run in store.records() if run.config in (demo.SELECT, demo.COMPARE)}
    pages = []
    for page, place in PAGES.items():
        address = f"{place}run={runs['compare' if page == 'compare' else 'select']}"
        drawn = _DRAWN.get(page, CHART)
        tab.open(address)  # warm
        loads, switches = [], []
        for _ in range(repeats):
            began = time.perf_counter()
            tab.page.goto(f"{tab.server.url}/{address}")
            tab.page.wait_for_selector(drawn, timeout=60_000)
            loads.append(time.perf_counter() - began)
        for _ in range(repeats):
            _go(tab, _before(page))
            link = _link(tab, page)
            switches.append(took(tab, fresh(drawn), link.click, event="click").first)
        pages.append({"page": page, "load": _median(loads), "switch": _median(switches)})
    return pages


def measure_pool(tab: Visitor, store: RunStore, size: int, dims: int, repeats: int) -> dict[str, object]:
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
    draws, switches = [], []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        tab.page.goto(f"{tab.server.url}/pick?run={record.id}")
        tab.page.wait_for_function(_MAP_DRAWN, timeout=60_000)
        draws.append(time.perf_counter() - began)
    for _ in range(repeats):
        _go(tab, "data")
        switches.append(took(tab, fresh(CHART), _link(tab, "pick").click, event="click").first)
    tab.settle()
    _pressed(tab, "ArrowLeft", NUMBERS)  # warm: the first one reads the data and makes the sketch
    maps, numbers = ([_pressed(tab, "ArrowLeft", look).last for _ in range(repeats)] for look in (MAP, NUMBERS))
    return {
        "points": size,
        "first_draw_cold": draws[0],
        "first_draw": _median(draws[1:]),
        "switch": _median(switches),
        "slider_to_map": _median(maps),
        "slider_to_numbers": _median(numbers),
    }


def measure_learn(tab: Visitor) -> list[dict[str, object]]:
    """Of each guided step: its control moved through all its values, each until its scene is at rest again."""
    steps = []
    for step in STEPS:
        tab.open(f"learn?step={step.name}")
        tab.page.wait_for_function(SCENE, timeout=60_000)
        slider = _slider(tab)
        if slider.count():
            if slider.evaluate("of => of.value !== of.min"):
                _pressed(tab, "Home", SCENE)
            values = len(step.control.values) - 1
            times = [_pressed(tab, "ArrowRight", SCENE).last for _ in range(values)]
        else:
            choices = tab.page.locator(".scene .pick input")
            places = [*range(1, choices.count()), 0]
            times = [took(tab, SCENE, choices.nth(place).click, event="click").last for place in places]
        steps.append({"step": step.name, "changes": len(times), "median": _median(times), "slowest": max(times)})
    return steps


def _slider(tab: Visitor) -> Locator:
    return tab.page.get_by_role("slider").first


def _pressed(tab: Visitor, key: str, look: str) -> Took:
    """What a key pressed on the first slider changes."""
    return took(tab, look, lambda: _slider(tab).press(key), event="keydown")


def _go(tab: Visitor, page: str) -> None:
    tab.settle()
    tab.drawn()
    took(tab, fresh(_DRAWN.get(page, CHART)), _link(tab, page).click, event="click")
    tab.drawn()


def _before(page: str) -> str:
    """From where a page is switched to: a view from its page's first, Data from Learn, all others from Data."""
    return {"data": "learn", "why": "pick", "selections": "pick", "present": "compare"}.get(page, "data")


def _link(tab: Visitor, page: str) -> Locator:
    """What is pressed for a page or view; one of the menu is brought in sight first."""
    if (view := parse_qs(PAGES[page].partition("?")[2]).get("view")) is not None:
        return tab.page.get_by_role("radio", name=view[0], exact=True)
    if page in ("reproduce", "runs"):
        tab.page.get_by_text("More", exact=True).click()
    return tab.page.get_by_role("link", name=page.title(), exact=True)


def _median(times: Iterable[float]) -> float:
    return statistics.median(times)


def _rounded(found: Any) -> Any:
    """The same with seconds to the millisecond."""
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_rounded(value) for value in found]
    return round(found, 3) if isinstance(found, float) else found


if __name__ == "__main__":
    main()
