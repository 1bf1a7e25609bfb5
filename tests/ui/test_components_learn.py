"""What the Learn page says and draws: numbers from the pools, read back out of sentences and figures."""

import re

import numpy as np
import pytest

from dashboard.components.learn import questions
from dashboard.components.learn.lesson import Lesson, moved
from dashboard.components.learn.plane import bias_lesson, variance_lesson, why_lesson
from dashboard.components.learn.playground import playground_words, snapped
from dashboard.components.learn.space import balance_lesson, counts_figure, error_figure, sketch_lesson
from dashboard.components.learn.steps import STEPS
from dashboard.services import learn_results as lesson
from dashboard.services.playground import (
    DIM,
    MAX_CLUSTERS,
    START,
    Spot,
    label_free,
    play,
    read_spots,
    write_spots,
)

SHOWN = {
    "Why": lambda: why_lesson(lesson.why(12)),
    "Variance": lambda: variance_lesson(lesson.variance(2)),
    "Bias": lambda: bias_lesson(lesson.bias(0)),
    "Sketch": lambda: sketch_lesson(lesson.sketched(16)),
    "SkMM": lambda: balance_lesson(lesson.balance(), "SkMM"),
}


def plain(text):
    return text.replace("**", "").replace("\u00a0", " ")


@pytest.mark.parametrize("name", SHOWN)
def test_every_lesson_has_three_views_that_say_what_they_show(name):
    shown = SHOWN[name]()
    assert len(shown.panels) == 3
    for panel in shown.panels:
        assert len(panel.alt) > 40
        assert len(panel.figure.data) > 0
    assert not re.search(r"\bnan\b|\binf\b", shown.sentence)


def test_steps_are_five_with_one_right_answer_each():
    assert [step.name for step in STEPS] == list(SHOWN)
    for step in STEPS:
        assert 0 <= step.question.right < len(set(step.question.options)) == len(step.question.options)
        assert re.search(r"\d", step.question.explain()), "an explanation gives numbers"


def test_random_picks_are_worse_on_average_and_the_sentence_gives_both_numbers():
    found = lesson.why(12)
    assert found.smart.error < found.errors.mean()
    assert found.errors[found.missed].min() > found.errors[~found.missed].max(), "missing a cluster is what costs"
    words = plain(why_lesson(found).sentence)
    assert f"random picks miss {100 * found.errors.mean():.1f} %" in words
    assert f"SkMM's picks miss {100 * found.smart.error:.1f} %" in words
    assert f"random picks need {found.needed} labels" in words
    at = lesson.BUDGETS.index(found.needed)
    assert found.curve_random[:, at].mean() <= found.smart.error < found.curve_random[:, at - 1].mean()


def test_a_budget_at_which_nothing_is_saved_is_said_so():
    last = lesson.why(max(lesson.BUDGETS))
    words = plain(why_lesson(last).sentence)
    reached = last.curve_random[:, -1].mean() <= last.smart.error
    assert ("At this budget random picks are as good." in words) == bool(reached)


def test_points_in_a_direction_steady_its_slope():
    few, more = lesson.variance(1), lesson.variance(6)
    assert few.sd[1] > more.sd[1]
    assert few.sd[0] < more.sd[0]
    assert few.outcome.variance == pytest.approx(few.curve[0])
    assert np.std(few.slopes[:, 1]) == pytest.approx(few.sd[1], rel=5 / (2 * lesson.LABEL_DRAWS) ** 0.5)
    assert few.outcome.counts == (lesson.HAND_BUDGET - 1, 1)


def test_the_first_point_in_an_unseen_direction_removes_most_of_the_bias():
    unseen, seen = lesson.bias(0), lesson.bias(1)
    small = unseen.picture.cluster == 1
    assert np.abs(unseen.mean[small]).max() < 0.25 * unseen.truth[small].min()
    assert seen.outcome.bias < unseen.outcome.bias / 10
    assert unseen.bias_curve[-1] > unseen.bias_curve[0] / 2, "more of the same points do not help"


def test_distortion_falls_as_the_theory_says():
    found = lesson.sketched(16)
    theory = np.sqrt(2 / np.array(lesson.DIMS))
    # pairs of one map are not independent, so a map's mean square varies by up to its own size: MAPS maps, 5 times
    assert np.all(np.abs(found.distortions / theory - 1) < 5 / lesson.MAPS**0.5)
    assert f"{100 * found.distortion:.1f} %" in plain(sketch_lesson(found).sentence)
    assert found.energy.sum() <= 1 + 1e-9
    assert len(found.before) == len(found.after) > 100


def test_three_goals_take_what_the_papers_picture_shows():
    found = lesson.balance()
    assert found.picture.sizes == (8, 24, 3)
    assert {name: outcome.counts for name, outcome in found.outcomes.items()} == {
        "Bias reduction": (3, 3, 3),
        "Variance reduction": (3, 6, 0),
        "SkMM": (3, 5, 1),
    }
    assert found.outcomes["SkMM"].error == min(outcome.error for outcome in found.outcomes.values())
    assert all(sum(mean) == pytest.approx(lesson.FEW) for mean in found.redrawn.values())
    words = plain(balance_lesson(found, "Variance reduction").sentence)
    assert "takes 3 / 6 / 0 of the 8 / 24 / 3 points. It never sees axis 3" in words


def test_what_moved_is_said_with_its_numbers():
    before = Lesson("2", {"bias": 0.02, "variance": 0.1}, "", ())
    after = Lesson("3", {"bias": 0.02, "variance": 0.05}, "", ())
    said = plain(moved("the budget", before, after))
    assert said == "You changed the budget from 2 to 3: bias stayed at 2.0 %, variance fell from 10.0 % to 5.0 %."
    assert "variance rose from 5.0 % to 10.0 %" in plain(moved("the budget", after, before))


def test_bars_hold_the_numbers():
    found = lesson.balance()
    figure = error_figure(found.outcomes, now="SkMM")
    heights = {bar.name: list(bar.y) for bar in figure.data}
    assert heights["bias"] == [100 * outcome.bias for outcome in found.outcomes.values()]
    assert heights["variance"] == [100 * outcome.variance for outcome in found.outcomes.values()]
    counts = counts_figure({"a": (1, 2, 3)}, found.picture)
    assert [list(bar.y) for bar in counts.data] == [[1], [2], [3]]


def test_answers_are_explained_on_the_pools_of_their_steps():
    two, one = lesson.variance(2), lesson.variance(1)
    assert f"{two.sd[1]:.2g} to {one.sd[1]:.2g}" in questions.VARIANCE.explain()
    unseen = lesson.bias(0)
    assert f"{100 * unseen.bias_curve[-1]:.1f}" in plain(questions.BIAS.explain())


def test_a_click_lands_on_the_grid_and_within_reach():
    assert snapped(0.13, -0.12, 7) == Spot(0.25, 0.0, 7)
    assert snapped(9.0, -9.0, 7) == Spot(2.0, -2.0, 7)


@pytest.mark.parametrize("spots", [START, (Spot(-1.25, 0.5, 1),), (Spot(0, 0, 60),) * MAX_CLUSTERS])
def test_clusters_survive_a_link(spots):
    assert read_spots(write_spots(spots)) == spots


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "1,2", "1,2,3,4", "a,b,c", "1,1,0", "1,1,61", "1,1,2.5", "3,0,5", "nan,0,5", "0,0,inf", "1,1,5;<b>"),
        *("0,0,5;" * 6, ";".join(["0,0,5"] * (MAX_CLUSTERS + 1))),
    ],
)
def test_a_link_that_holds_something_else_is_refused(text):
    assert read_spots(text) is None


def test_the_playground_measures_both_methods_and_says_so():
    played = play(START, 0.5, 8, 8, ("skmm", "uniform"))
    assert [sum(found.counts) for found in played.outcomes] == [8, 8]
    noisy = play(START, 1.0, 8, 8, ("skmm", "uniform"))
    assert np.array_equal(noisy.outcomes[0].rows, played.outcomes[0].rows), "label noise moves no label-free pick"
    assert noisy.outcomes[0].error > played.outcomes[0].error
    words = plain(playground_words("SkMM", "Uniform", played, 8))
    assert f"SkMM has a risk of {100 * played.outcomes[0].error:.1f} %" in words
    assert f"Uniform has a risk of {100 * played.outcomes[1].error:.1f} %" in words


def test_earlier_clusters_stay_when_one_is_added():
    before = play(START, 0.5, 8, 8, ("skmm", "uniform")).picture
    after = play((*START, Spot(-1, -1, 20)), 0.5, 8, 8, ("skmm", "uniform")).picture
    np.testing.assert_array_equal(after.points[: len(before.points)], before.points)


@pytest.mark.parametrize("method", ["skmm", "uniform", "k_center"])
@pytest.mark.parametrize(("size", "budget", "dim"), [(1, 1, 1), (1, 1, DIM), (60, 40, DIM)])
def test_the_playgrounds_ends_work(method, size, budget, dim):
    assert method in label_free()
    played = play((Spot(0, 0, size),), 0.1, budget, dim, (method, method))
    assert played.outcomes[0].error == pytest.approx(played.outcomes[1].error)
    assert np.isfinite(played.outcomes[0].error)
