"""Save a picture of every page, light and dark, at desktop and tablet width.

`python tests/browser/make_screenshots.py [--out FOLDER]`. A server with a fresh home is started, so the pictures
show what a first visitor sees after the demo runs are made.
"""

import argparse
import io
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))

from driver import CHART, CHARTED, PAGES, ROOT, Visitor, launch, serve, wait_for_demo

from dashboard.components.selections.choice import PARAM
from dashboard.components.shared.tour import COOKIE
from dashboard.services import demo
from skmm_core.config import RunConfig, SelectJob
from skmm_core.data.load import load_dataset
from skmm_core.jobs.runner import run_folder
from skmm_core.runs import RunStore

WIDTHS = (1440, 800)
SCHEMES = ("light", "dark")
_TALLEST = 2400


def main() -> None:
    parser = argparse.ArgumentParser(description="Save a picture of every page.")
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "screenshots", help="folder for the PNG files")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(Path(folder) / "home") as server,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        store = RunStore(server.home)
        tab = Visitor(browser.new_page(), server)
        wait_for_demo(tab)
        tab.page.close()
        uniform = _add_uniform(store)
        runs = {run.kind: run.id for run in store.records() if run.config in (demo.SELECT, demo.COMPARE)}
        links = {page: f"{at}run={runs['compare' if page == 'compare' else 'select']}" for page, at in PAGES.items()}
        links["selections"] += f"&{PARAM}={runs['select']},{uniform}"
        links["learn"] += "&step=SkMM&picker=SkMM"
        links["playground"] = "learn?step=Playground"
        links["label"] = f"pick?view=Label&run={runs['select']}"
        for scheme in SCHEMES:
            for width in WIDTHS:
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                context.add_cookies([{"name": COOKIE, "value": "hidden", "url": server.url}])
                tab = Visitor(context.new_page(), server)
                for page, link in links.items():
                    tab.page.set_viewport_size({"width": width, "height": 900})
                    tab.open(link)
                    _dress(tab, page)
                    save(tab, out / f"{page}-{scheme}-{width}.png", width)
                context.close()
        browser.close()


def _add_uniform(store: RunStore) -> str:
    """Make a second selection, so that Why and Compare selections have something to set beside the first."""
    config = RunConfig(dataset=demo.SELECT.dataset, job=SelectJob(method="uniform", budget=demo.BUDGET))
    record = store.create(config, load_dataset(config.dataset).fingerprint)
    run_folder(record.folder, home=store.home)
    return record.id


def _dress(tab: Visitor, page: str) -> None:
    """Wait for charts; on Why, set the second run beside the first; on Label, begin to label."""
    if page in CHARTED | {"selections", "playground"}:
        tab.expect_visible(tab.page.locator(CHART).first)
    if page == "learn":
        tab.expect_visible(tab.page.locator('.scene[data-playing="false"]'))
        tab.page.wait_for_timeout(1500)  # until its picture has turned
    if page == "why":
        tab.page.locator('[data-testid="stMultiSelect"] input').first.click()
        tab.page.get_by_role("option", name=re.compile("^uniform")).first.click()
        tab.page.keyboard.press("Escape")
        tab.page.wait_for_timeout(300)
    tab.settle()
    if page == "label" and tab.button(re.compile("Label these")).count():
        tab.press(re.compile("Label these"))
    tab.drawn()
    tab.page.wait_for_timeout(800)


def save(tab: Visitor, path: Path, width: int) -> None:
    """Save the page down to its end, at most 2,400 pixels, in few colours so that the file stays small."""
    height = tab.page.evaluate("document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight")
    tab.page.set_viewport_size({"width": width, "height": min(max(int(height) + 20, 700), _TALLEST)})
    tab.page.wait_for_timeout(700)
    image = Image.open(io.BytesIO(tab.page.screenshot())).convert("RGB")
    image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path} {path.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
