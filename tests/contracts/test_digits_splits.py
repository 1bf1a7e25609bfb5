"""The figures of the Overview's sentence are those of their definition, and a part of them is made again here."""

import json
import math

import numpy as np
import pytest

from dashboard.services.demo import BUDGET, METHOD
from dashboard.services.figures import digits_splits_file
from skmm_core.comparison.splits import split_savings, typical_saving
from skmm_core.data import load_dataset
from tests.bench import digits_splits
from tests.bench.digits_splits import METRIC, SEEDS, SOURCE, SPLITS, again, kept

AGAIN = "run `python -m tests.bench.digits_splits`"


@pytest.fixture(scope="module")
def made() -> dict:
    return json.loads(digits_splits_file().read_text(encoding="utf-8"))


def test_they_are_of_many_splits_and_of_the_method_on_the_page(made: dict) -> None:
    assert (made["method"], made["budget"], made["source"]) == (METHOD, BUDGET, SOURCE)
    assert [row["split"] for row in made["savings"]] == list(range(SPLITS))
    cells = {(split, method, seed) for split, method, _, seed, _ in made["scores"]}
    assert len(cells) == SPLITS * 2 * SEEDS == SPLITS * 2 * made["seeds"]


def test_no_label_but_those_of_the_chosen_is_read(made: dict) -> None:
    dataset = load_dataset(made["source"].format(split=3))
    assert made["validation_rows"] == len(dataset.split.validation) == 0
    assert (made["pool"], made["test"]) == (dataset.pool_size, len(dataset.split.test))


def test_savings_are_those_of_the_scores(made: dict) -> None:
    savings = kept(split_savings(again(made), METHOD, BUDGET))
    for mine, theirs in zip(savings, made["savings"], strict=True):
        assert mine == {
            name: pytest.approx(value) if isinstance(value, float) else value for name, value in theirs.items()
        }, AGAIN


def test_scores_can_be_made_again(made: dict) -> None:
    split = 3
    found = digits_splits.measure([split], budgets=(BUDGET,), seeds=1)[split].scores
    committed = {(m, b): v for s, m, b, seed, v in made["scores"] if (s, seed) == (split, 0)}
    for method in (METHOD, "uniform"):
        value = found[(found["method"] == method) & (found["metric"] == METRIC)]["value"].item()
        # another machine's rounding may decide rows on the edge of two classes otherwise
        assert abs(value - committed[method, BUDGET]) <= 3 / made["test"], AGAIN


def rows(*factors: float) -> list[dict]:
    """Splits with these factors of 20 points, measured from 10 to 100 points."""
    known = {0.0: ("less than", 10), math.inf: ("more than", 100)}
    return [
        {"split": number, "budget": 20, "factor": factor, "relation": "about", "bound": None}
        if factor not in known
        else {"split": number, "budget": 20, "factor": None}
        | dict(zip(("relation", "bound"), known[factor], strict=True))
        for number, factor in enumerate(factors)
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 20])
def test_the_typical_saving_is_the_median_with_the_range(size: int) -> None:
    factors = np.exp(np.random.default_rng(size).normal(0.3, 0.4, size))
    found = typical_saving(rows(*factors))
    ordered = sorted(factors)
    middle = math.sqrt(ordered[(size - 1) // 2] * ordered[size // 2])
    assert found.factor == pytest.approx(middle)
    assert found.needed == math.ceil(20 * middle)
    assert (found.low, found.high) == (ordered[0], ordered[-1])
    assert (found.below, found.above) == (False, False)
    assert (found.none, found.splits) == (sum(factor <= 1 for factor in factors), size)


def test_bounds_count_on_their_side_and_are_called_bounds() -> None:
    found = typical_saving(rows(0.0, 1.2, 1.4, math.inf, math.inf))
    assert (found.factor, found.none) == (pytest.approx(1.4), 1)
    assert (found.low, found.below, found.high, found.above) == (0.5, True, 5.0, True)
    for factors, relation in (((0.0, math.inf, math.inf), "more than"), ((0.0, 0.0, 1.2), "less than")):
        beyond = typical_saving(rows(*factors))
        assert (beyond.relation, beyond.factor, beyond.needed) == (relation, None, None)


@pytest.mark.parametrize(
    ("factors", "relation", "factor"),
    [((1.5, math.inf), "about", 1.5), ((0.0, 1.5), "less than", None), ((0.0, math.inf), "less than", None)],
)
def test_of_two_middle_splits_the_side_that_claims_less_counts_where_one_is_a_bound(factors, relation, factor) -> None:
    found = typical_saving(rows(*factors))
    assert (found.relation, found.factor) == (relation, factor)


def test_saturated_scores_show_no_saving() -> None:
    level = {"split": 0, "budget": 20, "factor": None, "relation": "saturated", "bound": 10}
    found = typical_saving([level, *rows(2.0, 3.0)])
    assert (found.none, found.low, found.factor) == (1, 1.0, pytest.approx(2.0))
