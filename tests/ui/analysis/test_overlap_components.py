"""What two to four selections share, and what comparisons say of them: pure functions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from dashboard.components.selections.balance import balance_answer
from dashboard.components.selections.choice import check_link, default_pair, read_link
from dashboard.components.selections.overlap import (
    Region,
    chance_overlap,
    overlap_answer,
    region_name,
    region_points,
    region_title,
    regions,
    shared,
)
from dashboard.components.selections.scores import best_comparison, missing_line, scored_by, scores_answer
from dashboard.components.shared.comparisons.repeated_selections import covers
from skmm_core.comparison.statistics import paired_difference
from skmm_core.config import CompareJob, DatasetConfig, RunConfig, SelectJob, SketchParams
from skmm_core.probes.metrics import primary_metric
from skmm_core.runs import RunRecord, RunState

DIGITS = DatasetConfig(source="digits")


def record(job, *, id_="0" * 12, data="sha256:a", state=RunState.DONE, sketch=None):
    config = RunConfig(dataset=DIGITS, job=job, sketch=sketch or SketchParams())
    method = job.method if isinstance(job, SelectJob) else ", ".join(job.methods)
    budget = str(job.budget) if isinstance(job, SelectJob) else ", ".join(map(str, job.budgets))
    return RunRecord(
        id_, f"run {id_[:3]}", job.kind, "digits", method, budget, state, 0.0, None, None, None, None, None, config,
        data, Path("nowhere"),
    )  # fmt: skip


@given(st.lists(st.lists(st.integers(0, 12), unique=True), min_size=2, max_size=4))
def test_every_chosen_point_is_in_the_one_region_of_those_that_chose_it(selections):
    found = regions(selections)
    assert len(found) == len({region.members for region in found}) == 2 ** len(selections) - 1
    everything = [position for region in found for position in region.positions]
    assert sorted(everything) == sorted({position for chosen in selections for position in chosen})
    for region in found:
        for position in region.positions:
            assert region.members == tuple(n for n, chosen in enumerate(selections) if position in chosen)
    sizes = [len(region.positions) for region in found]
    assert sizes == sorted(sizes, reverse=True)
    assert shared(found, (0, 1)) == len(set(selections[0]) & set(selections[1]))
    assert shared(found, (0,)) == len(selections[0])


def test_the_overlap_by_chance_is_the_mean_over_random_picks():
    rng = np.random.default_rng(0)
    draws = [len(set(rng.permutation(30)[:6]) & set(rng.permutation(30)[:10])) for _ in range(4000)]
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - chance_overlap((6, 10), 30)) < 4 * error


@pytest.mark.parametrize(
    ("members", "count", "name"),
    [
        ((0,), 2, "Only A"),
        ((0, 1), 2, "A and B"),
        ((0, 1), 3, "A and B, not C"),
        ((1,), 4, "Only B"),
        ((0, 1, 3), 4, "A, B and D, not C"),
        ((2, 3), 4, "C and D, not A or B"),
    ],
)
def test_regions_are_named_by_letters(members, count, name):
    assert region_name(Region(members, ()), count) == name
    assert region_title(Region(members, (4,)), count) == f"{name} · 1 point"


def test_points_of_a_region_come_in_pick_order():
    points = pd.DataFrame({"position": range(5), "rank": [2, -1, 0, 1, -1]})
    shown = region_points(points, Region((0,), (0, 2, 3)))
    assert shown["position"].tolist() == [2, 3, 0]
    assert shown["chosen"].all()


def test_the_chart_draws_and_says_the_counts():
    found = regions([[1, 2, 3, 4], [3, 4, 5], [4, 9]])
    answer = overlap_answer(found, ["one", "<b>two", "three"], 20)
    bars = next(trace for trace in answer.panels[0].figure.data if trace.type == "bar")
    assert dict(zip(bars.customdata, bars.x, strict=True)) == {
        region_name(region, 3): len(region.positions) for region in found
    }
    assert "All 3 share **1**" in answer.sentence
    assert "**A** and **B** share **2** of 4 and 3 points (0.6)" in answer.sentence
    assert "<b>two" not in answer.panels[0].alt


@pytest.fixture
def tables():
    labels = ["a", "b", "a", "b", "a", "b"]
    one = pd.DataFrame({"position": range(6), "label": labels, "target": [0, 1] * 3, "rank": [0, -1, 1, -1, -1, -1]})
    return one, one.assign(rank=[0, 1, -1, -1, -1, -1])


def test_balance_gives_each_selection_its_distance_from_the_pool(tables):
    answer = balance_answer(tables, [2, 2], ["A · x", "B · y"])
    assert "**A · x** 0.50, 1 of 2 classes without a point; **B · y** 0.00" in answer.sentence
    numbers = [table.assign(label=None, target=np.arange(6.0)) for table in tables]
    assert "pool 2.5; **A** 1; **B** 0.5." in balance_answer(numbers, [2, 2], ["A", "B"]).sentence
    assert balance_answer([table.assign(label=None, target=np.nan) for table in tables], [2, 2], ["A", "B"]) is None


def test_a_link_names_runs_and_says_why_some_are_left_out():
    assert read_link(" a, b,,a ") == ["a", "b"]
    job = SelectJob(method="skmm", budget=4)
    runs = {str(n): record(job, id_=str(n)) for n in range(6)}
    runs |= {
        "other": record(job, id_="other", data="sha256:b"),
        "queued": record(job, id_="queued", state=RunState.QUEUED),
        "compare": record(CompareJob(methods=("skmm",), budgets=(4,)), id_="compare"),
    }
    kept, problems = check_link(["0", "gone", "other", "queued", "compare", *"12345"], runs)
    assert [run.id for run in kept] == ["0", "1", "2", "3"]
    for line, words in zip(
        problems,
        ("no run gone", "other data", "is queued, not done", "is no selection", "at most 4", "at most 4"),
        strict=True,
    ):
        assert words in line


def test_the_first_pair_is_the_open_run_and_the_newest_of_another_method():
    runs = [record(SelectJob(method=m, budget=4), id_=i) for i, m in (("1", "skmm"), ("2", "skmm"), ("3", "uniform"))]
    assert default_pair(runs, runs[1]) == ["2", "3"]
    assert default_pair(runs, None) == ["1", "3"]
    assert default_pair(runs[:2], runs[0]) == ["1", "2"]
    assert default_pair([], None) == []


COMPARED = CompareJob(methods=("skmm", "uniform"), budgets=(10, 20), seeds=6, params={"skmm": {"c_s": 0.5}})


@pytest.mark.parametrize(
    ("job", "covered"),
    [
        (SelectJob(method="uniform", budget=20), True),
        (SelectJob(method="skmm", budget=10, params={"c_s": 0.5}, seed=7), True),
        (SelectJob(method="skmm", budget=10), False),
        (SelectJob(method="uniform", budget=15), False),
        (SelectJob(method="herding", budget=20), False),
        (SelectJob(method="uniform", budget=20, include=(3,)), False),
    ],
)
def test_a_comparison_covers_what_it_repeated_and_nothing_else(job, covered):
    assert covers(record(COMPARED), record(job)) is covered
    assert not covers(record(COMPARED), record(job, data="sha256:b"))
    assert not covers(record(COMPARED, sketch=SketchParams(dim=9)), record(job))
    assert not covers(record(job), record(job))


def test_the_comparison_that_repeated_most_is_taken_the_newest_of_such():
    made = [record(SelectJob(method=m, budget=20)) for m in ("uniform", "herding")]
    one, both = COMPARED, CompareJob(methods=("uniform", "herding"), budgets=(20,))
    found = [record(one, id_="1"), record(both, id_="2"), record(both, id_="3")]
    assert best_comparison(found, made).id == "2"
    assert best_comparison(found[:1], made).id == "1"
    assert best_comparison(found[:1], made[1:]) is None
    assert best_comparison([], made) is None


@pytest.fixture
def scores():
    rng = np.random.default_rng(3)
    rows = [
        {"method": method, "budget": budget, "seed": seed, "metric": metric, "value": start + rng.normal(0, 0.01)}
        for method, start in (("skmm", 0.8), ("uniform", 0.6))
        for budget in (10, 20)
        for seed in range(8)
        for metric in ("accuracy", "macro_f1")
    ]
    return pd.DataFrame(rows)


def test_scores_are_those_of_the_comparison_paired_by_seed(scores):
    metric = primary_metric("classification")
    made = [
        record(SelectJob(method="uniform", budget=20)),
        record(SelectJob(method="skmm", budget=10, params={"c_s": 0.5})),
        record(SelectJob(method="herding", budget=20)),
    ]
    scored = scored_by(record(COMPARED), scores, made, metric)
    assert list(scored.values) == [0, 1]
    here = scores[scores["metric"] == "accuracy"].pivot_table(
        index="seed", columns=["method", "budget"], values="value"
    )
    assert scored.values[0].values[:, 0].tolist() == here["uniform", 20].tolist()
    answer = scores_answer(scored, ["A · u", "B · s", "C · h"], metric)
    paired = paired_difference(here["uniform", 20], here["skmm", 10], higher_is_better=True)
    assert f"A − B: −{abs(100 * paired.difference.mean):.1f} pp" in answer.sentence
    assert "**A** is worse." in answer.sentence
    assert "With a linear probe, over 8 seeds" in answer.sentence
    points = {trace.y[0]: trace.x[0] for trace in answer.panels[0].figure.data}
    assert points == pytest.approx({"A": 100 * here["uniform", 20].mean(), "B": 100 * here["skmm", 10].mean()})
    line = missing_line(made, scored)
    assert "No finished comparison scored C (herding, 20 points)." in line


def test_equal_scores_are_called_a_tie(scores):
    metric = primary_metric("classification")
    even = scores.assign(value=[0.5 + 0.01 * (row % 7) for row in range(len(scores))])
    made = [record(SelectJob(method="uniform", budget=budget)) for budget in (10, 20)]
    answer = scores_answer(scored_by(record(COMPARED), even, made, metric), ["A", "B"], metric)
    assert "no clear difference." in answer.sentence


def test_selections_around_hand_picked_points_are_said_to_have_no_comparison():
    made = [record(SelectJob(method="uniform", budget=20, include=(1,))), record(SelectJob(method="skmm", budget=5))]
    line = missing_line(made, None)
    assert "A (uniform, 20 points), B (skmm, 5 points)" in line
    assert "A was picked around points by hand" in line
    assert missing_line([], None) == ""
