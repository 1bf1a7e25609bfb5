"""What measurements mean, in words: the certificate c_S, and how far the sketch bends distances."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmm_core.diagnostics.record import Diagnostics

_BINS = 40
Floats = NDArray[np.float64]


def certificate_text(c_s: float, n: int, k: int, m: int) -> str:
    """What the certificate promises of a linear fit on the selection, or why there is none and what to do.

    Args:
        c_s: the certificate, infinite when a direction is unseen.
        n: chosen points.
        k: directions of the sketch that carry energy.
        m: dimensions of the sketch.
    """
    if math.isfinite(c_s):
        # the moments leave out directions that hold a few millionths of the strongest one's energy, or less
        where = "In every direction" if k == m else f"In each of the {k} strongest of the {m} directions"
        return (
            f"{where} of the sketch the selection holds at least {100 / c_s:.3g} % of the pool's energy, "
            f"so a linear fit on it is at most {c_s:.3g} times as uncertain as one on as many matching points."
        )
    if n < k:
        return (
            f"The worst-case guarantee needs at least {k:,} points, one for each direction of the sketch; these are "
            f"{n:,}. The average match needs no such number."
        )
    return (
        "There is no worst-case guarantee: the selection does not see at least one direction of the sketch. "
        "Pick more points, or take a method that matches moments."
    )


@dataclass(frozen=True)
class DistortionReading:
    """What a chart of the distortion needs.

    Attributes:
        edges: (B + 1,) of the bars; they span the ratios and the interval of one pair.
        shares: (B,) of the pairs, sum 1.
        pair, all: the two intervals, low and high.
        within_pair, within_all: shares of the pairs in them.
        text: the reading in words.
    """

    edges: Floats
    shares: Floats
    pair: tuple[float, float]
    all: tuple[float, float]
    within_pair: float
    within_all: float
    text: str


def read_distortion(diagnostics: Diagnostics) -> DistortionReading | None:
    """Read the distortion out of saved diagnostics; None where there was no sketch, or the run is older than this."""
    found = diagnostics.distortion
    if found is None:
        return None
    ratios = found.ratios
    low, high = min(ratios[0], found.pair_low), max(ratios[-1], found.pair_high)
    counts, edges = np.histogram(ratios, bins=_BINS, range=(low, high))
    within_pair = float(((ratios >= found.pair_low) & (ratios <= found.pair_high)).mean())
    within_all = float(((ratios >= found.all_low) & (ratios <= found.all_high)).mean())
    text = (
        f"Squared distances of {len(ratios):,} random pairs change by {100 * found.rms:.2g} % (root mean square; at "
        f"most {100 * found.rms_bound:.2g} % expected). {100 * within_pair:.3g} % of the pairs are within "
        f"{found.pair_low:.2f} to {found.pair_high:.2f}, where each must be with a chance of 95 %."
    )
    return DistortionReading(
        edges.astype(np.float64),
        counts / len(ratios),
        (found.pair_low, found.pair_high),
        (found.all_low, found.all_high),
        within_pair,
        within_all,
        text,
    )
