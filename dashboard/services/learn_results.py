"""The numbers of the Learn page's scenes, computed by `skmm_core` on small pools and kept by arguments; no text.

Torch is imported inside the functions: only a visitor of Learn waits for it. Errors are shares of the signal: the mean
squared error over the pool divided by the mean squared noise-free label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.learn import Toy
    from skmm_core.pool import Pool

Floats = NDArray[np.float64]

RARE, EVEN, SPACE, THREE = "rare", "even", "space", "three"
BUDGETS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
RANDOM_DRAWS = 30
HAND_BUDGET = 12
LABEL_DRAWS = 250
SEEN = tuple(range(7))
DIMS = (2, 4, 8, 16, 32, 64, 128, 256)
MAPS = 40
FEW = 9
REDRAWS = 20
PICKERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Bias reduction": ("leverage", {"rank": 3}),
    "Variance reduction": ("skmm_variance", {"ridge": 1.0}),
    "SkMM": ("skmm", {"c_s": 0.8}),
}
_SHOWN_PAIRS = 400
_THREE_SEED = 48


@dataclass(frozen=True)
class Picture:
    """A pool as it is drawn: (N, 2 or 3) coordinates, and the cluster of each point."""

    points: NDArray[np.float32]
    cluster: NDArray[np.int64]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Points in each cluster."""
        return tuple(np.bincount(self.cluster).tolist())


@dataclass(frozen=True)
class Outcome:
    """One selection: its rows, how many from each cluster, and its exact error in shares of the signal."""

    rows: NDArray[np.int64]
    counts: tuple[int, ...]
    bias: float
    variance: float

    @property
    def error(self) -> float:
        """Bias and variance together."""
        return self.bias + self.variance


@dataclass(frozen=True)
class Why:
    """Step 1: SkMM against random picks at one budget, and over all of them.

    Attributes:
        smart: what SkMM picks.
        draws: the RANDOM_DRAWS random picks.
        errors: (RANDOM_DRAWS,) their errors.
        missed: (RANDOM_DRAWS,) bool: which of them hold no point of the small cluster.
        curve_random: (RANDOM_DRAWS, budgets) errors of random picks.
        needed: smallest of the budgets at which random picks are as good on average, or None.
    """

    budget: int
    picture: Picture
    smart: Outcome
    draws: tuple[Outcome, ...]
    errors: Floats
    missed: NDArray[np.bool_]
    curve_random: Floats
    needed: int | None


@dataclass(frozen=True)
class Variance:
    """Step 2: how the split between two directions decides which slope is shaky.

    Attributes:
        slopes: (LABEL_DRAWS, 2) slopes found on freshly drawn noisy labels.
        truth: the true slopes.
        sd: exact standard deviation of each slope.
        curve: variance for 1..HAND_BUDGET - 1 points in the second direction.
        own: points that SkMM puts there.
    """

    side: int
    picture: Picture
    outcome: Outcome
    slopes: Floats
    truth: tuple[float, float]
    sd: tuple[float, float]
    curve: Floats
    own: int


@dataclass(frozen=True)
class Bias:
    """Step 3: what a fit says about a direction that it never saw.

    Attributes:
        truth, mean, sd: (N,) noise-free labels, mean predictions and their standard deviation.
        bias_curve, variance_curve: over the budgets from 12 on, all added points from the large cluster.
        budgets: of those curves.
    """

    seen: int
    picture: Picture
    outcome: Outcome
    truth: Floats
    mean: Floats
    sd: Floats
    budgets: tuple[int, ...]
    bias_curve: Floats
    variance_curve: Floats


@dataclass(frozen=True)
class Sketched:
    """Step 4: what is left of distances and directions behind a map to m dimensions.

    Attributes:
        before, after: distances of some pairs of points.
        distortion: root mean square of after²/before² - 1 over all pairs, for this map.
        distortions: (DIMS,) the same, root mean square over MAPS maps.
        error, error_full: of SkMM's 9 points chosen behind the map, and in the full space.
    """

    dim: int
    full_dim: int
    before: Floats
    after: Floats
    distortion: float
    distortions: Floats
    error: float
    error_full: float


@dataclass(frozen=True)
class Balance:
    """Step 5: three ways to pick 9 points from three clusters.

    Attributes:
        outcomes: by name of the picker.
        redrawn: mean number of points from each cluster over REDRAWS other pools of the same kind.
    """

    picture: Picture
    outcomes: Mapping[str, Outcome]
    redrawn: Mapping[str, tuple[float, ...]]


@st.cache_resource(max_entries=8, show_spinner=False)
def _toy(name: str, seed: int = 0) -> "Toy":
    from skmm_core.learn import Cluster, make_toy

    if name == RARE:
        clusters = (Cluster(180, (1.0, 0.0), 0.25, 0.01), Cluster(20, (0.0, 1.6), 0.15, 0.05))
        return make_toy(clusters, slopes=(1.0, 1.0), noise=0.5, seed=seed)
    if name == EVEN:
        clusters = (Cluster(120, (1.0, 0.0), 0.2, 0.08), Cluster(60, (0.0, 1.0), 0.2, 0.08))
        return make_toy(clusters, slopes=(1.0, 1.0), noise=0.5, seed=seed)
    wide = (
        Cluster(8, (1.0, 0.0, 0.0), 0.12, 0.04),
        Cluster(24, (0.0, 1.3, 0.0), 0.35, 0.08),
        Cluster(3, (0.0, 0.0, 0.7), 0.03, 0.02),
    )
    if name == THREE:
        return make_toy(wide, slopes=(1.0, 1.0, 1.5), noise=0.5, dim=64, seed=seed)
    return make_toy(wide, slopes=(1.0, 1.0, 1.5), noise=0.5, dim=400, ambient=0.02, seed=seed)


def picture(toy: "Toy") -> Picture:
    """The pool as it is drawn."""
    return Picture(toy.plane.numpy(), toy.cluster.numpy())


def pool_of(toy: "Toy", dim: int | None = None, *, seed: int = 0) -> "Pool":
    """The rows to pick from, behind a map to so many dimensions, or as they are."""
    from skmm_core.config import SketchParams
    from skmm_core.pool import make_pool

    params = SketchParams(kind="none") if dim is None else SketchParams(dim=dim)
    return make_pool(toy.features, sketch=params, seed=seed, device="cpu")


def outcome(toy: "Toy", rows: "Tensor") -> Outcome:
    """Measure a selection of a toy pool."""
    from skmm_core.learn import cluster_counts, exact_fit

    fit = exact_fit(toy, rows)
    signal = toy.fit.signal or 1.0
    return Outcome(rows.numpy(), cluster_counts(toy, rows), fit.bias2 / signal, fit.variance / signal)


@st.cache_data(max_entries=2, show_spinner=False)
def _budget_curves() -> tuple[list[Outcome], list[list[Outcome]]]:
    """SkMM at every budget, and the random picks."""
    from skmm_core.methods import select

    toy = _toy(RARE)
    pool = pool_of(toy)
    smart = [outcome(toy, select(pool, "skmm", n).indices) for n in BUDGETS]
    random = []
    for seed in range(RANDOM_DRAWS):
        order = select(pool, "uniform", max(BUDGETS), seed=seed).indices
        random.append([outcome(toy, order[:n]) for n in BUDGETS])
    return smart, random


@st.cache_data(max_entries=32, show_spinner=False)
def why(budget: int) -> Why:
    """Step 1 at one of the BUDGETS."""
    smart, random = _budget_curves()
    place = BUDGETS.index(budget)
    errors = np.array([[found.error for found in draw] for draw in random])
    good = np.flatnonzero(errors.mean(axis=0) <= smart[place].error)
    return Why(
        budget=budget,
        picture=picture(_toy(RARE)),
        smart=smart[place],
        draws=tuple(draw[place] for draw in random),
        errors=errors[:, place],
        missed=np.array([draw[place].counts[1] == 0 for draw in random]),
        curve_random=errors,
        needed=BUDGETS[int(good[0])] if len(good) else None,
    )


@st.cache_data(max_entries=32, show_spinner=False)
def variance(side: int) -> Variance:
    """Step 2 with 1..HAND_BUDGET - 1 of the points in the second direction."""
    from skmm_core.learn import cluster_counts, exact_fit, hand_picked, simulate_slopes
    from skmm_core.methods import select

    toy = _toy(EVEN)
    rows = hand_picked(toy, (HAND_BUDGET - side, side))
    fit = exact_fit(toy, rows)
    sd = toy.noise * (toy.basis.T @ fit.solver).square().sum(dim=1).sqrt()
    slopes = toy.basis.T @ toy.coef
    splits = (hand_picked(toy, (HAND_BUDGET - count, count)) for count in range(1, HAND_BUDGET))
    return Variance(
        side=side,
        picture=picture(toy),
        outcome=outcome(toy, rows),
        slopes=simulate_slopes(toy, rows, fit, draws=LABEL_DRAWS, seed=0).numpy(),
        truth=(float(slopes[0]), float(slopes[1])),
        sd=(float(sd[0]), float(sd[1])),
        curve=np.array([outcome(toy, split).variance for split in splits]),
        own=cluster_counts(toy, select(pool_of(toy), "skmm", HAND_BUDGET).indices)[1],
    )


@st.cache_data(max_entries=32, show_spinner=False)
def bias(seen: int) -> Bias:
    """Step 3 with `seen` of HAND_BUDGET points from the small cluster."""
    from skmm_core.learn import exact_fit, hand_picked

    toy = _toy(RARE)
    rows = hand_picked(toy, (HAND_BUDGET - seen, seen))
    fit = exact_fit(toy, rows)
    budgets = tuple(n for n in BUDGETS if n >= HAND_BUDGET)
    curve = [outcome(toy, hand_picked(toy, (n - seen, seen))) for n in budgets]
    return Bias(
        seen=seen,
        picture=picture(toy),
        outcome=outcome(toy, rows),
        truth=toy.truth.numpy(),
        mean=fit.mean.numpy(),
        sd=fit.sd.numpy(),
        budgets=budgets,
        bias_curve=np.array([found.bias for found in curve]),
        variance_curve=np.array([found.variance for found in curve]),
    )


@st.cache_data(max_entries=2, show_spinner=False)
def _distortions() -> Floats:
    from skmm_core.learn import sketched_rows, squared_distances

    rows = _toy(SPACE).features
    before = squared_distances(rows)
    squares = [
        [float((squared_distances(sketched_rows(rows, dim, seed=seed)) / before - 1).square().mean()) for dim in DIMS]
        for seed in range(MAPS)
    ]
    return np.asarray(np.sqrt(np.mean(squares, axis=0)), dtype=np.float64)


@st.cache_data(max_entries=32, show_spinner=False)
def sketched(dim: int) -> Sketched:
    """Step 4 at one of the DIMS."""
    from skmm_core.learn import sketched_rows, squared_distances
    from skmm_core.methods import select

    toy = _toy(SPACE)
    rows = sketched_rows(toy.features, dim, seed=0)
    before, after = squared_distances(toy.features), squared_distances(rows)
    some = slice(None, None, max(1, len(before) // _SHOWN_PAIRS))
    params = PICKERS["SkMM"][1]
    behind, full = (select(pool, "skmm", FEW, params=params).indices for pool in (pool_of(toy, dim), pool_of(toy)))
    return Sketched(
        dim=dim,
        full_dim=toy.features.shape[1],
        before=before[some].sqrt().numpy(),
        after=after[some].sqrt().numpy(),
        distortion=float((after / before - 1).square().mean().sqrt()),
        distortions=_distortions(),
        error=outcome(toy, behind).error,
        error_full=outcome(toy, full).error,
    )


def _picked(toy: "Toy") -> dict[str, Outcome]:
    from skmm_core.methods import select

    pool = pool_of(toy, dim=8)
    return {
        name: outcome(toy, select(pool, method, FEW, params=params).indices)
        for name, (method, params) in PICKERS.items()
    }


@st.cache_data(max_entries=2, show_spinner=False)
def balance() -> Balance:
    """Step 5: all three pickers."""
    toy = _toy(THREE, _THREE_SEED)
    others = [_picked(_toy(THREE, seed)) for seed in range(REDRAWS)]
    means = {name: np.mean([other[name].counts for other in others], axis=0) for name in PICKERS}
    redrawn = {name: tuple(float(value) for value in mean) for name, mean in means.items()}
    return Balance(picture(toy), _picked(toy), redrawn)
