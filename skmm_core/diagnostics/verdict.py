"""The one sentence on a selection: how it stands beside random picks; and the yardstick of each of its numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skmm_core.diagnostics.band import Band, BandMeasure, read_band

_HIGH, _LOW = 0.75, 0.25  # between them a selection is about as good as a random one
_DIGITS = 3
_SAME = "of the same size"


@dataclass(frozen=True)
class Verdict:
    """What is said of a selection beside random picks.

    Attributes:
        text: one sentence.
        good: True where it beats most random picks, False where most beat it, None between or where none was measured.
    """

    text: str
    good: bool | None


def verdict_of(band: Band) -> Verdict:
    """Say how a selection stands beside the random draws, and no more than so many draws can tell."""
    points = f"{band.new:,} point{'s' * (band.new != 1)}"
    if band.better is None:
        return Verdict("Every point that could be picked is chosen, so random picks would be the same.", None)
    these = f"These {points} stand" if band.new > 1 else "This point stands"
    if band.fixed:
        these = f"Together with the {band.fixed:,} given, these {points} stand"
    these = f"{these} for your data"
    behind = math.floor(band.better * band.draws + 1e-9)  # ties are half won: what is certain is said
    if behind == band.draws:
        return Verdict(f"{these} better than all {band.draws} random picks {_SAME}.", True)
    if band.better == 0:
        return Verdict(f"{these} worse than all {band.draws} random picks {_SAME}.", False)
    beaten = f"better than {behind} of {band.draws}"
    if band.better >= _HIGH:
        return Verdict(f"{these} {beaten} random picks {_SAME}.", True)
    if band.better <= _LOW:
        return Verdict(f"{these} worse than most random picks {_SAME}: {beaten}.", False)
    return Verdict(f"{these} about as well as random picks {_SAME}: {beaten}.", None)


def verdict_text(found: Mapping[str, Any]) -> str:
    """The sentence out of `band` of a result; empty for a run of an earlier version."""
    band = read_band(found.get("band"))
    return "" if band is None else verdict_of(band).text


def represented_text(band: Band) -> str:
    """How much of the variation in the data the points represent, and random picks do; empty where it is not known."""
    measure = band.of("represented")
    if measure is None:
        return ""
    return (
        f"They represent {100 * measure.value:.3g}\u00a0% of the variation in your data "
        f"(random: {100 * measure.middle:.3g}\u00a0%)."
    )


def yardstick(measure: BandMeasure | None) -> str:
    """What random picks give, in words: "random: 0.31, from 0.27 to 0.35"; empty where it was not measured."""
    if measure is None or not measure.draws:
        return ""
    low, high = (_short(value, measure.key) for value in measure.range)
    middle = _short(measure.middle, measure.key)
    return f"random: {middle}" if low == high else f"random: {middle}, from {low} to {high}"


def standing(measure: BandMeasure, draws: int) -> str:
    """How many random draws one measure beats; empty for a number that only informs."""
    return "" if measure.worse is None else f"better than {math.floor(measure.worse * draws + 1e-9)} of {draws}"


def _short(value: float, key: str) -> str:
    if not math.isfinite(value):
        return "∞"
    if key == "rank":
        return f"{value:.0f}"
    return f"{value:,.{_DIGITS}g}" if abs(value) < 1e4 else f"{value:.{_DIGITS}g}"
