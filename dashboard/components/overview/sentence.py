"""The sentence of Home: what a few chosen images are worth, over many splits of the data and not on one."""

from collections.abc import Mapping
from typing import Any

from dashboard.components.shared.theme import fmt_int, fmt_number, plural
from skmm_core.comparison import Relation, Typical, typical_saving
from skmm_core.probes import labels_note

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NEAR = 1.05  # a typical factor up to here, or down to its inverse, is "about as well as as many"


def sentence(made: Mapping[str, Any], *, title: str) -> str:
    """Say it in Markdown, the numbers in bold.

    Args:
        made: figures of the splits, see `digits_splits` in services/figures.py.
        title: name of the method.
    """
    found, budget = typical_saving(made["savings"]), int(made["budget"])
    start = (
        f"Over **{plural(found.splits, 'random split')}** of handwritten digits, **{fmt_int(budget)} labelled images** "
        f"chosen by {title} did as well as "
    )
    return f"{start}{_others(found, budget)} ({_range(found)}); {_without_gain(found)}."


def caption(made: Mapping[str, Any]) -> str:
    """What a split is, which labels were read, and how the figures are made again."""
    labels = labels_note(int(made["validation_rows"])) or (
        "The probe is tuned by folds inside the chosen images, so no other label is read before the test."
    )
    size, test = fmt_int(int(made["pool"])), fmt_int(int(made["test"]))
    return (
        f"In the middle of the splits (median). Each draws anew {size} images to choose from and {test} to test on; "
        f"scores are of a linear probe, means over {plural(int(made['seeds']), 'draw')}. {labels} Made beforehand by "
        f"`{made['made_by']}`."
    )


def _others(found: Typical, budget: int) -> str:
    """The random picks that the chosen ones are worth."""
    if found.needed is None or found.factor is None:  # the middle split lies beyond the budgets measured
        return f"{'more' if found.relation == Relation.MORE_THAN else 'fewer'} random ones than were measured"
    if 1 / _NEAR <= found.factor <= _NEAR:
        return f"about as many random ones (**{fmt_int(found.needed)}**)"
    return f"{'only ' if found.needed < budget else ''}about **{fmt_int(found.needed)} random ones**"


def _range(found: Typical) -> str:
    typical = "" if found.factor is None else f"{fmt_number(found.factor)} times; "
    low = f"{'less than ' if found.below else ''}{fmt_number(found.low)}"
    high = f"{'more than ' if found.above else ''}{fmt_number(found.high)}"
    return f"{typical}from {low} to {high} by split"


def _without_gain(found: Typical) -> str:
    """On how many splits nothing was saved: "on two of 20 they saved nothing"."""
    if not found.none:
        return "they saved some on each"
    if found.none == found.splits:
        return "they saved nothing on any"
    count = _WORDS[found.none] if found.none < len(_WORDS) else fmt_int(found.none)
    return f"on {count} of {fmt_int(found.splits)} they saved nothing"
