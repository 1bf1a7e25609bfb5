"""Run one method on a pool: included points first, excluded ones never, and the result in its common form."""

import time
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from skmm_core.data import check_budget, check_budget_fits
from skmm_core.errors import InputError
from skmm_core.methods.spec import MethodFunction, MethodParams, MethodSpec, Picks, Status
from skmm_core.pool import Pool
from skmm_core.progress import Report


@dataclass(frozen=True)
class Selection:
    """The result of one method.

    Attributes:
        indices: (n,) int64 rows of the pool, in the order picked, on the CPU.
        weights: (n,) float64, sum to 1.
        scores: (N,) the method's own scores, or None.
        method: registry key.
        params: the params that ran, defaults filled in.
        seed: of the run.
        status: how the method ended.
        objective: named objective values.
        trace: named 1-D series over steps.
        seconds: wall time of the method, sketching included, as if it were the first to run on this pool.
        remarks: what the method settled by itself on these data, a sentence each.
    """

    indices: Tensor
    weights: Tensor
    scores: Tensor | None
    method: str
    params: dict[str, Any]
    seed: int
    status: Status
    objective: dict[str, float]
    trace: dict[str, Tensor]
    seconds: float
    remarks: tuple[str, ...] = ()


def run_method(
    spec: MethodSpec, pool: Pool, budget: int, params: MethodParams, *, seed: int, began: float, report: Report
) -> Selection:
    """Have a method pick from a pool.

    Args:
        spec: the method.
        pool: to pick from, with what was decided by hand.
        budget: points to pick.
        params: the method's own, validated.
        seed: of the run.
        began: `time.perf_counter()` when the work for this selection began.
        report: told of the progress; raise Cancelled from it to stop.

    Raises:
        InputError: a budget outside 1..N or at odds with what is decided by hand, or targets that the method needs are
            missing.
        ValueError: the method gave another number of scores than there are points.
        Cancelled: raised by `report`.
    """
    check_budget_fits(budget, pool.size, whole=None if pool.whole is None else pool.whole.size)
    if pool.whole is not None:
        spec.check_size(pool.whole.size)
        if getattr(params, "stratify", False):
            raise InputError(
                f"stratify picks within every class, and of {pool.whole.size:,} rows memory holds only {pool.size:,}; "
                "leave it off"
            )
    if reason := spec.missing(pool.task) if pool.known is None else spec.lacking(pool.known):
        raise InputError(reason)
    check_budget(pool.given, budget)
    run = spec.function if spec.goes_on or not pool.given.any else _without_given(spec.function)
    picks = _given_first(pool.ordered, run(pool.ordered, budget, params, seed=seed, report=report))
    weights = torch.ones(budget) if picks.weights is None else picks.weights.cpu()
    weights = weights.double() / weights.double().sum()
    return Selection(
        indices=pool.order.cpu()[picks.indices.cpu()],
        weights=weights,
        scores=None if picks.scores is None else _in_file_order(picks.scores.cpu(), pool),
        method=spec.key,
        params=params.model_dump(mode="json"),
        seed=seed,
        status=picks.status,
        objective=dict(picks.objective),
        trace={name: series.cpu() for name, series in picks.trace.items()},
        seconds=time.perf_counter() - began + picks.seconds_saved,
        remarks=picks.remarks,
    )


def _in_file_order(scores: Tensor, pool: Pool) -> Tensor:
    if len(scores) != pool.size:
        raise ValueError(f"{len(scores)} scores do not fit the {pool.size} points of the pool")
    return scores[pool.place.cpu()]


def _without_given(function: MethodFunction) -> MethodFunction:
    """Have a method that knows nothing of decisions by hand choose the rest from the pool without these points."""

    def run(pool: Pool, budget: int, params: Any, *, seed: int, report: Report) -> Picks:
        given, rows = pool.given, pool.given.free_rows()
        rest = budget - len(given.start)
        if not rest:
            return Picks(given.start)
        found = function(pool.subset(rows), rest, params, seed=seed, report=report)
        chosen = torch.cat([given.start, rows[found.indices.to(rows.device)]])
        weights, scores = found.weights, None
        if weights is not None:
            weights = torch.cat([weights.mean().expand(len(given.start)), weights])
        if found.scores is not None:
            scores = torch.zeros(pool.size, dtype=found.scores.dtype)
            scores[rows.cpu()] = found.scores.cpu()
        return replace(found, indices=chosen, weights=weights, scores=scores)

    return run


def _given_first(pool: Pool, picks: Picks) -> Picks:
    """Put the points that are in by hand first; the others keep their order."""
    start = pool.given.start.cpu()
    if not len(start):
        return picks
    indices = picks.indices.cpu()
    place = {row: position for position, row in enumerate(indices.tolist())}
    first = torch.tensor([place[row] for row in start.tolist()], dtype=torch.int64)
    order = torch.cat([first, (~torch.isin(indices, start)).nonzero().squeeze(1)])
    return replace(picks, indices=indices[order], weights=None if picks.weights is None else picks.weights.cpu()[order])
