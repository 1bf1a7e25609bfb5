"""What a sketch promises for one fixed vector g: how far ‖Γᵀg‖²/‖g‖² may be from 1, with its derivation.

Every bound holds for every g. None is tuned.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from skmm_core.sketches.base import Identity, Sketch
from skmm_core.sketches.dense import GaussianSketch, RademacherSketch
from skmm_core.sketches.hadamard import HadamardSketch
from skmm_core.sketches.kronecker import KroneckerSketch
from skmm_core.sketches.sparse import SparseSketch


@dataclass(frozen=True)
class Tails:
    """An interval that holds ‖Γᵀg‖²/‖g‖² but for a stated chance.

    Attributes:
        low: lower end, >= 0.
        high: upper end.
        source: where the bound comes from, in words.
    """

    low: float
    high: float
    source: str


def variance_bound(sketch: Sketch) -> float:
    """Largest variance of ‖Γᵀg‖²/‖g‖² over all g.

    Gaussian: 2/m, exactly, for all g. Signs: (2 - 2‖g‖₄⁴)/m. SRHT: given the signs, a mean of m of the p numbers y_j²
    drawn without replacement, whose mean is exactly 1; so the variance is (p - m)/(p - 1)/m times that of y_j², and
    E y_j⁴ = 3 - 2‖g‖₄⁴. Sparse: s independent groups of m_b sums, each a count sketch with 2(1 - ‖g‖₄⁴)/m_b, so
    Σ_b 2/(m_b s²); 2/m for even groups. Kronecker: 8/m, see its class.
    """
    if isinstance(sketch, Identity):
        return 0.0
    if isinstance(sketch, HadamardSketch):
        return 2 / sketch.dim * (sketch.order - sketch.dim) / max(1, sketch.order - 1)
    if isinstance(sketch, SparseSketch):
        edges = [group * sketch.dim // sketch.nonzeros for group in range(sketch.nonzeros + 1)]
        sizes = [stop - start for start, stop in pairwise(edges)]
        return sum(2 / size for size in sizes) / sketch.nonzeros**2
    return (8 if isinstance(sketch, KroneckerSketch) else 2) / sketch.dim


def tails(sketch: Sketch, failure: float) -> Tails:
    """The narrowest interval we can prove that a fixed g leaves with a chance of at most `failure`.

    Args:
        sketch: its kind, r and m count.
        failure: in (0, 1), split evenly over both ends.
    """
    found = [_chebyshev(sketch, failure)]
    if isinstance(sketch, GaussianSketch):
        found = [_chi_square(sketch.dim, failure)]
    elif isinstance(sketch, RademacherSketch):
        found.append(_signs(sketch.dim, failure))
    elif isinstance(sketch, HadamardSketch) and sketch.dim < sketch.order:
        found.append(_hadamard(sketch.dim, sketch.order, failure))
    return min(found, key=lambda each: each.high - each.low)


def _chi_square(m: int, failure: float) -> Tails:
    from scipy.special import chdtri, gammaincinv  # what chi2 of scipy.stats asks too, which takes 0.3 s to load

    low, high = 2 * float(gammaincinv(m / 2, failure / 2)), float(chdtri(m, failure / 2))
    return Tails(low / m, high / m, f"exact: χ² with m = {m}")


def _chebyshev(sketch: Sketch, failure: float) -> Tails:
    reach = math.sqrt(variance_bound(sketch) / failure)
    return Tails(max(0.0, 1 - reach), 1 + reach, f"Chebyshev, variance at most {variance_bound(sketch):.3g}")


def _signs(m: int, failure: float) -> Tails:
    """Achlioptas (2003): above, the moments are at most Gaussian; below, E e^(-hX) <= 1 - h + 3h²/2 since E X² <= 3."""
    from scipy.optimize import brentq, minimize_scalar

    needed = math.log(2 / failure) / m

    def exponent(low: float) -> float:
        best = minimize_scalar(lambda h: math.log(1 - h + 1.5 * h * h) + h * low, bounds=(0, 1), method="bounded")
        return float(-best.fun)

    high = brentq(lambda x: (x - 1 - math.log(x)) / 2 - needed, 1, 3 + 8 * needed)
    low = brentq(lambda x: exponent(x) - needed, 0, 1) if exponent(0.0) > needed else 0.0
    return Tails(float(low), float(high), "Chernoff for random signs (Achlioptas, 2003)")


def _hadamard(m: int, p: int, failure: float) -> Tails:
    """Half of the chance: some y_j² > B (Hoeffding, p numbers); else a mean of m numbers in 0..B drawn from mean 1.

    For the mean, Hoeffding (1963), theorem 1, which his section 6 extends to draws without replacement:
    P(mean >= x) <= exp(-m KL(x/B ‖ 1/B)), and the same below. Given the signs the mean of all y_j² is exactly 1.
    """
    from scipy.optimize import brentq

    top = 2 * math.log(4 * p / failure)
    needed = math.log(4 / failure) / m

    def gap(x: float) -> float:
        return _relative_entropy(x / top, 1 / top) - needed

    high = brentq(gap, 1, top) if gap(top) > 0 else top
    low = brentq(gap, 0, 1) if gap(0.0) > 0 else 0.0
    return Tails(float(low), float(high), "Hoeffding for the signs and for the columns kept (1963)")


def _relative_entropy(p: float, q: float) -> float:
    """KL divergence of two coins."""
    heads = p * math.log(p / q) if p > 0 else 0.0
    return heads + ((1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0)
