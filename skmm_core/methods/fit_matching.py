"""Match the pool's ridge fit: with the targets known, pick the points that teach a linear probe most.

A ridge fit sees a selection through two moments only, ZᵀZ and Zᵀy. Of all ways in which these may differ from the
pool's, what costs is the part that changes the fit's predictions on the pool; this method makes just that part small.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from skmm_core.data import Given, fit_scaler
from skmm_core.device import generator
from skmm_core.methods.kernel_matching import EXCHANGES, SPACE
from skmm_core.methods.registry import Family, MethodParams, Need, Picks, Status, register
from skmm_core.pool import Pool, matched_rows, principal_rows
from skmm_core.progress import Report
from skmm_core.solvers import PoolMoments, RidgeFit, exchange_fit, greedy_fit, pilot_errors, pool_moments, unit_rows

CANDIDATES = 20_000
# Chosen rows are worth many random ones, so numbers want a weak penalty; a hundred times weaker still, nearly every
# selection fits the pool, and the best of them is no better than chance.
_CLASS_ALPHA, _NUMBER_ALPHA = 3.0, 0.03

Scaling = Literal["auto", "unit", "columns", "none"]
_OFFERED: tuple[Scaling, ...] = ("none", "unit", "columns")  # to auto
_DONE: Mapping[Scaling, str] = {
    "none": "left as they are",
    "unit": "scaled to length 1",
    "columns": "scaled column by column",
}
_SCALING = (
    "unit: rows of length 1; columns: columns of equal spread, for tables in mixed units; none: as they are; auto: "
    "unit for classes, and for numbers the one whose fit to random rows predicts the others best."
)
_CAUTION = (
    "Numbers only: how much directions that no chosen point tells of count, beside the error on the known targets; "
    "0 looks at the error alone, more spreads the points."
)


class SkmmFitParams(MethodParams):
    """Options of fit matching."""

    space: Literal["features", "sketch"] = Field("features", description=SPACE)
    scaling: Scaling = Field("auto", description=_SCALING)
    rank: int = Field(256, ge=1, le=2048, description="Leading principal directions of the rows that the fit sees.")
    alpha: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Ridge penalty, per mean squared row; empty takes 3 for classes, 0.03 else.",
    )
    caution: float = Field(0.3, ge=0, le=100, description=_CAUTION)
    exchanges: int = Field(1, ge=0, le=1000, description=EXCHANGES)


@register(
    key="skmm_fit",
    title="SkMM fit",
    family=Family.MOMENT_MATCHING,
    summary="Picks points on which a ridge fit predicts the targets of the whole pool best.",
    paper="Ours: the ridge risk that Dong et al. 2024 bound, computed exactly as the targets are known",
    url="https://arxiv.org/abs/2407.06120",
    params=SkmmFitParams,
    needs=frozenset({Need.TARGETS}),
    uses_labels=True,
    recommended=True,
    goes_on=True,
    beyond_memory=True,
)
def skmm_fit(pool: Pool, budget: int, params: SkmmFitParams, *, seed: int, report: Report) -> Picks:
    """Greedy and exchange on how well a ridge fit of the chosen points predicts the pool's targets.

    Classes are one-hot and count by direction alone, (⟨Y, F⟩/‖F‖)²; numbers are standardised and count by squared
    error, and by what would be wrong if they were other numbers: `caution` times the share of the pool's energy in
    directions that no chosen point tells of. How rows are scaled matters much more for numbers: columns of a table have
    units of their own, where those of a network's features do not. So with `auto` :func:`pilot_errors` on random rows
    decide. Rows are then centred, reduced to `rank` principal directions, scaled to a mean squared length of 1, and
    given a constant column. O(N (rank + classes)) time a pick. In pools above 20,000 points candidates are a fixed
    random 20,000 (or the budget, if larger); what they must predict is still the whole pool. Points in by hand are
    fitted first, and no exchange touches them.
    """
    if pool.targets is None:
        raise ValueError("select() checks that there are targets")
    targets, scale_free = centred_targets(pool.targets, pool.some_drawn), not pool.targets.is_floating_point()
    settled = _scaling(pool, targets, params, budget)
    task, saved = _task(pool, targets, params, settled.scaling)
    rows, targets = task.rows, targets.to(task.rows)
    alpha = params.alpha or (_CLASS_ALPHA if scale_free else _NUMBER_ALPHA)

    def begin(among: Tensor) -> RidgeFit:
        known = rows[among], targets[among], task.moments
        return RidgeFit(*known, alpha=alpha, scale_free=scale_free, caution=params.caution)

    candidates = _candidates(pool.given, budget).to(rows.device)
    given = pool.given.of(candidates)
    fit = begin(candidates)
    scores = fit.gains() if len(candidates) == pool.size else None
    picks = greedy_fit(fit, budget, given=given, report=report)
    greedy = fit.agreement
    picks, converged = exchange_fit(fit, picks, sweeps=params.exchanges, given=given, report=report)
    chosen = candidates[picks].sort().values
    return Picks(
        chosen[greedy_fit(begin(chosen), budget, given=pool.given.of(chosen))],
        scores=scores,
        status=Status.CONVERGED if converged or params.exchanges == 0 else Status.MAX_SWEEPS,
        objective={"greedy": 1 - greedy, "rounded": 1 - fit.agreement},
        seconds_saved=settled.seconds_saved + saved,
        remarks=settled.remarks,
    )


@dataclass(frozen=True)
class _Task:
    """What is to be predicted, and from what: the same at every budget.

    Attributes:
        rows: (N, p), see :func:`fitted_rows`.
        moments: of the rows and the targets.
    """

    rows: Tensor
    moments: PoolMoments

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return self.rows.nbytes + self.moments.nbytes


def _task(pool: Pool, targets: Tensor, params: SkmmFitParams, scaling: Scaling) -> tuple[_Task, float]:
    """Scale the rows and add up their moments, or take both over from another budget; and the seconds this saved."""

    def make() -> _Task:
        drawn = pool.some_drawn
        rows = fitted_rows(scaled(matched_rows(pool, params.space), scaling), params.rank, drawn=drawn)
        known = (rows, targets.to(rows)) if drawn is None else (rows[drawn], targets[drawn].to(rows))
        return _Task(rows, pool_moments(*known))

    return pool.kept.get(("fit", params.space, scaling, params.rank), make)


@dataclass(frozen=True)
class _Trial:
    """Rows of the pool drawn for the pilot, in every scaling on offer: the same at every budget.

    Attributes:
        drawn: (M,) int64 rows of the pool.
        rows: (M, p) by scaling.
    """

    drawn: Tensor
    rows: Mapping[Scaling, Tensor]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return self.drawn.nbytes + sum(each.nbytes for each in self.rows.values())


@dataclass(frozen=True)
class _Settled:
    """How rows are scaled.

    Attributes:
        scaling: one of the ways.
        remarks: why, where a pilot said so.
        seconds_saved: what an earlier selection spent on the rows of the pilot, when they were taken over.
    """

    scaling: Scaling
    remarks: tuple[str, ...] = ()
    seconds_saved: float = 0.0


def _scaling(pool: Pool, targets: Tensor, params: SkmmFitParams, budget: int) -> _Settled:
    """What was asked for; with auto, unit length for several columns of targets, and what predicts best for one."""
    if params.scaling != "auto":
        return _Settled(params.scaling)
    if targets.shape[1] > 1:
        return _Settled("unit")

    def make() -> _Trial:
        rows = matched_rows(pool, params.space)
        drawn = torch.randperm(len(rows), generator=generator(0, "fit:pilot"))[:CANDIDATES].to(rows.device)
        each = {scaling: fitted_rows(scaled(rows[drawn], scaling), params.rank) for scaling in _OFFERED}
        return _Trial(drawn, each)

    trial, saved = pool.kept.get(("fit pilot", params.space, params.rank), make)
    errors = pilot_errors(trial.rows, targets[trial.drawn], budget)
    best = min(errors, key=errors.__getitem__)
    return _Settled(best, (pilot_remark(errors, best),), saved)


def pilot_remark(errors: Mapping[Scaling, float], best: Scaling) -> str:
    """What was done to the rows and why, in a sentence for people."""
    done, others = _DONE[best], [each for each in errors if each != best]
    if not all(errors[each] > errors[best] for each in others):  # equal, or not a number where no row is left out
        return f"Rows were {done}: a pilot fit on random rows could tell no better scaling."
    beside = " and ".join(f"{errors[each]:.3g} {_DONE[each]}" for each in others)
    equal = any(f"{errors[each]:.3g}" == f"{errors[best]:.3g}" for each in others)  # as shown
    how = "no better another way" if equal else "best that way"
    return (
        f"Rows were {done}: a pilot fit on random rows predicted the others {how}, with error "
        f"{errors[best]:.3g} against {beside} (mean squared, in variances of the targets)."
    )


def scaled(rows: Tensor, scaling: Scaling) -> Tensor:
    """(N, d) rows of unit length, or with columns of variance 1 (constant ones are 0), or as they are."""
    if scaling == "unit":
        return unit_rows(rows)
    if scaling == "columns":
        return fit_scaler(rows).copy(rows)
    return rows


def fitted_rows(rows: Tensor, rank: int, *, drawn: Tensor | None = None) -> Tensor:
    """(N, min(rank, d) + 1) rows in their leading principal directions, of mean squared length 1, and a one."""
    rows = principal_rows(rows, rank, drawn=drawn)
    size = rows.double().square().sum(dim=1).mean().sqrt()
    rows = rows / torch.where(size > 0, size, 1.0).to(rows)
    return torch.cat([rows, torch.ones_like(rows[:, :1])], dim=1)


def centred_targets(targets: Tensor, drawn: Tensor | None = None) -> Tensor:
    """(N, C) float64: indicators of the classes that occur, or the standardised numbers; columns have mean 0.

    Over the rows `drawn` of a pool too large for memory, else over all.
    """
    some: Tensor | slice = slice(None) if drawn is None else drawn
    if targets.is_floating_point():
        values = targets.double()[:, None]
        values = values - values[some].mean()
        deviation = values[some].square().mean().sqrt()
        return values / torch.where(deviation > 0, deviation, 1.0)
    classes = targets.unique(return_inverse=True)[1]
    indicators = torch.nn.functional.one_hot(classes).double()
    return indicators - indicators[some].mean(dim=0)


def _candidates(given: Given, budget: int) -> Tensor:
    """Rows that are in by hand, and those that may be picked: all, or a fixed random part of a large pool."""
    free, start = given.free.cpu(), given.start.cpu()
    rows = torch.arange(len(free))
    if len(free) > CANDIDATES:
        rows = torch.randperm(len(free), generator=generator(0, "fit:candidates"))
    return torch.cat([start, rows[free[rows]][: max(CANDIDATES, budget) - len(start)]]).sort().values
