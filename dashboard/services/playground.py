"""The playground of the Learn page: clusters that the visitor placed, and two methods that pick from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.services.learn_results import Outcome, Picture, outcome, picture, pool_of

REACH = 2.0
MAX_CLUSTERS = 6
MAX_SIZE = 60
DIM = 32
_SPREAD, _AMBIENT = 0.12, 0.05


@dataclass(frozen=True)
class Spot:
    """One cluster: its middle, within -REACH..REACH, and its number of points, 1..MAX_SIZE."""

    x: float
    y: float
    size: int


@dataclass(frozen=True)
class Played:
    """Two methods on the visitor's clusters."""

    picture: Picture
    outcomes: tuple[Outcome, Outcome]


START = (Spot(1.0, 0.0, 55), Spot(0.0, 1.5, 5))


def write_spots(spots: Sequence[Spot]) -> str:
    """Clusters as text for a link: "1,0,40;0,1.25,40"."""
    return ";".join(f"{spot.x:g},{spot.y:g},{spot.size}" for spot in spots)


def read_spots(text: str) -> tuple[Spot, ...] | None:
    """Clusters of a link; None when it holds anything but 1 to MAX_CLUSTERS clusters within the limits."""
    spots = []
    for part in text.split(";", MAX_CLUSTERS):
        try:
            x, y, size = (float(number) for number in part.split(",", 3))
        except ValueError:
            return None
        inside = abs(x) <= REACH and abs(y) <= REACH and 1 <= size <= MAX_SIZE
        if not inside or size != math.floor(size):
            return None
        spots.append(Spot(x, y, int(size)))
    return tuple(spots) if len(spots) <= MAX_CLUSTERS else None


@st.cache_data(max_entries=1, show_spinner=False)
def label_free() -> dict[str, str]:
    """Methods that need nothing but the points: key → title."""
    from skmm_core.methods import list_methods

    return {spec.key: spec.title for spec in list_methods() if not spec.needs and not spec.uses_labels}


@st.cache_data(max_entries=128, show_spinner=False)
def play(
    spots: tuple[Spot, ...], noise: float, budget: int, dim: int, methods: tuple[str, str], seed: int = 0
) -> Played:
    """Let both methods pick, and measure them.

    Args:
        spots: the clusters; they lie in a plane inside DIM dimensions with a little noise in each.
        noise: σ of the labels; both true slopes are 1.
        budget: points to pick, at most as many as there are.
        dim: sketch size m, 1..DIM.
        methods: two registry keys.
        seed: of the methods and of the map; the points stay.
    """
    from skmm_core.learn import Cluster, make_toy
    from skmm_core.methods import select

    clusters = [Cluster(spot.size, (spot.x, spot.y), _SPREAD, _SPREAD) for spot in spots]
    toy = make_toy(clusters, slopes=(1.0, 1.0), noise=noise, dim=DIM, ambient=_AMBIENT)
    pool = pool_of(toy, dim, seed=seed)
    first, second = (outcome(toy, select(pool, method, budget, seed=seed).indices) for method in methods)
    return Played(picture(toy), (first, second))
