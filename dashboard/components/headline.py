"""The one sentence of the first page, computed from a finished comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.components.theme import fmt_int, fmt_number, fmt_percent


@dataclass(frozen=True)
class Headline:
    """What the demo shows.

    Attributes:
        sentence: in Markdown, the numbers in bold.
        caption: over how many seeds, and how sure.
    """

    sentence: str
    caption: str


def headline(
    result: Mapping[str, Any], *, method: str, title: str, budget: int, pool_size: int, seeds: int, noun: str = "images"
) -> Headline | None:
    """Say what a small subset buys, and what random picks need for the same; honest when there is no difference.

    Args:
        result: `result.json` of a comparison of the method with uniform, for a classification task.
        method: registry key of the method.
        title: its name in the sentence.
        budget: number of chosen points that the sentence is about.
        pool_size: number of points to choose from.
        seeds: repetitions behind each mean.
        noun: what the points are.

    Returns:
        The sentence, or None when the comparison does not hold this method and budget.
    """
    saving = _saving(result.get("savings", ()), method, budget)
    full = result.get("full", {}).get("accuracy")
    if saving is None or saving.get("score") is None or not full:
        return None
    start = (
        f"With **{fmt_int(budget)} of {fmt_int(pool_size)}** training {noun} ({fmt_percent(budget / pool_size, 1)}) "
        f"{title} reaches **{fmt_percent(saving['score'] / full)}** of the full-data accuracy; "
    )
    sentence = start + _random_picks(saving, budget)
    means = f"Means over {seeds} seeds; the full pool reaches {fmt_percent(full, 1)} accuracy on the test {noun}."
    return Headline(sentence, f"{means} {_interval(saving)}".strip())


def _random_picks(saving: Mapping[str, Any], budget: int) -> str:
    needed, bound, tie = saving.get("uniform_budget"), saving.get("bound"), bool(saving.get("tie"))
    if saving.get("relation") == "more than":
        words = f"random picks need more than **{fmt_int(bound or budget)}**"
    elif saving.get("relation") == "less than":
        words = f"random picks need fewer than **{fmt_int(bound or budget)}**"
    elif tie:
        return f"random picks need about as many (**{fmt_int(needed or budget)}**): no clear difference."
    else:
        few = " only" if needed is not None and needed < budget else ""
        words = f"random picks need{few} **{fmt_int(needed or budget)}**"
    return f"{words}, though the seeds differ too much to be sure." if tie else f"{words}."


def _interval(saving: Mapping[str, Any]) -> str:
    factor, low, high = saving.get("factor"), saving.get("lo"), saving.get("hi")
    if factor is None:
        return ""
    sides = (f"at least {fmt_number(low)}" if low is not None else "", f"at most {fmt_number(high)}" if high else "")
    if low is not None and high is not None:
        sides = (f"95 % interval {fmt_number(low)} to {fmt_number(high)}", "")
    return f"Random picks need {', '.join(filter(None, (f'{fmt_number(factor)} times as many points', *sides)))}."


def _saving(savings: Sequence[Mapping[str, Any]], method: str, budget: int) -> Mapping[str, Any] | None:
    return next((row for row in savings if row.get("method") == method and row.get("budget") == budget), None)
