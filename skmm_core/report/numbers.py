"""Numbers as a report shows them."""

import math

import numpy as np


def number(value: object) -> str:
    """A number with four significant digits and thousands separators; a dash for what is not there."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    return f"{float(value):,.4g}" if isinstance(value, float | np.floating) else str(value)


def score(value: float | None, percent: bool) -> str:
    """A score, in per cent without the sign where it is a share: 0.8631 → "86.3"."""
    return f"{100 * value:.1f}" if percent and value is not None and math.isfinite(value) else number(value)
