"""What is said of a selection beside random picks: no more than so many draws can tell."""

import math

import numpy as np
import pytest

from dashboard.components.shared.diagnostics.random_picks import shares_of_draws
from dashboard.components.shared.diagnostics.table import MEASURES
from dashboard.components.workbench.metric_row import MEASURED
from skmm_core.diagnostics import Band, represented_text, standing, verdict_of, yardstick
from skmm_core.diagnostics.band import BandMeasure

THESE = "These 100 points stand for your data"
JUDGED = BandMeasure("moment_error", 0.1, tuple(0.2 + 0.01 * i for i in range(20)), 1.0)


@pytest.mark.parametrize(
    ("better", "said", "good"),
    [
        (1.0, f"{THESE} better than all 20 random picks of the same size.", True),
        (0.85, f"{THESE} better than 17 of 20 random picks of the same size.", True),
        (0.875, f"{THESE} better than 17 of 20 random picks of the same size.", True),
        (
            0.5,
            f"{THESE} about as well as random picks of the same size: better than 10 of 20.",
            None,
        ),
        (
            0.1,
            f"{THESE} worse than most random picks of the same size: better than 2 of 20.",
            False,
        ),
        (0.0, f"{THESE} worse than all 20 random picks of the same size.", False),
        (None, "Every point that could be picked is chosen, so random picks would be the same.", None),
    ],
)
def test_the_sentence_says_what_was_found(better: float | None, said: str, good: bool | None) -> None:
    found = verdict_of(Band(100, 0, 20, better, (JUDGED,)))
    assert (found.text, found.good) == (said, good)
    assert "%" not in found.text, "twenty draws tell no per cent"


def test_given_points_and_a_single_one_are_named() -> None:
    beside = verdict_of(Band(100, 250, 20, 1.0)).text
    assert beside.startswith("Together with the 250 given, these 100 points stand for your data better than all 20")
    assert verdict_of(Band(1, 0, 20, 1.0)).text.startswith("This point stands for your data")
    assert verdict_of(Band(1, 0, 20, 1.0)).text.endswith("20 random picks of the same size.")


def test_yardsticks_give_the_middle_and_the_range() -> None:
    assert yardstick(JUDGED) == "random: 0.295, from 0.2 to 0.39"
    assert standing(JUDGED, 20) == "better than 20 of 20"
    assert yardstick(BandMeasure("c_s", 3.0, (math.inf, 4.0, 5.0))) == "random: 5, from 4 to ∞"
    assert yardstick(BandMeasure("rank", 3.0, (4.0, 4.0))) == "random: 4"
    assert yardstick(None) == standing(BandMeasure("rank", 3.0, (4.0,)), 1) == ""
    seen = Band(9, 0, 2, 1.0, (BandMeasure("represented", 0.45, (0.3, 0.32)),))
    assert represented_text(seen).replace("\u00a0", " ") == (
        "They represent 45 % of the variation in your data (random: 31 %)."
    )
    assert represented_text(Band(9, 0, 2, 1.0)) == ""


def test_what_the_headline_shows_is_in_the_table_of_all_numbers_by_the_same_name() -> None:
    assert set(MEASURED) <= {measure.key for measure in MEASURES}


def test_the_histogram_of_draws_comes_back_from_their_quantiles() -> None:
    values = np.sort(np.random.default_rng(0).gamma(2, size=(3, 4_001)), axis=1)
    edges = np.linspace(0, values.max(), 11)
    found = shares_of_draws(np.quantile(values, np.linspace(0, 1, 41), axis=1).T, edges)
    expected = np.array([np.histogram(row, edges)[0] / len(row) for row in values])
    np.testing.assert_allclose(found, expected, atol=1 / 40)
    np.testing.assert_allclose(found.sum(axis=1), 1)
