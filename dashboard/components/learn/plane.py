"""Scenes 1 to 3 of Learn, on pools in the plane: why pick at all, variance, bias."""

import numpy as np

from dashboard.components.learn.scene import (
    Axis,
    Bar,
    Control,
    Layer,
    Marks,
    Scene,
    State,
    View,
    marks,
    percent,
)
from dashboard.components.shared.theme import CHOSEN_COLOUR, OKABE_ITO, POOL_COLOUR, fmt_number, plural
from dashboard.services import learn_results as results
from dashboard.services.learn_results import BUDGETS, HAND_BUDGET, LABEL_DRAWS, RANDOM_DRAWS, SEEN, Picture, Why
from skmm_core.report import ACCENTS

Names = tuple[str, str]
_BY_SIZE: Names = ("large group", "small group")
_BY_PLACE: Names = ("right group", "upper group")
_CHOSEN_SIZE = 7.0
_BARE = Axis("", 0, 8)
_BLUE, _ORANGE = OKABE_ITO["blue"], OKABE_ITO["orange"]
_SIDES = tuple(range(1, HAND_BUDGET))
WHY_CONTROL = Control("picks", "Labels you can pay for", tuple(map(str, BUDGETS)), BUDGETS.index(HAND_BUDGET))
VARIANCE_CONTROL = Control(
    "side", f"Of {HAND_BUDGET} labels, for the upper group", tuple(map(str, _SIDES)), _SIDES.index(2)
)
BIAS_CONTROL = Control("seen", f"Of {HAND_BUDGET} labels, for the small group", tuple(map(str, SEEN)), 0)


def _pool(picture: Picture, names: Names) -> tuple[Layer, ...]:
    """All points, for places of the states; then the clusters, each with its shape."""
    looks = zip(names, ("circle", "square"), strict=True)
    clusters = (
        Layer(name, symbol, POOL_COLOUR, 3, marks(*picture.points[picture.cluster == cluster].T), opacity=0.7)
        for cluster, (name, symbol) in enumerate(looks)
    )
    return (Layer("", "circle", "none", 0, marks(*picture.points.T)), *clusters)


def _map(picture: Picture, names: Names, *picks: Layer, share: float = 1.0) -> View:
    """The pool, and over it which points get a label."""
    ticks = tuple((value, f"{value:g}") for value in (0, 0.5, 1, 1.5, 2))
    low, high = picture.points.min(axis=0) - 0.1, picture.points.max(axis=0) + 0.1
    across, up = (
        Axis(title, float(low[axis]), float(high[axis]), tuple(tick for tick in ticks if tick[0] < high[axis]))
        for axis, title in enumerate(("feature 1 of a point", "feature 2 of a point"))
    )
    return View("Which points get a label", (*_pool(picture, names), *picks), across, up, share)


def why_scene() -> Scene:
    """Scene 1: the same number of labels, chosen or drawn at random."""
    found = [results.why(budget) for budget in BUDGETS]
    picture = found[0].picture
    picks = (
        Layer("one random draw", "ring", _BLUE, _CHOSEN_SIZE, of=0),
        Layer("chosen by SkMM", "diamond", CHOSEN_COLOUR, _CHOSEN_SIZE, of=0),
    )
    strip = (
        Layer("draws that see both groups", "circle", _BLUE, 3),
        Layer("draws that miss the small one", "square", _ORANGE, 3),
        Layer("SkMM", "diamond", CHOSEN_COLOUR, _CHOSEN_SIZE),
        Layer("the draw above", "ring", _BLUE, 8),
    )
    ticks = tuple((float(value), f"{value} %") for value in range(0, 51, 10))
    luck = View(f"Error of {RANDOM_DRAWS} random draws", strip, Axis("error of the model", 0, 50, ticks), _BARE, 0.42)
    return Scene(
        shows="A map of two groups of points with those picked, above a row of the errors of 30 random draws.",
        paragraph="Labels cost money, so only a few of these 200 points get one. A model learns from those few and "
        "then answers for all. Its [[error|The mean squared difference between answer and truth over all points, in "
        "percent of the truth's own mean square. 0 % is perfect; 100 % is no better than always answering zero.]] "
        "depends on **which** few: random draws may miss a whole group of points. [[SkMM|Sketchy Moment Matching, the "
        "method that the last scene explains. It sees no labels.]] chooses them.",
        control=WHY_CONTROL,
        states=tuple(_why_state(each) for each in found),
        views=(_map(picture, _BY_SIZE, *picks), luck),
        colours={"random": _BLUE, "chosen": CHOSEN_COLOUR},
        full=0.3,
        intro=tuple((WHY_CONTROL.start, draw) for draw in range(8)),
        draws=RANDOM_DRAWS,
        upright=True,
    )


def _stacked(errors: np.ndarray) -> Marks:
    """Dots above an axis of percents, piled up where they would lie on each other."""
    bins = np.minimum(np.floor(100 * errors), 49)
    heights = [int((bins[:place] == each).sum()) for place, each in enumerate(bins)]
    return marks(np.minimum(100 * errors, 50), 1 + np.minimum(np.array(heights), 9) * 0.75)


def _why_state(why: Why) -> State:
    mean, missed = float(why.errors.mean()), int(why.missed.sum())
    dots = _stacked(why.errors)
    split = [[dot for dot, out in zip(dots, why.missed, strict=True) if out == wanted] for wanted in (False, True)]
    said = (
        f"With **{plural(why.budget, 'label')}** of {sum(why.picture.sizes)}, random draws err by **{percent(mean)}** "
        f"on average and SkMM's choice by **{percent(why.smart.error)}**. **{missed} of {RANDOM_DRAWS}** draws hold no "
        f"point of the small group. {_cost(why)}"
    )
    bars = (
        Bar("Random, on average", {"random": mean}, percent(mean)),
        Bar("The random draw shown", {"random": why.errors.tolist()}, [percent(error) for error in why.errors], False),
        Bar("SkMM", {"chosen": why.smart.error}, percent(why.smart.error)),
    )
    picks = ({"draws": [draw.rows.tolist() for draw in why.draws]}, why.smart.rows.tolist())
    here = marks(np.array([100 * why.smart.error]), np.array([1.0]))
    return State(said, bars, (picks, (*split, here, {"draws": [[dot] for dot in dots]})))


def _cost(why: Why) -> str:
    if why.needed is None:
        return f"Up to {max(BUDGETS)} labels, random draws do not get as low on average."
    if why.needed <= why.budget:
        return "With so many labels, random draws are as good."
    return f"To do as well on average, random draws need **{why.needed}** labels."


def variance_scene() -> Scene:
    """Scene 2: few labels for a feature make what is learned of it shaky."""
    found = [results.variance(side) for side in _SIDES]
    ends = tuple((value, f"{value:g}") for value in (0, 0.5, 1, 1.5, 2))
    cloud = (
        Layer("model from one set of labels", "circle", ACCENTS["variance"], 3.5, opacity=0.75),
        Layer("truth", "cross", _BLUE, 9, marks(*np.array([found[0].truth]).T)),
    )
    across, up = (Axis(f"learned effect of feature {number}", -0.2, 2.2, ends) for number in (1, 2))
    states = []
    for side, each in zip(_SIDES, found, strict=True):
        best = _SIDES[int(each.curve.argmin())]
        shaky = "2" if each.sd[1] > each.sd[0] else "1"
        said = (
            f"With {plural(HAND_BUDGET - side, 'label')} for the right group and **{side}** for the upper one, the "
            f"learned effects scatter by ± **{fmt_number(each.sd[0], 2)}** and ± **{fmt_number(each.sd[1], 2)}**: "
            f"feature {shaky} is the shakier. Variance is lowest with {best} labels up there; SkMM, which sees no "
            f"labels, puts {each.own} there."
        )
        bars = (
            Bar("Variance", {"variance": each.outcome.variance}, percent(each.outcome.variance)),
            Bar("Bias (next scene)", {"bias": each.outcome.bias}, percent(each.outcome.bias), False),
        )
        states.append(State(said, bars, ((each.outcome.rows.tolist(),), (marks(*each.slopes.T),))))
    pool = _map(found[0].picture, _BY_PLACE, _picked(), share=0.62)
    return Scene(
        shows=f"A map of two groups of points, and a cloud of the models learned from {LABEL_DRAWS} sets of labels.",
        paragraph="Labels are noisy: ask twice and you may get two answers. Each dot of the cloud is the model "
        "that one set of 12 labels would teach; the cross is the truth. How widely the dots scatter is called "
        "[[variance|The part of the error that comes from the noise in the labels: the mean squared distance of the "
        "answers from their own average, in percent of the truth's mean square.]]. A feature that few labelled points "
        "have is learned from few answers, so the cloud grows long in its direction.",
        control=VARIANCE_CONTROL,
        states=tuple(states),
        views=(pool, View(f"What {LABEL_DRAWS} sets of labels teach", cloud, across, up)),
        colours=ACCENTS,
        full=0.16,
        intro=((5, 0), (3, 0)),
    )


def _picked() -> Layer:
    return Layer("gets a label", "diamond", CHOSEN_COLOUR, _CHOSEN_SIZE, of=0)


def bias_scene() -> Scene:
    """Scene 3: a feature that was never seen."""
    found = [results.bias(seen) for seen in SEEN]
    picture, ticks = found[0].picture, tuple((value, f"{value:g}") for value in (0, 0.5, 1, 1.5, 2))
    small = picture.cluster == 1
    answers = (
        Layer("answer = truth", "line", POOL_COLOUR, 2, [[0.2, 0.2], [2.1, 2.1]]),
        Layer("", "spread", POOL_COLOUR, opacity=0.5),
        Layer("large group", "circle", _BLUE, 4, opacity=0.85),
        Layer("small group", "square", _ORANGE, 4.5),
    )
    states = []
    for each in found:
        groups = [marks(each.truth[rows], each.mean[rows]) for rows in (~small, small)]
        said = (
            f"With **{plural(each.seen, 'label')}** for the small group, the model answers "
            f"{fmt_number(float(each.mean[small].mean()), 2)} there on average; the truth is "
            f"{fmt_number(float(each.truth[small].mean()), 2)}. With {each.budgets[-1]} labels instead of "
            f"{each.budgets[0]}, all others for the large group, bias would be **{percent(each.bias_curve[-1])}** and "
            f"variance {percent(each.variance_curve[-1])}."
        )
        bars = tuple(
            Bar(name.capitalize(), {name: share}, percent(share), name == "bias")
            for name, share in (("bias", each.outcome.bias), ("variance", each.outcome.variance))
        )
        spread = marks(each.truth, each.mean, each.sd)
        states.append(State(said, bars, ((each.outcome.rows.tolist(),), (spread, *groups))))
    across, up = Axis("the truth", 0.2, 2.1, ticks[1:]), Axis("the model's answer (± noise)", -0.35, 2.35, ticks)
    pool = _map(picture, _BY_SIZE, _picked(), share=0.62)
    return Scene(
        shows="A map of a large and a small group, and the model's answers against the truth.",
        paragraph="Where no labelled point looks, a model knows nothing and answers about zero. In the large picture "
        "every point stands at its truth; its height is what the model answers, and on the dashed line both agree. "
        "Being wrong in the same way however often you label is called [[bias|The part of the error that stays when "
        "noise is averaged away: the mean squared distance of the average answer from the truth, in percent of the "
        "truth's mean square.]]. More labels of the same kind do not cure it.",
        control=BIAS_CONTROL,
        states=tuple(states),
        views=(pool, View("What the model answers", answers, across, up)),
        colours=ACCENTS,
        full=0.22,
        intro=((2, 0), (1, 0)),
        beat=650,
    )
