"""What the Learn page says and draws: numbers from the pools, read back out of scenes and figures."""

import json
import re

import numpy as np
import pytest

from dashboard.components.learn import questions
from dashboard.components.learn.playground import playground_words, snapped
from dashboard.components.learn.playground_figures import counts_figure, error_figure
from dashboard.components.learn.scene import as_data
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

TERM = re.compile(r"\[\[(.+?)\|(.+?)\]\]")


@pytest.fixture(scope="module")
def scenes():
    return {step.name: as_data(step.scene()) for step in STEPS}


def plain(text):
    return TERM.sub(r"\1", text).replace("**", "").replace("\u00a0", " ")


def shown(scenes, step, value):
    """The state of a scene at a value of its control."""
    return scenes[step]["states"][scenes[step]["control"]["values"].index(str(value))]


def moving_layers(view):
    return [layer for layer in view["layers"] if layer["marks"] is None]


def test_every_scene_has_a_state_for_each_value_and_marks_for_each_layer_that_moves(scenes):
    for step in STEPS:
        scene = scenes[step.name]
        assert scene["control"]["values"] == step.control.values
        assert len(scene["states"]) == len(step.control.values) > scene["control"]["start"]
        for state in scene["states"]:
            assert not re.search(r"\bnan\b|\binf\b", state["said"])
            for view, moving in zip(scene["views"], state["moving"], strict=True):
                for layer, marks in zip(moving_layers(view), moving, strict=True):
                    for one in marks["draws"] if isinstance(marks, dict) else [marks]:
                        if layer["of"] is not None:
                            assert set(one) <= set(range(len(view["layers"][layer["of"]]["marks"])))
                        else:
                            assert {len(mark) for mark in one} <= {3 if layer["symbol"] == "spread" else 2}
            for bar in state["bars"]:
                for share in bar["parts"].values():
                    assert np.shape(share) in ((), (scene["draws"],))
        assert all(0 <= at < len(scene["states"]) and 0 <= draw < scene["draws"] for at, draw in scene["intro"])


def test_marks_lie_within_the_axes(scenes):
    for name, scene in scenes.items():
        for number, view in enumerate(scene["views"]):
            if view["ends"]:
                continue
            fixed = [layer["marks"] for layer in view["layers"] if layer["marks"] is not None]
            places = [layer["of"] is not None for layer in moving_layers(view)]
            moved = [
                one
                for state in scene["states"]
                for marks, of in zip(state["moving"][number], places, strict=True)
                if not of
                for one in (marks["draws"] if isinstance(marks, dict) else [marks])
            ]
            points = np.array([mark[:2] for layer in fixed + moved for mark in layer])
            low, high = ([view[axis][end] for axis in "xy"] for end in ("low", "high"))
            inside = ((points >= low) & (points <= high)).all(axis=1)
            # of 250 noisy fits some lie far out: the axes hold all but the few
            assert inside.mean() > 0.99, f"{name}: {view['title']}"


def test_a_scene_is_a_short_paragraph_small_enough_to_send_and_explains_its_terms(scenes):
    terms = []
    for scene in scenes.values():
        assert len(plain(scene["paragraph"]).split()) < 85
        assert len(json.dumps(scene)) < 150_000
        terms += [name for name, means in TERM.findall(scene["paragraph"]) if len(means) > 30]
    assert {"error", "SkMM", "variance", "bias", "gradient", "sketch"} <= set(terms)


def test_steps_are_five_with_one_right_answer_each():
    assert [step.name for step in STEPS] == ["Why", "Variance", "Bias", "Sketch", "SkMM"]
    for step in STEPS:
        assert 0 <= step.question.right < len(set(step.question.options)) == len(step.question.options)
        assert re.search(r"\d", step.question.explain()), "an explanation gives numbers"


def test_random_picks_are_worse_on_average_and_the_sentence_gives_both_numbers(scenes):
    found = lesson.why(12)
    assert found.smart.error < found.errors.mean()
    assert found.errors[found.missed].min() > found.errors[~found.missed].max(), "missing a group is what costs"
    words = plain(shown(scenes, "Why", 12)["said"])
    assert f"random draws err by {100 * found.errors.mean():.1f} %" in words
    assert f"SkMM's choice by {100 * found.smart.error:.1f} %" in words
    assert f"random draws need {found.needed} labels" in words
    at = lesson.BUDGETS.index(found.needed)
    assert found.curve_random[:, at].mean() <= found.smart.error < found.curve_random[:, at - 1].mean()


def test_each_random_draw_is_drawn_with_its_own_points_and_error(scenes):
    found, state = lesson.why(12), shown(scenes, "Why", 12)
    (draws, smart), (seen, missed, own, here) = state["moving"]
    assert draws["draws"] == [draw.rows.tolist() for draw in found.draws]
    assert smart == found.smart.rows.tolist()
    assert len(missed) == found.missed.sum() == lesson.RANDOM_DRAWS - len(seen)
    for (dot,), error in zip(here["draws"], found.errors, strict=True):
        assert dot[0] == pytest.approx(100 * error, abs=1e-3)
        assert dot in seen + missed
    assert own[0][0] == pytest.approx(100 * found.smart.error, abs=1e-3)
    assert state["bars"][1]["parts"]["random"] == found.errors.tolist()


def test_a_budget_at_which_nothing_is_saved_is_said_so(scenes):
    last = lesson.why(max(lesson.BUDGETS))
    words = plain(shown(scenes, "Why", max(lesson.BUDGETS))["said"])
    reached = last.curve_random[:, -1].mean() <= last.smart.error
    assert ("random draws are as good." in words) == bool(reached)


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


def test_answers_are_drawn_at_their_truth(scenes):
    found, state = lesson.bias(1), shown(scenes, "Bias", 1)
    spread, large, small = state["moving"][1]
    rows = found.picture.cluster == 1
    np.testing.assert_allclose(small, np.column_stack([found.truth[rows], found.mean[rows]]), atol=1e-3)
    assert len(large) + len(small) == len(spread) == len(found.truth)
    np.testing.assert_allclose(np.array(spread)[:, 2], found.sd, atol=1e-3)
    assert [bar["parts"] for bar in state["bars"]] == [
        {"bias": found.outcome.bias},
        {"variance": found.outcome.variance},
    ]


def test_distortion_falls_as_the_theory_says(scenes):
    found = lesson.sketched(16)
    theory = np.sqrt(2 / np.array(lesson.DIMS))
    # pairs of one map are not independent, so a map's mean square varies by up to its own size: MAPS maps, 5 times
    assert np.all(np.abs(found.distortions / theory - 1) < 5 / lesson.MAPS**0.5)
    assert f"{100 * found.distortion:.1f} %" in plain(shown(scenes, "Sketch", 16)["said"])
    assert len(found.before) == len(found.after) > 100


def test_three_goals_take_what_the_papers_picture_shows(scenes):
    found = lesson.balance()
    assert found.picture.sizes == (8, 24, 3)
    assert {name: outcome.counts for name, outcome in found.outcomes.items()} == {
        "Bias reduction": (3, 3, 3),
        "Variance reduction": (3, 6, 0),
        "SkMM": (3, 5, 1),
    }
    assert found.outcomes["SkMM"].error == min(outcome.error for outcome in found.outcomes.values())
    assert all(sum(mean) == pytest.approx(lesson.FEW) for mean in found.redrawn.values())
    state = shown(scenes, "SkMM", "Variance reduction")
    assert "takes 3 / 6 / 0 of the 8 / 24 / 3 points. It never sees axis 3" in plain(state["said"])
    assert state["moving"] == ((found.outcomes["Variance reduction"].rows.tolist(),),)
    assert [(bar["name"], bar["now"]) for bar in state["bars"]] == [
        ("Bias reduction: 3 / 3 / 3", False),
        ("Variance reduction: 3 / 6 / 0", True),
        ("SkMM: 3 / 5 / 1", False),
    ]


def test_bars_hold_the_numbers():
    found = lesson.balance()
    figure = error_figure(found.outcomes)
    heights = {bar.name: list(bar.y) for bar in figure.data}
    assert heights["bias"] == [100 * outcome.bias for outcome in found.outcomes.values()]
    assert heights["variance"] == [100 * outcome.variance for outcome in found.outcomes.values()]
    counts = counts_figure({"a": (1, 2, 3)}, found.picture)
    assert [list(bar.y) for bar in counts.data] == [[1], [2], [3]]


def test_answers_are_explained_on_the_pools_of_their_steps():
    two, one = lesson.variance(2), lesson.variance(1)
    assert f"± {one.sd[1]:.2g} instead of ± {two.sd[1]:.2g}" in questions.VARIANCE.explain()
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
