"""A clock inside the browser: from a press or click until what it changes is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

from driver import Visitor

_QUIET_MS = 400
_START = """() => {
    const look = LOOK, clock = window.skmmClock = {pressed: null, first: null, last: null};
    let seen = look();
    document.addEventListener('EVENT', event => { clock.pressed = event.timeStamp; }, {capture: true, once: true});
    const frame = () => {
        if (window.skmmClock !== clock) return;
        const found = look();
        if (clock.pressed !== null && found !== null && found !== seen) {
            seen = found;
            clock.last = performance.now() - clock.pressed;
            clock.first ??= clock.last;
        }
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
}"""
_ENDED = f"""() => {{
    const app = document.querySelector('[data-testid="stApp"]'), clock = window.skmmClock;
    return clock.last !== null && app.getAttribute('data-test-script-state') === 'notRunning'
        && performance.now() - clock.pressed - clock.last > {_QUIET_MS};
}}"""
# The scene of Learn as it is drawn; null while its marks move.
SCENE = """() => {
    const hosts = [...document.querySelectorAll('[class*="st-key-learn-scene"] *')].filter(one => one.shadowRoot);
    const scene = hosts.map(one => one.shadowRoot.querySelector('.scene')).find(one => one);
    if (!scene || scene.dataset.playing !== 'false' || scene.dataset.moving !== 'false') return null;
    return [...scene.querySelectorAll('.layer')].map(one => one.getAttribute('d')).join() + scene.innerText;
}"""
MAP = """() => {
    const plot = document.querySelector('.js-plotly-plot');
    return plot && plot.calcdata && plot.querySelector('canvas') ? plot._fullData.map(of => of.name).join() : null;
}"""
NUMBERS = """() => [...document.querySelectorAll('[data-testid="stMetric"]')].map(of => of.innerText).join() || null"""


@dataclass(frozen=True)
class Took:
    """Seconds from a press until something looked at had changed for the first and for the last time."""

    first: float
    last: float


def fresh(selector: str) -> str:
    """Counts the elements of this selector that were not there before; charts count once they are drawn."""
    return f"""(() => {{
        const all = () => [...document.querySelectorAll('{selector}')]
            .filter(one => !one.matches('.js-plotly-plot') || one.calcdata?.length && one.querySelector('.main-svg'));
        const old = new WeakSet(all());
        return () => all().filter(one => !old.has(one)).length || null;
    }})()"""


def took(tab: Visitor, look: str, press: Callable[[], None], *, event: str) -> Took:
    """Do something and wait until what it changes stays as it is and the script of the page has ended.

    Args:
        tab: settled.
        look: JavaScript function that gives what is watched, null while that is not drawn.
        press: what is done.
        event: of the browser that begins the time: "keydown" or "click".

    Raises:
        TimeoutError: of Playwright, when nothing changes.
    """
    tab.page.evaluate(_START.replace("LOOK", look).replace("EVENT", event))
    press()
    tab.page.wait_for_function(_ENDED)
    first, last = tab.page.evaluate("() => [window.skmmClock.first, window.skmmClock.last]")
    return Took(first / 1000, last / 1000)
