"""How fast answers come, and how long the rest will take."""

from collections.abc import Sequence
from itertools import pairwise

_BREAK = 120.0  # seconds without an answer that are no labelling
_MOST_AT_ONCE = 60  # points of one action; more were brought from a file
_LEAST = 3  # gaps from which a pace can be told


def pace(times: Sequence[tuple[float, int]]) -> float | None:
    """Points answered a minute.

    Args:
        times: epoch seconds and number of points of each action that answered any, in order.

    Returns:
        The mean over the gaps between actions, breaks left out; None while there are too few.
    """
    own = [(at, count) for at, count in times if count <= _MOST_AT_ONCE]
    gaps = [(later - at, count) for (at, _), (later, count) in pairwise(own) if later > at]
    worked = [(gap, count) for gap, count in gaps if gap <= _BREAK]
    if len(worked) < _LEAST:
        return None
    return 60 * sum(count for _, count in worked) / sum(gap for gap, _ in worked)


def pace_words(times: Sequence[tuple[float, int]], left: int) -> str:
    """Such as "12 a minute · about 5 min left"; empty while the pace cannot be told or nothing is left."""
    a_minute = pace(times)
    if a_minute is None or not left:
        return ""
    speed = f"{a_minute:.0f}" if a_minute >= 2 else f"{a_minute:.1f}"
    return f"{speed} a minute · {_time_words(left / a_minute)} left"


def _time_words(minutes: float) -> str:
    if minutes < 1:
        return "less than 1 min"
    if minutes < 90:
        return f"about {minutes:.0f} min"
    return f"about {minutes / 60:.1f} h"
