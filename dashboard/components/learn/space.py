"""Scenes 4 and 5 of Learn, on pools in many dimensions: sketching, and SkMM itself."""

from dashboard.components.learn.scene import Axis, Bar, Control, Layer, Scene, State, View, error_bars, marks, percent
from dashboard.components.shared.theme import CHOSEN_COLOUR, OKABE_ITO, POOL_COLOUR
from dashboard.services import learn_results as results
from dashboard.services.learn_results import DIMS, FEW, PICKERS, REDRAWS, Balance, Outcome, Sketched
from skmm_core.report import ACCENTS

_ENDS = (1.3, 2.2, 1.1)  # of the axes, beyond the points, so that their names stand free
_SYMBOLS = ("circle", "square", "triangle")
_COLOURS = tuple(OKABE_ITO[name] for name in ("blue", "orange", "green"))
SKETCH_CONTROL = Control("m", "Dimensions m of the sketch", tuple(map(str, DIMS)), DIMS.index(16))
BALANCE_CONTROL = Control("picker", f"Goal of the {FEW} picks", tuple(PICKERS), 0, choice=True)


def sketch_scene() -> Scene:
    """Scene 4: a random map to few dimensions keeps what matters."""
    found = [results.sketched(dim) for dim in DIMS]
    full = found[0].full_dim
    top = 1.02 * float(found[0].before.max())
    high = 1.02 * max(float(each.after.max()) for each in found)
    layers = (
        Layer("unchanged", "line", POOL_COLOUR, 2, [[0.0, 0.0], [top, top]]),
        Layer("two points", "circle", OKABE_ITO["blue"], 3.2, opacity=0.75),
    )
    ticks = tuple((float(value), f"{value}") for value in range(0, 5))
    axes = (
        Axis(f"distance of two points in {full} dimensions", 0, top, tuple(tick for tick in ticks if tick[0] < top)),
        Axis("distance in their sketch", 0, high, tuple(tick for tick in ticks if tick[0] < high)),
    )
    return Scene(
        shows="A cloud of pairs of points: their distance before against their distance behind the sketch.",
        paragraph="A model's [[gradient|How the model would change if it learned this point's label: one number for "
        "each of its parameters.]] says what a point could teach it, in thousands of dimensions: too many to compare "
        "points by. A [[sketch|Each point is replaced by m random mixtures of its numbers.]] is a small random shadow. "
        "Each dot is a pair of points: across is their distance before, up is the distance of their shadows. The more "
        "dimensions the shadow has, the closer the dots lie to the line.",
        control=SKETCH_CONTROL,
        states=tuple(_sketch_state(each) for each in found),
        views=(View(f"Distances, from {full} dimensions to m", layers, *axes),),
        colours={"off": OKABE_ITO["blue"], "theory": POOL_COLOUR, "error": CHOSEN_COLOUR},
        full=1.0,
        intro=((0, 0), (1, 0), (2, 0)),
        beat=700,
    )


def _sketch_state(found: Sketched) -> State:
    theory = (2 / found.dim) ** 0.5
    said = (
        f"In a shadow of **{found.dim}** instead of {found.full_dim} dimensions, squared distances are off by "
        f"**{percent(found.distortion)}** (root mean square). {FEW} points chosen by the shadow leave an error of "
        f"**{percent(found.error)}**; chosen in all {found.full_dim} dimensions, {percent(found.error_full)}."
    )
    bars = (
        Bar("Squared distances are off by", {"off": found.distortion}, percent(found.distortion)),
        Bar("Theory, over many sketches: √(2/m)", {"theory": theory}, percent(theory), False),
        Bar(f"Error of {FEW} points chosen by it", {"error": found.error}, percent(found.error), False),
    )
    return State(said, bars, ((marks(found.before, found.after),),))


def balance_scene() -> Scene:
    """Scene 5: bias reduction, variance reduction, and both."""
    found = results.balance()
    points, cluster = found.picture.points, found.picture.cluster
    pool = tuple(
        Layer(
            f"{size} points", _SYMBOLS[number], _COLOURS[number], 4, marks(*points[cluster == number].T), opacity=0.75
        )
        for number, size in enumerate(found.picture.sizes)
    )
    every = Layer("", "circle", "none", 0, marks(*points.T))
    chosen = Layer(f"{FEW} chosen", "diamond", CHOSEN_COLOUR, 8, of=0)
    sizes = " / ".join(str(size) for size in found.picture.sizes)
    return Scene(
        shows=f"Three clusters of {sizes} points along three axes, with the {FEW} points chosen.",
        paragraph="Three clusters lie along three axes, and nine of their points may get a label. **Bias reduction** "
        "looks at [[every axis alike|It takes the points with the highest leverage scores: those that stand out most "
        "on some axis, strong or weak.]]. **Variance reduction** steadies the [[strong axes|It lowers the variance "
        "summed over all points, a V-optimal design with a ridge, and most points lie along the strong axes.]]. "
        "**SkMM**, sketchy moment matching, makes the nine [[resemble the whole|In a sketch, their second moments, how "
        "far points reach along each direction, come as close as they can to those of all points.]] on each axis, and "
        "so does both.",
        control=BALANCE_CONTROL,
        states=tuple(_balance_state(found, name) for name in PICKERS),
        views=(View("Three axes: drag to turn", (every, *pool, chosen), ends=_ENDS),),
        colours=ACCENTS,
        full=max(outcome.error for outcome in found.outcomes.values()),
        intro=((2, 0), (1, 0)),
        beat=800,
    )


def _balance_state(balance: Balance, name: str) -> State:
    outcome = balance.outcomes[name]
    mean = " / ".join(f"{value:.1f}" for value in balance.redrawn[name])
    sizes = " / ".join(str(size) for size in balance.picture.sizes)
    unseen = [str(axis + 1) for axis, count in enumerate(outcome.counts) if not count]
    never = f" It never sees axis {' or '.join(unseen)}: that is its bias." if unseen else ""
    best = min(balance.outcomes, key=lambda other: balance.outcomes[other].error)
    said = (
        f"**{name}** takes **{counts_of(outcome)}** of the {sizes} points.{never} The lowest error here has "
        f"**{best}**. One pool proves little: over {REDRAWS} redrawn pools {name} takes {mean} on average."
    )
    rows = {f"{other}: {counts_of(found)}": found for other, found in balance.outcomes.items()}
    bars = error_bars(rows, (f"{name}: {counts_of(outcome)}",))
    return State(said, bars, ((outcome.rows.tolist(),),))


def counts_of(outcome: Outcome) -> str:
    """Points taken from each cluster: "3 / 5 / 1"."""
    return " / ".join(str(count) for count in outcome.counts)
