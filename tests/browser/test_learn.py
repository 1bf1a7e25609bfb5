"""Learn in a real browser: scenes that move without the server, links, presenter keys, clicks in the playground."""

import re

import pytest
from driver import CHART
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

REST = '.scene[data-playing="false"][data-moving="false"]'
MARKS = ".scene .layer"
ASKED = "window.skmmTalk.sent"


def open_step(visitor, query):
    """Open a link to a scene of Learn and wait until its entry has been shown."""
    visitor.open(f"learn?{query}")
    visitor.expect_visible(visitor.page.locator(REST))
    visitor.settle()


def said(visitor):
    return visitor.page.locator(".scene .said").last  # of the new scene, while the old one leaves


def drawn(visitor):
    """The marks of all layers, as they are drawn."""
    return visitor.page.locator(MARKS).evaluate_all("layers => layers.map(layer => layer.getAttribute('d'))")


def click_map(visitor, across, down):
    """Click on the playground's map, given as shares of its width and height."""
    box = visitor.page.locator(CHART).first.locator(".nsewdrag").first.bounding_box()
    visitor.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    visitor.page.wait_for_timeout(200)
    visitor.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_slider_moves_the_scene_before_the_server_is_asked_and_the_link_brings_it_back(visitor, new_tab):
    open_step(visitor, "step=Bias")
    expect(said(visitor)).to_contain_text("With 0 labels for the small group")
    before, asked = drawn(visitor), visitor.page.evaluate(ASKED)
    seen = visitor.page.evaluate(
        """async () => {  // in one breath, so that no word from the server can come between
            const has = one => one.shadowRoot?.querySelector('.scene');
            const root = [...document.querySelectorAll('*')].find(has).shadowRoot;
            const range = root.querySelector('input[type="range"]');
            range.value = 1;
            range.dispatchEvent(new Event('input', {bubbles: true}));
            const sent = window.skmmTalk.sent;
            await new Promise(done => setTimeout(done, 0));
            return {sent, said: root.querySelector('.said').innerText};
        }"""
    )
    assert seen["sent"] == asked
    assert "With 1 label for the small group" in seen["said"]
    visitor.expect_visible(visitor.page.locator(REST))
    assert drawn(visitor) != before
    expect(visitor.page.locator(".scene .bar").first).to_contain_text("was 20.8")
    visitor.page.wait_for_url(re.compile("seen=1"))
    other = new_tab(width=420, scheme="dark")
    open_step(other, visitor.page.url.split("?")[1])
    assert said(other).inner_text() == said(visitor).inner_text()
    assert other.trouble() is None
    visitor.press("Next")
    visitor.expect_visible(visitor.heading("4. Sketching"))
    assert visitor.trouble() is None


def test_goals_move_the_nine_points_and_an_answer_is_explained(visitor):
    open_step(visitor, "step=SkMM")
    chosen = visitor.page.locator('.layer[data-layer="9 chosen"]')
    expect(chosen).to_have_attribute("data-count", "9")
    before = chosen.get_attribute("d")
    visitor.page.get_by_role("radio", name="Variance reduction").check()
    expect(said(visitor)).to_contain_text("takes 3 / 6 / 0 of the 8 / 24 / 3 points. It never sees axis 3")
    visitor.expect_visible(visitor.page.locator(REST))
    assert chosen.get_attribute("d") != before
    term = visitor.page.locator(".term").first
    expect(term.locator(".says")).to_be_hidden()
    term.focus()
    expect(term.locator(".says")).to_be_visible()
    visitor.page.get_by_text(re.compile("^It holds so little of the variation")).click()
    visitor.expect_visible(visitor.page.get_by_text(re.compile(r"Right\. The small cluster is 3 of 35 points")))
    assert visitor.barriers() == []


def test_who_wants_no_motion_sees_the_same_at_once(visitor):
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.open("learn?step=Why&picks=24")
    visitor.expect_visible(visitor.page.locator(REST))
    expect(said(visitor)).to_contain_text("With 24 labels of 200")
    assert visitor.page.locator('.layer[data-layer="chosen by SkMM"]').get_attribute("data-count") == "24"
    before = drawn(visitor)
    visitor.press("Draw again at random")
    expect(visitor.page.locator(".scene").first).to_have_attribute("data-moving", "false")
    assert drawn(visitor) != before


def test_keys_turn_the_scenes_of_a_presentation_wherever_the_focus_is(visitor):
    open_step(visitor, "step=Variance&present=true")
    header = visitor.page.locator('[data-testid="stHeader"]')
    expect(header).to_be_hidden()
    visitor.page.get_by_role("slider").focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.expect_visible(visitor.heading("3. Bias"))
    expect(said(visitor)).to_contain_text("With 0 labels for the small group")
    visitor.settle()
    visitor.page.get_by_text("Present", exact=True).click()  # off and on: the focus is on the switch
    visitor.page.get_by_text("Present", exact=True).click()
    visitor.settle()
    visitor.page.keyboard.press("ArrowLeft")
    visitor.expect_visible(visitor.heading("2. Variance"))
    expect(said(visitor)).to_contain_text("With 10 labels for the right group and 2")
    visitor.settle()
    visitor.page.keyboard.press("ArrowUp")
    expect(said(visitor)).to_contain_text("With 9 labels for the right group and 3")
    visitor.page.wait_for_url(re.compile("side=3"))
    visitor.settle()
    visitor.page.keyboard.press("Escape")
    visitor.expect_visible(header)
    assert visitor.trouble() is None


def test_a_click_on_the_playgrounds_map_adds_a_cluster(visitor):
    visitor.open("learn?step=Playground")
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.settle()
    sentence = visitor.page.get_by_text(re.compile("With 8 labels: SkMM has a risk of"))
    before = sentence.inner_text()
    visitor.drawn()
    for number, down in enumerate((0.2, 0.8)):
        click_map(visitor, 0.15, down)
        visitor.page.wait_for_url(re.compile("clusters=" + ".*%3B" * (number + 2)))
        visitor.settle()
    expect(sentence).not_to_have_text(before)
    assert visitor.trouble() is None
