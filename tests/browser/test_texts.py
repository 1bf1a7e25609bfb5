"""From a file with texts to cards of the chosen ones, and a search in them, in a real browser."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from dashboard.components.shared.text_cards import TextCard, text_cards_html

pytestmark = pytest.mark.browser
COUNT, PICKED = 60, 50
ABOUT = ("cats", "dogs", "birds")
HOSTILE = "<img src=x onerror=\"document.title='taken'\"> $x^2$ :red[red] **bold** \u202egnp.exe\x07 " + "W" * 400
LONG = "A long review of a film about cats, with many words that say little. " * 30 + "The end is a surprise."


@pytest.fixture
def reviews(tmp_path):
    """Features with texts: the first two are hostile and long, all others name one of three animals."""
    texts = [f"Review {i} of a film about {ABOUT[i % 3]}, which I liked." for i in range(COUNT)]
    texts[:2] = [HOSTILE, LONG]
    data, path = [text.encode() for text in texts], tmp_path / "reviews.npz"
    np.savez(
        path, X=np.random.default_rng(0).normal(size=(COUNT, 6)).astype(np.float32),
        y=np.array(["good", "bad"])[np.arange(COUNT) % 2], ids=np.array([f"r{i}" for i in range(COUNT)]),
        texts=np.frombuffer(b"".join(data), np.uint8), text_ends=np.cumsum([len(each) for each in data]),
    )  # fmt: skip
    return path


def search(visitor, text):
    field = visitor.page.get_by_role("textbox", name="Search")
    field.fill(text)
    field.press("Enter")
    visitor.settle()


def test_chosen_texts_are_cards_that_words_find_and_a_hostile_text_is_text(visitor, reviews):
    page, cards = visitor.page, visitor.page.locator("button.card")
    visitor.open("data")
    page.get_by_text("Upload", exact=True).first.click()
    visitor.settle()
    visitor.upload(reviews, label="File with one row a point")
    visitor.expect_visible(page.locator(".skmm-texts article").first)
    visitor.press("Pick points from it")
    budget = page.get_by_label("Points to pick", exact=True)
    budget.fill(str(PICKED))
    budget.press("Enter")
    visitor.press(re.compile(f"Pick {PICKED}"))
    visitor.expect_visible(page.get_by_text(f"{PICKED} chosen points"))
    expect(cards).to_have_count(20)  # a page of them
    expect(cards.first.locator(".head")).to_contain_text("#1 ·")
    search(visitor, "DOGS review")
    dogs = COUNT // 3 - 1  # the long text stands in the place of one
    visitor.expect_visible(page.get_by_text(f"{dogs} points found"))
    expect(cards).to_have_count(dogs)
    expect(page.locator("button.card mark", has_text="dogs")).to_have_count(dogs)
    assert "words=DOGS" in page.url
    page.reload()
    visitor.expect_visible(page.locator("button.card mark").first)
    expect(page.get_by_role("textbox", name="Search")).to_have_value("DOGS review")
    search(visitor, "onerror")
    expect(cards).to_have_count(1)
    expect(cards.first).to_contain_text("$x^2$ :red[red] **bold**")
    expect(page.locator("button.card img")).to_have_count(0)
    assert visitor.trouble() is None, "an endless word stays in its card"
    search(visitor, "surprise")
    expect(cards).to_have_count(1)
    visitor.expect_visible(cards.first.locator("mark", has_text="surprise").first)
    cards.first.focus()
    page.keyboard.press("Enter")
    visitor.expect_visible(page.locator(".skmm-whole"))
    expect(page.locator(".skmm-whole")).to_contain_text("The end is a surprise.")
    assert page.title() != "taken"
    page.set_viewport_size({"width": 700, "height": 900})
    page.mouse.move(1, 1)
    assert visitor.trouble() is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_of_texts_is_understood_and_shuts_nobody_out(new_tab, tmp_path, scheme):
    table = tmp_path / "reviews.csv"
    table.write_text("text,label\n" + "".join(f"Review {i} about {ABOUT[i % 3]},{i % 2}\n" for i in range(COUNT)))
    visitor = new_tab(scheme=scheme)
    visitor.open("data")
    visitor.page.get_by_text("Upload", exact=True).first.click()
    visitor.settle()
    visitor.upload(table, label="File with one row a point")
    visitor.press("Make features of its texts")
    visitor.expect_visible(visitor.button(re.compile(f"Make features of {COUNT} texts")))
    visitor.expect_visible(visitor.page.locator(".skmm-texts article").first)
    assert visitor.barriers() == []
    for width in (1440, 700):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        assert visitor.trouble() is None, f"{width} px"


def test_more_stands_below_the_text_of_framed_cards_too(visitor):
    mixed = [TextCard(LONG, "#1", "first", True), TextCard(LONG, "", "other", False)]
    visitor.page.set_content(text_cards_html(mixed))
    for card in visitor.page.locator(".skmm-texts article").all():
        text, more = card.locator("> .text").bounding_box(), card.locator("summary").bounding_box()
        assert text["y"] + text["height"] <= more["y"]
