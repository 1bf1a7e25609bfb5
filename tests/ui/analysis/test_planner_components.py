"""The budget planner in words and as a table, from scores whose answer is known."""

import math
import re

import pandas as pd
import pytest

from dashboard.components.compare.budget_planner import (
    best_plan,
    cost_sentence,
    default_target,
    plan_sentence,
    plan_table,
    saturated_sentence,
    unreached_sentence,
)
from dashboard.components.shared.comparisons.methods import Methods
from dashboard.components.shared.comparisons.savings_words import escape_money, fmt_money, interval_text
from skmm_core.comparison.leagues import STRATIFIED, against_stratified
from skmm_core.comparison.planner import Costs, needs, plans
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.summary import summarise
from skmm_core.probes.metrics import METRICS

ACCURACY = METRICS["classification"][0]
METHODS = Methods(
    {"good": "Good", "same": "Same", "aware": "Aware", STRATIFIED: "Uniform by class", "uniform": "Uniform"},
    frozenset({"aware", STRATIFIED}),
)
SHIFTS = {"uniform": 0.0, "good": 0.1, "same": 0.0}


def compared(shifts, *, seeds=8, noise=0.003):
    """Accuracy that grows by 0.1 with every doubling of 20, 40, 80; seeds differ by ±noise, each method in its way."""
    rows = []
    for number, (method, shift) in enumerate(shifts.items()):
        for budget in (20, 40, 80):
            for seed in range(seeds):
                value = 0.5 + 0.1 * math.log2(budget / 20) + shift + noise * (1 - 2 * ((seed >> number) % 2))
                rows.append(["digits", method, budget, seed, "accuracy", value, 0.1, "test"])
    return summarise(pd.DataFrame(rows, columns=SCORE_COLUMNS), {}, "classification")


@pytest.fixture(scope="module")
def found():
    return compared(SHIFTS)


def said(found, target, **options):
    plan = best_plan(plans(found, ACCURACY, target, options.pop("against", ())), METHODS, **options)
    return plan_sentence(plan, ACCURACY, METHODS, target).replace("\u00a0", " ")


def test_sentence_names_the_points_and_the_saving_with_its_interval(found):
    plan = best_plan(plans(found, ACCURACY, 0.65), METHODS)
    assert (plan.need.method, plan.need.points, plan.reference.points) == ("good", 29, 57)
    assert said(found, 0.65).startswith(
        "For 65 % accuracy choose **n = 29** with **Good**; Uniform needs 57: **28 points saved** (95 % interval "
    )


def test_equal_scores_everywhere_are_called_saturated(found):
    assert saturated_sentence(found.summary, ACCURACY) is None
    flat = summarise(found.scores.assign(value=1.0), {}, "classification")
    assert saturated_sentence(flat.summary, ACCURACY).replace("\u00a0", " ") == (
        "Every score measured is the same, 100 % accuracy: the scores are saturated, so no saving can be read. Compare "
        "at smaller budgets, or on a harder test."
    )


def test_a_tie_is_called_a_tie_and_proves_no_saving(found):
    tie = compared({"uniform": 0.0, "same": 0.0})
    assert said(tie, 0.6).endswith("Uniform needs 40: a tie, no saving is proven.")
    few = compared(SHIFTS, seeds=4)
    assert "a tie" in said(few, 0.65), "four seeds cannot prove it"
    assert cost_sentence(best_plan(plans(few, ACCURACY, 0.65), METHODS), Costs(1.0, 1.0)) == ""


def test_sentence_never_reads_beyond_the_budgets_measured(found):
    assert "Uniform does not reach it within the budgets measured, up to 80: **more than" in said(found, 0.75)
    assert "**n = 20 or fewer, the fewest measured**" in said(found, 0.55)
    assert best_plan(plans(found, ACCURACY, 0.95), METHODS) is None
    assert unreached_sentence(needs(found, ACCURACY, 0.95), ACCURACY, 0.95).replace("\u00a0", " ") == (
        "No method reaches 95 % accuracy within the budgets measured, up to 80 points; compare at larger budgets."
    )


def test_a_method_that_needs_more_than_random_saves_nothing():
    assert said(compared({"uniform": 0.0, "same": -0.05}), 0.6).endswith("Uniform needs 40: no points are saved.")


def test_label_aware_methods_have_a_recommendation_of_their_own():
    found = compared({"uniform": 0.0, STRATIFIED: 0.02, "aware": 0.12, "good": 0.1})
    against = against_stratified(found.scores, ["aware", STRATIFIED], "classification")
    assert "**Good**; Uniform needs 57" in said(found, 0.65, against=against)
    aware = said(found, 0.65, against=against, label_aware=True)
    assert re.search(r"\*\*Aware †\*\*; Uniform by class † needs 50", aware)


def test_costs_turn_points_into_money_and_time(found):
    plan = best_plan(plans(found, ACCURACY, 0.65), METHODS)
    sentence = cost_sentence(plan, Costs(0.5, 30, "$")).replace("\u00a0", " ")
    assert sentence == "That saves **$14.00** of labels and **50 min 24 s**."
    assert escape_money(sentence).startswith(r"That saves **\$14")
    assert cost_sentence(plan, Costs()) == ""
    assert cost_sentence(best_plan(plans(found, ACCURACY, 0.75), METHODS), Costs(0.5)).startswith(
        "That saves more than"
    )


def test_table_holds_every_method_cheapest_first(found):
    table = plan_table(needs(found, ACCURACY, 0.65), plans(found, ACCURACY, 0.65), METHODS, Costs(0.5))
    assert list(table["Method"]) == ["Good", "Uniform", "Same"]
    assert list(table["Choose n"]) == ["29", "57", "57"]
    assert list(table["Labels saved"]) == ["€14.00", "–", "€0.00"]
    assert "Time saved" not in table
    assert list(table["Verdict"]) == ["better", "the yardstick", "no clear difference"]


def test_table_without_a_yardstick_still_says_what_is_needed():
    found = compared({"good": 0.1})
    table = plan_table(needs(found, ACCURACY, 0.65), plans(found, ACCURACY, 0.65), METHODS, Costs())
    assert list(table["Choose n"]) == ["29"]


@pytest.mark.parametrize(
    ("lo", "hi", "text"),
    [
        (24.2, 30.7, "24 to 31"),
        (24.0, None, "at least 24"),
        (None, 31.0, "at most 31"),
        (None, None, "–"),
        (-3, 5, "−3 to 5"),
    ],
)
def test_interval_in_words(lo, hi, text):
    assert interval_text(lo, hi) == text


def test_money_has_cents_only_where_they_count():
    assert [fmt_money(amount, "€") for amount in (0.1, 99.9, 12345.6)] == ["€0.10", "€99.90", "€12,346"]


def test_default_target_is_reached_by_every_method_where_one_is(found):
    target = default_target(found.summary, ACCURACY)
    assert target == pytest.approx(round(target, 2))
    assert all(need.points for need in needs(found, ACCURACY, target).values())


def test_no_target_without_a_curve_of_uniform():
    assert default_target(compared({"good": 0.1}).summary, ACCURACY) is None
