"""Savings in words: intervals of points saved, and the money and time that points are worth."""

from collections.abc import Callable

from dashboard.components.shared.theme import UNKNOWN, fmt_int, fmt_seconds
from skmm_core.comparison import Costs

_MINUS = "−"


def worth(points: int, costs: Costs, *, at_least: bool = False) -> str:
    """What so many points cost: "That saves €14.00 of labels and 13 min."; empty without costs."""
    least = "more than " if at_least else ""
    parts = []
    if costs.per_label:
        parts.append(f"{least}**{fmt_money(costs.money(points), costs.currency)}** of labels")
    if costs.hours_per_thousand:
        parts.append(f"{least}**{fmt_seconds(3600 * costs.hours(points))}**")
    return f"That saves {' and '.join(parts)}." if parts else ""


def fmt_money(amount: float, currency: str) -> str:
    """(14, "€") → "€14.00", (12345.6, "€") → "€12,346"."""
    return f"{currency}{amount:,.2f}" if abs(amount) < 100 else f"{currency}{amount:,.0f}"


def interval_text(lo: float | None, hi: float | None) -> str:
    """An interval of points, (24, 31) → "24 to 31"; a side beyond the measured range is left open."""
    if lo is None and hi is None:
        return UNKNOWN
    if hi is None or lo is None:
        return f"at least {with_minus(lo, fmt_int)}" if lo is not None else f"at most {with_minus(hi or 0.0, fmt_int)}"
    return f"{with_minus(lo, fmt_int)} to {with_minus(hi, fmt_int)}"


def escape_money(sentence: str) -> str:
    """A sentence with dollar signs that do not start a formula."""
    return sentence.replace("$", r"\$")


def with_minus(value: float, text: Callable[[float], str]) -> str:
    """A number in words of its own, with a minus where it is negative."""
    return f"{_MINUS if value < 0 else ''}{text(abs(value))}"
