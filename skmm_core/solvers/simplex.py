"""The capped simplex {0 <= s <= cap, Σs = 1}: exact projection, and rounding to exactly n points."""

import torch
from torch import Tensor

from skmm_core.device import widest
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

_MAX_NEWTON_STEPS = 200
_NO_GAIN = 1e-6  # of what is missing: an exchange that evens out less is left
_INTEGRAL = 1e-9
_NEXT_DRAWS = 16_384  # points that may take the place of the n drawn ones
_BASIS_ELEMENTS = 2**20  # of the null spaces of blocks that the cube method walks in together
# The cube method's walk is chaotic, so it starts from numbers without their last digits.
_CHANCE_GRID = 2.0**-26
_VALUE_GRID = 2.0**-12  # of a column's root mean square


def project_capped_simplex(x: Tensor, cap: float, *, start: float | None = None) -> tuple[Tensor, float]:
    """Project onto {0 <= s <= cap, Σs = 1} in the Euclidean norm.

    The projection is clip(x - τ, 0, cap) for the τ that makes the sum 1. That sum is piecewise linear and decreasing
    in τ; Newton's method kept inside a bracket finds the linear piece in a few O(N) passes and solves it exactly. It
    runs in float64 where the device has it: in float32 the sum would stall short of 1.

    Args:
        x: (N,) float32 or float64.
        cap: upper bound of each entry, at least 1/N.
        start: a guess of τ, such as the one of a nearby point.

    Returns:
        (N,) projection of the dtype of `x`, and τ.

    Raises:
        InputError: N · cap < 1, so that the set is empty.
    """
    if len(x) * cap < 1 - 1e-9:
        raise InputError(f"no weights of at most {cap:g} sum to 1 over {len(x)} points; raise the cap to 1/{len(x)}")
    values = x if x.device.type == "mps" else x.double()
    low, high = float(values.min()) - cap, float(values.max())
    tau = start if start is not None and low < start < high else float((x.sum(dtype=torch.float64) - 1) / len(x))
    tau = min(max(tau, low), high)
    for _ in range(_MAX_NEWTON_STEPS):
        shifted = values - tau
        excess = float(shifted.clamp(0, cap).sum(dtype=torch.float64)) - 1.0
        low, high = (tau, high) if excess > 0 else (low, tau)
        interior = int(((shifted > 0) & (shifted < cap)).sum())
        newton = tau + excess / interior if interior else (low + high) / 2
        if newton == tau or abs(excess) <= 1e-15:
            break
        # An end of the bracket was tried already; going back to it would be a cycle.
        if not low < newton < high:
            newton = (low + high) / 2
            if not low < newton < high:
                break
        tau = newton
    shifted = values - tau
    # τ is rounded to its own size, which may be that of millions of weights; the last part of it is taken off apart.
    interior = int(((shifted > 0) & (shifted < cap)).sum())
    if interior:
        shifted -= (float(shifted.clamp(0, cap).sum(dtype=torch.float64)) - 1.0) / interior
    return shifted.clamp_(0, cap).to(x), tau


def round_sample(weights: Tensor, n: int, *, generator: torch.Generator) -> Tensor:
    """Draw n distinct points independently in proportion to s, as the paper does: (n,) int64 in the order drawn.

    Points of weight 0 follow, in random order, when fewer than n points have weight.
    """
    keys = torch.empty(len(weights), dtype=torch.float64).exponential_(generator=generator)
    races = keys / weights.cpu().double().clamp_min(1e-300)
    return races.topk(n, largest=False).indices.to(weights.device)


def round_top(weights: Tensor, n: int) -> Tensor:
    """Take the n largest weights: (n,) int64, largest first; equal weights in row order."""
    return torch.sort(weights, descending=True, stable=True).indices[:n]


def round_matched(
    weights: Tensor, n: int, moments: Tensor, *, generator: torch.Generator, report: Report = ignore
) -> Tensor:
    """Draw n points in proportion to s, then exchange each once for the one that best evens out all moments.

    What is left is the squared error of the moments, each in units of its column's length. Every step is decided by
    differences far above rounding, n steps in all, so last digits of the numbers change no pick; a walk as in
    :func:`round_balanced` takes N steps, each of which magnifies them. The price: points are in with about the chance
    n·s, not exactly. Points are exchanged for those of the next 16,384 draws: O(N · k + n · (n + 16,384) · k) time.

    Args:
        weights: (N,) s, in 0..1/n, sum 1. Points of weight 1/n are in, those of weight 0 out while there are others.
        n: number of points.
        moments: (N, k) values whose weighted sums are aimed at.
        generator: on the CPU.
        report: told of the points looked at.

    Returns:
        (n,) int64 rows, ascending.
    """
    chance = (weights.to(widest(weights.device)) * n).clamp(0, 1)
    keys = torch.empty(len(weights), dtype=torch.float64).exponential_(generator=generator)
    races = (keys / chance.cpu().clamp_min(1e-300)).masked_fill((chance > 1 - _INTEGRAL).cpu(), -1.0)
    drawn = races.topk(min(n + _NEXT_DRAWS, len(races)), largest=False).indices.to(weights.device)
    lengths = moments.norm(dim=0).clamp_min(torch.finfo(moments.dtype).tiny)
    aim = chance.to(moments) @ moments / lengths
    places = _even_out(moments[drawn] / lengths, aim, chance[drawn], n, report)
    return drawn[places].sort().values


def _even_out(values: Tensor, aim: Tensor, chance: Tensor, n: int, report: Report) -> Tensor:
    """(n,) places in the (M, k) values: the first n, each exchanged once so that their sum comes nearer to the aim.

    Places of chance 1 stay in; those of chance 0 come in never again, once they are out.
    """
    picks = torch.arange(n, device=values.device)
    sure, closed = chance > 1 - _INTEGRAL, chance < _INTEGRAL
    out = closed.clone()
    closed[:n] = True
    missing = aim - values[:n].sum(dim=0)
    lengths = values.square().sum(dim=1)
    for slot in range(n):
        report(Progress("Rounding", slot, n))
        if bool(sure[slot]):
            continue
        wanted = missing + values[slot]
        cost = lengths - 2 * (values @ wanted)  # of the error, without what is the same for all
        new = cost.masked_fill(closed, torch.inf).argmin()
        if float(cost[slot] - cost[new]) > _NO_GAIN * float(wanted.square().sum() + lengths[slot]):
            missing = wanted - values[new]
            picks[slot], closed[slot], closed[new] = new, bool(out[slot]), True
    return picks


def round_balanced(
    weights: Tensor, n: int, balance: Tensor, *, generator: torch.Generator, report: Report = ignore
) -> Tensor:
    """Draw n points whose moments equal those of the weights, as far as whole points allow: the cube method.

    Inclusion probabilities are exactly n·s. The flight phase walks inside the cube along directions that change
    no balanced moment, until at most k + 1 points are undecided; the landing phase then gives up the moments one at a
    time, the last column first, but never the number of points. Probabilities and values are read to 2⁻²⁶ and 2⁻¹²,
    since the walk magnifies last digits: those of float64 then change no pick, those of float32 may. Source: Deville &
    Tillé (2004), fast flight in blocks after Chauvet & Tillé (2006); blocks of twice the needed size share one
    factorisation.

    Args:
        weights: (N,) s, in 0..1/n, sum 1.
        n: number of points.
        balance: (N, k) values whose weighted sums are kept, the most important column first.
        generator: on the CPU.
        report: told of the points decided.

    Returns:
        (n,) int64 rows, ascending.
    """
    chance = (weights.cpu().double() * n).clamp(0, 1)
    chance = (chance / _CHANCE_GRID).round_() * _CHANCE_GRID
    chance *= n / chance.sum()
    chance.clamp_(max=1)
    values = balance.cpu().double()
    values = values / values.square().mean(dim=0).sqrt().clamp_min(1e-300)
    values = (values / _VALUE_GRID).round_() * (_VALUE_GRID / len(values) ** 0.5)
    constraints = torch.cat([torch.ones(len(chance), 1, dtype=torch.float64), values], dim=1)
    for kept in range(constraints.shape[1], 0, -1):
        _fly(chance, constraints[:, :kept], generator, report)
        if not _undecided(chance).numel():
            break
    return chance.topk(n).indices.sort().values.to(weights.device)


def _undecided(chance: Tensor) -> Tensor:
    return ((chance > _INTEGRAL) & (chance < 1 - _INTEGRAL)).nonzero().squeeze(1)


def _fly(chance: Tensor, constraints: Tensor, generator: torch.Generator, report: Report) -> None:
    """Walk, in place, until at most as many points are undecided as there are constraints."""
    k = constraints.shape[1]
    while len(undecided := _undecided(chance)) > k:
        report(Progress("Rounding", len(chance) - len(undecided), len(chance)))
        undecided = undecided[torch.randperm(len(undecided), generator=generator)]
        width = min(2 * k, len(undecided))
        blocks = undecided[: len(undecided) // width * width].view(-1, width)
        # as many together as stay in the cache: all of a large pool at once took more than in proportion to its size
        for some in blocks.split(max(1, _BASIS_ELEMENTS // width**2)):
            # Null space of every block's constraints at once: the last columns of a complete QR.
            basis = torch.linalg.qr(constraints[some], mode="complete").Q[:, :, k:].contiguous()
            chance[some] = _walk(chance[some], basis, generator)


def _walk(chance: Tensor, basis: Tensor, generator: torch.Generator) -> Tensor:
    """Decide one point of every block at each step, for as many steps as its null space has dimensions.

    Args:
        chance: (B, q) undecided probabilities.
        basis: (B, q, f) orthonormal directions that keep every moment.
        generator: on the CPU.
    """
    rows = torch.arange(len(chance))
    for free in range(basis.shape[2], 0, -1):
        direction = basis[:, :, 0]
        up = _room(chance, direction)
        down = _room(chance, -direction)
        # The chance of each end is what keeps the expectation of every probability unchanged.
        go_up = torch.rand(len(chance), generator=generator, dtype=torch.float64) * (up + down) < down
        step = torch.where(go_up, up, -down)
        chance = (chance + step[:, None] * direction).clamp(0, 1)
        chance = torch.where(chance < _INTEGRAL, 0.0, torch.where(chance > 1 - _INTEGRAL, 1.0, chance))
        if free == 1:
            break
        # Remove the point that was decided from all other directions: reflect its row onto the first direction.
        decided = torch.where(direction.abs() > 1e-12, torch.minimum(chance, 1 - chance), 2.0).argmin(dim=1)
        row = basis[rows, decided]
        sign = torch.where(row[:, 0] < 0, -1.0, 1.0)
        mirror = row.clone()
        mirror[:, 0] += sign * row.norm(dim=1)
        mirror /= mirror.norm(dim=1, keepdim=True).clamp_min(1e-300)
        basis = basis - 2 * (basis @ mirror[:, :, None]) * mirror[:, None, :]
        basis = basis[:, :, 1:]
    return chance


def _room(chance: Tensor, direction: Tensor) -> Tensor:
    """(B,) largest step along the direction that stays inside the cube."""
    limit = torch.where(direction > 0, 1 - chance, chance) / direction.abs()
    return torch.where(direction.abs() > 1e-12, limit, torch.inf).amin(dim=1)
