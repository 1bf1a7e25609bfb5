"""Sketchy Moment Matching as published: relax the choice to weights, solve, round to points.

Source: Dong, Phan, Pan, Lei, "Sketchy Moment Matching: Toward Fast and Provable Data Selection for Finetuning",
NeurIPS 2024.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field, field_serializer, field_validator, model_validator
from torch import Tensor

from skmm_core.device import generator, widest
from skmm_core.methods.registry import Family, MethodParams, Picks, Status, register
from skmm_core.methods.stratify import pick_by_class
from skmm_core.pool import Pool
from skmm_core.progress import Report
from skmm_core.solvers import (
    lowest,
    polish,
    round_balanced,
    round_matched,
    round_sample,
    round_top,
    shortfall_objective,
    smallest_c_s,
    solve_relaxation,
)

_ROUNDING = (
    "From weights to points: matched draws, then evens out the moments; balanced (cube method) keeps the chances of "
    "all points, but last digits of the features change picks; sample draws (the paper); top takes the largest."
)
_NOTHING = 1e-12  # of the moments asked for, squared: a shortfall below that is rounding
_DOUBLE_LIMIT = 32_000_000


class SkmmParams(MethodParams):
    """Options of Sketchy Moment Matching."""

    c_s: float | None = Field(
        0.99,
        gt=0,
        le=1,
        description="Asks for moments 1/c_s times the pool's; small favours rare directions; auto: the least feasible.",
    )
    weights: Literal["relative", "absolute"] = Field(
        "relative", description="Relative counts every direction alike; absolute (the paper) favours large ones."
    )
    rounding: Literal["matched", "balanced", "sample", "top"] = Field("matched", description=_ROUNDING)
    polish: bool = Field(True, description="Exchange points afterwards while that improves the moments.")
    max_steps: int = Field(5000, ge=1, le=1_000_000, description="Most iterations of the solver.")
    tol: float = Field(1e-6, gt=0, lt=1, description="Certified gap at which to stop, relative to an empty selection.")
    stratify: bool = Field(False, description="Pick within every class, in proportion; reads the class labels.")

    @field_validator("c_s", mode="before")
    @classmethod
    def _read_auto(cls, value: object) -> object:
        return None if value == "auto" else value

    @model_validator(mode="after")
    def _certify_one_problem(self) -> "SkmmParams":
        if self.c_s is None and self.stratify:
            raise ValueError(
                "c_s=auto is certified for the pool as a whole, while stratify solves every class by itself; give c_s "
                "a number, or leave stratify off"
            )
        return self

    @field_serializer("c_s")
    def _write_auto(self, value: float | None) -> float | str:
        return "auto" if value is None else value


@register(
    key="skmm",
    title="SkMM",
    family=Family.MOMENT_MATCHING,
    summary="Picks points that carry as much of every sketched gradient direction as the whole pool does.",
    paper="Dong, Phan, Pan & Lei 2024, Sketchy Moment Matching (NeurIPS)",
    url="https://arxiv.org/abs/2407.06120",
    params=SkmmParams,
    random=True,
    goes_on=True,
    beyond_memory=True,
)
def skmm(pool: Pool, budget: int, params: SkmmParams, *, seed: int, report: Report) -> Picks:
    """Solve the relaxed moment-matching problem, round it, and exchange points on the discrete objective.

    O(N · m) a solver step, an exchange and a rounding round; memory O(N · m). c_s="auto" takes, by some ten solves, the
    smallest c_S that weights can reach, and those weights; then `objective` holds it as c_s, a certified lower bound of
    it as c_s_lower, and trace_bound = c_s · k, which Σ_j λ_j/(a_jᵀs) of the weights does not exceed.

    Points in by hand keep the weight 1/n, points out have none; relaxation, rounding and exchanges choose the others
    for the moments that are then still missing.
    """
    if params.stratify:
        plain = params.model_copy(update={"stratify": False})
        return pick_by_class(pool, budget, "skmm", lambda part, n: skmm(part, n, plain, seed=seed, report=report))
    eigenvalues = pool.moments.eigenvalues
    relative = params.weights == "relative"
    whole, given = _squares(pool.moments.coordinates), pool.given
    fixed = len(given.start)
    if fixed == budget:  # nothing is left to choose, so nothing is asked for beyond the pool's own moments
        return Picks(given.start, objective={"c_s": params.c_s or 1.0})
    # Points in by hand hold 1/n each, so the others solve the same problem for the moments that are then still missing.
    rows, rest = given.free_rows(), budget - fixed
    squares = whole[rows] if given.any else whole
    held, share = whole[given.start].sum(dim=0, dtype=widest(whole.device)) / budget, rest / budget
    scale = eigenvalues.reciprocal() if relative else torch.ones_like(eigenvalues)
    if params.c_s is None:
        solved = _smallest(squares, eigenvalues, rest, held, share, pool.size, report)
    else:
        missing = ((eigenvalues / params.c_s - held.cpu()) / share).clamp_min(0)
        steps, tol = params.max_steps, params.tol
        found = solve_relaxation(squares, missing, rest, column_weights=scale, max_steps=steps, tol=tol, report=report)
        solved = _Solved(
            params.c_s,
            found.weights,
            found.converged,
            {"relaxed": share**2 * found.objective, "gap": share**2 * found.gap},
            {"objective": share**2 * found.trace, "gap": share**2 * found.trace_gap},
        )
    targets = eigenvalues / solved.c_s
    picks = _rounded(solved.weights, rest, squares, params, seed, report)
    if params.polish:
        missing = ((targets - held.cpu()) / share).clamp_min(0)
        picks = polish(squares, missing, picks, column_weights=scale, report=report)
    picks = torch.cat([given.start, rows[picks]])
    if params.polish or params.rounding in ("matched", "balanced"):
        picks = order_by_prefix(whole, targets, picks, column_weights=scale, fixed=fixed)
    achieved = whole[picks].mean(dim=0, dtype=torch.float64)
    rounded = shortfall_objective(achieved, eigenvalues, solved.c_s, relative=relative)
    weights = whole.new_zeros(len(whole))
    weights[rows], weights[given.start] = share * solved.weights, 1 / budget
    return Picks(
        picks,
        scores=weights,
        status=Status.CONVERGED if solved.converged else Status.MAX_STEPS,
        objective={**solved.objective, "rounded": rounded},
        trace=solved.trace,
    )


@dataclass(frozen=True)
class _Solved:
    """Weights of the points that are free, and what is told of them."""

    c_s: float
    weights: Tensor
    converged: bool
    objective: dict[str, float]
    trace: dict[str, Tensor]


def _smallest(
    squares: Tensor, eigenvalues: Tensor, n: int, held: Tensor, share: float, size: int, report: Report
) -> _Solved:
    """The smallest c_S, and the weights that reach it: another solve would miss it by its own gap."""
    found = smallest_c_s(squares, eigenvalues, n, held=held, share=share, size=size, report=report)
    bounds = {"c_s": found.value, "c_s_lower": found.lower, "trace_bound": found.value * len(eigenvalues)}
    return _Solved(
        found.value,
        found.weights,
        found.converged,
        {"relaxed": 0.0, "gap": 0.0, **bounds},  # nothing falls short of 1/c_S times the pool's moments
        {"c_s": found.trace, "c_s_lower": found.trace_lower},
    )


def _rounded(weights: Tensor, n: int, squares: Tensor, params: SkmmParams, seed: int, report: Report) -> Tensor:
    """From weights to n rows, as the params say."""
    draw = generator(seed, "skmm:rounding")
    if params.rounding == "sample":
        return round_sample(weights, n, generator=draw)
    if params.rounding == "top":
        return round_top(weights, n)
    find = round_matched if params.rounding == "matched" else round_balanced
    return find(weights, n, squares, generator=draw, report=report)


def _squares(coordinates: Tensor) -> Tensor:
    """a_ij = (v_jᵀg̃_i)², in float64 where that costs at most 256 MB; the solver then reaches small gaps."""
    if coordinates.numel() <= _DOUBLE_LIMIT and coordinates.device.type != "mps":
        return coordinates.double().square()
    return coordinates.square()


def order_by_prefix(
    squares: Tensor, targets: Tensor, picks: Tensor, *, column_weights: Tensor, fixed: int = 0
) -> Tensor:
    """Put the points behind the first `fixed` in greedy order of F: each prefix is a good selection. O(n² k)."""
    rest = picks.sort().values
    weights = column_weights.to(squares)
    values = squares[rest] * weights
    asked = targets.to(squares) * weights
    total = torch.zeros_like(asked)
    left = torch.ones(len(rest), dtype=torch.bool, device=rest.device)
    order = torch.empty_like(rest)
    first = torch.searchsorted(rest, picks[:fixed])
    nothing = _NOTHING / (16 * torch.finfo(asked.dtype).eps) * asked.square().sum()
    for t in range(len(rest)):
        shortfall = (asked - (total + values) / (t + 1)).clamp_min(0).square().sum(dim=1)
        best = first[t] if t < fixed else lowest(shortfall.masked_fill_(~left, torch.inf), nothing)
        order[t], left[best] = rest[best], False
        total += values[best]
    return order
