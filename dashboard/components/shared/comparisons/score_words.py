"""Scores in words: shares in per cent, which mean is best, differences with their sign, verdicts."""

import numpy as np
import pandas as pd

from dashboard.components.shared.theme import UNKNOWN, fmt_number, fmt_percent
from skmm_core.comparison import Verdict
from skmm_core.probes import Metric


def is_share(metric: Metric) -> bool:
    """Whether the metric is a share of 1, shown in per cent."""
    return metric.unit == "%"


def spans_decades(means: "pd.Series[float]", metric: Metric) -> bool:
    """Whether mean errors differ so much that only a log axis shows them all."""
    return not metric.higher_is_better and bool(means.min() > 0 and means.max() > 10 * means.min())


def score_text(metric: Metric, value: float) -> str:
    """A score with its unit: 0.8631 → "86.3 %" for a share, three digits otherwise."""
    return fmt_percent(value, 1) if is_share(metric) else fmt_number(value)


def verdict_text(found: Verdict) -> str:
    """A verdict in words."""
    return "no clear difference" if found is Verdict.TIE else found.value


def signed(metric: Metric, value: float) -> str:
    """A difference with its sign, in percentage points for a share."""
    if not np.isfinite(value):
        return UNKNOWN
    number = f"{abs(100 * value):.1f} pp" if is_share(metric) else fmt_number(abs(value))
    return f"{'−' if value < 0 else '+'}{number}"
