"""The question that ends each scene of the Learn page; explanations are computed on the scene's own pool."""

from dashboard.components.learn.check import Question
from dashboard.components.learn.scene import percent
from dashboard.components.shared.theme import fmt_number
from dashboard.services import learn_results as lesson
from dashboard.services.learn_results import HAND_BUDGET, RANDOM_DRAWS

_FEW, _MORE = 16, 64


def _why() -> str:
    found = lesson.why(HAND_BUDGET)
    lucky, unlucky = found.errors[~found.missed], found.errors[found.missed]
    if not len(unlucky) or not len(lucky):
        return f"At {HAND_BUDGET} labels all random draws here are alike: {percent(float(found.errors.mean()))} error."
    return (
        f"At {HAND_BUDGET} labels {len(unlucky)} of {RANDOM_DRAWS} random draws miss the small group. They err by "
        f"{percent(float(unlucky.mean()))} of the signal, the others by {percent(float(lucky.mean()))}. More labels "
        "make such bad luck rarer; choosing well rules it out."
    )


def _variance() -> str:
    two, one = lesson.variance(2), lesson.variance(1)
    return (
        f"With 1 label up there instead of 2, what is learned of feature 2 scatters by ± {fmt_number(one.sd[1], 2)} "
        f"instead of ± {fmt_number(two.sd[1], 2)}; feature 1 hardly changes, ± {fmt_number(two.sd[0], 2)} to "
        f"± {fmt_number(one.sd[0], 2)}. Noise is averaged only over the labelled points that have a feature."
    )


def _bias() -> str:
    found = lesson.bias(0)
    return (
        f"With no label in the small group, {found.budgets[-1]} labels instead of {found.budgets[0]} leave bias at "
        f"{percent(float(found.bias_curve[-1]))} (it was {percent(float(found.bias_curve[0]))}). One label there "
        f"brings it to {percent(lesson.bias(1).outcome.bias)} at {HAND_BUDGET} labels: what is never seen cannot be "
        "learned, however much else is."
    )


def _sketch() -> str:
    few, more = lesson.sketched(_FEW), lesson.sketched(_MORE)
    before, after = (
        float(found.distortions[list(lesson.DIMS).index(dim)]) for found, dim in ((few, _FEW), (more, _MORE))
    )
    return (
        f"Over {lesson.MAPS} maps it goes from {percent(before)} at m = {_FEW} to {percent(after)} at m = {_MORE}, by "
        f"a factor of {fmt_number(before / after, 2)}. It falls as 1/√m: four times the size halves it. The "
        f"{few.full_dim} dimensions of the data do not matter for it."
    )


def _balance() -> str:
    found = lesson.balance()
    outcome = found.outcomes["Variance reduction"]
    size, whole = found.picture.sizes[2], sum(found.picture.sizes)
    return (
        f"The small cluster is {size} of {whole} points close to the origin, so little of the variation in the data "
        f"lies along its axis: it gets {outcome.counts[2]} of {sum(outcome.counts)} picks, and bias is "
        f"{percent(outcome.bias)}. SkMM resembles the whole on every axis, weak ones too: it spends "
        f"{found.outcomes['SkMM'].counts[2]} there, and bias is {percent(found.outcomes['SkMM'].bias)}."
    )


WHY = Question(
    "You may label 12 points, drawn at random. What is the danger that choosing removes?",
    ("The labels are noisier", "A whole group of points may get no label at all", "The model becomes too complex"),
    1,
    _why,
)
VARIANCE = Question(
    "You move a label from the upper group to the right one, leaving one up there. What becomes shakier?",
    ("What is learned of feature 1", "What is learned of feature 2", "Both alike"),
    1,
    _variance,
)
BIAS = Question(
    "No point of the small group is labelled. You buy eight times as many labels in the large one. What happens to "
    "the error in the small one?",
    ("It falls to an eighth", "It falls by a factor of √8", "It stays about what it was"),
    2,
    _bias,
)
SKETCH = Question(
    "You raise the dimensions of the sketch from 16 to 64. How far off are squared distances then?",
    ("As far as before", "Half as far", "A quarter as far"),
    1,
    _sketch,
)
BALANCE = Question(
    "Why does variance reduction alone leave out the small cluster?",
    (
        "Its points are too noisy",
        "It holds so little of the variation that leaving it out hardly shows in the variance",
        "The sketch has removed its axis",
    ),
    1,
    _balance,
)
