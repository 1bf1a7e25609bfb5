"""Needs and savings on curves whose answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from skmm_core.comparison.leagues import STRATIFIED, against_stratified
from skmm_core.comparison.planner import Costs, Plan, needs, plans
from skmm_core.comparison.savings import Relation
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.summary import Comparison, Verdict, summarise
from skmm_core.probes.metrics import METRICS

ACCURACY, MAE = METRICS["classification"][0], METRICS["regression"][0]
BUDGETS = (10, 20, 40, 80, 160)


def log_curve(budget: float, shift: float = 0.0) -> float:
    """Accuracy that grows by 0.1 with every doubling; a shift of 0.1 saves exactly half the points."""
    return 0.4 + 0.1 * math.log2(budget / 10) + shift


def compared(shifts: dict[str, float], *, seeds: int = 8, noise: float = 0.0, metric: str = "accuracy") -> Comparison:
    rng = np.random.default_rng(5)
    sign = 1 if metric == "accuracy" else -1
    rows = [
        ["made", method, budget, seed, metric, sign * (log_curve(budget, shift) + rng.normal(0, noise)), 0.1, "test"]
        for seed in range(seeds)
        for method, shift in shifts.items()
        for budget in BUDGETS
    ]
    frame = pd.DataFrame(rows, columns=SCORE_COLUMNS)
    return summarise(frame, {}, "classification" if metric == "accuracy" else "regression")


def plan_of(found: Comparison, method: str, target: float) -> Plan:
    return next(plan for plan in plans(found, ACCURACY, target) if plan.need.method == method)


@pytest.mark.parametrize("points", [10, 14, 20, 57, 80, 160])
def test_need_on_a_logarithmic_curve_is_exact(points: int) -> None:
    need = needs(compared({"uniform": 0.0}), ACCURACY, log_curve(points))["uniform"]
    assert (need.relation, need.points, need.bound) == (Relation.ABOUT, points, None)
    assert need.lo == pytest.approx(points)
    assert need.hi == pytest.approx(points)


def test_need_is_rounded_up_so_that_the_score_is_reached() -> None:
    assert needs(compared({"uniform": 0.0}), ACCURACY, log_curve(57.01))["uniform"].points == 58


def test_an_error_is_read_downwards() -> None:
    found = compared({"uniform": 0.0, "good": 0.1}, metric="mae")
    assert {key: need.points for key, need in needs(found, MAE, -log_curve(80)).items()} == {"uniform": 80, "good": 40}


def test_nothing_is_read_beyond_the_budgets_measured() -> None:
    found = needs(compared({"uniform": 0.0}), ACCURACY, 0.9)["uniform"]
    assert (found.relation, found.points, found.bound, found.lo, found.hi) == (
        *(Relation.MORE_THAN, None, 160, 160, None),
    )
    found = needs(compared({"uniform": 0.0}), ACCURACY, 0.3)["uniform"]
    assert (found.relation, found.points, found.bound) == (Relation.LESS_THAN, None, 10)


def test_a_dip_in_the_mean_curve_is_made_monotone() -> None:
    scores = compared({"uniform": 0.0}).scores
    dip = scores["value"].where(scores["budget"] != 40, log_curve(20)).where(scores["budget"] != 20, log_curve(40))
    need = needs(summarise(scores.assign(value=dip), {}, "classification"), ACCURACY, log_curve(20) + 0.05)["uniform"]
    assert need.points == 20, "40 and 20 share their mean, so 20 points already have it"


def test_saving_is_half_the_points_and_its_interval_covers_it() -> None:
    found = compared({"uniform": 0.0, "good": 0.1}, noise=0.004)
    plan = plan_of(found, "good", log_curve(70))
    assert plan.need.points == pytest.approx(35, abs=2)
    assert plan.reference.points == pytest.approx(70, abs=3)
    assert plan.relation is Relation.ABOUT
    assert plan.reference.points is not None
    assert plan.need.points is not None
    assert plan.saved == plan.reference.points - plan.need.points
    assert plan.lo is not None
    assert plan.hi is not None
    assert plan.lo < 35 < plan.hi
    assert plan.hi - plan.lo < 12
    assert plan.verdict is Verdict.BETTER


@pytest.mark.statistical
def test_interval_of_a_need_covers_the_true_one() -> None:
    hits, repetitions = 0, 150
    rng = np.random.default_rng(3)
    base = compared({"uniform": 0.0}, seeds=20).scores
    base = base[base["metric"] == "accuracy"]
    for _ in range(repetitions):
        noisy = base.assign(value=base["value"] + rng.normal(0, 0.01, len(base)))
        found = Comparison(noisy, pd.DataFrame(), {}, [])
        need = needs(found, ACCURACY, log_curve(57))["uniform"]
        hits += need.lo is not None and need.hi is not None and need.lo <= 57 <= need.hi
    assert abs(hits / repetitions - 0.95) < 3.5 * math.sqrt(0.95 * 0.05 / repetitions)


@pytest.mark.parametrize(
    ("target", "relation", "saved"),
    [
        (log_curve(200), Relation.MORE_THAN, 160 - 100),  # uniform needs more than 160, the method 100
        (log_curve(15), Relation.MORE_THAN, 15 - 10),  # the method's first budget has it already
        (0.95, None, None),
        (0.3, None, None),
    ],
)
def test_what_lies_beyond_the_range_bounds_the_saving(target: float, relation: Relation, saved: int) -> None:
    plan = plan_of(compared({"uniform": 0.0, "good": 0.1}), "good", target)
    assert (plan.relation, plan.saved) == (relation, saved)


def test_a_method_that_costs_points_saves_less_than_nothing() -> None:
    plan = plan_of(compared({"uniform": 0.0, "bad": -0.1}), "bad", log_curve(120))
    assert (plan.need.relation, plan.relation, plan.saved) == (Relation.MORE_THAN, Relation.LESS_THAN, 120 - 160)
    assert plan.verdict is Verdict.WORSE


def test_an_equal_method_is_a_tie_and_so_is_any_with_too_few_seeds() -> None:
    noisy = compared({"uniform": 0.0, "same": 0.0}, noise=0.01)
    assert plan_of(noisy, "same", 0.6).verdict is Verdict.TIE
    few = compared({"uniform": 0.0, "good": 0.1}, seeds=3)
    plan = plan_of(few, "good", 0.6)
    assert plan.verdict is Verdict.TIE, "three seeds give no p below .25"
    assert plan_of(compared({"uniform": 0.0, "good": 0.1}, seeds=1), "good", 0.6).lo is None


def test_ties_are_the_same_ones_wherever_they_are_told() -> None:
    found = compared({"uniform": 0.0, "good": 0.1, "same": 0.0}, noise=0.01)
    told = {(row["method"], row["budget"]): row["tie"] for row in found.savings}
    for method in ("good", "same"):
        for budget in BUDGETS[1:-1]:
            reached = float(found.summary.query(f"method == '{method}' and budget == {budget}")["mean"].iloc[0])
            plan = plan_of(found, method, reached)
            assert plan.need.points == budget
            assert (plan.verdict is Verdict.TIE) == told[method, budget]


def test_methods_that_see_labels_are_set_beside_random_picks_within_classes() -> None:
    found = compared({"uniform": 0.0, STRATIFIED: 0.05, "aware": 0.15, "free": 0.1}, noise=0.001)
    rows = against_stratified(found.scores, ["aware"], "classification")
    references = {plan.need.method: plan for plan in plans(found, ACCURACY, 0.65, rows)}
    assert set(references) == {"aware", "free"}
    assert references["aware"].reference.method == STRATIFIED
    assert references["free"].reference.method == "uniform"
    own = needs(found, ACCURACY, 0.65)
    assert references["aware"].saved == (own[STRATIFIED].points or 0) - (own["aware"].points or 0)


def test_seeds_that_lack_a_budget_do_not_count_and_no_scores_give_no_plan() -> None:
    whole = compared({"uniform": 0.0, "good": 0.1})
    part = whole.scores[~((whole.scores["seed"] == 7) & (whole.scores["budget"] > 20))]
    assert plans(summarise(part, {}, "classification"), ACCURACY, 0.6)
    assert plans(summarise(whole.scores.iloc[:0], {}, "classification"), ACCURACY, 0.6) == []
    assert plans(compared({"good": 0.1}), ACCURACY, 0.6) == [], "nothing to set it beside"


def test_costs_are_proportional() -> None:
    costs = Costs(per_label=0.25, hours_per_thousand=8)
    assert costs.money(400) == 100
    assert costs.hours(250) == 2
