"""Least squares with nonnegative weights, from inner products alone."""

import torch
from torch import Tensor

_TOLERANCE = 1e-10


def nonnegative_weights(gram: Tensor, target: Tensor, start: Tensor) -> Tensor:
    """Minimise ½ wᵀAw - bᵀw over w >= 0 by the active-set method of Lawson & Hanson (1974), from a warm start.

    At the answer Aw - b is 0 where w > 0 and not negative elsewhere, to 1e-10 of the largest |b|.

    Args:
        gram: (k, k) float64 A, positive definite.
        target: (k,) float64 b.
        start: (k,) float64 w >= 0 to start from; its zeros are tried last.

    Returns:
        (k,) float64.
    """
    weights, free = start.clone(), start > 0
    tolerance = _TOLERANCE * float(target.abs().max())
    # each turn frees one weight and lowers the objective, so none repeats; rounding is what the bound is for
    for _ in range(3 * len(target) + 1):
        weights, free = _settle(gram, target, weights, free)
        slope = (target - gram @ weights).masked_fill(free, -torch.inf)
        if float(slope.max()) <= tolerance:
            break
        free[slope.argmax()] = True
    return weights


def _settle(gram: Tensor, target: Tensor, weights: Tensor, free: Tensor) -> tuple[Tensor, Tensor]:
    """Solve on the free weights; those that would turn negative are stopped at 0, the first to get there first."""
    while bool(free.any()):
        solution = torch.zeros_like(weights)
        solution[free] = torch.linalg.solve(gram[free][:, free], target[free])
        bad = free & (solution <= 0)
        if not bool(bad.any()):
            return solution, free
        share = (weights[bad] / (weights[bad] - solution[bad]).clamp_min(1e-300)).min()
        weights = (weights + share * (solution - weights)).clamp_min(0)
        free = free & ~(bad & (weights <= 1e-14 * weights.max()))
        weights = weights * free
    return torch.zeros_like(weights), free
