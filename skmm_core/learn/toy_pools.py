"""Small made-up pools whose truth is known, so that what a selection gets right and wrong is exact.

The model is the paper's (Dong, Phan, Pan, Lei, "Sketchy Moment Matching", NeurIPS 2024, section 2): y = Xθ + σ·noise,
fitted by ridge on the chosen rows, judged on all rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from skmm_core.config import SketchParams
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.pool import PoolFit, ridge_risk, selection_basis
from skmm_core.sketches import make_sketch
from skmm_core.solvers import second_moment


@dataclass(frozen=True)
class Cluster:
    """One cloud of points in the plane (or space) of a toy pool.

    Attributes:
        size: number of points, at least 1.
        centre: coordinates of its middle; the origin is what a linear model without intercept turns around.
        along: standard deviation in the direction of the centre.
        across: standard deviation in every other direction of the plane.
    """

    size: int
    centre: tuple[float, ...]
    along: float
    across: float


@dataclass(frozen=True)
class Toy:
    """A pool with its truth.

    Attributes:
        features: (N, r) float32 rows.
        plane: (N, a) float32 coordinates of the points in the directions that the clusters span.
        basis: (r, a) float64 orthonormal, those directions; the identity when r = a.
        cluster: (N,) int64, which cluster a point belongs to.
        coef: (r,) float64 θ.
        noise: σ, standard deviation of the labels' noise.
    """

    features: Tensor
    plane: Tensor
    basis: Tensor
    cluster: Tensor
    coef: Tensor
    noise: float

    @cached_property
    def fit(self) -> PoolFit:
        """The pool as a linear model sees it, with the true θ and σ² instead of estimates."""
        moment = second_moment(self.features)
        signal = float(self.coef @ moment @ self.coef)
        return PoolFit(moment, self.coef[:, None], self.noise**2, signal)

    @property
    def truth(self) -> Tensor:
        """(N,) float64 noise-free labels Xθ."""
        return self.features.double() @ self.coef


@dataclass(frozen=True)
class ExactFit:
    """Ridge on a selection, over all possible label noise at once.

    Attributes:
        bias2: mean squared difference between the mean prediction and the truth over the pool.
        variance: mean variance of the predictions over the pool.
        alpha: the ridge α, which makes bias2 + variance smallest on a log grid.
        solver: (r, n) float64 M = (X_SᵀX_S + αI)⁻¹X_Sᵀ, which maps labels to coefficients.
        coef: (r,) float64 mean of the fitted coefficients, M X_S θ.
        mean: (N,) float64 mean predictions on the pool.
        sd: (N,) float64 standard deviations of the predictions on the pool.
    """

    bias2: float
    variance: float
    alpha: float
    solver: Tensor
    coef: Tensor
    mean: Tensor
    sd: Tensor

    @property
    def error(self) -> float:
        """Expected squared error against the noise-free labels."""
        return self.bias2 + self.variance


def make_toy(
    clusters: Sequence[Cluster],
    *,
    slopes: Sequence[float],
    noise: float,
    dim: int | None = None,
    ambient: float = 0.0,
    seed: int = 0,
) -> Toy:
    """Draw a pool of Gaussian clusters in a few directions, alone or inside a space of many.

    Args:
        clusters: at least one; all centres have as many coordinates as there are slopes.
        slopes: (a) true slope in each direction of the plane.
        noise: σ of the labels, > 0.
        dim: r, at least a; None for r = a, where the features are the coordinates.
        ambient: standard deviation of noise in every feature, on top.
        seed: of the points and of the plane's place in the space.

    Raises:
        InputError: no cluster, a centre of another length, or fewer dimensions than directions.
    """
    axes = len(slopes)
    r = axes if dim is None else dim
    if not clusters or any(len(cluster.centre) != axes for cluster in clusters) or r < axes:
        raise InputError(f"a toy pool needs clusters with {axes} coordinates each and at least {axes} dimensions")
    draw = generator(seed, "toy")
    plane = torch.cat([_cloud(cluster, draw) for cluster in clusters])
    basis = torch.eye(axes, dtype=torch.float64)
    if r > axes:
        basis = torch.linalg.qr(torch.randn(r, axes, generator=draw, dtype=torch.float64)).Q
    spread = ambient * torch.randn(len(plane), r, generator=draw, dtype=torch.float64)
    return Toy(
        features=(plane @ basis.T + spread).float(),
        plane=plane.float(),
        basis=basis,
        cluster=torch.repeat_interleave(torch.tensor([cluster.size for cluster in clusters])),
        coef=basis @ torch.tensor(list(slopes), dtype=torch.float64),
        noise=noise,
    )


def _cloud(cluster: Cluster, draw: torch.Generator) -> Tensor:
    """(size, a) float64 points; a centre at the origin has no direction, so its cloud is round."""
    centre = torch.tensor(cluster.centre, dtype=torch.float64)
    points = cluster.across * torch.randn(cluster.size, len(centre), generator=draw, dtype=torch.float64)
    length = float(centre.norm())
    if length > 0:
        towards = centre / length
        radial = cluster.along * torch.randn(cluster.size, generator=draw, dtype=torch.float64)
        points += (radial - points @ towards)[:, None] * towards
    return centre + points


def exact_fit(toy: Toy, indices: Tensor) -> ExactFit:
    """Bias², variance and predictions of the best ridge fit on chosen rows, in closed form. O(N r + n r min(n, r)).

    Args:
        toy: the pool.
        indices: (n,) int64 rows.
    """
    chosen = toy.features[indices]
    basis = selection_basis(chosen, toy.fit)
    risk = ridge_risk(basis, chosen, toy.fit)
    if risk is None:
        raise ValueError("a toy pool has targets")
    shrink = basis.energy.sqrt() / (basis.energy + risk.alpha)
    solver = (basis.right * shrink) @ basis.left.T
    coef = solver @ toy.truth[indices]
    rows = toy.features.double()
    return ExactFit(
        bias2=risk.bias2,
        variance=risk.variance,
        alpha=risk.alpha,
        solver=solver,
        coef=coef,
        mean=rows @ coef,
        sd=toy.noise * (rows @ solver).square().sum(dim=1).sqrt(),
    )


def simulate_slopes(toy: Toy, indices: Tensor, fit: ExactFit, *, draws: int, seed: int) -> Tensor:
    """Slopes that fits on freshly drawn noisy labels of the chosen rows find: (draws, a) float64."""
    noise = torch.randn(draws, len(indices), generator=generator(seed, "toy:labels"), dtype=torch.float64)
    labels = toy.truth[indices] + toy.noise * noise
    return labels @ fit.solver.T @ toy.basis


def hand_picked(toy: Toy, counts: Sequence[int], *, seed: int = 0) -> Tensor:
    """The first so many rows of each cluster in a fixed random order: (sum of counts,) int64.

    Raises:
        InputError: a count is negative or exceeds its cluster.
    """
    order = torch.randperm(len(toy.cluster), generator=generator(seed, "toy:hand"))
    parts = []
    for cluster, count in enumerate(counts):
        rows = order[toy.cluster[order] == cluster]
        if not 0 <= count <= len(rows):
            raise InputError(f"cluster {cluster} has {len(rows)} points; {count} cannot be picked")
        parts.append(rows[:count])
    return torch.cat(parts)


def cluster_counts(toy: Toy, indices: Tensor) -> tuple[int, ...]:
    """How many of the rows lie in each cluster."""
    return tuple(torch.bincount(toy.cluster[indices], minlength=int(toy.cluster.max()) + 1).tolist())


def squared_distances(rows: Tensor) -> Tensor:
    """Squared distances of all pairs i < j, (N(N-1)/2,) float64."""
    return torch.pdist(rows.double()).square()


def sketched_rows(rows: Tensor, dim: int, *, seed: int) -> Tensor:
    """(N, dim) rows behind the Gaussian map of this seed."""
    return make_sketch(SketchParams(dim=dim), rows, seed=seed)(rows)
