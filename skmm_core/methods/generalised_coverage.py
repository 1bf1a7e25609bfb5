"""MaxHerding and UHerding: chosen points to which every point of the pool, or every uncertain one, is similar.

Both are facility location with a Gaussian kernel on rows of unit length, k(x, y) = exp(-‖x - y‖²/σ²) in the authors'
code: f(S) = mean over i of u_i max_{s∈S} k(x_i, s), with u = 1 in MaxHerding.
"""

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given
from skmm_core.device import widest, with_more_digits
from skmm_core.gradients import train_warm_up
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, register
from skmm_core.methods.submodular import reference_rows
from skmm_core.methods.uncertainty import margin_scores
from skmm_core.pool import Pool
from skmm_core.progress import Progress, Report, ignore
from skmm_core.solvers import GaussianKernel, greedy_cover, lowest, rows_about_middle, unit_rows

_SIGMA = 1.0
_HELD_OUT = 0.3
_TEMPERATURES = tuple(1 + step / 10 for step in range(190))  # 1.0, 1.1, …, 19.9
_SAME = 1e-6  # of the longest row about the middle: two rows nearer than that are one
_BLOCK_ELEMENTS = 4_000_000


class MaxHerdingParams(MethodParams):
    """Options of MaxHerding."""

    sigma: float = Field(
        _SIGMA,
        gt=0,
        le=100,
        description="Distance, of directions of points, at which similarity is 1/e; up to 2 occur.",
    )


@register(
    key="max_herding",
    title="MaxHerding",
    family=Family.GEOMETRIC,
    summary="Adds the point that most raises a smooth measure of how near every point is to a chosen one.",
    paper="Bae, Noh & Sutherland 2024, Generalized coverage for more robust low-budget active learning (ECCV)",
    url="https://arxiv.org/abs/2407.12212",
    params=MaxHerdingParams,
    goes_on=True,
)
def _max_herding(pool: Pool, budget: int, params: MaxHerdingParams, *, seed: int, report: Report) -> Picks:
    rows = _directions(pool)
    return herd(rows, budget, sigma=params.sigma, reference=reference_rows(pool), given=pool.given, report=report)


class UHerdingParams(MethodParams):
    """Options of UHerding."""

    sigma: float | None = Field(
        None, gt=0, le=100, description="As in MaxHerding; empty: least distance between two warm-up points."
    )
    temperature: float | None = Field(
        None, gt=0, le=100, description="Divides the logits; empty: the best calibrated on 30 % of the warm-up points."
    )


@register(
    key="u_herding",
    title="UHerding",
    family=Family.UNCERTAINTY,
    summary="MaxHerding in which points count by how unsure a calibrated warm-up head is of them.",
    paper="Bae, Oliveira & Sutherland 2025, Uncertainty herding for all label budgets (ICLR)",
    url="https://arxiv.org/abs/2412.20644",
    params=UHerdingParams,
    needs=frozenset({Need.SOME_CLASSES, Need.WARM_UP}),
    uses_labels=True,
    random=True,  # in the rows that train the head
    goes_on=True,
)
def _u_herding(pool: Pool, budget: int, params: UHerdingParams, *, seed: int, report: Report) -> Picks:
    rows, warm_up = _directions(pool), pool.warm_up
    temperature = params.temperature or _temperature(pool, report)
    sigma = params.sigma or least_distance(rows[warm_up.rows]) or _SIGMA
    uncertainty = 1 + margin_scores((warm_up.logits / temperature).log_softmax(dim=1))
    if not bool(uncertainty.any()):  # a single class
        uncertainty = torch.ones_like(uncertainty)
    reference = reference_rows(pool)
    found = herd(
        rows,
        budget,
        sigma=sigma,
        reference=reference,
        weights=uncertainty[reference],
        given=pool.given,
        report=report,
    )
    settled = {"sigma": sigma, "temperature": temperature, "warm_up_rows": float(len(warm_up.rows))}
    return Picks(found.indices, scores=found.scores, objective={**found.objective, **settled})


def _directions(pool: Pool) -> Tensor:
    """Rows of unit length, moved to their middle, which keeps distances and saves digits."""
    return rows_about_middle(unit_rows(with_more_digits(pool.features)))


@dataclass(frozen=True)
class _Similarity:
    """u_i k(x_i, x_j) of reference rows i with any rows j."""

    kernel: GaussianKernel
    reference: Tensor
    weights: Tensor | None

    def __call__(self, columns: Tensor, among: Tensor | None = None) -> Tensor:
        if among is None:  # all rows need not be copied
            whole = len(self.reference) == len(self.kernel.rows)
            values = self.kernel.columns(columns, None if whole else self.reference)
        else:
            values = self.kernel.columns(columns, self.reference[among])
        if self.weights is None:
            return values
        return values.mul_(self.weights[:, None] if among is None else self.weights[among, None])


def herd(
    rows: Tensor,
    budget: int,
    *,
    sigma: float,
    reference: Tensor,
    weights: Tensor | None = None,
    given: Given | None = None,
    report: Report = ignore,
) -> Picks:
    """Greedily maximise mean_i u_i max_{s∈S} exp(-‖x_i - x_s‖²/σ²), i over the reference rows.

    The picks are those of plain greedy, see :func:`greedy_cover`: once O(N · R · d), then far less a pick; up to
    2 GB beyond the rows.

    Args:
        rows: (N, d).
        budget: number of rows to pick, 1..N.
        sigma: distance at which similarity is 1/e.
        reference: (R,) int64 rows to cover, ascending.
        weights: (R,) u >= 0 of the reference rows; None is 1.
        given: rows that are in by hand, whose cover the others add to, and rows that may be picked.
        report: told of the first gains and of every pick.

    Returns:
        Picks in greedy order, ties to the lower row; scores are what each row alone would cover, the objective is f(S).
    """
    kernel = GaussianKernel(rows, rows.square().sum(dim=1), sigma**2 / 2)
    weights = None if weights is None else weights.to(rows.device, kernel.dtype)
    start = torch.zeros(len(reference), dtype=kernel.dtype, device=rows.device)
    # a squared distance, off by ε, is divided by σ²
    unit = max(1.0, sigma**-2) * (1.0 if weights is None else float(weights.max()))
    benefit = _Similarity(kernel, reference, weights)
    found = greedy_cover(benefit, start, len(rows), budget, unit=unit, given=given, report=report)
    return Picks(
        found.picks,
        scores=(found.first_gains / len(reference)).to(rows),
        objective={"coverage": float(found.covered.mean(dtype=widest(rows.device)))},
    )


def least_distance(rows: Tensor) -> float:
    """Least distance between two different rows; 0 where all are the same. O(w² d) time, a block at a time."""
    wide = rows.to(widest(rows.device))
    same = _SAME * float(wide.norm(dim=1).max())
    least = float("inf")
    for block in wide.split(max(1, _BLOCK_ELEMENTS // len(wide))):
        distances = torch.cdist(block, wide)
        least = min(least, float(distances.masked_fill_(distances <= same, torch.inf).min()))
    return least if least < float("inf") else 0.0


def _temperature(pool: Pool, report: Report) -> float:
    """The temperature of a head trained on 70 % of the warm-up rows that is best calibrated on the other 30 %."""
    warm_up = pool.warm_up
    rows, labels = pool.features[warm_up.rows], warm_up.labels[warm_up.rows]
    size = len(labels) - int(_HELD_OUT * len(labels))
    head = train_warm_up(rows, labels, pool.scaler, size=size, seed=pool.seed, report=report)
    if len(head.rows) == len(labels):
        return 1.0
    report(Progress("Calibrating the warm-up head", 0, 1))
    return best_temperature(head.logits[head.held_out], head.labels[head.held_out])


def best_temperature(logits: Tensor, labels: Tensor) -> float:
    """The one of 1.0, 1.1, …, 19.9 with the least expected calibration error, the lower one among equals.

    Args:
        logits: (v, K) of held-out rows.
        labels: (v,) int64 their classes.
    """
    errors = [calibration_error(logits / temperature, labels) for temperature in _TEMPERATURES]
    return _TEMPERATURES[int(lowest(torch.tensor(errors, dtype=torch.float64), 1.0))]


def calibration_error(logits: Tensor, labels: Tensor) -> float:
    """Expected calibration error with as many equal bins of confidence as classes, as in the authors' code.

    Args:
        logits: (v, K).
        labels: (v,) int64.

    Returns:
        Σ over bins of |Σ confidence - rows that are right| / v.
    """
    bins = logits.shape[1]
    confidence, predicted = logits.softmax(dim=1).max(dim=1)
    gaps = confidence - (predicted == labels).to(confidence)
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    return float(gaps.new_zeros(bins).index_add_(0, place, gaps).abs().sum() / len(labels))
