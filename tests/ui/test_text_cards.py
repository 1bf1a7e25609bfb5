"""Cards of text and the search in texts: pure functions from texts to HTML, and from words to points."""

import re
import unicodedata

import numpy as np
import pandas as pd
import pytest

from dashboard.components.shared.gallery import TEXTS, pool_cards
from dashboard.components.shared.map.figure import map_figure
from dashboard.components.shared.points import TEXT, linked_points, merge_points
from dashboard.components.shared.text_cards import (
    MOST_SENT,
    TextCard,
    harmless,
    hover_lines,
    marked_words,
    start_of,
    text_cards_html,
)
from dashboard.components.shared.text_search import pool_texts
from skmm_core.config import DatasetConfig
from skmm_core.data.load import load_dataset
from skmm_core.data.row_texts import RowTexts

SIZE, PICKED = 30, (7, 3, 21)
TEXT_OF = [f"Sentence {i} about {('cats', 'dogs', 'birds')[i % 3]}." for i in range(SIZE)]


@pytest.fixture
def points() -> pd.DataFrame:
    order = pd.array([pd.NA] * SIZE, dtype="Int64")
    for rank, position in enumerate(PICKED):
        order[position] = rank
    scores = pd.DataFrame(
        {
            "position": range(SIZE), "row": range(SIZE), "id": [f"p{i}" for i in range(SIZE)], "order": order,
            "label": [("a", "b")[i % 2] for i in range(SIZE)], "weight": 0.1,
            **dict.fromkeys(("target", "score", "leverage", "distance"), 0.5),
        }
    )  # fmt: skip
    places = pd.DataFrame({"position": range(SIZE), "pca_1": np.arange(SIZE) * 1.0, "pca_2": 0.0})
    return merge_points(places, scores)


@pytest.fixture
def npz(tmp_path):
    """A file of features with texts, of which the last ten rows are a test part."""
    data = [text.encode() for text in TEXT_OF]
    path = tmp_path / "texts.npz"
    np.savez(
        path, X=np.random.default_rng(0).normal(size=(SIZE, 4)).astype(np.float32),
        texts=np.frombuffer(b"".join(data), np.uint8), text_ends=np.cumsum([len(each) for each in data]),
    )  # fmt: skip
    return path


def card(text: str, **changes: object) -> TextCard:
    return TextCard(**{"text": text, "caption": "c", "name": "n", "chosen": False, **changes})


@pytest.mark.parametrize(
    "text", ["<script>x</script>", "a & b", "<img src=x onerror=y>", '"quoted"', "</div></article>"]
)
def test_what_a_text_holds_is_never_markup(text: str) -> None:
    html = text_cards_html([card(text * 80, caption=text, name=text)], query="x b")
    body = html[html.index('<div class="skmm-texts">') :]
    tags = set(re.findall(r"<(/?[a-z]+)", body))
    known = {"div", "article", "header", "bdi", "details", "summary", "span", "mark", "p"}
    assert {tag.lstrip("/") for tag in tags} <= known
    assert body.count("<article") == body.count("</article") == 1
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", body)


def test_signs_of_markdown_latex_and_colours_stand_as_they_are() -> None:
    text = "**bold** $x^2$ :red[red] [a](b) `code` # head"
    assert text in text_cards_html([card(text)])


def test_control_characters_are_shown_and_do_nothing() -> None:
    assert harmless("a\x00b\x1b[31m\x7f\x9b") == "a␀b␛[31m␡\ufffd"
    assert harmless("a\r\nb\rc\u2028d\u0085e") == "a\nb\nc\nd\ne"
    assert harmless("tab\tand\nline") == "tab\tand\nline"
    assert harmless("x\u202egnp.exe") == "x\ufffdgnp.exe"
    assert harmless("👩\u200d🔬 שלום") == "👩\u200d🔬 שלום", "what letters are made of stays"


def test_right_to_left_and_endless_words_stay_in_their_card() -> None:
    html = text_cards_html([card("שלום עולם"), card("W" * 1000)])
    assert html.count('dir="auto"') >= 2
    assert "overflow-wrap: anywhere" in html
    assert "unicode-bidi: isolate" in html


def test_a_short_text_stands_whole_and_a_long_one_opens() -> None:
    short, long = "A short text.", "Many words of one text. " * 40
    html = text_cards_html([card(short)])
    assert short in html
    assert "<details" not in html
    html = text_cards_html([card(long, name="p7")])
    assert html.count("<details") == 1
    assert "p7: " in html[html.index("<summary") :], "who cannot see the card hears which text opens"
    assert html.count("Many words") == 40 + start_of(long).count("Many words")
    start = start_of(long)
    assert start.endswith(" …")
    assert len(start) <= 303
    assert long.startswith(start.removesuffix(" …")), "cut between words"


def test_blank_texts_say_so() -> None:
    assert "no text" in text_cards_html([card("  \n ")])


@pytest.mark.parametrize("text", ["字" * 400, "line\n" * 60, "\n\n\nx" * 50, "W" * 900])
def test_every_kind_of_long_text_is_cut_to_a_card(text: str) -> None:
    start = start_of(text)
    assert start.endswith("…")
    assert len(start) <= 303
    assert start.count("\n") <= 6
    assert start.count("字") <= 150, "wide letters take two columns"


def test_a_text_of_a_book_is_sent_in_part_and_says_how_much_is_missing() -> None:
    html = text_cards_html([card("word " * 100_000)])
    assert len(html) < MOST_SENT + 8_000
    assert "480,000 more characters" in html or "479,999 more characters" in html


def test_words_that_are_looked_for_are_marked_in_whatever_case() -> None:
    assert marked_words("Cats & cats, no DOG", "cat dog") == (
        "<mark>Cat</mark>s &amp; <mark>cat</mark>s, no <mark>DOG</mark>"
    )
    assert marked_words("a.b axb", "a.b") == "<mark>a.b</mark> axb", "words are taken as they are written"
    assert marked_words("foobar", "foo foobar") == "<mark>foobar</mark>"
    assert marked_words("<b>", "b") == "&lt;<mark>b</mark>&gt;"
    assert marked_words("nothing", " ") == "nothing"


def test_a_word_far_into_a_text_is_what_the_card_shows() -> None:
    text = "Filling words stand here. " * 60 + "Then the needle comes. " + "More filling words. " * 60
    start = start_of(text, "needle")
    assert start.startswith("… ")
    assert start.endswith(" …")
    assert "the needle comes" in start
    assert start_of(text, "absent") == start_of(text)
    assert "needle" in start_of("W" * 2000 + "needle", "needle")


def test_a_pool_is_shown_as_texts_where_it_has_no_pictures(npz, points: pd.DataFrame) -> None:
    dataset = load_dataset(str(npz))
    cards = pool_cards(dataset, "DOGS")
    assert cards is not None
    assert cards.title == TEXTS
    shown, heading = linked_points(points, 3, ())
    html = cards.html(shown)
    assert heading == "3 chosen points"
    bodies = re.findall(r"<bdi>(.*?)</bdi>.*?dir=\"auto\">(.*?)</div>", html)
    assert bodies == [
        (
            f"#{rank + 1} · {'ab'[position % 2]} · p{position}",
            TEXT_OF[position].replace("dogs", "<mark>dogs</mark>"),
        )
        for rank, position in enumerate(PICKED)
    ]
    assert 'class="chosen"' not in html, "all are chosen, so no frame tells them apart"


def test_texts_follow_the_rows_of_the_pool_not_of_the_file(npz, tmp_path) -> None:
    dataset = load_dataset(DatasetConfig(source=str(npz), holdout=0.5))
    texts = pool_texts(dataset)
    assert texts is not None
    assert len(texts) == dataset.pool_size == SIZE // 2
    rows = dataset.rows[dataset.split.train].tolist()
    assert [texts.text(position) for position in range(len(texts))] == [TEXT_OF[row] for row in rows]
    cards = pool_cards(dataset)
    frame = pd.DataFrame(
        {"position": [4], "rank": [0], "chosen": [True], "id": ["x"], "label": [None], "target": [np.nan]}
    )
    assert cards is not None
    assert TEXT_OF[rows[4]] in cards.html(frame)


def test_points_found_are_listed_chosen_ones_first(points: pd.DataFrame) -> None:
    found = np.flatnonzero(RowTexts.of(TEXT_OF).matches("BIRDS sentence"))
    assert found.tolist() == list(range(2, SIZE, 3))
    shown, heading = linked_points(points, 3, (), found)
    assert shown["position"].tolist() == [*(p for p in PICKED if p % 3 == 2), *(p for p in found if p not in PICKED)]
    assert heading == "10 points found, 0 of them chosen"
    cats = np.flatnonzero(RowTexts.of(TEXT_OF).matches("cats"))
    shown, heading = linked_points(points, 3, (), cats)
    assert shown["position"].tolist()[:2] == [3, 21]
    assert heading == "10 points found, 2 of them chosen"
    shown, heading = linked_points(points, 3, (3, 4, 6), cats)
    assert shown["position"].tolist() == [3, 6]
    assert heading == "2 points found and marked on the map, 1 of them chosen"
    none, heading = linked_points(points, 3, (), np.empty(0, np.int64))
    assert none.empty
    assert heading == "0 points found, 0 of them chosen"


def test_points_found_are_ringed_on_the_map_and_no_lasso_finds_the_rings(points: pd.DataFrame) -> None:
    figure = map_figure(points, budget=3, colour="label", found=np.array([2, 5]))
    (rings,) = [trace for trace in figure.data if trace.legendgroup == "Found"]
    assert rings.x.tolist() == [2.0, 5.0]
    assert rings.name == "Found 2"
    assert rings.customdata is None
    assert not [t for t in map_figure(points, budget=3, colour="label").data if t.legendgroup == "Found"]


def test_the_map_shows_the_start_of_a_text_as_plain_text(points: pd.DataFrame) -> None:
    figure = map_figure(points.assign(**{TEXT: ["<b>Café</b>\n%{x} & more"] * SIZE}), budget=3, colour="label")
    texts = [text for trace in figure.data if trace.customdata is not None for text in trace.text]
    assert len(texts) == SIZE
    assert all("&lt;b&gt;Café&lt;/b&gt; %{x} &amp; more" in text for text in texts)
    assert hover_lines("word " * 100).count("<br>") == 2
    assert hover_lines("word " * 100).endswith(" …")


def test_a_word_is_marked_in_whatever_form_its_accents_are_written() -> None:
    apart = unicodedata.normalize("NFD", "ein Café am Meer")
    for query in ("café", unicodedata.normalize("NFD", "café")):
        html = text_cards_html([TextCard(apart, "", "", True)], query)
        assert f"<mark>{unicodedata.normalize('NFC', 'Café')}</mark>" in html
