"""The dashboard in a real browser: a server with its own home, a Chromium, and the few gestures that the tests need."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from dashboard.services import demo
from skmm_core.runs import RunState, RunStore

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("SKMM_CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
PAGES = {  # address by name; views of a page count as pages
    "home": "?",
    "data": "data?",
    "pick": "pick?",
    "why": "pick?view=Why&",
    "selections": "pick?view=Compare+selections&",
    "compare": "compare?",
    "present": "compare?view=Present&",
    "learn": "learn?",
    "reproduce": "reproduce?",
    "runs": "runs?",
    "settings": "settings?",
}
CHARTED = {"home", "pick", "why", "compare", "present"}  # of these pages a finished run shows charts
CHART = ".js-plotly-plot"
STEADY = 0.1  # cumulative layout shift up to which web.dev calls a page steady
ALERT = '[data-testid="stAlert"]'
LONG = 120_000  # milliseconds that anything may take on a slow machine
expect.set_options(timeout=LONG)
_TROUBLE = '[data-testid="stException"], .stException'
_FAINT = """() => {
    // axe-core skips text in drawings: its contrast with the page, as WCAG defines it, is worked out here
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const page = parts(getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor).slice(0, 3);
    const faint = new Set();
    for (const text of document.querySelectorAll('.js-plotly-plot text')) {
        const style = getComputedStyle(text), box = text.getBoundingClientRect();
        if (!text.textContent || !box.width || text.closest('.bartext-inside, .hoverlayer')) continue;
        const share = Number(style.fillOpacity) * Number(style.opacity);
        const seen = parts(style.fill).slice(0, 3).map((v, i) => share * v + (1 - share) * page[i]);
        const [dim, bright] = [light(seen), light(page)].sort((a, b) => a - b);
        const contrast = (bright + 0.05) / (dim + 0.05);
        if (contrast < 4.5) faint.add(`faint text in a chart, ${contrast.toFixed(1)}: ${text.textContent}`);
    }
    return [...faint];
}"""
_STILL = """() => Promise.all(document.getAnimations()  // what fades in has too little contrast until it is there
    .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
    .map(each => each.finished.catch(() => null))).then(() => null)"""
# How far the page has jumped (web.dev's layout shift, without Streamlit's own while it learns how wide a page is), and
# when the tab last was touched and spoke with the server, so that a run asked for is not missed before it begins.
_LISTEN = """(() => {
    const Socket = window.WebSocket, talk = window.skmmTalk = {shift: 0, touched: 0, sent: 0, heard: 0};
    const frame = source => source.node?.dataset?.testid === 'stMainBlockContainer';
    new PerformanceObserver(list => {
        for (const entry of list.getEntries())
            if (!entry.hadRecentInput && !entry.sources.some(frame)) talk.shift += entry.value;
    }).observe({type: 'layout-shift', buffered: true});
    for (const gesture of ['keydown', 'pointerup', 'input', 'change'])
        document.addEventListener(gesture, () => { talk.touched = performance.now(); }, {capture: true});
    window.WebSocket = class extends Socket {
        constructor(...address) {
            super(...address);
            this.addEventListener('message', () => { talk.heard = performance.now(); });
        }
        send(data) {
            talk.sent = performance.now();
            super.send(data);
        }
    };
})()"""
_GESTURE_MS, _QUIET_MS = 250, 100  # what a widget may wait before it tells the server; between two runs in a row
_SETTLED = f"""() => {{
    const app = document.querySelector('[data-testid="stApp"]'), talk = window.skmmTalk;
    return app && app.getAttribute('data-test-script-state') === 'notRunning'
        && app.getAttribute('data-test-connection-state') === 'CONNECTED'
        && talk.heard > talk.sent && performance.now() - talk.heard > {_QUIET_MS}
        && performance.now() - talk.touched > {_GESTURE_MS};
}}"""
_REDACTED = "This app has encountered an error"


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    url: str
    home: Path
    pid: int = 0


@contextlib.contextmanager
def serve(home: Path, port: int | None = None) -> Iterator[Server]:
    """Run the dashboard on this port, or a free one, with this home; its workers end with it."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")),
        *("--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"),
        "--server.fileWatcherType=none",
    ]
    with (home / "server.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"SKMM_HOME": str(home), "OMP_NUM_THREADS": "1"},
        )
        try:
            _wait_for_health(process, f"http://127.0.0.1:{port}")
            yield Server(f"http://127.0.0.1:{port}", home, process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=20)


def _wait_for_health(process: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the dashboard ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        time.sleep(0.1)
    raise RuntimeError("the dashboard did not start within a minute")


def launch(playwright: Playwright) -> Browser:
    """Start Chromium with software WebGL."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))


class Visitor:
    """One tab of the dashboard."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        page.context.set_default_timeout(LONG)
        page.add_init_script(_LISTEN)

    def open(self, path: str = "") -> None:
        """Go to a page and wait until it is drawn."""
        self.page.goto(f"{self.server.url}/{path}")
        self.page.wait_for_selector('[data-testid="stMainBlockContainer"]')
        self.settle()

    def settle(self) -> None:
        """Wait until no run of the page's script is asked for or goes on; a page that polls settles between polls."""
        self.page.wait_for_function(_SETTLED)

    def drawn(self) -> None:
        """Wait until the browser has loaded what draws each element; grey bars stand in for those still to come."""
        expect(self.page.locator('[data-testid="stSkeleton"]')).to_have_count(0)
        self.page.wait_for_function(
            """() => [...document.querySelectorAll('[data-testid="stDataFrame"]')]
                .every(table => table.offsetParent === null || table.querySelector('canvas'))"""
        )

    def shift(self) -> float:
        """Cumulative layout shift since the page was loaded."""
        found: float = self.page.evaluate("window.skmmTalk.shift")
        return found

    def heading(self, text: str | re.Pattern[str]) -> Locator:
        """A heading or paragraph with this text."""
        return self.page.get_by_text(text).first

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press a button and wait for the page."""
        self.button(name).first.click()
        self.settle()

    def view(self, name: str) -> None:
        """Turn to another view of the page."""
        self.page.get_by_role("radio", name=name, exact=True).first.click()
        self.settle()

    def menu(self, name: str) -> None:
        """Turn to a page of the menu."""
        self.page.get_by_text("More", exact=True).click()
        self.page.locator("a").filter(has_text=re.compile(f"{name}$")).last.click()
        self.settle()

    def run_id(self) -> str:
        """Id of the open run, from the URL."""
        self.page.wait_for_url(re.compile(r"run=[0-9a-f]{12}"))
        return re.search(r"run=([0-9a-f]{12})", self.page.url).group(1)

    def upload(self, path: Path, *, label: str) -> None:
        """Give a file to the uploader with this label."""
        area = self.page.locator('[data-testid="stFileUploader"]').filter(has_text=label)
        area.locator('input[type="file"]').set_input_files(path)
        self.settle()

    def lasso(self, chart: Locator, *, share: float = 0.5) -> None:
        """Draw a lasso around the middle of a chart, `share` of its width and height."""
        self.settle()
        self.drawn()
        chart.hover()
        chart.locator('[data-title="Lasso Select"]').click()
        box = chart.locator(".nsewdrag").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        dx, dy = share * box["width"] / 2, share * box["height"] / 2
        mouse = self.page.mouse
        mouse.move(x - dx, y - dy)
        mouse.down()
        for px, py in ((x + dx, y - dy), (x + dx, y + dy), (x - dx, y + dy), (x - dx, y - dy + 3)):
            mouse.move(px, py, steps=6)
        mouse.up()
        self.settle()

    def trouble(self) -> str | None:
        """What is wrong with the page and stays so, in a few words; a page may take ten seconds to lay itself out."""
        self.settle()
        deadline = time.monotonic() + 10
        while (found := self._trouble_now()) and time.monotonic() < deadline:
            self.page.wait_for_timeout(250)
        return found

    def _trouble_now(self) -> str | None:
        if self.page.locator(_TROUBLE).count() or self.page.get_by_text(_REDACTED).count():
            return "the page shows an exception"
        if self.page.get_by_text("Traceback (most recent call last)").count():
            return "the page shows a traceback"
        found: str | None = self.page.evaluate(
            """() => {
                const main = document.querySelector('[data-testid="stMain"]');
                const edge = main.clientWidth + 1;
                if (main.scrollWidth > edge) return `the page is ${main.scrollWidth} px wide, the window ${edge - 1}`;
                for (const item of main.querySelectorAll('p, h1, h2, h3, h4, h5, button, table, figure'))
                    if (item.getBoundingClientRect().right > edge && !item.closest('[data-testid="stDataFrame"]'))
                        return `${item.tagName} reaches beyond the window: ${item.innerText.slice(0, 60)}`;
                return null;
            }"""
        )
        return found

    def barriers(self, *rules: str) -> list[str]:
        """Serious breaches that axe-core finds, of these rules or of all, and chart text too faint to read."""
        self.settle()
        self.drawn()
        self.page.evaluate(_STILL)
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        context = {
            "exclude": [['[data-testid="stSidebarNav"]']]
        }  # Streamlit's menu on a phone: its lists hold no items
        found = Axe().run(self.page, context=context, options=options).response["violations"]
        breaches = [
            f"{breach['id']}: {node['html'][:120]}"
            for breach in found
            if breach["impact"] in ("serious", "critical")
            for node in breach["nodes"]
        ]
        return breaches + self.page.evaluate(_FAINT)

    def expect_visible(self, locator: Locator) -> None:
        """Wait until something is seen."""
        expect(locator).to_be_visible()

    def expect_picture(self, image: Locator) -> None:
        """Wait until a picture has been loaded, and see that it is one."""
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("image => image.naturalWidth") > 0


def wait_for_demo(tab: Visitor) -> None:
    """Open the first page, and wait until the runs that a first visit has made in the background are done."""
    tab.open()
    tab.expect_visible(tab.page.locator(CHART).first)
    store, wanted = RunStore(tab.server.home), (demo.SELECT, demo.COMPARE)
    deadline = time.monotonic() + LONG / 1000
    while sum(run.config in wanted and run.state is RunState.DONE for run in store.records()) < len(wanted):
        if time.monotonic() > deadline:
            raise TimeoutError("the runs of the demo were not made in time")
        tab.page.wait_for_timeout(200)
