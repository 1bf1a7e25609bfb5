"""Numbers, names and the one sentence of the first page."""

import itertools
import math
import tomllib
from pathlib import Path

import pytest

from dashboard.components.shared.comparisons.headline import Headline, headline
from dashboard.components.shared.theme import (
    FILL_COLOUR,
    INK,
    PAPER,
    class_style,
    escape,
    fmt_bytes,
    fmt_int,
    fmt_number,
    fmt_percent,
    fmt_seconds,
    plural,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (1.5, "1.5"),
        (123.4, "123"),
        (12345.6, "12,346"),
        (3.2e-9, "3.20e-09"),
        (4.4e-16, "<\u00a01e-12"),
        (-4.4e-16, ">\u00a0-1e-12"),
        (math.inf, "∞"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_numbers_have_sensible_digits(number: float | None, text: str) -> None:
    assert fmt_number(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.412, "0.41 s"), (59.6, "1 min 0 s"), (12.4, "12 s"), (95, "1 min 35 s"), (7300, "2 h 1 min"), (None, "–")],
)
def test_times_have_units(seconds: float | None, text: str) -> None:
    assert fmt_seconds(seconds).replace("\u00a0", " ") == text


def test_shares_sizes_and_counts_have_units() -> None:
    assert fmt_percent(60 / 1078, 1) == "5.6\u00a0%"
    assert fmt_percent(0.998) == ">\u00a099\u00a0%"
    assert fmt_percent(0.9998, 1) == ">\u00a099.9\u00a0%"
    assert fmt_percent(0.0004, 1) == "<\u00a00.1\u00a0%"
    assert (fmt_percent(1.0), fmt_percent(0.0), fmt_percent(1.004)) == ("100\u00a0%", "0\u00a0%", "100\u00a0%")
    assert fmt_percent(math.nan) == "–"
    assert fmt_bytes(1536) == "1.5\u00a0KB"
    assert fmt_int(1078) == "1,078"
    assert plural(1, "point") == "1 point"
    assert plural(2, "class", "classes") == "2 classes"


def test_each_of_many_classes_has_a_look_of_its_own() -> None:
    looks = [class_style(index) for index in range(90)]
    assert len(set(looks)) == 90
    assert len({colour for colour, _ in looks[:10]}) == 10, "ten classes have a colour each"
    assert all(one[0] != two[0] and one[1] != two[1] for one, two in itertools.pairwise(looks[:7]))


def test_text_from_files_is_never_markup() -> None:
    assert escape("**a** [b](c)\n<d>") == r"\*\*a\*\* \[b\]\(c\) \<d\>"
    assert escape("$x$ `y` :red[z]") == r"\$x\$ \`y\` \:red\[z\]"


def about(*, seeds: int = 8, others: int = 0, **saving: object) -> Headline:
    row = {"method": "m", "budget": 60, "score": 0.86, "uniform_budget": 95.0, "factor": 95 / 60, "lo": 1.2, "hi": 2.0}
    row |= {"relation": "about", "bound": None, "tie": False}
    result = {
        "full": {"accuracy": 1.0},
        "savings": [row | saving, *({**row, "method": f"other {n}"} for n in range(others))],
    }
    found = headline(result, method="m", title="SkMM", budget=60, pool_size=1078, seeds=seeds)
    assert found is not None
    return found


def said(*, seeds: int = 8, others: int = 0, **saving: object) -> str:
    return about(seeds=seeds, others=others, **saving).sentence.replace("**", "").replace("\u00a0", " ")


def test_the_sentence_is_made_of_the_measured_numbers() -> None:
    assert said() == (
        "With 60 of 1,078 training images (5.6 %) SkMM reaches 86 % of the full-data accuracy; random picks need 95."
    )
    assert "1.58 times as many points, 95 % interval 1.2 to 2." in about().caption
    assert "at least 1.2." in about(hi=None).caption


def test_the_sentence_is_honest_when_random_picks_do_as_well() -> None:
    assert "reaches > 99 % of" in said(score=0.996)
    assert said(tie=True, uniform_budget=63.0).endswith("random picks need about as many (63): no clear difference.")
    assert said(tie=True, uniform_budget=109.0).endswith(
        "random picks need 109, though the seeds differ too much to be sure."
    )
    assert said(tie=True, seeds=2).endswith("random picks need 95, though 2 seeds are too few to be sure.")
    assert "seeds differ too much" in said(tie=True, seeds=6)
    assert "6 seeds are too few" in said(tie=True, seeds=6, others=1), "the test is corrected for two methods"
    assert said(uniform_budget=42.0, factor=0.7).endswith("random picks need only 42.")
    below = {"relation": "less than", "bound": 20, "uniform_budget": None, "factor": None, "lo": None, "hi": None}
    assert said(**below).endswith("random picks need fewer than 20.")


def test_the_sentence_says_when_random_picks_never_get_there() -> None:
    beyond = {"relation": "more than", "bound": 160, "uniform_budget": None, "factor": None, "lo": 1.5, "hi": None}
    assert said(**beyond).endswith("random picks need more than 160.")
    assert said(**beyond, tie=True).endswith("more than 160, though the seeds differ too much to be sure.")
    assert "times" not in about(**beyond).caption


def test_the_sentence_says_when_scores_are_saturated() -> None:
    level = {"relation": "saturated", "bound": 20, "uniform_budget": None, "factor": None, "lo": None, "hi": None}
    assert said(**level, tie=True, score=1.0).endswith(
        "reaches 100 % of the full-data accuracy; random picks do too with 20: the scores are saturated."
    )
    assert "times" not in about(**level).caption


def test_the_caption_says_what_the_claim_is_about_and_which_labels_were_read() -> None:
    row = {"method": "m", "budget": 60, "score": 0.86, "uniform_budget": 95.0, "factor": 95 / 60, "lo": 1.2, "hi": 2.0}
    row |= {"relation": "about", "bound": None, "tie": False}
    result = {"full": {"accuracy": 1.0}, "savings": [row], "claim": "About this very pool.", "validation_rows": 359}
    found = headline(result, method="m", title="SkMM", budget=60, pool_size=1078, seeds=8)
    assert found is not None
    assert "to 2. About this very pool. Besides the chosen points, 359 labelled validation rows" in found.caption


def test_no_sentence_without_its_numbers() -> None:
    empty = {"full": {"accuracy": 1.0}, "savings": []}
    assert headline(empty, method="m", title="SkMM", budget=60, pool_size=10, seeds=8) is None
    assert headline({}, method="m", title="SkMM", budget=60, pool_size=10, seeds=8) is None


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it."""

    def light(colour: str) -> float:
        shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("name", "dark"), [("light", False), ("dark", True)])
def test_both_themes_can_be_read(name: str, dark: bool) -> None:
    config = Path(__file__).parents[2] / ".streamlit" / "config.toml"
    theme = tomllib.loads(config.read_text())["theme"][name]
    assert theme["textColor"] == INK[dark]
    for ground in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["textColor"], ground) >= 7
        assert contrast(theme["primaryColor"], ground) >= 4.5
    assert contrast("#FFFFFF", FILL_COLOUR) >= 4.5


@pytest.mark.parametrize(("name", "dark"), [("light", False), ("dark", True)])
def test_bars_that_stay_in_sight_have_the_colour_of_the_page(name: str, dark: bool) -> None:
    config = Path(__file__).parents[2] / ".streamlit" / "config.toml"
    assert tomllib.loads(config.read_text())["theme"][name]["backgroundColor"] == PAPER[dark]
