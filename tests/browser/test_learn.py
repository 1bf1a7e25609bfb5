"""Learn in a real browser: steps, a slider that moves the numbers, links, presenter keys, clicks in the playground."""

import re

import pytest
from driver import CHART
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def open_step(visitor, query):
    """Open a link to Learn and wait for its charts."""
    visitor.open(f"learn?{query}")
    visitor.expect_visible(visitor.page.locator(CHART).first)
    visitor.settle()


def click_map(visitor, across, down):
    """Click on the playground's map, given as shares of its width and height."""
    box = visitor.page.locator(CHART).first.locator(".nsewdrag").first.bounding_box()
    visitor.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
    visitor.page.wait_for_timeout(200)
    visitor.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_slider_moves_the_numbers_and_the_link_brings_them_back(visitor, new_tab):
    open_step(visitor, "step=Bias")
    visitor.expect_visible(visitor.page.get_by_text("and watch what moves"))
    visitor.page.get_by_role("slider").first.focus()
    visitor.page.keyboard.press("ArrowRight")
    said = visitor.page.get_by_text(re.compile(r"from 0 to 1: bias fell from"))
    visitor.expect_visible(said)
    sentence = visitor.page.get_by_text(re.compile("With 1 point from the small cluster"))
    visitor.expect_visible(sentence)
    visitor.page.wait_for_url(re.compile("seen=1"))
    other = new_tab(width=420, scheme="dark")
    other.open(visitor.page.url.removeprefix(visitor.server.url + "/"))
    linked = other.page.get_by_text(re.compile("With 1 point from the small cluster"))
    other.expect_visible(linked)
    assert linked.inner_text() == sentence.inner_text()
    assert other.trouble() is None
    visitor.press("Next")
    visitor.expect_visible(visitor.heading("4. Sketching"))
    assert visitor.trouble() is None


def test_an_answer_is_explained(visitor):
    open_step(visitor, "step=SkMM")
    visitor.page.get_by_text(re.compile("^It holds so little of the energy")).click()
    visitor.expect_visible(visitor.page.get_by_text(re.compile(r"Right\. The small cluster is 3 of 35 points")))


def test_presenter_mode_turns_pages_with_the_arrow_keys(visitor):
    open_step(visitor, "step=Variance&present=true")
    header = visitor.page.locator('[data-testid="stHeader"]')
    expect(header).to_be_hidden()
    visitor.page.keyboard.press("ArrowRight")
    visitor.expect_visible(visitor.heading("3. Bias"))
    visitor.settle()
    visitor.page.keyboard.press("ArrowLeft")
    visitor.expect_visible(visitor.heading("2. Variance"))
    visitor.settle()
    slider = visitor.page.get_by_role("slider").first
    slider.focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.wait_for_url(re.compile("side=3"))
    visitor.expect_visible(visitor.page.get_by_text(re.compile("With 9 points in direction 1 and 3")))
    visitor.settle()
    expect(visitor.heading("2. Variance")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    visitor.expect_visible(header)
    assert visitor.trouble() is None


def test_a_click_on_the_playgrounds_map_adds_a_cluster(visitor):
    open_step(visitor, "step=Playground")
    sentence = visitor.page.get_by_text(re.compile("With 8 labels: SkMM has a risk of"))
    before = sentence.inner_text()
    visitor.drawn()
    for number, down in enumerate((0.2, 0.8)):
        click_map(visitor, 0.15, down)
        visitor.page.wait_for_url(re.compile("clusters=" + ".*%3B" * (number + 2)))
        visitor.settle()
    expect(sentence).not_to_have_text(before)
    assert visitor.trouble() is None
