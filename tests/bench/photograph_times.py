"""Measure the way from photographs to thumbnails in Select: `python -m tests.bench.photograph_times FILE.zip`.

In a real browser, each time with a server and a home of its own, so that nothing is cached; the encoder is the default
one. Seconds of each phase, from the gesture that starts it to what a person waits for, and their sum. Run it on an idle
machine.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from driver import Visitor, launch, serve


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the way from photographs to thumbnails in Select.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    for _ in range(arguments.repeats):
        sys.stdout.write(json.dumps(measure(arguments.file)) + "\n")
        sys.stdout.flush()


def measure(path: Path) -> dict[str, float]:
    """Seconds of each phase with a new server, home and browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        with serve(Path(folder) / "home") as server:
            tab = Visitor(browser.new_page(viewport={"width": 1440, "height": 900}), server)
            page, found = tab.page, {}
            tab.open("data")
            page.get_by_text("Images", exact=True).first.click()
            area = page.locator('[data-testid="stFileUploader"] input[type="file"]')
            area.wait_for(state="attached")
            tab.settle()

            def took(phase: str, start: Callable[[], None], seen: Callable[[], None]) -> None:
                began = time.perf_counter()
                start()
                seen()
                found[phase] = round(time.perf_counter() - began, 2)

            make, pick = tab.button(re.compile("Make features of")), tab.button("Pick points from it")
            run = tab.button(re.compile(r"Pick \d+ points"))
            pictures = page.locator(".skmm-gallery img")
            took("upload and preview", lambda: area.set_input_files(path), lambda: _drawn(tab, make))
            took("features", make.click, lambda: pick.wait_for())
            took("open Select", pick.click, lambda: run.first.wait_for())
            took("pick and thumbnails", run.first.click, lambda: pictures.first.wait_for())
            tab.expect_picture(pictures.first)
        browser.close()
    return {**found, "sum": round(sum(found.values()), 2)}


def _drawn(tab: Visitor, button: Locator) -> None:
    """Wait until the pictures are previewed."""
    tab.page.locator(".skmm-gallery img").first.wait_for()
    button.wait_for()


if __name__ == "__main__":
    main()
