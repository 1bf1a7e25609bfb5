import re

import numpy as np
import pandas as pd
import pytest

from dashboard.components.compare.form import MAX_CELLS, cost_line, grouped_reasons, parse_budgets, suggest_budgets
from dashboard.components.compare.tables import TIE, difference_table, paper_table, weak_test_line
from dashboard.components.compare.time_chart import time_bars
from dashboard.components.compare.view import progress_line
from dashboard.components.shared.comparisons.learning_curves import learning_curves
from dashboard.components.shared.comparisons.methods import Methods, known_methods, with_readers
from skmm_core.comparison.leagues import STRATIFIED, against_stratified, judged
from skmm_core.comparison.score_table import SCORE_COLUMNS
from skmm_core.comparison.summary import summarise
from skmm_core.config import CompareJob, DatasetConfig, GradientParams, RunConfig
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.methods.registry import list_methods
from skmm_core.probes.metrics import METRICS

ACCURACY = METRICS["classification"][0]
MAE = METRICS["regression"][0]
METHODS = Methods({"good": "Good", "same": "Same", "uniform": "Uniform"})
LEAGUES = Methods(
    {"aware": "Aware", "good": "Good", "uniform": "Uniform", STRATIFIED: "By class"}, frozenset({"aware", STRATIFIED})
)


def grid(values, *, metric="accuracy", noise=0.0):
    """Scores from {method: {budget: mean}} over 8 seeds; the noise of each method is ±, sums to zero, is its own."""
    rows = []
    for number, (method, means) in enumerate(values.items()):
        for budget, mean in means.items():
            for seed in range(8):
                value = mean + noise * (1 - 2 * ((seed >> number) % 2))
                rows.append(["digits", method, budget, seed, metric, value, 0.1 * (number + 1), "test"])
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def differences(summary, scores, against=(), methods=METHODS):
    return difference_table(judged(summary, against, "accuracy"), summary, scores, ACCURACY, methods)


def weak_line(scores):
    summary = summarise(scores, {}, "classification").summary
    return weak_test_line(judged(summary, (), "accuracy"), summary, scores, ACCURACY, METHODS)


@pytest.fixture(scope="module")
def found():
    scores = grid(
        {
            "uniform": {20: 0.50, 40: 0.60, 80: 0.70},
            "good": {20: 0.60, 40: 0.70, 80: 0.80},
            "same": {20: 0.50, 40: 0.60, 80: 0.70},
        },
        noise=0.005,
    )
    return summarise(scores, {"accuracy": 0.9}, "classification")


def test_curves_draw_the_means_with_their_intervals(found):
    figure = learning_curves(found.summary, ACCURACY, METHODS, 0.9).panels[0].figure
    assert [trace.name for trace in figure.data] == ["Good", "Same", "Uniform", "whole pool: 90.0\u00a0%"]
    assert set(figure.data[-1].y) == {0.9}
    rows = found.summary[(found.summary["method"] == "good") & (found.summary["metric"] == "accuracy")]
    good = figure.data[0]
    np.testing.assert_allclose(good.y, rows["mean"])
    np.testing.assert_allclose(np.asarray(good.y) + good.error_y.array, rows["hi"])
    np.testing.assert_allclose(np.asarray(good.y) - good.error_y.arrayminus, rows["lo"])


def test_dodged_points_stay_near_their_budget_and_say_the_true_one(found):
    for trace in learning_curves(found.summary, ACCURACY, METHODS).panels[0].figure.data:
        budgets = [row[0] for row in trace.customdata]
        assert budgets == [20, 40, 80]
        np.testing.assert_allclose(trace.x, budgets, rtol=0.05)


def test_methods_are_told_apart_by_marker_too(found):
    traces = learning_curves(found.summary, ACCURACY, METHODS).panels[0].figure.data
    assert len({trace.marker.symbol for trace in traces}) == len({trace.marker.color for trace in traces}) == 3


def test_the_sentence_names_the_best_and_what_uniform_has(found):
    assert "counts all chosen points alike" in learning_curves(found.summary, ACCURACY, METHODS).help
    sentence = learning_curves(found.summary, ACCURACY, METHODS).sentence
    assert re.search(r"[Ww]ith 20 points \*\*Good\*\* has the best mean, (59|60)", sentence)
    assert re.search(r"with 80 points \*\*Good\*\* has the best mean, (79|80)", sentence)


def test_the_sentence_calls_equal_scores_and_a_better_yardstick_so():
    summary = summarise(grid({"uniform": {20: 1.0}, "good": {20: 1.0}}), {}, "classification").summary
    assert "the best mean, 100.0\u00a0%, is no better than that of Uniform" in curves_sentence(summary, METHODS)
    scores = grid({"uniform": {20: 0.9}, "aware": {20: 0.8}}, noise=0.001)
    sentence = curves_sentence(summarise(scores, {}, "classification").summary, LEAGUES)
    assert re.search(r"\*\*Aware †\*\* has 80\.\d\u00a0%, no better than Uniform \(90\.\d\u00a0%\)", sentence)
    assert "best mean" not in sentence


def curves_sentence(summary, methods):
    return learning_curves(summary, ACCURACY, methods).sentence


def test_paper_table_marks_best_and_ties():
    scores = grid({"uniform": {20: 0.5}, "good": {20: 0.6}, "same": {20: 0.6}}, noise=0.01)
    table = paper_table(summarise(scores, {}, "classification").summary, scores, ACCURACY, METHODS)
    cells = dict(zip(table.index, table["n = 20"], strict=True))
    marked = [name for name in ("Good", "Same") if cells[name].startswith("**")]
    assert len(marked) == 1
    other = "Same" if marked == ["Good"] else "Good"
    assert cells[other].endswith(TIE)
    assert re.fullmatch(r"\d\d\.\d ± \d\.\d", cells["Uniform"])


def test_two_seeds_tell_nothing_apart_however_clear_their_interval():
    scores = grid({"uniform": {20: 0.5}, "good": {20: 0.6}}, noise=0.001)
    few = scores[scores["seed"] < 2]
    assert (
        paper_table(summarise(few, {}, "classification").summary, few, ACCURACY, METHODS)
        .loc["Uniform", "n = 20"]
        .endswith(TIE)
    ), "as in the tests against random picks, whose p cannot fall below 0.5"


def test_for_an_error_the_smallest_is_best():
    scores = grid({"uniform": {20: 5.0}, "good": {20: 4.0}}, metric="mae", noise=0.01)
    summary = summarise(scores, {}, "regression").summary
    table = paper_table(summary, scores, MAE, METHODS)
    assert table.loc["Good", "n = 20"].startswith("**4")
    assert "Good" in learning_curves(summary, MAE, METHODS).sentence


def test_leagues_have_their_own_best_and_are_marked(found):
    mixed = Methods(METHODS.titles, frozenset({"good"}))
    table = paper_table(found.summary, found.scores, ACCURACY, mixed)
    assert "Good †" in table.index
    assert sum("**" in cell for cell in table["n = 20"]) == 1  # two label-free ones, one label-aware without a rival
    assert "**" not in table.loc["Good †", "n = 20"]


def test_a_missing_cell_is_a_dash_not_a_number():
    scores = grid({"uniform": {20: 0.5, 40: 0.6}, "good": {20: 0.6}})
    table = paper_table(summarise(scores, {}, "classification").summary, scores, ACCURACY, METHODS)
    assert table.loc["Good", "n = 40"] == "–"


def test_one_seed_has_no_spread_and_no_verdict():
    scores = grid({"uniform": {20: 0.5}, "good": {20: 0.6}})
    scores = scores[scores["seed"] == 0]
    summary = summarise(scores, {}, "classification").summary
    assert "±" not in paper_table(summary, scores, ACCURACY, METHODS).loc["Good", "n = 20"]
    assert paper_table(summary, scores, ACCURACY, METHODS).loc["Uniform", "n = 20"].endswith(TIE)
    row = differences(summary, scores).iloc[0]
    assert row["Verdict"] == "no clear difference"
    assert row["Wins"] == "1 of 1"


def test_difference_table_tells_a_true_difference_from_none(found):
    table = differences(found.summary, found.scores)
    good = table[table["Method"] == "Good"]
    assert set(good["Verdict"]) == {"better"}
    assert set(good["Wins"]) == {"8 of 8"}
    assert all(text.startswith("+") and text.endswith("pp") for text in good["Difference"])
    assert set(table[table["Method"] == "Same"]["Verdict"]) == {"no clear difference"}
    assert "Uniform" not in set(table["Method"])
    assert set(table["Set beside"]) == {"Uniform"}


@pytest.fixture(scope="module")
def leagues():
    """A method that sees labels beats plain uniform by far, and random picks within classes not at all."""
    means = {"uniform": 0.50, STRATIFIED: 0.70, "aware": 0.701, "good": 0.60}
    scores = grid({method: {20: mean, 40: mean + 0.1} for method, mean in means.items()}, noise=0.005)
    return summarise(scores, {}, "classification"), against_stratified(scores, ["aware"], "classification")


def test_each_league_meets_its_own_yardstick(leagues):
    found, against = leagues
    table = differences(found.summary, found.scores, against, LEAGUES).set_index("Method")
    assert set(table.loc["Aware †", "Set beside"]) == {"By class †"}
    assert set(table.loc["Aware †", "Verdict"]) == {"no clear difference"}
    assert set(table.loc[["Good", "By class †"], "Set beside"].to_numpy()) == {"Uniform"}
    assert set(table.loc[["Good", "By class †"], "Verdict"].to_numpy()) == {"better"}
    assert (table.index == "Aware †").sum() == 2, "one row a budget, not one a yardstick"


def test_the_sentence_sets_the_best_of_each_league_beside_its_yardstick(leagues):
    sentence = learning_curves(leagues[0].summary, ACCURACY, LEAGUES).sentence.replace("\u00a0", " ")
    means = leagues[0].summary.query("metric == 'accuracy' and budget == 20").set_index("method")["mean"] * 100
    assert f"**Good** has the best mean, {means['good']:.1f} % (Uniform {means['uniform']:.1f} %) and " in sentence
    assert f"and **Aware †** has the best mean, {means['aware']:.1f} % (By class † " in sentence


def test_too_few_seeds_are_counted_for_each_yardstick(leagues):
    few = leagues[0].scores[leagues[0].scores["seed"] < 6]
    summary = summarise(few, {}, "classification", label_aware=LEAGUES.label_aware).summary
    tests = judged(summary, against_stratified(few, ["aware"], "classification"), "accuracy")
    line = weak_test_line(tests, summary, few, ACCURACY, LEAGUES)
    assert "2 methods set beside Uniform no corrected p can fall below 0.062" in line
    assert "By class" not in line, "one method over six seeds can have p = 0.031"


def test_weak_test_line_gives_the_seeds_that_suffice():
    scores = grid({"uniform": {20: 0.5}, "good": {20: 0.6}, "same": {20: 0.55}}, noise=0.001)
    few = scores[scores["seed"] < 5]
    line = weak_line(few)
    needed = int(re.search(r"over (\d+) seeds", line).group(1))
    for seeds, enough in ((needed - 1, False), (needed, True)):
        part = scores[scores["seed"] < seeds]
        p = summarise(part, {}, "classification").summary["p_holm"].min()
        assert bool(p < 0.05) is enough
    assert weak_line(scores) == ""


def test_time_counts_each_selection_once():
    scores = pd.concat([grid({"uniform": {20: 0.5}}), grid({"uniform": {20: 0.5}}, metric="macro_f1")])
    answer = time_bars(scores, METHODS)
    assert answer.panels[0].figure.data[0].x[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "budgets"),
    [("20, 40, 80", (20, 40, 80)), ("80 20;40", (20, 40, 80)), ("20,20", (20,)), (" 100 ", (100,))],
)
def test_budgets_are_read(text, budgets):
    assert parse_budgets(text, 100) == budgets


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no budget given"),
        ("20, many", "'many' is not a whole number"),
        ("2.5", "'2.5' is not a whole number"),
        ("-3", "'-3' is not a whole number"),
        ("0", "budget 0 is outside 1..100"),
        ("20, 101", "budget 101 is outside 1..100; the pool has 100 points"),
        ("9" * 400, "is not a whole number"),
        ("٣", "is not a whole number"),
    ],
)
def test_wrong_budgets_get_one_clear_line(text, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse_budgets(text, 100)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [1, 19, 20, 1078])
def test_suggested_budgets_fit_the_pool(size):
    assert max(parse_budgets(suggest_budgets(size, 10), size)) <= size


def test_cost_is_the_product_and_has_a_limit():
    assert cost_line(5, 3, 8).endswith("= 120 selections to score")
    with pytest.raises(InputError, match="no method is ticked"):
        cost_line(0, 3, 8)
    with pytest.raises(InputError, match="fewer methods, budgets or seeds"):
        cost_line(10, 10, MAX_CELLS)


def test_progress_counts_uniform_which_is_always_scored(found):
    job = CompareJob(methods=("good", "same"), budgets=(20, 40, 80), seeds=8)
    assert progress_line(found.scores, job, ended=True).startswith("72 of 72 selections")


def test_methods_that_read_labels_here_are_in_the_label_aware_league():
    methods = known_methods(list_methods())
    job = CompareJob(methods=("k_center", "herding", "skmm"), budgets=(20,), params={"k_center": {"stratify": True}})
    config = RunConfig(dataset=DatasetConfig(source="digits"), job=job)
    assert with_readers(methods, config).label_aware - methods.label_aware == {"k_center"}
    heads = config.model_copy(update={"gradient": GradientParams(kind="head")})
    assert with_readers(methods, heads).label_aware - methods.label_aware == {"k_center", "skmm"}
    rounds = CompareJob(methods=("entropy", "skmm"), budgets=(20, 40), rounds=2)
    assert not with_readers(methods, config.model_copy(update={"job": rounds})).label_aware


def test_errors_that_span_decades_are_drawn_on_a_log_axis():
    scores = grid({"uniform": {20: 6.0, 40: 0.1}, "good": {20: 0.2, 40: 0.1}}, metric="mae", noise=0.001)
    summary = summarise(scores, {}, "regression").summary
    layout = learning_curves(summary, MAE, METHODS, full=0.01).panels[0].figure.layout
    assert layout.yaxis.type == "log"
    assert layout.yaxis.range[0] < -2, "the line of the whole pool, at 0.01, is in sight"
    near = grid({"uniform": {20: 0.3, 40: 0.1}}, metric="mae", noise=0.001)
    assert (
        learning_curves(summarise(near, {}, "regression").summary, MAE, METHODS).panels[0].figure.layout.yaxis.type
        == "linear"
    )


def test_methods_that_are_off_share_a_line_for_the_same_reason():
    specs = list_methods()
    lines = grouped_reasons(specs, Task.UNLABELLED)
    off = [spec for spec in specs if spec.missing(Task.UNLABELLED)]
    assert len(lines) == len({spec.missing(Task.UNLABELLED).removeprefix(spec.title) for spec in off})
    assert all(any(spec.title in line for line in lines) for spec in off)
