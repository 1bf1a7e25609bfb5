"""What an estimate says, in plain sentences."""

from typing import Any

from skmm_core.estimates.expected_score import LEAST
from skmm_core.estimates.learning_curve import REACH, Forecast, can_forecast
from skmm_core.estimates.worth import Estimate
from skmm_core.probes import Metric


def said_of(found: Estimate, *, enough: int | None, wanted: float | None) -> dict[str, str]:
    """Sentences by topic: score, trust, next, target, mistakes; empty where there is nothing to say.

    Args:
        found: the estimate.
        enough: labels with which that is expected, None where that is beyond what can be said.
        wanted: the score asked about, or None.
    """
    return {
        "score": _score(found),
        "trust": _trust(found),
        "next": _next(found),
        "wanted": "" if wanted is None else _wanted(found, enough, wanted),
        "mistakes": _mistakes(found.mistakes),
    }


def _score(found: Estimate) -> str:
    score, n = found.score, f"{len(found.rows):,} label{'s' * (len(found.rows) != 1)}"
    if score.value != score.value:
        return score.why_not
    shown = _worth(score.value, score.metric)
    others = "the rows without one" if len(found.predictions) else "other rows like these, as every row has one"
    verb, about = ("right about", "of") if score.metric.unit == "%" else ("off by", "on")
    told = f"A model of the {n} so far is expected to be {verb} {shown} {about} {others}"
    if score.why_not:
        return f"{told}. {score.why_not}"
    ends = f"{_worth(score.lo, score.metric)} to {_worth(score.hi, score.metric)}"
    return f"{told} ({ends}, with 95 % confidence)."


def _trust(found: Estimate) -> str:
    score = found.score
    if score.held_out != score.held_out:
        return ""
    came = "came out right in" if score.metric.unit == "%" else "were missed by"
    told = (
        f"Labels that the model did not see {came} {_worth(score.held_out, score.metric)}"
        f"{'' if score.metric.unit == '%' else ' on average'}. They were picked, not drawn, so each weighs by the part "
        "of the data that it stands for."
    )
    if found.calibration == found.calibration:
        told += (
            f" How sure the model is and how often it is right differ by {100 * found.calibration:.0f} % on average."
        )
    return told


def _next(found: Estimate) -> str:
    if not found.next:
        few = len(found.rows) < LEAST or found.score.why_not
        return "Too few labels so far to say what more of them would bring." if few else ""
    return " ".join(_gain(each, found) for each in found.next)


def _gain(ahead: Forecast, found: Estimate) -> str:
    more = f"{ahead.labels - len(found.rows):,} more"
    if found.score.metric.unit == "%":
        return f"{more}: +{100 * ahead.gain:.1f} points ({100 * ahead.gain_lo:.1f} to {100 * ahead.gain_hi:.1f})."
    return f"{more}: {ahead.gain:.3g} nearer ({ahead.gain_lo:.3g} to {ahead.gain_hi:.3g})."


def _wanted(found: Estimate, enough: int | None, wanted: float) -> str:
    shown = _worth(wanted, found.score.metric)
    n = len(found.rows)
    if found.curve is None and n >= LEAST and not found.score.why_not:
        return f"When {shown} is reached is read off the learning curve, which was left out."
    if enough is None and (found.curve is None or not can_forecast(found.curve, found.score)):
        return f"Too few labels so far to say when {shown} is reached."
    if enough is None and found.curve is not None and found.curve.most < REACH * n:
        return f"{shown} is not expected even with a label for every row."
    if enough is None:
        return f"{shown} takes more than {REACH:g} times the labels so far; how many more, nobody can say yet."
    more = enough - n
    return f"{shown} is expected now." if not more else f"{shown} is expected with {more:,} more labels."


def _mistakes(mistakes: Any) -> str:
    if not len(mistakes):
        return ""
    count = int(mistakes["likely"].sum())
    if not count:
        return "No label contradicts the others."
    return f"{count:,} label{'s' * (count != 1)} may be wrong: look at {'it' if count == 1 else 'them'} again."


def _worth(value: float, metric: Metric) -> str:
    return f"{100 * value:.0f} %" if metric.unit == "%" else f"{value:.3g}"
