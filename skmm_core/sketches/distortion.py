"""How far a sketch bends squared distances: measured on random pairs, beside what its kind promises."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.sketches.base import Sketch
    from skmm_core.sketches.outer import Rows

PAIRS = 1000
FAILURE = 0.05
_BLOCK_PAIRS = 250
_EQUAL = 8.0  # ε of their length: two rows closer than that are one row, up to rounding of the sketch
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distortion:
    """Squared distances in the sketch over squared distances before it; 1 means nothing bent.

    Attributes:
        ratios: (P,) ascending, one for every pair drawn whose rows differ.
        rms: root mean square of ratio - 1.
        rms_bound: what its square is at most on average over sketches of this kind and size.
        pair_low, pair_high: a pair stays within with a chance of at least 95 %, for every pair.
        all_low, all_high: all P pairs stay within together with a chance of at least 95 % (union bound).
        source: where the bounds come from, in words; that of one pair, then that of all.
    """

    ratios: Floats
    rms: float
    rms_bound: float
    pair_low: float
    pair_high: float
    all_low: float
    all_high: float
    source: str


def measure_distortion(gradients: "Rows", sketched: "Tensor", sketch: "Sketch", *, seed: int) -> Distortion | None:
    """Compare squared distances of 1,000 random pairs before and after a sketch.

    Args:
        gradients: (N, r) rows, dense or outer products.
        sketched: (N, m) what the sketch made of them.
        sketch: the map; its kind and size decide the bounds.
        seed: of the pairs.

    Returns:
        The measurement, or None for the identity or when no two of the rows drawn differ.
    """
    import torch

    from skmm_core.device import generator
    from skmm_core.sketches.base import Identity
    from skmm_core.sketches.bounds import tails, variance_bound

    size = len(gradients)
    if isinstance(sketch, Identity) or size < 2:
        return None
    draw = generator(seed, "distortion")
    first = torch.randint(size, (PAIRS,), generator=draw)
    second = (first + 1 + torch.randint(size - 1, (PAIRS,), generator=draw)) % size
    found = []
    for start in range(0, PAIRS, _BLOCK_PAIRS):
        here = slice(start, start + _BLOCK_PAIRS)
        before, scale = _squared_distances(gradients, first[here], second[here])
        after, _ = _squared_distances(sketched, first[here], second[here])
        apart = before > (_EQUAL * torch.finfo(sketched.dtype).eps) ** 2 * scale
        found.append(after[apart] / before[apart])
    ratios = np.sort(torch.cat(found).numpy())
    if not len(ratios):
        return None
    pair, all_ = tails(sketch, FAILURE), tails(sketch, FAILURE / len(ratios))
    return Distortion(
        ratios,
        rms=float(np.sqrt(((ratios - 1) ** 2).mean())),
        rms_bound=variance_bound(sketch) ** 0.5,
        pair_low=pair.low,
        pair_high=pair.high,
        all_low=all_.low,
        all_high=all_.high,
        source=pair.source if pair.source == all_.source else f"{pair.source}; all pairs: {all_.source}",
    )


def _squared_distances(rows: "Rows", first: "Tensor", second: "Tensor") -> tuple["Tensor", "Tensor"]:
    """(P,) float64 squared distances, and the sums of squared lengths they are differences of."""
    from skmm_core.sketches.outer import OuterRows

    first, second = first.to(rows.device), second.to(rows.device)
    if not isinstance(rows, OuterRows):
        a, b = rows[first].cpu().double(), rows[second].cpu().double()
        return (a - b).square().sum(dim=1), a.square().sum(dim=1) + b.square().sum(dim=1)
    ones, others = rows[first], rows[second]
    a, b = ones.inner.cpu().double(), others.inner.cpu().double()
    x, y = ones.outer.cpu().double(), others.outer.cpu().double()
    # a xᵀ - b yᵀ = (a - b) xᵀ + b (x - y)ᵀ: no difference of two large numbers where both factors are close
    left, right = a - b, x - y
    squared = (
        left.square().sum(dim=1) * x.square().sum(dim=1)
        + b.square().sum(dim=1) * right.square().sum(dim=1)
        + 2 * (left * b).sum(dim=1) * (x * right).sum(dim=1)
    )
    lengths = a.square().sum(dim=1) * x.square().sum(dim=1) + b.square().sum(dim=1) * y.square().sum(dim=1)
    return squared, lengths
