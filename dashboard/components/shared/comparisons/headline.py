"""What a small subset buys in one sentence, computed from a finished comparison."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dashboard.components.shared.theme import fmt_int, fmt_number, fmt_percent, plural
from skmm_core.comparison import SIGNIFICANT, STRATIFIED, league_savings, rounds_told, whole
from skmm_core.probes import Metric, labels_note, learner_phrase, primary_metric

_ACCURACY = asdict(primary_metric("classification"))
_NEAR = 1.25  # a tie within this factor is "about as many"


@dataclass(frozen=True)
class Headline:
    """What Present shows.

    Attributes:
        sentence: in Markdown, the numbers in bold.
        caption: what was trained, over how many seeds, how sure, what the claim is about, and which labels were read
            besides.
        saving: the row of `result.json` that it is made of, against the random picks that it names.
    """

    sentence: str
    caption: str
    saving: Mapping[str, Any]


def headline(
    result: Mapping[str, Any], *, method: str, title: str, budget: int, pool_size: int, seeds: int, noun: str = "images"
) -> Headline | None:
    """Say what a small subset buys, and what random picks need for the same; honest when there is no difference.

    A method that sees labels is set beside random picks within classes, where these were scored.

    Args:
        result: `result.json` of a comparison of the method with uniform.
        method: registry key of the method.
        title: its name in the sentence.
        budget: number of chosen points that the sentence is about.
        pool_size: number of points to choose from.
        seeds: repetitions behind each mean.
        noun: what the points are.

    Returns:
        The sentence, or None when the comparison does not hold this method and budget.
    """
    metric = {**_ACCURACY, **result.get("metric", {})}
    savings = league_savings(result.get("savings", ()), result.get("against_stratified", ()), Metric(**metric))
    saving = next((row for row in savings if row["method"] == method and row["budget"] == budget), None)
    full = result.get("full", {}).get(metric["key"])
    if saving is None or saving.get("score") is None or not full:
        return None
    others = "random picks within classes" if saving["reference"] == STRATIFIED else "random picks"
    start = (
        f"With **{fmt_int(budget)} of {fmt_int(pool_size)}** training {noun} ({fmt_percent(budget / pool_size, 1)}) "
        f"{title} {_reaches(saving['score'], full, metric)}; "
    )
    family = len({row["method"] for row in savings if row["reference"] == saving["reference"]})
    sentence = start + _random_picks(saving, budget, others, _doubt(seeds, family))
    means = f"Means over {plural(seeds, 'seed')}; the full pool {_full_text(full, metric)} on the test {noun}."
    trained = f"Scored with {learner_phrase(result['learner'])}." if result.get("learner") else ""
    besides = (
        trained,
        _interval(saving, others),
        rounds_told(result),
        result.get("claim"),
        labels_note(result.get("validation_rows"), result.get("learner")),
    )
    caption = " ".join(filter(None, (means, *besides)))
    return Headline(sentence, caption, saving)


def _reaches(score: float, full: float, metric: Mapping[str, Any]) -> str:
    """A share as a part of what the full pool reaches; an error as it is."""
    if metric["unit"] == "%":
        return f"reaches **{fmt_percent(score / full)}** of the full-data {metric['title'].lower()}"
    return f"has a {_lowered(metric)} of **{fmt_number(score)}**"


def _full_text(full: float, metric: Mapping[str, Any]) -> str:
    if metric["unit"] == "%":
        return f"reaches {fmt_percent(full, 1)} {metric['title'].lower()}"
    return f"has {fmt_number(full)}"


def _lowered(metric: Mapping[str, Any]) -> str:
    return f"{metric['title'][:1].lower()}{metric['title'][1:]}"


def _random_picks(saving: Mapping[str, Any], budget: int, others: str, doubt: str) -> str:
    needed, bound, tie = saving.get("uniform_budget"), saving.get("bound"), bool(saving.get("tie"))
    needed = None if needed is None else int(whole(needed))
    if saving.get("relation") == "saturated":
        return f"{others} do too with **{fmt_int(bound or budget)}**: the scores are saturated."
    if saving.get("relation") == "more than":
        words = f"{others} need more than **{fmt_int(bound or budget)}**"
    elif saving.get("relation") == "less than":
        words = f"{others} need fewer than **{fmt_int(bound or budget)}**"
    elif tie and 1 / _NEAR <= (needed or budget) / budget <= _NEAR:
        return f"{others} need about as many (**{fmt_int(needed or budget)}**): no clear difference."
    else:
        few = " only" if needed is not None and needed < budget else ""
        words = f"{others} need{few} **{fmt_int(needed or budget)}**"
    return f"{words}, though {doubt} to be sure." if tie else f"{words}."


def _doubt(seeds: int, family: int) -> str:
    """Why a difference is no proof: a sign-flip test over S seeds cannot give less than 2 / 2^S, times the family."""
    if family * 2.0 ** (1 - seeds) >= SIGNIFICANT:
        return f"{plural(seeds, 'seed')} {'is' if seeds == 1 else 'are'} too few"
    return "the seeds differ too much"


def _interval(saving: Mapping[str, Any], others: str) -> str:
    factor, low, high = saving.get("factor"), saving.get("lo"), saving.get("hi")
    if factor is None:
        return ""
    sides = (f"at least {fmt_number(low)}" if low is not None else "", f"at most {fmt_number(high)}" if high else "")
    if low is not None and high is not None:
        sides = (f"95 % interval {fmt_number(low)} to {fmt_number(high)}", "")
    parts = ", ".join(filter(None, (f"{fmt_number(factor)} times as many points", *sides)))
    return f"{others[:1].upper()}{others[1:]} need {parts}."
